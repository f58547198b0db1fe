// What docker compose reads. Each row was read by compose-go 2.16.2 itself, which gave the very same values.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KjitsiError } from '../../src/errors.ts'
import { hasBlankEdge, parseEnv, readEnv } from '../../src/env-file/parse.ts'

const BOM = '\uFEFF'
const NBSP = '\u00A0'

const READ: readonly (readonly [what: string, text: string, values: Readonly<Record<string, string>>])[] = [
  ['nothing', '', {}],
  ['blanks and comments', ' \n\t# A=1\n\n', {}],
  ['a value', 'A=1', { A: '1' }],
  ['no value', 'A=\nB=\r\nC=', { A: '', B: '', C: '' }],
  ['CRLF', 'A=1\r\nB=2\r\n', { A: '1', B: '2' }],
  ['a byte order mark', `${BOM}A=1\n`, { A: '1' }],
  ['a byte order mark later on is a part of the value', `A=${BOM}1`, { A: `${BOM}1` }],
  ['blanks around name and value', ' \tA = 1 \n\vB\t=\f2\t\n', { A: '1', B: '2' }],
  [
    'other blanks than a space',
    `A=${NBSP}1${NBSP}\nB=2\u2003\n\u3000C=3\nD=\u20034`,
    { A: '1', B: '2', C: '3', D: '\u20034' },
  ],
  ['export', 'export A=1\nexport\tB=2\n  export  C = 3\nexportD=4', { A: '1', B: '2', C: '3', exportD: '4' }],
  ['the form of YAML', 'A: 1\nB:2\nC : "3"', { A: '1', B: '2', C: '3' }],
  ['the first of = and :', 'A=b:c\nB:c=d', { A: 'b:c', B: 'c=d' }],
  ['names', 'a.b-c[0]=1\nÉ٣=2\n9=3', { 'a.b-c[0]': '1', É٣: '2', 9: '3' }],
  ['a name without =', 'A\nB=1\n', { B: '1' }],
  ['a name that ends the file', 'B=1\nA', { B: '1' }],
  ['export alone on its line', 'export\nA=1\n', { A: '1' }],
  ['the last of two', 'A=1\nA=2\n', { A: '2' }],

  ['a comment after a value', 'A=1 # one\nB=1  #\nC=1 #one #two', { A: '1', B: '1', C: '1' }],
  [
    '# without a space before it',
    'A=1#one\nB=#two\nC=1\t# three',
    { A: '1#one', B: '#two', C: '1\t# three' },
  ],
  ['a comment in place of a value is the value', 'A= # none\nB=\t# none\n', { A: '# none', B: '# none' }],
  [
    'what is literal without quotes',
    'A=a "b" \'c\' {d} & , = ? \\n \\',
    { A: 'a "b" \'c\' {d} & , = ? \\n \\' },
  ],

  ['single quotes', "A='a # $B \\n \"'\nB=''", { A: 'a # $B \\n "', B: '' }],
  [
    'an escaped single quote',
    "A='it\\'s'\nB='\\\\'\nC='a\\\\b\\c'",
    { A: "it's", B: '\\\\', C: 'a\\\\b\\c' },
  ],
  ['double quotes', 'A="a # \'b\'"\nB=""', { A: "a # 'b'", B: '' }],
  ['escapes', 'A="\\a\\b\\f\\n\\r\\t\\v\\\\\\"\\$"', { A: '\u0007\b\f\n\r\t\v\\"$' }],
  ['octal escapes', 'A="\\0101\\0777\\012\\01\\0\\0189"', { A: 'A\\777\\12\\1\\\\189' }],
  ['what is no escape', 'A="\\c\\x41\\u0041\\d\\101"', { A: '\\c\\x41\\u0041\\d\\101' }],
  ['several lines', 'A="1\n2"\nB=\'1\r\n2\'\n', { A: '1\n2', B: '1\r\n2' }],
  ['a comment after quotes', 'A="1" # one\nB=\'1\'# one\nC="1"\t#one', { A: '1', B: '1', C: '1' }],
  ['another statement after quotes', 'A=\'1\'B=2\nC="3" D=4', { A: '1', B: '2', C: '3', D: '4' }],
  ['a name after quotes', "A='1'B\nC=2", { A: '1', C: '2' }],
  ['quotes that begin later', 'A=1"2"\nB=x\'y\'', { A: '1"2"', B: "x'y'" }],

  ['earlier values', 'A=1\nB=$A${A}\nC="$A"\nD=\'$A\'', { A: '1', B: '11', C: '1', D: '$A' }],
  ['later values', 'B=x${A}y\nA=1', { B: 'xy', A: '1' }],
  ['a value of its own', 'A=1\nA=$A$A', { A: '11' }],
  ['names of another kind', 'constructor=$toString\nB=${__proto__}', { constructor: '', B: '' }],
  ['an interpolation of an escape', 'A=1\nB="\\$A \\\\$A $$A"', { A: '1', B: '$A \\1 $A' }],
]

