// What may be shown of an address, or of any other value that somebody typed. Every message that quotes one asks here.

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
  const login = scheme !== '' && URL.canParse(address) ? /^[^?#]*@/ : /^.*@/s
  const [, path = '', more = ''] = /^([^?#]*)(.*)$/s.exec(rest.replace(login, `${MASKED}@`)) ?? []
  return scheme + path + more.replace(/([?&#])([\w.-]+=(?![&#]|$))?[^?&#]*/g, `$1$2${MASKED}`)
}

/** A value of any kind: an address in it as `shownAddress` has it, and no token. */
export function shownValue(value: string): string {
  return value.includes('://') ? shownAddress(value) : withoutTokens(value)
}
