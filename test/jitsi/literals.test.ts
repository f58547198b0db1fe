import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { commaList, luaText } from '../../src/jitsi/literals.ts'
import { taken, values } from '../support/values-to-write.ts'

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
