// One writer for each syntax that a value must survive. What a syntax cannot hold is refused, never escaped by luck.
import { KjitsiError } from '../errors.ts'
import { hasBlankEdge } from './env-file.ts'

/**
 * A value as `.env` holds it: bare where that is read back as it stands, else in single quotes, where only `'` needs an
 * escape. Bare values also survive readers that are simpler than docker compose.
 * @param what names the value in an error
 * @param quoted single quotes even where bare would do
 * @throws KjitsiError `usage`
 */
export function envLiteral(what: string, value: string, quoted = false): string {
  refuse(what, value, [[CONTROL, 'which a line of .env cannot hold']])
  const bare = !quoted && !/^['"#]|\$| #/.test(value) && !hasBlankEdge(value)
  if (bare) return value
  refuse(what, value, [[/\\/, 'which .env cannot hold in a value that has to stand in quotes']])
  return `'${value.replaceAll("'", "\\'")}'`
}

/**
 * A value that docker-jitsi-meet puts into a `"…"` string of Prosody's Lua configuration, without escaping it.
 * @throws KjitsiError `usage`
 */
export function luaText(what: string, value: string): string {
  refuse(what, value, [
    [CONTROL, 'which cannot stand in a setting'],
    [/"/, "which would end the string in Prosody's configuration"],
    [/\\/, "which begins an escape in Prosody's configuration"],
  ])
  return value
}

/**
 * Items as one of Jitsi's comma lists. It splits them at every comma, compares them as they stand, and trims nothing.
 * @throws KjitsiError `usage`
 */
export function commaList(what: string, items: readonly string[]): string {
  for (const item of items) {
    refuse(what, item, [
      [/,/, 'which Jitsi takes for the end of an item'],
      [/^\s|\s$/, 'at its edge, which Jitsi would compare as well'],
    ])
  }
  return [...new Set(items)].join(',')
}

/** Control characters, halves of surrogate pairs, which no file can hold, and marks that hide the order of a text. */
const CONTROL = /[\p{Cc}\p{Cs}\u202A-\u202E\u2066-\u2069]/u

const NAMES: Readonly<Record<string, string>> = {
  '"': 'a double quote',
  '\\': 'a backslash',
  ',': 'a comma',
  ' ': 'a space',
  '\n': 'a newline',
  '\r': 'a carriage return',
  '\t': 'a tab',
}

function refuse(what: string, value: string, rules: readonly (readonly [RegExp, string])[]): void {
  for (const [pattern, why] of rules) {
    const found = pattern.exec(value)?.[0]
    if (found === undefined) continue
    const code = (found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
    const character = NAMES[found] ?? `the character U+${code}`
    throw new KjitsiError('usage', `${what} ${JSON.stringify(value)} holds ${character}, ${why}`)
  }
}
