import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readEnv } from '../../src/env-file/parse.ts'
import { commaList, envLiteral, luaText } from '../../src/jitsi/literals.ts'

describe('envLiteral', () => {
  it.each([
    ['jitsi', 'jitsi'],
    ['', ''],
    [
      'https://auth.example.org/realms/a?b=c&d={state}#e',
      'https://auth.example.org/realms/a?b=c&d={state}#e',
    ],
    ['cache_keys_url="https://a"', 'cache_keys_url="https://a"'],
    ['a\\b', 'a\\b'],
    ["it's", "it's"],
    ['a#b', 'a#b'],
    ['a #b', "'a #b'"],
    ['#a', "'#a'"],
    ['$a', "'$a'"],
    ['100$', "'100$'"],
    [' a', "' a'"],
    ['a\u00A0', "'a\u00A0'"],
    ['"a"', '\'"a"\''],
    ["'a'", "'\\'a\\''"],
    ["$it's", "'$it\\'s'"],
  ])('%j is written %s', (value, literal) => {
    expect(envLiteral('KEY', value)).toBe(literal)
  })

  it('is quoted where that is asked for', () => {
    expect(envLiteral('KEY', "it's", true)).toBe("'it\\'s'")
  })

  it.each([
    ['a\nb', 'KEY "a\\nb" holds a newline, which a line of .env cannot hold'],
    ['a\rb', 'KEY "a\\rb" holds a carriage return, which a line of .env cannot hold'],
    ['\0', 'KEY "\\u0000" holds the character U+0000, which a line of .env cannot hold'],
    ['\uD800', 'KEY "\\ud800" holds the character U+D800, which a line of .env cannot hold'],
    ['a\u202Eb', 'KEY "a\u202Eb" holds the character U+202E, which a line of .env cannot hold'],
    ['$\\', 'KEY "$\\\\" holds a backslash, which .env cannot hold in a value that has to stand in quotes'],
  ])('refuses %j', (value, message) => {
    expect(() => envLiteral('KEY', value)).toThrow(
      expect.objectContaining({ code: 'usage', message }) as Error,
    )
  })

  it('is read back as the value, whatever value it takes', () => {
    fc.assert(
      fc.property(values, fc.boolean(), (value, quoted) => {
        const literal = taken(() => envLiteral('KEY', value, quoted))
        fc.pre(literal !== undefined)
        expect(readEnv(`A=1\nKEY=${literal}\nB=2\n`)).toEqual(
          new Map([
            ['A', '1'],
            ['KEY', value],
            ['B', '2'],
          ]),
        )
      }),
      { numRuns: 2000 },
    )
  })
})

describe('luaText', () => {
  it.each(['jitsi', "it's", '$a', 'a #b', '{state}', 'Zürich 😀', '--', ']]', ''])('takes %j', (value) => {
    expect(luaText('KEY', value)).toBe(value)
  })

  it.each([
    ['a"b', 'KEY "a\\"b" holds a double quote, which would end the string in Prosody\'s configuration'],
    ['a\\b', 'KEY "a\\\\b" holds a backslash, which begins an escape in Prosody\'s configuration'],
    ['a\nb', 'KEY "a\\nb" holds a newline, which cannot stand in a setting'],
    ['a\tb', 'KEY "a\\tb" holds a tab, which cannot stand in a setting'],
    ['\u0085', 'KEY "\u0085" holds the character U+0085, which cannot stand in a setting'],
  ])('refuses %j', (value, message) => {
    expect(() => luaText('KEY', value)).toThrow(expect.objectContaining({ code: 'usage', message }) as Error)
  })

  it('takes no value that could leave its Lua string', () => {
    fc.assert(
      fc.property(values, (value) => {
        const text = taken(() => luaText('KEY', value))
        fc.pre(text !== undefined)
        expect(`"${text}"`).toMatch(/^"[^"\\\n\r\0]*"$/)
      }),
    )
  })
})

describe('commaList', () => {
  it.each([
    [['a'], 'a'],
    [['account', 'jitsi'], 'account,jitsi'],
    [['a', 'b', 'a'], 'a,b'],
    [['a b', 'c'], 'a b,c'],
  ])('%j is written %s', (items, list) => {
    expect(commaList('KEY', items)).toBe(list)
  })

  it.each([
    ['a,b', 'KEY "a,b" holds a comma, which Jitsi takes for the end of an item'],
    [' a', 'KEY " a" holds a space, at its edge, which Jitsi would compare as well'],
    ['a\t', 'KEY "a\\t" holds a tab, at its edge, which Jitsi would compare as well'],
  ])('refuses the item %j', (item, message) => {
    expect(() => commaList('KEY', ['ok', item])).toThrow(
      expect.objectContaining({ code: 'usage', message }) as Error,
    )
  })
})

const values = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(' ', '#', '$', 'A', "'", '"', '\\', '{', '}', '=', ':', 'é', '\t', '\u00A0', 'export '),
    )
    .map((bits) => bits.join('')),
)

function taken(write: () => string): string | undefined {
  try {
    return write()
  } catch {
    return undefined
  }
}
