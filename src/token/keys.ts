// The keys that Prosody finds for a token: texts of `.pem` files and of a key set, read as luaossl and
// Jitsi's jwk.lib.lua read them. The strict choice of keys that are worth publishing is made in certs/key.ts.
import { type KeyObject, X509Certificate, createPublicKey } from 'node:crypto'
import { type Json, readJson } from './decode.ts'

export type PublicKey =
  | { readonly is: 'key'; readonly key: KeyObject }
  /** Prosody's OpenSSL throws at it; `what` says what it is. */
  | { readonly is: 'unreadable'; readonly what: string }
  | { readonly is: 'undetermined'; readonly what: string }

/** Nothing was seen from here, which says nothing about what Prosody sees; `what` is the failure. */
export interface Unseen {
  readonly is: 'unseen'
  readonly what: string
}

/** What the places answer in which Prosody looks for a token's key; whether it looks there at all, its settings say. */
export interface PublishedKeys {
  /** By kid, in the key set of cache_keys_url; undefined where none was seen. */
  readonly set: KeysByKid | undefined
  /** Why the key set, or a part of it, was not seen. */
  readonly setFailure?: string | undefined
  /** By file name, at the key server; undefined where that has no such file. */
  readonly file: (name: string) => PublicKey | Unseen | undefined
  /** The folder that stands for the key server. */
  readonly folder?: string | undefined
}

/** `undetermined`: the set holds something that Prosody reads in a way of its own. */
export type KeysByKid = ReadonlyMap<Json, PublicKey> | 'undetermined'

/** A block of PEM as OpenSSL finds it: lines end at \n only, and blanks at their ends do not count. */
const BLOCK =
  /(?<![^\n])-----BEGIN ([^\n]*)-----[\t\r ]*\n([^]*?)(?<![^\n])-----END \1-----[\t\r ]*(?![^\n])/g
/** OpenSSL strips more from the end of such a line than is proven: a form feed, a NUL, what is not ASCII. */
const ODD_MARK = /(?<![^\n])-----(?:BEGIN|END) [^\n]*[^\n\t\r\x20-\x7E]/
const LABELS = ['PUBLIC KEY', 'RSA PUBLIC KEY', 'CERTIFICATE']

/**
 * The first public key in the text of a PEM file. What OpenSSL makes of files that are neither plain nor
 * plainly something else is left undetermined.
 */
export function readPem(text: string): PublicKey {
  const blocks = [...text.replace(/^\uFEFF/, '').matchAll(BLOCK)]
  const begun = text.split('-----BEGIN ').length - 1
  if (begun > Math.max(1, blocks.length) || ODD_MARK.test(text))
    return { is: 'undetermined', what: 'PEM of which a part is spoilt' }
  for (const [, label = '', body = ''] of blocks) {
    const base64 = base64In(body)
    if (!LABELS.includes(label) || base64 === undefined)
      return { is: 'undetermined', what: `PEM that is not plain (${JSON.stringify(label)})` }
    const der = Buffer.from(base64, 'base64')
    const key = readDer(der, 'spki') ?? (label === 'RSA PUBLIC KEY' ? readDer(der, 'pkcs1') : undefined)
    if (key === undefined) continue
    if (label === 'RSA PUBLIC KEY' && key.asymmetricKeyType !== 'rsa')
      return {
        is: 'undetermined',
        what: `a key of the type ${key.asymmetricKeyType ?? '?'} under the label ${label}`,
      }
    return { is: 'key', key }
  }
  const labels = blocks.map(([, label = '']) => label)
  return { is: 'unreadable', what: whatItIs(text, labels) }
}

/**
 * The body of a block, undefined where it is not lines of one length that hold nothing else; an empty one may
 * come first.
 */
function base64In(body: string): string | undefined {
  const lines = body
    .replace(/[\t\r ]+(?=\n)/g, '')
    .replace(/^\n|\n$/g, '')
    .split('\n')
  const [width, last] = [lines[0]?.length ?? 0, lines.at(-1)?.length ?? 0]
  const even = last > 0 && last <= width && lines.slice(0, -1).every((line) => line.length === width)
  const base64 = lines.join('')
  return even && base64.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(base64) ? base64 : undefined
}

function readDer(der: Buffer, type: 'spki' | 'pkcs1'): KeyObject | undefined {
  try {
    return createPublicKey({ key: der, format: 'der', type })
  } catch {
    return undefined
  }
}