const ENVIRONMENT: readonly (readonly [text: string, values: Readonly<Record<string, string>>])[] = [
  ['A=$E', { A: 'set' }],
  ['E=1\nA=$E', { E: '1', A: 'set' }],
  ['E\nF=1', { E: 'set', F: '1' }],
  ['export E\nEMPTY\nOTHER\n', { E: 'set', EMPTY: '' }],
  ['A=${EMPTY-x}${EMPTY:-y}', { A: 'y' }],
  ['E', {}],
]

const BROKEN: readonly (readonly [text: string, message: string])[] = [
  ['A=1\nB C=2', 'FILE, line 2: a name cannot hold a space'],
  ['A B\nC=1', 'FILE, line 1: a name cannot hold a space'],
  ['A=1\n\nB&C=2', 'FILE, line 3: "&" cannot be part of a name'],
  ['😀=1', 'FILE, line 1: "😀" cannot be part of a name'],
  ["A=1\nB='2\nC=3", "FILE, line 2: a value begins with ' and never ends"],
  ['A="1\\"', 'FILE, line 1: a value begins with " and never ends'],
  ["A='1\\'", "FILE, line 1: a value begins with ' and never ends"],
  ["A='1'😀", 'FILE, line 1: "😀" cannot be part of a name'],
  ['A=1\nexport ', 'FILE, line 2: there is no name after export'],
  ['A=${', 'FILE, line 1: a ${ that opens no variable'],
  ['A=1\nB=${}', 'FILE, line 2: a ${ that opens no variable'],
  ['A=${B:?no B}', 'FILE, line 1: the required variable B is missing a value'],
]

describe('readEnv', () => {
  it.each(READ)('reads %s', (_, text, values) => {
    expect(Object.fromEntries(readEnv(text))).toEqual(values)
  })

  it.each(ENVIRONMENT)('reads %j with the environment', (text, values) => {
    expect(Object.fromEntries(readEnv(text, { E: 'set', EMPTY: '' }))).toEqual(values)
  })

  it.each(BROKEN)('gives up on %j', (text, message) => {
    expect(() => readEnv(text, {}, 'FILE')).toThrow(
      expect.objectContaining({ code: 'usage', message }) as Error,
    )
  })

  it('never shows what stands on a line that it cannot read', () => {
    for (const text of ["SECRET='hunter2", 'hunter2 hunter2\n', 'SECRET="hunter2\nhunter2']) {
      let message = ''
      try {
        readEnv(text)
      } catch (error) {
        message = (error as Error).message
      }
      expect(message).toMatch(/^\.env, line 1: /)
      expect(message).not.toContain('hunter2')
    }
  })

  it('reads any text, or says on which line it cannot', () => {
    const bit = fc.constantFrom(
      'A',
      'export ',
      '=',
      ':',
      '\n',
      '\r\n',
      ' ',
      '#',
      '"',
      "'",
      '\\',
      '$',
      '{',
      '}',
      ':-',
      '0',
      'é',
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(bit).map((bits) => bits.join('')),
        ),
        (text) => {
          try {
            readEnv(text)
          } catch (error) {
            expect(error).toBeInstanceOf(KjitsiError)
            expect((error as Error).message).toMatch(/^\.env, line \d+: /)
          }
        },
      ),
    )
  })

  it('does not say that compose cannot read what is only too much for kjitsi', () => {
    const text = `A=1\nB=${'${X:-'.repeat(20_000)}${'}'.repeat(20_000)}\n`
    expect(() => readEnv(text)).toThrow(
      expect.objectContaining({
        message: '.env, line 2: variables are nested more than 100 deep in a value',
        hint: 'write it with fewer variables in each other',
      }) as Error,
    )
  })

  it('takes no longer than a moment for a long line of blanks', () => {
    const text = `A=a${' '.repeat(200_000)}b\n`.repeat(3)
    expect(readEnv(text).get('A')).toHaveLength(200_002)
  })
})

describe('parseEnv', () => {
  it.each(READ)('says where the values are: %s', (_, text) => {
    for (const statement of parseEnv(text)) {
      if (statement.kind !== 'assignment') continue
      const { quote, content, valueStart, valueEnd, separatorEnd } = statement
      const value = text.slice(valueStart, valueEnd)
      if (quote === '') expect(value).toBe(content)
      else expect(value).toMatch(new RegExp(`^${quote}.*${quote}$`, 's'))
      expect(text[separatorEnd - 1]).toMatch(/[=:]/)
    }
  })
})

it.each([
  ['a', false],
  ['a b', false],
  ['', false],
  [' a', true],
  ['a\t', true],
  ['a\n', true],
  [`a${NBSP}`, true],
  ['\u2003a', true],
  [`${BOM}a`, false],
])('hasBlankEdge(%j) is %s', (text, expected) => {
  expect(hasBlankEdge(text)).toBe(expected)
})
