// What compose does to the text of a value: backslash escapes, and `$NAME` in its six forms. Follows compose-go's
// template/template.go and dotenv/parser.go, with their oddities, since compose's reading is the one that counts.

/** Gives a variable's value, undefined where it is not set. */
export type Lookup = (name: string) => string | undefined

/** Go's regexp folds case by Unicode's simple folding, as JavaScript's `iu` does. */
const VARIABLE =
  /\$(?:(?<escaped>\$)|(?<named>[_a-z][_a-z0-9]*)|\{(?:(?<braced>[_a-z][_a-z0-9]*(?::?[-+?][^\n]*)?)\}|))/iu
const VARIABLES = new RegExp(VARIABLE.source, 'giu')
const OPERATORS = [':?', '?', ':-', '-', ':+', '+'] as const
type Operator = (typeof OPERATORS)[number]

/**
 * Replaces `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME:+other}`, `${NAME:?message}` (each also without the colon) and
 * `$$`. A `$` before anything else stays.
 * @throws Error where a required variable is missing, or `${` opens nothing that compose knows
 */
export function interpolate(text: string, lookup: Lookup): string {
  return text.replace(VARIABLES, (match) => replacement(match, lookup))
}

/** The pattern is greedy to the last `}` of the line: what lies behind the variable's own one is interpolated anew. */
function replacement(match: string, lookup: Lookup): string {
  const end = closingBrace(match)
  const variable = end < 0 ? match : match.slice(0, end + 1)
  const rest = end < 0 ? '' : match.slice(end + 1)
  const { escaped, named, braced } = VARIABLE.exec(variable)?.groups ?? {}
  if (escaped !== undefined) return escaped
  if (named !== undefined) return lookup(named) ?? ''
  if (braced === undefined) throw new Error('a ${ that opens no variable')
  const operator = firstOperator(match)
  if (operator === undefined) return lookup(braced) ?? ''
  const at = braced.indexOf(operator)
  return (
    applied(operator, braced.slice(0, at), braced.slice(at + operator.length), lookup) +
    interpolate(rest, lookup)
  )
}

function firstOperator(text: string): Operator | undefined {
  const found = OPERATORS.filter((operator) => text.includes(operator))
  return found.sort((a, b) => text.indexOf(a) - text.indexOf(b))[0]
}

function applied(operator: Operator, name: string, word: string, lookup: Lookup): string {
  const value = lookup(name)
  const counts = value !== undefined && (!operator.startsWith(':') || value !== '')
  switch (operator) {
    case ':-':
    case '-':
      return counts ? value : interpolate(word, lookup)
    case ':+':
    case '+':
      return counts ? interpolate(word, lookup) : (value ?? '')
    case ':?':
    case '?': {
      if (counts) return value
      // Its words are not repeated: like any other part of a value they may hold a secret.
      interpolate(word, lookup)
      throw new Error(`the required variable ${name} is missing a value`)
    }
  }
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
