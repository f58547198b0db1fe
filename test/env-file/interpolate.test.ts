// Each row was read by compose-go 2.16.2 itself as the value of `X="…"`, which gave the very same text.
import { describe, expect, it } from 'vitest'
import { interpolate, unescape } from '../../src/env-file/interpolate.ts'

const VALUES: Readonly<Record<string, string>> = { A: 'a', B: '', S: '$A' }
const lookup = (name: string): string | undefined => VALUES[name]

const FORMS: readonly (readonly [text: string, value: string])[] = [
  ['$A', 'a'],
  ['${A}', 'a'],
  ['$A$A', 'aa'],
  ['$AB', ''],
  ['$A-B', 'a-B'],
  ['${N}', ''],
  ['$$', '$'],
  ['$$A', '$A'],
  ['$$$A', '$a'],
  ['$', '$'],
  ['$1 $- $. a$', '$1 $- $. a$'],
  // A value is not read again.
  ['$S', '$A'],
  // Go folds the Kelvin sign to k and the long s to s, as names may be written in any case.
  ['$\u212A', ''],
  ['${\u017F}', ''],

  ['${A-x}${B-x}${N-x}', 'ax'],
  ['${A:-x}${B:-x}${N:-x}', 'axx'],
  ['${A+x}${B+x}${N+x}', 'xx'],
  ['${A:+x}${B:+x}${N:+x}', 'x'],
  ['${A?x}${A:?x}${B?x}', 'aa'],
  ['${N:-$A}', 'a'],
  ['${N:-${A}}', 'a'],
  ['${N:-${M:-${A}}}', 'a'],
  ['${N:-}', ''],
  ['${N:-a-b:-c}', 'a-b:-c'],
  ['${N-:-x}', ':-x'],
  ['${N:-x}y}', 'xy}'],
  ['${N:-x}${A}', 'xa'],
  ['${N:-x} {y}', 'x {y}'],
  ['${A:-x}$A}', 'aa}'],
  // The character after a { is never looked at, so that nothing closes this one.
  ['${N:-{}}', '{}'],
]

const REFUSED: readonly (readonly [text: string, message: string])[] = [
  ['${', 'a ${ that opens no variable'],
  ['${}', 'a ${ that opens no variable'],
  ['${1}', 'a ${ that opens no variable'],
  ['${A', 'a ${ that opens no variable'],
  ['${A B}', 'a ${ that opens no variable'],
  ['${N?}', 'the required variable N is missing a value'],
  ['${N?no $A}', 'the required variable N is missing a value'],
  ['${B:?empty}', 'the required variable B is missing a value'],
  ['${N:-${M?why}}', 'the required variable M is missing a value'],
]

describe('interpolate', () => {
  it.each(FORMS)('%j is %j', (text, value) => {
    expect(interpolate(text, lookup)).toBe(value)
  })

  it.each(REFUSED)('refuses %j', (text, message) => {
    expect(() => interpolate(text, lookup)).toThrow(message)
  })

  it('takes a hundred variables in each other, and says what is wrong with more', () => {
    const nested = (depth: number): string => '${N:-'.repeat(depth) + 'x' + '}'.repeat(depth)
    expect(interpolate(nested(100), lookup)).toBe('x')
    for (const depth of [101, 20_000]) {
      expect(() => interpolate(nested(depth), lookup)).toThrow(
        'variables are nested more than 100 deep in a value',
      )
    }
  })

  it('takes any number of variables one after the other', () => {
    expect(interpolate('${N:-x}'.repeat(10_000), lookup)).toBe('x'.repeat(10_000))
  })

  it('takes a default up to the end of its line only', () => {
    expect(() => interpolate('${N:-a\nb}', lookup)).toThrow('opens no variable')
  })
})

it.each([
  ['\\n\\t\\\\', '\n\t\\'],
  ['\\$A', '$$A'],
  ['\\0101', 'A'],
  ['\\0377', 'ÿ'],
  ['\\0400\\08\\0', '\\400\\8\\'],
  ['\\c\\q\\', '\\c\\q\\'],
])('unescape(%j) is %j', (text, value) => {
  expect(unescape(text)).toBe(value)
})
