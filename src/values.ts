// Readers of what people type: each gives the value or throws an Error whose message goes on after the text itself,
// as in `--timeout "soon" is no duration: …`.

export function plain(text: string): string {
  return text
}

/**
 * What no reader of a file shows, or each takes for something else: control characters, line ends beyond ASCII, marks that
 * turn the direction of writing, byte order marks, and code points that are no characters.
 */
export const HIDDEN_CHARACTER = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Noncharacter_Code_Point}\uFEFF]/u

/** What a client id cannot hold on its way through Keycloak (as measured on 26.7.3), `.env` and Prosody's configuration. */
const NOT_IN_CLIENT_IDS: readonly (readonly [what: RegExp, why: string])[] = [
  [HIDDEN_CHARACTER, 'holds a character that cannot be seen'],
  [/^\s|\s$/, 'begins or ends with a blank'],
  [/,/, 'holds a comma, at which Jitsi splits its lists'],
  [/"/, "holds a double quote, which would end the string in Prosody's configuration"],
  [/\\/, "holds a backslash, which begins an escape in Prosody's configuration"],
  [/\{[^{}]+\}/, 'holds {…}, which Keycloak takes for a variable: it answers every login with status 500'],
  [/%[0-9a-f]{2}/i, 'holds % and two hexadecimal digits, which Keycloak decodes: no login ends'],
]

/** The client id of the Keycloak client that Jitsi logs in with. */
export function clientId(text: string): string {
  const [, why] = NOT_IN_CLIENT_IDS.find(([what]) => what.test(text)) ?? []
  if (why !== undefined) throw new Error(`${why}: give Jitsi a client with another client id`)
  return text
}

/** An http or https address without credentials, query or fragment; a trailing slash goes. */
export function httpUrl(text: string): string {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw new Error('is no address: it starts with https:// or http://')
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new Error('is no http or https address')
  if (url.username || url.password) throw new Error('holds a user name or password: give them on their own')
  if (url.search || url.hash) throw new Error('has a ? or # part: leave it out')
  return text.replace(/\/+$/, '')
}

/**
 * The issuer of tokens, which is compared as it stands: an address without credentials, since it is written and shown.
 */
export function issuer(text: string): string {
  const readable = /^https?:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : undefined
  if (readable === undefined ? text.includes('@') : readable.username || readable.password)
    throw new Error('holds a user name or password: leave them out')
  return text
}

/** A host, with a port or for any, as the URL standard writes it: `kc.example.org`, `kc.example.org:8443`, `[::1]`. */
export function hostAndPort(text: string): string {
  const [, number] = /:(\d+)$/.exec(text) ?? []
  let url: URL
  try {
    url = new URL(`http://${text}`)
    if (/[/?#@\\\s]/.test(text)) throw new Error('a part of an address that is no host')
  } catch {
    throw new Error('is no host: write kc.example.org or kc.example.org:8443, without https://')
  }
  return number === undefined ? url.hostname : `${url.hostname}:${Number(number)}`
}

/** An http or https address without credentials, or else the path of a file. */
export function urlOrPath(text: string): string {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return text
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw new Error('is no address')
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new Error('is neither an http or https address nor a path')
  }
  if (url.username || url.password) throw new Error('holds a user name or password: leave them out')
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

const UNITS = { s: 1, m: 60, h: 3600, d: 86_400 } as const

/** Seconds: `90`, `90s`, `5m`, `24h` or `7d`. */
export function duration(text: string): number {
  const [, digits, unit = 's'] = /^(\d{1,9})([smhd])?$/.exec(text) ?? []
  if (digits === undefined) throw new Error('is no duration: write 90s, 5m, 24h or 7d')
  return Number(digits) * UNITS[unit as keyof typeof UNITS]
}

const LONGEST_PAUSE = 24 * UNITS.d

/** Seconds between two turns of what goes on for ever: from one second to 24 days, about the longest that a timer holds. */
export function pause(text: string): number {
  const seconds = duration(text)
  if (seconds < 1 || seconds > LONGEST_PAUSE) throw new Error('is not between 1s and 24d')
  return seconds
}

/** A duration as people type it, in the largest unit that leaves no remainder; a day is 24h. */
export function shownDuration(seconds: number): string {
  const whole = Math.round(seconds)
  const fits = (unit: 'd' | 'h' | 'm'): boolean => whole >= UNITS[unit] && whole % UNITS[unit] === 0
  const unit = whole !== UNITS.d && fits('d') ? 'd' : fits('h') ? 'h' : fits('m') ? 'm' : 's'
  return `${whole / UNITS[unit]}${unit}`
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

/** The lifespan of a token, seconds; Keycloak holds it in 31 bits, and no token is issued where it does not fit. */
export function lifespan(text: string): number {
  const value = duration(text)
  if (value === 0 || value > 0x7fff_ffff)
    throw new Error('is no lifespan: it is 1s and more, and less than 68 years')
  return value
}

export function oneOf<const T extends string>(...allowed: readonly T[]): (text: string) => T {
  return (text) => {
    const found = allowed.find((one) => one === text)
    if (found === undefined) throw new Error(`is none of ${allowed.join(', ')}`)
    return found
  }
}

/** `NAME=true` or `NAME=false`. */
export function keyValue(text: string): { readonly name: string; readonly value: boolean } {
  const [, name, value] = /^([^=]+)=(true|false)$/.exec(text) ?? []
  if (name === undefined) throw new Error('is not of the form NAME=true or NAME=false')
  return { name, value: value === 'true' }
}

/** Where a claim about the user comes from: a property that each user has, or an attribute that a realm may define. */
export type UserField =
  { readonly property: 'id' | 'username' | 'email' | 'firstName' } | { readonly attribute: string }

/** `attribute:NAME` */
export function attributeField(text: string): { readonly attribute: string } {
  const [, attribute] = /^attribute:(.+)$/.exec(text) ?? []
  if (attribute === undefined) throw new Error('is not of the form attribute:NAME')
  return { attribute }
}

/** `username`, `firstName` or `attribute:NAME`. */
export function nameField(text: string): UserField {
  if (text === 'username' || text === 'firstName') return { property: text }
  if (/^attribute:.+$/.test(text)) return attributeField(text)
  throw new Error('is none of username, firstName and attribute:NAME')
}
