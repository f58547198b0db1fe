import { parse as parseDotenv } from 'dotenv'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkReadAlike } from '../../src/env-file/compare.ts'
import { KjitsiError } from '../../src/errors.ts'

const NAMES = ['N', 'M']

function check(text: string, environment: Readonly<Record<string, string>> = {}): void {
  checkReadAlike(text, parseDotenv(text), NAMES, environment, '/opt/.env')
}

function refusalOf(text: string, environment?: Readonly<Record<string, string>>): string {
  try {
    check(text, environment)
  } catch (error) {
    return error instanceof KjitsiError && error.code === 'usage' ? error.message : 'another error'
  }
  return ''
}

describe('checkReadAlike', () => {
  it.each([
    ['a #', 'A=1\nN=hun#ter\n', 'N (line 2)'],
    ['a variable', 'A=1\n\nN=${A}\n', 'N (line 3)'],
    ['a variable that is not set', 'N=hunter$ABC', 'N (line 1)'],
    ['an escape', 'N="hun\\tter"', 'N (line 1)'],
    ['a single quote in single quotes', "N='hun\\'ter'", 'N (line 1)'],
    ['back quotes', 'N=`hunter`', 'N (line 1)'],
    ['the last of several lines', 'N=a\nN=b\nN=hun#ter', 'N (line 3)'],
    ['several names', 'M=hun#ter\nN=$hunter', 'N (line 2), M (line 1)'],
    ['an assignment that only compose sees', "A='1' N=hunter", 'N (line 1)'],
    ['an assignment that compose takes for a part of a value', "A=1\nB:'\nN=hunter\n'", 'N (line 3)'],
  ])('names the line: %s', (_, text, places) => {
    expect(refusalOf(text)).toBe(`/opt/.env: docker compose reads ${places} differently than kjitsi does`)
  })

  it.each([
    ['plain values', 'N=hunter\nexport M = "a b" # why\r\n'],
    ['quotes', "N='hun#ter $A \\n'\nM=\"it's #1\""],
    ['a newline in double quotes', 'N="a\\nb"\nM="a\nb"'],
    ['names of others', 'A=a#b\nB=$C\nC=${A:?}'],
    ['a name alone', 'N\nM\n'],
    ['no value', "N=\nM=''"],
    ['a file that compose cannot read', 'N=hun#ter\nB C=1\n'],
    ['a value that compose cannot read', 'N=hun${ter\n'],
  ])('takes %s', (_, text) => {
    expect(refusalOf(text)).toBe('')
  })

  it('looks at what compose would have from the environment, and at no name that it has', () => {
    expect(refusalOf('N=$A', { A: '$A' })).toBe('')
    expect(refusalOf('N=$A', { A: 'a' })).not.toBe('')
    expect(refusalOf('N=hun#ter\nM', { N: 'set', M: 'set' })).toBe('')
    expect(refusalOf('N=hun#ter', { N: '' })).not.toBe('')
  })

  it('is content with what its hint says, whatever the value', () => {
    const value = fc
      .string({ unit: fc.constantFrom('a', '#', '$', '{', '}', ' ', '"', '`', '\\', '=', 'é') })
      .filter((text) => !text.endsWith('\\'))
    fc.assert(
      fc.property(value, (text) => {
        check(`A=1\nN='${text}'\nM='${text}'\n`)
        check(`M="it's${text.replace(/["\\$]/g, '')}"`)
      }),
      { numRuns: 2000 },
    )
  })
})
