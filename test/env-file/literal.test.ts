import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { envLiteral } from '../../src/env-file/literal.ts'
import { readEnv } from '../../src/env-file/parse.ts'
import { taken, values } from '../support/values-to-write.ts'

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
    ['a\nb', 'KEY holds a newline, which a line of .env cannot hold'],
    ['a\rb', 'KEY holds a carriage return, which a line of .env cannot hold'],
    ['\0', 'KEY holds the character U+0000, which a line of .env cannot hold'],
    ['\uD800', 'KEY holds the character U+D800, which a line of .env cannot hold'],
    ['a\u202Eb', 'KEY holds the character U+202E, which a line of .env cannot hold'],
    ['$\\', 'KEY holds a backslash, which .env cannot hold in a value that has to stand in quotes'],
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
