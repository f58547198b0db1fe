import { describe, expect, test } from 'vitest'
import { type LuaOptions, type LuaValue, readLua } from '../../src/prosody/lua.ts'

/** Tables as lists, where they have no names in them. */
function bare(value: LuaValue): unknown {
  if (typeof value !== 'object' || value === null) return value
  const items = value.items.map(bare)
  return value.fields.size === 0 ? items : { items, ...plain(value.fields) }
}

function plain(options: LuaOptions = new Map()): object {
  return Object.fromEntries([...options].map(([name, value]) => [name, bare(value)]))
}

// Each of these is also held against Prosody's own reader, in test/tools/lua.test.ts.
describe('options of a Lua file', () => {
  test.each<[string, object]>([
    ['', {}],
    ['a="x"', { a: 'x' }],
    [" a = 'x' ; b=true\nc = false;;", { a: 'x', b: true, c: false }],
    ['a=1 a=-20 b=1.5e1', { a: -20, b: 15 }],
    ['a={} b={"x"} c={ "x"; \'y\', }', { a: [], b: ['x'], c: ['x', 'y'] }],
    ['a="x"b="y"', { a: 'x', b: 'y' }],
    [String.raw`a="x\n\\\"\065\x42"`, { a: 'x\n\\"AB' }],
    ['a=1 -- one\n--[[ b=2\n]] --[==[ ]] ]==] c=3', { a: 1, c: 3 }],
    [
      'a={ { levels = { min = "error" } }, to = "console" }',
      { a: { items: [{ items: [], levels: { items: [], min: 'error' } }], to: 'console' } },
    ],
    ['a=1 a=nil', { a: null }],
    ['a=no', { a: null }],
  ])('%j', (source, values) => {
    const { sections, is } = readLua(source)
    expect({ is, values: plain(sections.get('')) }).toEqual({ is: 'read', values })
  })

  test('stand in sections, and behind one in braces for all again', () => {
    const { sections, is } = readLua(
      'a=1 VirtualHost "H.example" b=2 Component "c" "muc" { d=3 } e=4 VirtualHost "h.example" f=5',
    )
    expect(is).toBe('read')
    expect(Object.fromEntries([...sections].map(([host, options]) => [host, plain(options)]))).toEqual({
      '': { a: 1, e: 4 },
      'h.example': { b: 2, f: 5 },
      c: { d: 3 },
    })
  })
})

test.each([
  'a="x',
  'a="x\ny"',
  String.raw`a="\d"`,
  'a="x\\"',
  'a=""x""',
  'a={""x""}',
  'a={"x"\n"y"}',
  'a="x" "y"',
  'a=12ab',
  'a={34 78}',
  'a 5',
  'a b',
  'end',
  'a=end',
  'limits()',
  'limits "x"',
  'a=https://x.example.org/y',
  'https://x',
  'a=?',
  'a={"x"}}',
  'VirtualHost "a" "b"',
])('%j is no Lua, or none that Prosody can run', (source) => {
  expect(readLua(source).is).toBe('broken')
})

test.each([
  'a="x".."y"',
  'a=1+1',
  'a="x","y"',
  'a={',
  'a={"x"',
  'a=',
  'a=os.time()',
  'a=print',
  'a=[[x]]',
  '--[[',
  String.raw`a="\u{41}"`,
  'a=0x10',
  'a={[1]=2}',
  'a=function() end',
  'if true then a=1 end',
  'Include "x"',
  'a.b=1',
  'VirtualHost("x")',
  'print("x")',
])('%j is left to Prosody', (source) => {
  expect(readLua(source).is).toBe('unknown')
})
