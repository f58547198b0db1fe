// The parts of a token as Prosody's libraries read them: base64url by basexx, JSON by lua-cjson.
import { isUtf8 } from 'node:buffer'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

/** `undetermined`: not JSON as RFC 8259 has it, and what lua-cjson makes of it is not looked into. */
export type Decoded =
  { readonly is: 'json'; readonly value: Json } | { readonly is: 'no base64url' | 'no json' | 'undetermined' }

/** Padding is skipped wherever it stands, and left-over bits are dropped, as basexx does. */
export function decodeBase64url(text: string): Buffer | undefined {
  const bare = text.replaceAll('=', '')
  return /[^A-Za-z0-9_-]/.test(bare) ? undefined : Buffer.from(bare, 'base64url')
}

export function decodeJson(part: string): Decoded {
  const bytes = decodeBase64url(part)
  return bytes === undefined ? { is: 'no base64url' } : readJson(bytes)
}

/** Of a name that stands twice in an object the last value counts, here as there. */
export function readJson(bytes: Buffer): Decoded {
  if (bytes.includes(0)) return { is: 'undetermined' }
  const text = bytes.toString('utf8')
  let value: Json
  try {
    value = JSON.parse(text) as Json
  } catch {
    return { is: isBroken(bytes.toString('latin1')) ? 'no json' : 'undetermined' }
  }
  if (!isUtf8(bytes)) return { is: 'undetermined' }
  return hasLoneSurrogate(text) || isTooDeep(text) ? { is: 'no json' } : { is: 'json', value }
}

/**
 * Whether a text that is not JSON cannot be read by lua-cjson either. That is more lenient in two things:
 * numbers (`NaN`, `0x10`, `01`) and control characters in strings. A text that stays broken without both is
 * broken for all.
 */
function isBroken(text: string): boolean {
  const plain = text.replace(/"(?:[^"\\]|\\[^])*(?:"|$)|[^ \t\n\r"{}[\]:,]+/g, (token) => {
    // eslint-disable-next-line no-control-regex
    if (token.startsWith('"')) return token.replace(/[\u0000-\u001F]/g, ' ')
    return /^(?:[-+\d]|inf|nan|null|true$|false$)/i.test(token) ? '0' : '?'
  })
  try {
    JSON.parse(plain)
    return false
  } catch {
    return true
  }
}

/** Half of a `\uD83D\uDE00` escape: lua-cjson refuses it. */
function hasLoneSurrogate(text: string): boolean {
  if (!/\\u[dD]/.test(text)) return false
  const escapes = text.matchAll(/\\u[dD][89abAB]..\\u[dD][c-fC-F]..|(?<lone>\\u[dD][89a-fA-F]..)|\\[^]/g)
  return [...escapes].some(({ groups }) => groups?.['lone'] !== undefined)
}

/** lua-cjson reads 1000 levels of objects and lists. */
const MAX_DEPTH = 1000

function isTooDeep(text: string): boolean {
  if (text.length <= 2 * MAX_DEPTH) return false
  let depth = 0
  let deepest = 0
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\[^])*"|[[{\]}]/g)) {
    if (token === '[' || token === '{') deepest = Math.max(deepest, ++depth)
    else if (token === ']' || token === '}') depth--
  }
  return deepest > MAX_DEPTH
}
