// A public key as Prosody takes it: its name, its form and its limits, whether it comes as JWK or as PEM. What Prosody
// cannot use, or what is not safe, is left out, with the reason.
//
// Jitsi's token plugin asks for `<hex sha256(kid)>.pem` and takes RS256, RS384 and RS512 only; a file that does not hold
// a public key makes it throw (jitsi-meet resources/prosody-plugins/token/util.lib.lua).
import { createHash, createPublicKey } from 'node:crypto'
import type { KeySet } from './jwks.ts'

export interface Key {
  /** Null where it is not known, as with a file that nobody noted. */
  readonly kid: string | null
  /** `<hex sha256(kid)>.pem`, the name by which Prosody asks for it. */
  readonly file: string
  /** As the key set has it, null where it has none. */
  readonly alg: string | null
  readonly bits: number
  /** SubjectPublicKeyInfo, as kjitsi writes it in lines of 64 columns with a final newline. */
  readonly pem: string
  readonly source: string
}

export interface LeftOut {
  /** Null where the key has none that is a text. */
  readonly kid: string | null
  /** Place in its set, the first is 1. */
  readonly position: number
  readonly source: string
  readonly reason: string
  /** It is for encryption, as one of each Keycloak realm is, and no more is to be said of it. */
  readonly encrypts?: boolean
}

/** A key that its server publishes with private members; they are dropped here. */
export interface Leak {
  readonly kid: string | null
  readonly position: number
  readonly source: string
  readonly members: readonly string[]
}

export interface UsableKeys {
  readonly keys: readonly Key[]
  readonly leftOut: readonly LeftOut[]
  readonly leaks: readonly Leak[]
}

type Jwk = Readonly<Record<string, unknown>>

const ALGS: readonly unknown[] = ['RS256', 'RS384', 'RS512']
// RFC 7518, sections 6.2.2, 6.3.2 and 6.4.1.
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']
const MIN_BITS = 2048
// What OpenSSL verifies with (OPENSSL_RSA_MAX_MODULUS_BITS, OPENSSL_RSA_MAX_PUBEXP_BITS); Prosody uses OpenSSL.
const MAX_BITS = 16_384
const MAX_EXPONENT_BITS = 64
/** A PEM of the largest key is under 3 kB. What is longer is none, whatever it says. */
export const MAX_PEM_BYTES = 10_000
const KEY_FILE = /^[0-9a-f]{64}\.pem$/

/** The name of the file that Prosody asks for. */
export function fileNameOf(kid: string): string {
  return `${createHash('sha256').update(kid).digest('hex')}.pem`
}

/** Whether a name is one that Prosody may ask for. */
export function isKeyFile(name: string): boolean {
  return KEY_FILE.test(name)
}

/** A kid as a sentence or a table can bear it: kids come from servers, and may hold anything. */
export function shownKid(kid: string): string {
  const plain = /^[\x21-\x7E]+$/.test(kid) ? kid : JSON.stringify(kid)
  return plain.length > 100 ? `${plain.slice(0, 99)}…` : plain
}

/** What to call a key that may have no kid. */
export function nameOfKey({ kid, position }: LeftOut | Leak): string {
  return kid === null ? `key number ${position}` : `key ${shownKid(kid)}`
}

/** The usable keys of one set, and what is to be said about the others. Never throws. */
export function keysOf(set: KeySet): UsableKeys {
  const keys: Key[] = []
  const leftOut: LeftOut[] = []
  const leaks: Leak[] = []
  set.keys.forEach((entry, i) => {
    const jwk = isObject(entry) ? entry : {}
    const about = { kid: textOf(jwk['kid']), position: i + 1, source: set.source }
    const members = PRIVATE_MEMBERS.filter((member) => jwk[member] !== undefined && jwk[member] !== null)
    if (members.length > 0) leaks.push({ ...about, members })
    const key = isObject(entry) ? keyOfJwk(jwk, set.source) : 'it is no JSON object'
    if (typeof key === 'string')
      leftOut.push({ ...about, reason: key, ...(jwk['use'] === 'enc' && { encrypts: true }) })
    else keys.push(key)
  })
  return { keys, leftOut, leaks }
}