function whatItIs(text: string, labels: readonly string[]): string {
  if (labels.includes('CERTIFICATE')) return 'a certificate, not a public key'
  if (labels.length > 0) return 'PEM that holds no public key'
  const bare = text.trim()
  if (bare === '') return 'empty'
  if (bare.startsWith('<')) return 'a web page'
  if (bare.startsWith('{')) return 'JSON'
  return bare.includes('-----BEGIN') ? 'PEM with its lines spoilt' : 'no PEM'
}

/**
 * The keys of an answer of cache_keys_url by their kid, read as Prosody does. A JWKS is read in order, and `use`, `alg` and `kty`
 * do not count; a map has certificates by their kid; both may stand in one answer.
 */
export function readKeySet(text: string): KeysByKid {
  const json = readJson(Buffer.from(text))
  if (json.is === 'undetermined') return 'undetermined'
  if (json.is !== 'json' || typeof json.value !== 'object' || json.value === null) return new Map()
  // A list is a map whose kids are numbers from 1 on.
  const members = Array.isArray(json.value)
    ? json.value.map((value: Json, i) => [i + 1, value] as const)
    : Object.entries(json.value as Readonly<Record<string, Json>>)
  const jwks = members.find(([name, value]) => name === 'keys' && Array.isArray(value))
  const set = readJwks((jwks?.[1] ?? []) as readonly Json[])
  if (set === 'undetermined') return set
  const map = readCertificates(members.filter((member) => member !== jwks))
  if (map === 'undetermined') return map
  // What Lua throws at in one part ends the reading before the other part, or after it.
  if ((set.ended && map.keys.size > 0) || (map.ended && set.keys.size > 0)) return 'undetermined'
  return new Map<Json, PublicKey>([...set.keys, ...map.keys])
}

interface Part {
  readonly keys: Map<Json, PublicKey>
  /** Whether Lua throws at something in it. */
  readonly ended: boolean
}

function readJwks(entries: readonly Json[]): Part | 'undetermined' {
  const keys = new Map<Json, PublicKey>()
  for (const jwk of entries) {
    if (jwk === null || jwk === true || typeof jwk === 'number') return { keys, ended: true }
    if (jwk === false) return 'undetermined'
    if (!isObject(jwk)) continue
    const { kid, n, e } = jwk as Readonly<Record<string, Json>>
    if (kid === undefined || kid === false) continue
    // A key without n and e, such as one of an elliptic curve, takes even an earlier one of the same kid
    // away.
    if (n === undefined || e === undefined) keys.delete(kid)
    else if (n === false || e === false) return 'undetermined'
    else if (!isBase64(n) || !isBase64(e)) return { keys, ended: true }
    else keys.set(kid, readNumbers(n, e))
  }
  return { keys, ended: false }
}

/** Lua goes through a map in no order, so what it throws at counts only where nothing else is. */
function readCertificates(members: readonly (readonly [Json, Json])[]): Part | 'undetermined' {
  const keys = new Map<Json, PublicKey>()
  let ended = false
  for (const [kid, value] of members) {
    if (typeof value === 'string' && !value.startsWith('-----BEGIN CERTIFICATE-----')) continue
    const key = typeof value === 'string' ? readCertificate(value) : undefined
    if (key?.is === 'undetermined') return 'undetermined'
    if (key === undefined) ended = true
    else keys.set(kid, key)
  }
  return ended && keys.size > 0 ? 'undetermined' : { keys, ended }
}

/** The key of the first certificate in a text, undefined where it is none. */
function readCertificate(text: string): PublicKey | undefined {
  const [, label, body = ''] = [...text.matchAll(BLOCK)][0] ?? []
  const base64 = base64In(body)
  if (label !== 'CERTIFICATE' || base64 === undefined)
    return { is: 'undetermined', what: 'a certificate whose text is not plain' }
  try {
    return { is: 'key', key: new X509Certificate(Buffer.from(base64, 'base64')).publicKey }
  } catch {
    return undefined
  }
}

function readNumbers(n: string, e: string): PublicKey {
  try {
    const [modulus, exponent] = [n, e].map((text) => {
      const bytes = Buffer.from(text, 'base64')
      // OpenSSL would refuse the number with zeros before it.
      return bytes.subarray(bytes.findIndex((byte) => byte !== 0)).toString('base64url')
    }) as [string, string]
    return {
      is: 'key',
      key: createPublicKey({ format: 'jwk', key: { kty: 'RSA', n: modulus, e: exponent } }),
    }
  } catch {
    return { is: 'undetermined', what: 'a key whose n and e are odd' }
  }
}

/** In either alphabet, with or without padding. */
function isBase64(value: Json): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9+/_-]+={0,2}$/.test(value)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
