// What may be shown of an address, of any other value that somebody typed, and of what servers say. Every message that quotes
// one asks here.
import { urlOf } from './url.ts'

/** Stands where something is not shown, and cannot be taken for it. */
export const MASKED = '(masked)'

/** A JWT (RFC 7519) and what is cut from one: the head is JSON in base64url, and begins with `eyJ` or `eyA`. */
const TOKENS = /(?<![A-Za-z0-9])ey[JA][\w-]{10,}(?:\.[\w-]*)+/g

/** A text without the tokens that stand in it. */
export function withoutTokens(text: string): string {
  return text.replace(TOKENS, MASKED)
}

/**
 * An address, or what was typed for one, without user name and password, with or without a scheme before them, and
 * without the values of its query and fragment.
 */
export function shownAddress(address: string): string {
  const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+.-]*:\/\/)?(.*)$/is.exec(withoutTokens(address)) ?? []
  // A password that was typed as it is may hold a `/` or a `?`, and makes an address that nobody can read.
  const login = scheme !== '' && urlOf(address) ? /^[^?#]*@/ : /^.*@/s
  const [, path = '', more = ''] = /^([^?#]*)(.*)$/s.exec(rest.replace(login, `${MASKED}@`)) ?? []
  return scheme + path + more.replace(/([?&#])([\w.-]+=(?![&#]|$))?[^?&#]*/g, `$1$2${MASKED}`)
}

/** A value of any kind: an address in it as `shownAddress` has it, and no token. */
export function shownValue(value: string): string {
  return value.includes('://') ? shownAddress(value) : withoutTokens(value)
}

/** A word, or too short to be told from one: it may be a part of anybody's sentence by chance. */
function isCommon(secret: string): boolean {
  return secret.length < 8 || /^\p{L}[\p{Ll}-]{0,19}$/u.test(secret)
}

/**
 * A text of any kind without tokens, and without each secret in the forms in which servers repeat it. A common one is
 * left as it is: blotted out of a sentence that has the word by chance, it would be told.
 */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  let clean = text
  for (const secret of secrets) {
    // Some write it without the padding.
    const encoded = (['base64', 'base64url'] as const).map((coding) =>
      Buffer.from(secret).toString(coding).replace(/=+$/, ''),
    )
    const forms = [...(isCommon(secret) ? [] : plainForms(secret)), ...(secret.length < 4 ? [] : encoded)]
    for (const form of forms) clean = clean.replaceAll(form, MASKED)
  }
  return withoutTokens(clean)
}

function plainForms(secret: string): readonly string[] {
  return [secret, encodeURIComponent(secret), new URLSearchParams([['', secret]]).toString().slice(1)]
}

/**
 * What a server says, as it may be repeated. Where a common secret is a word of it, nobody can tell whether the server
 * repeats what it was sent, and which word that is must not be told: then nothing of it is shown.
 */
export function quoted(text: string, secrets: readonly string[]): string {
  const words = secrets.filter(isCommon).flatMap(plainForms)
  // In every address of the admin API.
  const repeats = words.some((word) => word !== '' && word !== 'admin' && hasWord(text, word))
  return repeats ? MASKED : text
}

function hasWord(text: string, word: string): boolean {
  const isInside = (character: string | undefined): boolean => /[\p{L}\p{N}_]/u.test(character ?? '')
  for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, at + 1))
    if (!isInside(text[at - 1]) && !isInside(text[at + word.length])) return true
  return false
}