/** The key, or why Jitsi cannot use it. Nothing private of the JWK is in what comes out. */
function keyOfJwk(jwk: Jwk, source: string): Key | string {
  const { kty, use, alg, n, e } = jwk
  if (kty !== 'RSA') {
    const which = typeof alg === 'string' ? ` (${said(alg)})` : ''
    return kty === undefined ? 'it has no kty' : `kty ${said(kty)}${which}: Jitsi takes RSA keys only`
  }
  if (use !== undefined && use !== 'sig') return `use ${said(use)}: it does not sign tokens`
  if (alg !== undefined && !ALGS.includes(alg))
    return `alg ${said(alg)}: Jitsi takes RS256, RS384 and RS512 only`
  const kid = textOf(jwk['kid'])
  if (kid === null) return 'it has no kid, by which Jitsi would ask for it'
  if (!isNumber(n)) return 'its n is no base64url number'
  if (!isNumber(e)) return 'its e is no base64url number'
  const bits = bitsWithin(n, e)
  if (typeof bits === 'string') return bits
  const pem = createPublicKey({ format: 'jwk', key: { kty, n, e } }).export({ type: 'spki', format: 'pem' })
  return { kid, file: fileNameOf(kid), alg: textOf(alg), bits, pem: pem.toString(), source }
}

/**
 * The key in a PEM file, or why Jitsi cannot use it: Prosody throws at anything but a public key.
 * @param kid where it is known
 */
export function keyOfPem(pem: string, file: string, source: string, kid: string | null): Key | string {
  if (!/^-----BEGIN PUBLIC KEY-----\r?\n[^-]*-----END PUBLIC KEY-----\s*$/.test(pem)) {
    return 'it is not one public key in PEM form'
  }
  let jwk: Jwk
  try {
    const key = createPublicKey(pem)
    if (key.asymmetricKeyType !== 'rsa') {
      return `it is a key of type ${String(key.asymmetricKeyType)}: Jitsi takes RSA keys only`
    }
    jwk = key.export({ format: 'jwk' })
  } catch {
    return 'it is no public key that can be read'
  }
  const bits = bitsWithin(String(jwk['n']), String(jwk['e']))
  return typeof bits === 'string' ? bits : { kid, file, alg: null, bits, pem, source }
}

/** The length of an RSA key of these numbers, or what is wrong with them. node:crypto would take any, even 0 and 1. */
function bitsWithin(n: string, e: string): number | string {
  const modulus = bytesOf(n)
  const bits = bitsOf(modulus)
  if (bits < MIN_BITS) return `${bits} bits: too short to be safe, ${MIN_BITS} is the least`
  if (bits > MAX_BITS) return `${bits} bits: OpenSSL verifies with ${MAX_BITS} at most`
  if (!isOdd(modulus)) return 'its n is even, which no RSA modulus is'
  const exponent = bytesOf(e)
  // Of the odd numbers, 1 alone has fewer than two bits.
  if (!isOdd(exponent) || bitsOf(exponent) < 2 || bitsOf(exponent) > MAX_EXPONENT_BITS) {
    return `its e is no odd number from 3 to 2^${MAX_EXPONENT_BITS}`
  }
  return bits
}

/** Whether a member is a number as JWK writes it: base64url without padding (RFC 7518, section 2). */
function isNumber(member: unknown): member is string {
  return typeof member === 'string' && /^[A-Za-z0-9_-]+$/.test(member) && member.length % 4 !== 1
}

/** Big-endian, without leading zeros. */
function bytesOf(number: string): Uint8Array {
  const bytes = Buffer.from(number, 'base64url')
  const first = bytes.findIndex((byte) => byte !== 0)
  return bytes.subarray(first === -1 ? bytes.length : first)
}

function bitsOf(number: Uint8Array): number {
  const [first] = number
  return first === undefined ? 0 : number.length * 8 - (Math.clz32(first) - 24)
}

function isOdd(number: Uint8Array): boolean {
  return ((number.at(-1) ?? 0) & 1) === 1
}

function isObject(value: unknown): value is Jwk {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

/** A member's value for a sentence, short whatever it is. */
function said(value: unknown): string {
  if (typeof value !== 'string') return `(a ${typeof value})`
  return /^[\x21-\x7E]{1,40}$/.test(value) ? value : JSON.stringify(value.slice(0, 40))
}
