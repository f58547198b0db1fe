// Keys, made anew for each test that asks.
import { type KeyObject, generateKeyPairSync, randomBytes } from 'node:crypto'

interface RsaJwk {
  readonly kty: 'RSA'
  readonly n: string
  readonly e: string
}

export interface RsaKey {
  readonly privateKey: KeyObject
  /** Public, without a kid. */
  readonly jwk: RsaJwk
  readonly privateJwk: RsaJwk & Readonly<Record<'d' | 'p' | 'q' | 'dp' | 'dq' | 'qi', string>>
  /** Public, as kjitsi writes it. */
  readonly pem: string
}

/** Of 2048 bits. */
export function rsaKey(): RsaKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return {
    privateKey,
    jwk: publicKey.export({ format: 'jwk' }) as unknown as RsaKey['jwk'],
    privateJwk: privateKey.export({ format: 'jwk' }) as unknown as RsaKey['privateJwk'],
    pem: pemOf(publicKey),
  }
}

/** One on the curve P-256, public, in PEM. */
export function ellipticPem(): string {
  return pemOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey)
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }).toString()
}

/**
 * A public key that signs nothing, in no time: all that can be told of one is that its numbers are odd and long enough.
 */
export function publishedKey(kid: string): Readonly<Record<string, string>> {
  const n = randomBytes(256)
  n[0] = (n[0] ?? 0) | 0x80
  n[255] = (n[255] ?? 0) | 1
  return { kty: 'RSA', kid, alg: 'RS256', use: 'sig', n: n.toString('base64url'), e: 'AQAB' }
}
