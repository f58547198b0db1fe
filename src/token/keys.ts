// The keys that Prosody finds for a token: texts of `.pem` files and of a key set, read as luaossl and
// Jitsi's jwk.lib.lua read them. The strict choice of keys that are worth publishing is made in certs/pem.ts.
import { type KeyObject, createPublicKey } from 'node:crypto'
import type { Json } from './decode.ts'

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
const LABELS = ['PUBLIC KEY', 'RSA PUBLIC KEY', 'CERTIFICATE']

/**
 * The first public key in the text of a PEM file. What OpenSSL makes of files that are neither plain nor
 * plainly something else is left undetermined.
 */
export function readPem(text: string): PublicKey {
  const blocks = [...text.replace(/^\uFEFF/, '').matchAll(BLOCK)]
  const begun = text.split('-----BEGIN ').length - 1
  if (begun > Math.max(1, blocks.length)) return { is: 'undetermined', what: 'PEM of which a part is spoilt' }
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
  return {
    is: 'unreadable',
    what: whatItIs(
      text,
      blocks.map(([, label = '']) => label),
    ),
  }
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

/** The RSA keys of a key set by their kid. `use`, `alg` and `kty` do not count; n and e do. */
export function readKeySet(text: string): KeysByKid {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    // lua-cjson takes a few texts more than that, but none of them without a brace.
    return text.trimStart().startsWith('{') ? 'undetermined' : new Map()
  }
  if (!isObject(json)) return new Map()
  // Every other member is tried as a certificate, and throws where it is none.
  if (Object.keys(json).some((name) => name !== 'keys')) return 'undetermined'
  const keys = new Map<Json, PublicKey>()
  for (const jwk of Array.isArray(json['keys']) ? (json['keys'] as unknown[]) : []) {
    if (!isObject(jwk)) return 'undetermined'
    const { kid, n, e } = jwk as Readonly<Record<string, Json>>
    if (kid === undefined || kid === false) continue
    // A key without n and e, such as one of an elliptic curve, takes even an earlier one of the same kid
    // away.
    if (n === undefined || e === undefined) keys.delete(kid)
    else if (isNumber(n) && isNumber(e)) keys.set(kid, readNumbers(n, e))
    else return 'undetermined'
  }
  return keys
}

function readNumbers(n: string, e: string): PublicKey {
  try {
    return { is: 'key', key: createPublicKey({ format: 'jwk', key: { kty: 'RSA', n, e } }) }
  } catch {
    return { is: 'undetermined', what: 'a key whose n and e are odd' }
  }
}

/** Base64url without leading zeros, with which OpenSSL would refuse the number. */
function isNumber(value: Json): value is string {
  return (
    typeof value === 'string' && /^[A-Za-z0-9_-]+$/.test(value) && Buffer.from(value, 'base64url')[0] !== 0
  )
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
