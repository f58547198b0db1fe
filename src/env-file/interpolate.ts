// What compose does to the text of a value: backslash escapes, and `$NAME` in its six forms. Follows compose-go's
// template/template.go and dotenv/parser.go, with their oddities, since compose's reading is the one that counts.
import { KjitsiError } from '../errors.ts'

/** Gives a variable's value, undefined where it is not set. */
export type Lookup = (name: string) => string | undefined

/** Go's regexp folds case by Unicode's simple folding, as JavaScript's `iu` does. */
const VARIABLE =
  /\$(?:(?<escaped>\$)|(?<named>[_a-z][_a-z0-9]*)|\{(?:(?<braced>[_a-z][_a-z0-9]*(?::?[-+?][^\n]*)?)\}|))/iu
/** The earliest of the six operators. */
const OPERATOR = /:?[-+?]/

/** compose-go itself goes as deep as its stack; no value that a person wrote comes near this. */
const MAX_DEPTH = 100

/**
 * Replaces `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME:+other}`, `${NAME:?message}` (each also without the colon) and
 * `$$`. A `$` before anything else stays.
 * @param depth how many variables it is the default, or other word, of
 * @throws Error where a required variable is missing, or `${` opens nothing that compose knows
 * @throws KjitsiError `usage` where words of variables are nested more than a hundred deep, whatever compose reads there
 */
export function interpolate(text: string, lookup: Lookup, depth = 0): string {
  if (depth > MAX_DEPTH) {
    throw new KjitsiError('usage', `variables are nested more than ${MAX_DEPTH} deep in a value`, {
      hint: 'write it with fewer variables in each other',
    })
  }
  let replaced = ''
  let rest = text
  for (;;) {
    const found = VARIABLE.exec(rest)
    if (found === null) return replaced + rest
    const { value, behind } = replacement(found[0], lookup, depth)
    replaced += rest.slice(0, found.index) + value
    rest = behind + rest.slice(found.index + found[0].length)
  }
}

/** The pattern is greedy to the last `}` of the line: what lies `behind` the variable's own one is interpolated anew. */
function replacement(
  match: string,
  lookup: Lookup,
  depth: number,
): { readonly value: string; readonly behind: string } {
  const end = closingBrace(match)
  const variable = end < 0 ? match : match.slice(0, end + 1)
  const { escaped, named, braced } = VARIABLE.exec(variable)?.groups ?? {}
  if (escaped !== undefined) return { value: escaped, behind: '' }
  if (named !== undefined) return { value: lookup(named) ?? '', behind: '' }
  if (braced === undefined) throw new Error('a ${ that opens no variable')
  const operator = OPERATOR.exec(match)?.[0]
  if (operator === undefined) return { value: lookup(braced) ?? '', behind: '' }
  const at = braced.indexOf(operator)
  const word = (): string => interpolate(braced.slice(at + operator.length), lookup, depth + 1)
  return { value: applied(operator, braced.slice(0, at), word, lookup), behind: match.slice(variable.length) }
}

function applied(operator: string, name: string, word: () => string, lookup: Lookup): string {
  const value = lookup(name)
  const counts = value !== undefined && (!operator.startsWith(':') || value !== '')
  if (operator.endsWith('-')) return counts ? value : word()
  if (operator.endsWith('+')) return counts ? word() : (value ?? '')
  if (counts) return value
  // Its words are not repeated: like any other part of a value they may hold a secret.
  word()
  throw new Error(`the required variable ${name} is missing a value`)
}

/** Index of the `}` that closes the first `{`, or -1; the character after each `{` is never looked at. */
function closingBrace(text: string): number {
  let open = 0
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '}' && --open === 0) return i
    if (text[i] === '{') {
      open++
      i++
    }
  }
  return -1
}

const ESCAPE = /\\(?:[abcfnrtv$"\\]|0\d{0,3})/g
const ESCAPED: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '"': '"',
  '\\': '\\',
  // The dollar sign is escaped for the interpolation that follows.
  $: '$$',
}

/** Resolves the escapes of a double-quoted value, among them `\0123` (octal); what is no escape stays. */
export function unescape(text: string): string {
  return text.replace(ESCAPE, (match) => {
    const name = match.slice(1)
    if (!name.startsWith('0')) return ESCAPED[name] ?? match
    const octal = name.slice(1)
    const code = /^[0-7]{3}$/.test(octal) ? Number.parseInt(octal, 8) : 256
    return code < 256 ? String.fromCharCode(code) : `\\${octal}`
  })
}
