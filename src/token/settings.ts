// What a person gave to check a token by: Jitsi's `.env`, and flags that come before it.
import { resolve } from 'node:path'
import { unescape } from 'node:querystring'
import { KjitsiError } from '../errors.ts'
import { readIfThere } from '../files/read.ts'
import { readEnv } from '../env-file/parse.ts'
import type { Finding } from '../finding.ts'
import { finding } from './findings.ts'
import { neighbourFindings } from '../jitsi/env-findings.ts'
import { type ProsodySettings, type TokenOptions, prosodySettings } from '../prosody/settings.ts'
import type { KeyPlaces } from './fetch-keys.ts'
import { shownAddress } from '../shown.ts'
import type { AboutJitsi } from './verdict.ts'

/** What people say about a Jitsi and its keys; what is undefined was not said. */
export interface TokenSettings {
  readonly jitsiEnv: string | undefined
  readonly issuer: readonly string[]
  readonly audience: readonly string[]
  readonly keyserver: string | undefined
  readonly certs: string | undefined
  readonly jwks: readonly string[]
  readonly appId: string | undefined
  readonly signType: string | undefined
  readonly domainVerification: boolean | undefined
}

export interface CheckBasis {
  readonly prosody: ProsodySettings
  readonly places: KeyPlaces
  readonly findings: readonly Finding[]
  /** What the `.env` tells of the client whose tokens it accepts. */
  readonly about: AboutJitsi | undefined
}

/**
 * Settings and places of the keys.
 * @throws KjitsiError `usage` where they are too few, or `.env` cannot be read as docker compose reads it
 */
/** @param cwd absolute path that the others start from */
export async function readSettings(settings: TokenSettings, cwd: string): Promise<CheckBasis> {
  const { jitsiEnv, issuer, audience, keyserver, certs, jwks, appId, signType } = settings
  const byFlags = issuer.length > 0 && (keyserver ?? certs ?? jwks[0]) !== undefined
  if (jitsiEnv === undefined && !byFlags) throw tooFew()
  const values = jitsiEnv === undefined ? BY_FLAGS : await readJitsiEnv(resolve(cwd, jitsiEnv))
  // With a `.env`, that alone says whom Prosody asks, and these are what it answers. Without one they are the settings too.
  const alone = jitsiEnv === undefined
  const keyServer = keyserver ?? (alone ? certs : undefined)
  const keysUrl = alone ? jwks[0] : undefined
  const prosody = prosodySettings(values, {
    ...(keyServer !== undefined && { asap_key_server: keyServer }),
    ...(keysUrl !== undefined && { cache_keys_url: keysUrl }),
    ...(issuer.length > 0 && { asap_accepted_issuers: issuer }),
    ...(audience.length > 0 && { asap_accepted_audiences: audience }),
    ...(appId !== undefined && { app_id: appId }),
    ...(signType !== undefined && { signature_algorithm: signType }),
    ...(settings.domainVerification !== undefined && {
      enable_domain_verification: settings.domainVerification,
    }),
  } satisfies TokenOptions)
  const inEnv = prosody.keysUrlAskable ? [prosody.keysUrl ?? ''] : []
  return {
    prosody,
    about: jitsiEnv === undefined ? undefined : aboutJitsi(values, jitsiEnv),
    places: { certs, keyServer: prosody.keyServer, sets: jwks.length > 0 ? jwks : inEnv },
    findings: [
      ...(alone ? [] : neighbours(values, jitsiEnv)),
      ...(prosody.keyServer?.endsWith('/') && certs === undefined
        ? [finding('keyserver-slash', { keyserver: shownAddress(prosody.keyServer) })]
        : []),
      ...(certs !== undefined && prosody.keyServer === undefined
        ? [finding('keys-unused', { flag: '--certs', setting: 'JWT_ASAP_KEYSERVER' })]
        : []),
      ...(jwks.length > 0 && prosody.keysUrl === undefined
        ? [finding('keys-unused', { flag: '--jwks', setting: 'cache_keys_url' })]
        : []),
    ],
  }
}

/** Where tokens come from that this `.env` accepts, as far as it names one realm, and by which client people log in. */
function aboutJitsi(values: ReadonlyMap<string, string>, file: string): AboutJitsi {
  const [, url, realm] =
    /^(https?:\/\/[^,]+)\/realms\/([^/,]+)$/.exec(values.get('JWT_ACCEPTED_ISSUERS') ?? '') ?? []
  const login = values.get('TOKEN_AUTH_URL') ?? ''
  const client = URL.canParse(login) ? new URL(login).searchParams.get('client_id') : null
  return {
    file,
    ...(url !== undefined && realm !== undefined && { url, realm: unescape(realm) }),
    ...(client && { client }),
  }
}

const BY_FLAGS: ReadonlyMap<string, string> = new Map([
  ['ENABLE_AUTH', '1'],
  ['AUTH_TYPE', 'jwt'],
  ['JWT_APP_ID', 'jitsi'],
])

async function readJitsiEnv(path: string): Promise<ReadonlyMap<string, string>> {
  const text = await readIfThere(path)
  if (text !== undefined) return readEnv(text, {}, path)
  throw new KjitsiError('usage', `--jitsi-env: there is no file ${path}`, {
    hint: "name Jitsi's own .env, which kjitsi gen-env writes",
  })
}

/** JWT_APP_SECRET is worth a word only beside keys, which take its place. */
function neighbours(values: ReadonlyMap<string, string>, file: string): readonly Finding[] {
  const { login, keyServer, keysUrl } = prosodySettings(values)
  if (login !== 'token') return []
  const byKey = keyServer !== undefined || keysUrl !== undefined
  return neighbourFindings(values, file).filter(({ code }) => byKey || code !== 'app-secret-unused')
}

function tooFew(): KjitsiError {
  return new KjitsiError(
    'usage',
    "nothing says what Jitsi accepts: --jitsi-env or KJITSI_JITSI_ENV is missing (Jitsi's own .env)",
    {
      hint: 'or give --issuer, and --certs, --keyserver or --jwks',
    },
  )
}
