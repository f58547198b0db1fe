// What a literal-writer refuses in a value: characters that its syntax cannot hold, named so that a person can find them.
import { KjitsiError } from './errors.ts'

/** What a value must not hold, and why. */
export type CharacterRule = readonly [pattern: RegExp, why: string]

/** Control characters, halves of surrogate pairs, which no file can hold, and marks that hide the order of a text. */
export const CONTROL = /[\p{Cc}\p{Cs}\u202A-\u202E\u2066-\u2069]/u

/**
 * What no reader of a file shows, or each takes for something else: also line ends beyond ASCII, marks that turn the
 * direction of writing, byte order marks, and code points that are no characters.
 */
export const INVISIBLE = [
  /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Noncharacter_Code_Point}\uFEFF]/u,
  'which cannot be seen in a file',
] as const satisfies CharacterRule

const NAMES: Readonly<Record<string, string>> = {
  '"': 'a double quote',
  "'": 'a single quote',
  '\\': 'a backslash',
  ',': 'a comma',
  ' ': 'a space',
  $: 'a dollar sign',
  '{{': 'two braces',
  '\n': 'a newline',
  '\r': 'a carriage return',
  '\t': 'a tab',
}

/**
 * @param what names the value in an error
 * @throws KjitsiError `usage` with the first character that breaks a rule; it shows nothing else of the value
 */
export function refuseCharacters(what: string, value: string, rules: readonly CharacterRule[]): void {
  for (const [pattern, why] of rules) {
    const found = pattern.exec(value)?.[0]
    if (found === undefined) continue
    const code = (found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
    const character = NAMES[found] ?? `the character U+${code}`
    throw new KjitsiError('usage', `${what} holds ${character}, ${why}`)
  }
}
