// Tokens as a realm makes them, and as nobody should.
import { generateKeyPairSync, sign } from 'node:crypto'
import { fileNameOf } from '../../src/certs/key.ts'
import { type ProsodySettings, prosodySettings } from '../../src/prosody/settings.ts'
import { type PublishedKeys, readPem } from '../../src/token/keys.ts'
import { type Verdict, verdictOf } from '../../src/token/verdict.ts'

export const ISSUER = 'https://auth.example.org/realms/meet'
export const NOW = 1_787_220_000
export const KID = 'key-1'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
export const PEM = publicKey.export({ type: 'spki', format: 'pem' }).toString()
export const JWK = { ...publicKey.export({ format: 'jwk' }), kid: KID, use: 'sig', alg: 'RS256' }
export const FILE = fileNameOf(KID)

export const HEADER = { alg: 'RS256', typ: 'JWT', kid: KID }
export const CLAIMS = {
  iss: ISSUER,
  aud: 'jitsi',
  sub: '2f6d8a1e-0000-4000-8000-000000000000',
  iat: NOW - 10,
  exp: NOW + 3600,
  room: '*',
}

/** A part as it is, or as JSON. */
export type Part = string | object | number | boolean | null

export function encode(part: Part): string {
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')
}

/** Signed rightly, whatever the parts are. */
export function token(body: Part = CLAIMS, header: Part = HEADER): string {
  const signed = `${encode(header)}.${encode(body)}`
  return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`
}

export const ENV: Readonly<Record<string, string>> = {
  ENABLE_AUTH: '1',
  AUTH_TYPE: 'jwt',
  JWT_APP_ID: 'jitsi',
  JWT_ACCEPTED_ISSUERS: ISSUER,
  JWT_ACCEPTED_AUDIENCES: 'jitsi',
  JWT_ASAP_KEYSERVER: 'https://keys.example.org/certs',
}

export function settingsOf(more: Readonly<Record<string, string>> = {}): ProsodySettings {
  return prosodySettings(new Map(Object.entries({ ...ENV, ...more })))
}

/** A key server with the key under its kid, and under more names. */
export function keysWith(...files: readonly string[]): PublishedKeys {
  const key = readPem(PEM)
  return { set: undefined, file: (name) => ([FILE, ...files].includes(name) ? key : undefined) }
}

export function ask(text: string | null, room?: string, settings = settingsOf(), keys = keysWith()): Verdict {
  return verdictOf(text, settings, keys, room, NOW)
}

/** What the login comes to, in a word. */
export function said({ auth, join, answered, determined }: Verdict): string {
  if (!determined) return 'undetermined'
  if (!answered) return 'no answer'
  return (join ?? auth).accepted ? 'accepted' : ((join ?? auth).text ?? '')
}
