// What is read of Prosody's Lua without an engine, held against Prosody's own reader.
import fc from 'fast-check'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { type LuaOptions, type LuaValue, readLua } from '../../src/prosody/lua.ts'
import { runProgram } from '../support/programs.ts'

const WORDS = [
  ...['a', 'b', 'cd', 'x1', 'print', 'end', 'nil', 'true', 'false', 'and', 'not', 'if', 'local', 'return'],
  ...[
    '=',
    '=',
    '=',
    '{',
    '}',
    '{',
    '}',
    ',',
    ';',
    ';',
    '(',
    ')',
    '[',
    ']',
    ':',
    '.',
    '..',
    '-',
    '--',
    '#',
    '?',
    '==',
    '//',
  ],
  ...[
    '"x"',
    "'y'",
    '"',
    "'",
    String.raw`"\n"`,
    String.raw`"\d"`,
    String.raw`"\065"`,
    '"\\',
    '\\',
    '[[',
    ']]',
    '--[[',
    '[=[',
  ],
  ...[
    '1',
    '2.5',
    '1e3',
    '3a',
    '.5',
    'VirtualHost "h"',
    'VirtualHost "h" {',
    'https://x',
    '\n',
    '\n',
    ' ',
    '\r',
    '\f',
    '\u00A0',
    'é',
  ],
]
const soup = fc
  .array(fc.tuple(fc.constantFrom(...WORDS), fc.constantFrom('', ' ', ' ')), { maxLength: 14 })
  .map((words) => words.flat().join(''))
const item = fc.constantFrom('"x"', "'y z'", '5', '-1.5', 'true', 'nil', 'no', '{ "x"; "y" }', '{ a = 1, 2 }')
const plain = fc
  .array(fc.tuple(fc.constantFrom('a', 'b', 'cd'), item, fc.constantFrom('', ';', '\n', ' -- x\n')), {
    maxLength: 5,
  })
  .map((options) => options.map(([name, value, end]) => `${name} = ${value} ${end}`).join(''))
/** What stands between double quotes of a template. */
const quoted = fc
  .tuple(
    fc.constantFrom('a = "', 'a = { "', 'a = { b = "'),
    fc.array(
      fc.constantFrom('"', '\\', 'n', 'x', ',', ';', '=', '{', '}', '7', '-', ' ', "'", '\n', ':', '/'),
      { maxLength: 6 },
    ),
  )
  .map(([before, inside]) => `${before}${inside.join('')}"${before.includes('{') ? ' }' : ''}`)

function text(value: LuaValue): string {
  if (value === null) return 'nil'
  if (typeof value === 'string') return `"${Buffer.from(value).toString('hex')}"`
  if (typeof value !== 'object') return String(value)
  const items = value.items.map((one, i) => (one === null ? '' : `${i + 1}=${text(one)}`))
  // Lua's ipairs ends at the first nil.
  const end = value.items.indexOf(null)
  return `{${[...items.slice(0, end < 0 ? undefined : end), ...fieldsOf(value.fields)].join(',')}}`
}

function fieldsOf(options: LuaOptions): readonly string[] {
  const names = [...options.keys()].sort()
  return names.flatMap((name) => {
    const value = options.get(name) ?? null
    return value === null ? [] : [`${name}=${text(value)}`]
  })
}

const none: LuaOptions = new Map()
const all = (options: LuaOptions = none): string => `{${fieldsOf(options).join(',')}}`

test('what is read is what Prosody reads, and what is broken stops it', async () => {
  const sources = fc.sample(fc.oneof(soup, plain, quoted), { numRuns: 6000, seed: 7 })
  const dir = await mkdtemp(join(tmpdir(), 'kjitsi-lua-'))
  await Promise.all(sources.map((source, i) => writeFile(join(dir, `${i + 1}.lua`), source)))
  const script = fileURLToPath(new URL('prosody-configs.lua', import.meta.url))
  const { stdout } = runProgram('lua5.4', [script, dir, String(sources.length)])
  await rm(dir, { recursive: true })
  // What a configuration prints itself stands between the lines.
  const said = stdout.split('\n').filter((line) => line === 'no' || line.startsWith('{'))
  expect(said.length).toBe(sources.length)
  const counts = { read: 0, broken: 0, unknown: 0 }
  for (const [i, source] of sources.entries()) {
    const { sections, is } = readLua(source)
    counts[is]++
    const ours =
      is === 'broken' ? 'no' : is === 'read' ? all(sections.get('')) + all(sections.get('h')) : said[i]
    expect({ source, is, says: said[i] }).toEqual({ source, is, says: ours })
  }
  expect(Math.min(...Object.values(counts))).toBeGreaterThan(300)
})
