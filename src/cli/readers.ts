// Readers of what people type: each gives the value or throws an Error whose message goes on after the text itself,
// as in `--timeout "soon" is no duration: …`.
import { urlOf } from '../url.ts'

const SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i

/** An http or https address without credentials. */
function address(text: string): URL {
  if (!SCHEME.test(text) && urlOf(`https://${text}`)) {
    const isLocal = /^(localhost|127\.|\[::1\])/i.test(text)
    const scheme = isLocal ? 'http://' : 'https://, or http:// where it has no TLS,'
    throw new Error(`has no scheme: write ${scheme} before it`)
  }
  const url = urlOf(text)
  if (url === undefined) throw new Error('is no address: it starts with https:// or http://')
  if (!/^https?:$/.test(url.protocol)) throw new Error('is no http or https address')
  if (url.username || url.password) throw new Error('holds a user name or password: leave them out')
  return url
}

/** An http or https address without credentials, query or fragment; a trailing slash goes. */
export function httpUrl(text: string): string {
  const { search, hash } = address(text)
  if (search || hash) throw new Error('has a ? or # part: leave it out')
  return text.replace(/\/+$/, '')
}

/**
 * The issuer of tokens, which is compared as it stands: an address without credentials, since it is written and shown.
 */
export function issuer(text: string): string {
  const readable = /^https?:\/\//i.test(text) ? urlOf(text) : undefined
  if (readable === undefined ? text.includes('@') : readable.username || readable.password)
    throw new Error('holds a user name or password: leave them out')
  return text
}

/** A host, with a port or for any, as the URL standard writes it: `kc.example.org`, `kc.example.org:8443`, `[::1]`. */
export function hostAndPort(text: string): string {
  const [, number] = /:(\d+)$/.exec(text) ?? []
  const url = /[/?#@\\\s]/.test(text) ? undefined : urlOf(`http://${text}`)
  if (url === undefined)
    throw new Error('is no host: write kc.example.org or kc.example.org:8443, without https://')
  return number === undefined ? url.hostname : `${url.hostname}:${Number(number)}`
}

/** An http or https address without credentials, or else the path of a file. */
export function urlOrPath(text: string): string {
  if (SCHEME.test(text)) address(text)
  return text
}

/** A name of Kubernetes (RFC 1123, section 2.1). */
export function dnsLabel(text: string): string {
  if (!/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(text)) {
    throw new Error('is no name for Kubernetes: small letters, digits and inner hyphens only, 63 at most')
  }
  return text
}

/** A whole number that a JSON reader anywhere holds exactly. */
export function integer(text: string): number {
  const value = Number(text)
  if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(value)) throw new Error('is no whole number')
  return value
}

/** A TCP port; 0 asks the system for a free one. */
export function port(text: string): number {
  const value = integer(text)
  if (value < 0 || value > 65535) throw new Error('is no port: it is a number up to 65535')
  return value
}

/** The path of an address, such as `/certs`, without a slash at its end: so `/` is the empty text. */
export function urlPath(text: string): string {
  if (!/^(?:\/[\w.~-]+)*\/?$/.test(text) || /\/\.{1,2}(?:\/|$)/.test(text)) {
    throw new Error('is no path: it starts with / and holds letters, digits and . _ ~ - only')
  }
  return text.replace(/\/$/, '')
}

/** A point in time in whole Unix seconds: `1787220000`, or a date with a time and its zone as in RFC 3339. */
export function time(text: string): number {
  const isDate = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/i.test(text)
  const seconds = /^\d{1,12}$/.test(text) ? Number(text) : isDate ? Math.floor(Date.parse(text) / 1000) : NaN
  if (Number.isNaN(seconds)) throw new Error('is no time: write Unix seconds, or 2026-08-20T14:05:00Z')
  return seconds
}

export function oneOf<const T extends string>(...allowed: readonly T[]): (text: string) => T {
  return (text) => {
    const found = allowed.find((one) => one === text)
    if (found === undefined) throw new Error(`is none of ${allowed.join(', ')}`)
    return found
  }
}
