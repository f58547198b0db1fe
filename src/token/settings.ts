// What a person gave to check a token by: Jitsi's `.env`, and flags that come before it.
import { dirname, join, resolve } from 'node:path'
import { unescape } from 'node:querystring'
import { KjitsiError } from '../errors.ts'
import { readIfThere, readText } from '../files/read.ts'
import type { Io } from '../io.ts'
import { readEnv } from '../env-file/parse.ts'
import type { Finding } from '../finding.ts'
import { tokenFinding } from './findings.ts'
import { adviseNeighbours } from '../jitsi/advice.ts'
import { JITSI_ENV } from '../jitsi/public-url.ts'
import { readLua } from '../prosody/lua.ts'
import { type FileBeside, type ProsodySettings, known, prosodySettings } from '../prosody/settings.ts'
import type { KeyPlaces } from './fetch-keys.ts'
import { shownAddress } from '../shown.ts'
import type { AboutJitsi } from './verdict.ts'
import { urlOf } from '../url.ts'

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
  readonly roomClaim: boolean | undefined
}

export interface CheckBasis {
  readonly prosody: ProsodySettings
  readonly places: KeyPlaces
  readonly findings: readonly Finding[]
  /** What the `.env` tells of the client whose tokens it accepts. */
  readonly about: AboutJitsi | undefined
}

/**
 * Settings and places of the keys. Where nobody says what Jitsi accepts, a `./.env` of docker-jitsi-meet does.
 * @throws KjitsiError `usage` where they are too few, or `.env` cannot be read as docker compose reads it
 */
export async function readSettings(settings: TokenSettings, { cwd, env: shell }: Io): Promise<CheckBasis> {
  const { issuer, audience, keyserver, certs, jwks, appId, signType } = settings
  const byFlags = issuer.length > 0 && (keyserver ?? certs ?? jwks[0]) !== undefined
  const isAsked = settings.jitsiEnv === undefined && !byFlags
  const found = isAsked ? await readText(resolve(cwd, JITSI_ENV)).catch(() => undefined) : undefined
  const isJitsis =
    found !== undefined && /^\s*(?:export\s+)?(?:ENABLE_AUTH|AUTH_TYPE|JWT_\w+)\s*=/m.test(found)
  if (isAsked && !isJitsis) throw tooFew()
  const jitsiEnv = settings.jitsiEnv ?? (isJitsis ? JITSI_ENV : undefined)
  const values = jitsiEnv === undefined ? BY_FLAGS : await readNamedEnv(resolve(cwd, jitsiEnv))
  const others =
    jitsiEnv === undefined ? NO_FILES : await readBeside(values, dirname(resolve(cwd, jitsiEnv)), shell)
  // With a `.env`, that alone says whom Prosody asks, and these are what it answers. Without one they are the settings too.
  const alone = jitsiEnv === undefined
  const some = (list: readonly string[]): readonly string[] | undefined =>
    list.length > 0 ? list : undefined
  const given = known({
    asap_key_server: keyserver ?? (alone ? certs : undefined),
    cache_keys_url: alone ? jwks[0] : undefined,
    asap_accepted_issuers: some(issuer),
    asap_accepted_audiences: some(audience),
    app_id: appId,
    signature_algorithm: signType,
    enable_domain_verification: settings.domainVerification,
    asap_require_room_claim: settings.roomClaim,
  })
  const prosody = prosodySettings(values, given, others.prosody)
  const inEnv = prosody.keysUrlAskable ? [prosody.keysUrl ?? ''] : []
  return {
    prosody,
    about: jitsiEnv === undefined ? undefined : aboutJitsi(values, jitsiEnv, others.web),
    places: { certs, keyServer: prosody.keyServer, sets: jwks.length > 0 ? jwks : inEnv },
    findings: [
      ...(alone ? [] : neighbours(values, prosody, jitsiEnv)),
      ...(prosody.keyServer?.endsWith('/') && certs === undefined
        ? [tokenFinding('keyserver-slash', { keyserver: shownAddress(prosody.keyServer) })]
        : []),
      ...(certs !== undefined && prosody.keyServer === undefined
        ? [tokenFinding('keys-unused', { flag: '--certs', setting: 'JWT_ASAP_KEYSERVER' })]
        : []),
      ...(jwks.length > 0 && prosody.keysUrl === undefined
        ? [tokenFinding('keys-unused', { flag: '--jwks', setting: 'cache_keys_url' })]
        : []),
    ],
  }
}

/** Where tokens come from that this `.env` accepts, as far as it names one realm, and by which client people log in. */
function aboutJitsi(values: ReadonlyMap<string, string>, file: string, web: string): AboutJitsi {
  const [, url, realm] =
    /^(https?:\/\/[^,]+)\/realms\/([^/,]+)$/.exec(values.get('JWT_ACCEPTED_ISSUERS') ?? '') ?? []
  const login = values.get('TOKEN_AUTH_URL') ?? ''
  const client = urlOf(login)?.searchParams.get('client_id') ?? null
  return {
    file,
    readsOutside: /^\s*config\.tokenGetUserInfoOutOfContext\s*=\s*true\b/m.test(web),
    ...(url !== undefined && realm !== undefined && { url, realm: unescape(realm) }),
    ...(client && { client }),
  }
}

const BY_FLAGS: ReadonlyMap<string, string> = new Map([
  ['ENABLE_AUTH', '1'],
  ['AUTH_TYPE', 'jwt'],
  ['JWT_APP_ID', 'jitsi'],
])

interface Beside {
  readonly prosody: FileBeside | undefined
  /** What stands at the end of the web client's config.js. */
  readonly web: string
}

const NO_FILES: Beside = { prosody: undefined, web: '' }

/** The files of docker-jitsi-meet's ${CONFIG} that gen-config writes, where they are there; they may also lie beside `.env`. */
async function readBeside(
  values: ReadonlyMap<string, string>,
  folder: string,
  shell: Io['env'],
): Promise<Beside> {
  const config = resolve(folder, (values.get('CONFIG') || '.').replace(/^~(?=\/|$)/, shell['HOME'] ?? '~'))
  const read = async (name: string, place: string): Promise<string> => {
    for (const path of [join(config, place, name), join(folder, name)]) {
      const text = await readIfThere(path)
      if (text !== undefined) return text
    }
    return ''
  }
  const name = 'zz-kjitsi.cfg.lua'
  const lua = await read(name, 'prosody/config/conf.d')
  return {
    prosody: lua === '' ? undefined : { name, file: readLua(lua) },
    web: await read('custom-config.js', 'web'),
  }
}

async function readNamedEnv(path: string): Promise<ReadonlyMap<string, string>> {
  const text = await readIfThere(path)
  if (text !== undefined) return readEnv(text, {}, path)
  throw new KjitsiError('usage', `--jitsi-env: there is no file ${path}`, {
    hint: "name Jitsi's own .env, which kjitsi gen-env writes",
  })
}

/** JWT_APP_SECRET is worth a word only beside keys, which take its place. */
function neighbours(
  values: ReadonlyMap<string, string>,
  { login, keyServer, keysUrl }: ProsodySettings,
  file: string,
): readonly Finding[] {
  if (login !== 'token') return []
  const byKey = keyServer !== undefined || keysUrl !== undefined
  return adviseNeighbours(values, file).filter(({ code }) => byKey || code !== 'app-secret-unused')
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
