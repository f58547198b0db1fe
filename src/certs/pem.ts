// From JSON Web Keys to the PEM files that Prosody can use. What it cannot use is left out, with the reason.
//
// Jitsi's token plugin asks for `<hex sha256(kid)>.pem` and takes RS256, RS384 and RS512 only; a file that does not hold
// a public key makes it throw (jitsi-meet resources/prosody-plugins/token/util.lib.lua).
import { createHash, createPublicKey } from 'node:crypto'
import { KjitsiError } from '../errors.ts'
import type { KeySet } from './jwks.ts'

export interface PublicPem {
  readonly kid: string
  /** `<64 hex>.pem` */
  readonly file: string
  /** As the key set has it, null where it has none. */
  readonly alg: string | null
  readonly bits: number
  /** SubjectPublicKeyInfo, lines of 64 columns and a final newline. */
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
}

/** A key that its server publishes with private members; they are dropped here. */
export interface Leak {
  readonly kid: string | null
  readonly position: number
  readonly source: string
  readonly members: readonly string[]
}

export interface PemSet {
  readonly keys: readonly PublicPem[]
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

/** As `fileNameOf` makes them. */
export const KEY_FILE = /^[0-9a-f]{64}\.pem$/
// A PEM of the largest key is under 3 kB. What is longer is not what is wanted, whatever it says.
export const MAX_PEM_BYTES = 10_000

/** The name of the file that Prosody asks for. */
export function fileNameOf(kid: string): string {
  return `${createHash('sha256').update(kid).digest('hex')}.pem`
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
export function pemsOf(set: KeySet): PemSet {
  const keys: PublicPem[] = []
  const leftOut: LeftOut[] = []
  const leaks: Leak[] = []
  set.keys.forEach((entry, i) => {
    const jwk = isObject(entry) ? entry : {}
    const about = { kid: textOf(jwk['kid']), position: i + 1, source: set.source }
    const members = PRIVATE_MEMBERS.filter((member) => jwk[member] !== undefined && jwk[member] !== null)
    if (members.length > 0) leaks.push({ ...about, members })
    const key = isObject(entry) ? signingKeyIn(jwk) : 'it is no JSON object'
    if (typeof key === 'string') leftOut.push({ ...about, reason: key })
    else keys.push(pemOf(key, set.source))
  })
  return { keys, leftOut, leaks }
}

/**
 * Each key once, in the order of the first appearance.
 * @throws KjitsiError `keys` where two different keys would need the same file
 */
export function unite(keys: readonly PublicPem[]): readonly PublicPem[] {
  const byFile = new Map<string, PublicPem>()
  for (const key of keys) {
    const before = byFile.get(key.file)
    if (before === undefined) byFile.set(key.file, key)
    else if (before.pem !== key.pem) throw twoKeys(before, key)
  }
  return [...byFile.values()]
}

function twoKeys(one: PublicPem, other: PublicPem): KjitsiError {
  const who =
    one.source === other.source ? `${one.source} publishes` : `${one.source} and ${other.source} publish`
  return new KjitsiError('keys', `${who} two different keys under the kid ${shownKid(one.kid)}`, {
    hint: 'Prosody finds a key by its kid alone: rotate one of the two, or give each realm a folder and a Jitsi of its own',
  })
}

/** What a usable key is made of; nothing private is among it, so nothing private comes out. */
interface SigningKey {
  readonly kid: string
  readonly alg: string | null
  readonly bits: number
  /** As they were, in base64url. */
  readonly n: string
  readonly e: string
}

function pemOf({ kid, alg, bits, n, e }: SigningKey, source: string): PublicPem {
  const key = createPublicKey({ format: 'jwk', key: { kty: 'RSA', n, e } })
  return {
    kid,
    file: fileNameOf(kid),
    alg,
    bits,
    pem: key.export({ type: 'spki', format: 'pem' }).toString(),
    source,
  }
}

/** The key, or why Jitsi cannot use it. node:crypto would take any n and e, even 0 and 1. */
function signingKeyIn(jwk: Jwk): SigningKey | string {
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
  return { kid, alg: textOf(alg), bits, n, e }
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
