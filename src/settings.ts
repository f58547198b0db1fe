// The settings that several commands share, and what is made of some of them together. What one command alone has stands in
// its own file.
import { type Context, isMissing } from './cli/context.ts'
import { clientId } from './jitsi/client-id.ts'
import { hostAndPort, httpUrl, issuer, oneOf, urlOrPath } from './cli/readers.ts'
import { SOURCES, type Source } from './cli/resolve.ts'
import { setting, under } from './cli/setting.ts'
import type { KeySource } from './certs/sources.ts'
import { duration } from './duration.ts'
import { KjitsiError, messageOf } from './errors.ts'
import type { Http } from './http/http.ts'
import { type Moderators, readModerators } from './jitsi/moderation.ts'
import { jitsiOrigin } from './jitsi/origin.ts'
import type { IssuerSource } from './keycloak/accepted.ts'
import { adviseAddress, serverAddress } from './keycloak/address.ts'
import type { Grant, Login } from './keycloak/login.ts'
import { tokenIn } from './token/pasted.ts'

const KEYCLOAK_TITLE = 'Keycloak:'

/** Which Keycloak, and which of its realms. */
export const KEYCLOAK = under(KEYCLOAK_TITLE, {
  url: setting({
    flag: '--url <url>',
    env: 'KEYCLOAK_URL',
    help: "Keycloak's address, with any /auth",
    parse: (text) => httpUrl(serverAddress(text)),
    advise: adviseAddress,
    question: 'Address of Keycloak',
    check: async (url: string, _: object, http: Http) =>
      trueOr((await import('./keycloak/discovery.ts')).checkServer(http, url)),
  }),
  realm: setting({
    flag: '--realm <name>',
    env: 'KEYCLOAK_REALM',
    help: 'realm whose tokens Jitsi accepts',
    repeat: true,
    question: 'Realm',
    check: async (realm: string, { url }: { url?: unknown }, http: Http) =>
      typeof url !== 'string' || trueOr((await import('./keycloak/discovery.ts')).discover(http, url, realm)),
  }),
})

/** True where the answer comes, else the message of its error. */
async function trueOr(asked: Promise<unknown>): Promise<string | true> {
  return asked.then(() => true as const, messageOf)
}

export const CLIENT = setting({
  flag: '--client <client-id>',
  env: 'KJITSI_CLIENT',
  help: "client for Jitsi's login",
  parse: clientId,
  default: 'jitsi',
  group: KEYCLOAK_TITLE,
})

/** How to log in to Keycloak's admin API. */
export const LOGIN = under('Login of kjitsi at Keycloak (an administrator, of realm master by default):', {
  authRealm: setting({
    flag: '--auth-realm <name>',
    env: 'KEYCLOAK_AUTH_REALM',
    help: 'realm to log in at',
    unset: 'master; with --login-client the realm itself',
  }),
  user: setting({
    flag: '--user <name>',
    env: 'KEYCLOAK_USER',
    help: 'log in as this administrator',
    question: 'Log in as administrator',
  }),
  password: setting({
    flag: '--password-file <path>',
    env: 'KEYCLOAK_PASSWORD',
    help: 'password of --user',
    secret: true,
    question: 'Password',
  }),
  loginClient: setting({
    flag: '--login-client <client-id>',
    env: 'KEYCLOAK_CLIENT_ID',
    help: 'service account to log in as',
    question: 'Log in as the service account of client',
  }),
  clientSecret: setting({
    flag: '--client-secret-file <path>',
    env: 'KEYCLOAK_CLIENT_SECRET',
    help: 'secret of --login-client',
    secret: true,
    question: 'Secret of that client',
  }),
  accessToken: setting({
    flag: '--access-token-file <path>',
    env: 'KEYCLOAK_ACCESS_TOKEN',
    help: 'access token to use in place of a login',
    parse: tokenIn,
    secret: true,
  }),
})

const PLAN_TITLE = 'Plan:'

/** What a command that changes things can do instead. */
export const PLAN = under(PLAN_TITLE, {
  dryRun: setting({
    flag: '--dry-run',
    env: 'KJITSI_DRY_RUN',
    help: 'print what would change, and change nothing',
  }),
  check: setting({
    flag: '--check',
    env: 'KJITSI_CHECK',
    help: 'as --dry-run, exit 3 if anything would change',
  }),
  strict: setting({
    flag: '--strict',
    env: 'KJITSI_STRICT',
    help: 'exit 3 if there is a warning',
  }),
  all: setting({
    flag: '--all',
    env: 'KJITSI_ALL',
    help: 'print what stays as it is, too',
  }),
})

export const REMOVE = setting({
  flag: '--remove',
  help: 'remove what these options create, if it is exactly that',
  group: PLAN_TITLE,
})

export const FORCE = setting({
  flag: '--force',
  help: 'replace a file that kjitsi did not make',
  group: PLAN_TITLE,
})

/** Under which address people open Jitsi. */
export const JITSI_URLS = setting({
  flag: '--jitsi-url <url>',
  env: 'KJITSI_JITSI_URL',
  help: 'address of Jitsi',
  parse: jitsiOrigin,
  repeat: true,
  question: 'Address of Jitsi',
})

export const ROOM_CLAIM = setting({
  flag: '--room-claim',
  env: 'KJITSI_ROOM_CLAIM',
  help: 'refuse tokens without the claim room, as Prosody does',
  default: 'true',
})

export const JITSI_ENV_FILE = setting({
  flag: '--jitsi-env <file>',
  env: 'KJITSI_JITSI_ENV',
  help: "Jitsi's own .env",
})

/** The one or the other: a Jitsi's address, or the `.env` that has it. */
export const JITSI = {
  jitsiUrls: { ...JITSI_URLS, unset: 'PUBLIC_URL of --jitsi-env' },
  jitsiEnv: { ...JITSI_ENV_FILE, unset: '.env' },
}

export const MODERATORS = setting({
  flag: '--moderators <who>',
  env: 'KJITSI_MODERATORS',
  help: 'who moderates: role:NAME (a role of the client), everyone (who has logged in) or first (who comes first)',
  parse: readModerators,
  question: 'Who moderates (role:NAME, everyone or first)',
  write: (who: Moderators) => (typeof who === 'object' ? `role:${who.role}` : who),
})

/** The same choice for the Keycloak client. */
export const MODERATOR_ROLE = {
  ...MODERATORS,
  help: 'who moderates: role:NAME writes that client role, made if missing; everyone and first need no claim',
}

export const TOKEN_AUDIENCE = setting({
  flag: '--audience <name>',
  env: 'KJITSI_TOKEN_AUDIENCE',
  help: 'audience to add to aud',
})

export const GUESTS = setting({
  flag: '--guests',
  env: 'KJITSI_GUESTS',
  help: 'let people without a token wait for a host as guests',
  default: 'true',
})

/** What Jitsi accepts of a token. */
export const ACCEPTED = {
  issuer: setting({
    flag: '--issuer <url>',
    env: 'KJITSI_ISSUER',
    help: 'issuer to accept',
    parse: issuer,
    repeat: true,
  }),
  audience: setting({
    flag: '--accept-audience <name>',
    env: 'KJITSI_ACCEPT_AUDIENCE',
    help: 'audience to accept',
    repeat: true,
  }),
  appId: setting({
    flag: '--app-id <name>',
    env: 'KJITSI_APP_ID',
    help: 'JWT_APP_ID',
  }),
  signType: setting({
    flag: '--sign-type <alg>',
    env: 'KJITSI_SIGN_TYPE',
    help: 'signature algorithm of the tokens: RS256, RS384 or RS512',
    parse: oneOf('RS256', 'RS384', 'RS512'),
    default: 'RS256',
  }),
}

/** The same with what is written where they are not given. */
export const ACCEPTED_BY_DEFAULT = {
  ...ACCEPTED,
  issuer: { ...ACCEPTED.issuer, unset: 'what Keycloak says' },
  audience: { ...ACCEPTED.audience, unset: 'account and the client id' },
  appId: { ...ACCEPTED.appId, unset: 'the client id' },
}

export const KEYSERVER = setting({
  flag: '--keyserver <url>',
  env: 'KJITSI_KEYSERVER',
  help: 'where Prosody fetches <sha256(kid)>.pem',
  parse: httpUrl,
})

export const KEYS = setting({
  flag: '--keys <form>',
  env: 'KJITSI_KEYS',
  help: 'how Prosody gets the keys: pem, jwks (from Keycloak, one realm only) or both',
  unset: 'pem',
  parse: oneOf('pem', 'jwks', 'both'),
})

export const JWKS = setting({
  flag: '--jwks <url|file>',
  env: 'KJITSI_JWKS',
  help: 'key set to read in place of asking Keycloak for it',
  parse: urlOrPath,
  repeat: true,
})

export const ALLOW_KEYS_FROM = setting({
  flag: '--allow-keys-from <host>',
  env: 'KJITSI_ALLOW_KEYS_FROM',
  help: "host or host:port, besides Keycloak's own, that may publish a realm's keys",
  parse: hostAndPort,
  repeat: true,
})

export const GRACE = setting({
  flag: '--grace <duration>',
  env: 'KJITSI_GRACE',
  help: 'how long a key that has left its key set is kept',
  parse: duration,
})

export const MAX_AGE = setting({
  flag: '--max-age <duration>',
  env: 'KJITSI_MAX_AGE',
  help: 'how long what a source gave last counts while it cannot be read',
  parse: duration,
  default: '7d',
})

export const LOG = setting({
  flag: '--log <form>',
  env: 'KJITSI_LOG',
  help: 'form of the lines on stderr: text, or json with one document a line',
  parse: oneOf('text', 'json'),
  default: 'text',
})

/** Names that settings had, each with what has taken its place; commands that have that refuse the former name. */
export const FORMER = {
  '--audience': '--accept-audience',
  '--env': '--jitsi-env',
  '--moderator-role': '--moderators role:NAME',
  '--room': '--join',
  KJITSI_AUDIENCE: 'KJITSI_ACCEPT_AUDIENCE',
  KJITSI_ENV_FILE: 'KJITSI_SETTINGS',
  KJITSI_JOIN_ROOM: 'KJITSI_JOIN',
  KJITSI_MODERATOR_ROLE: 'KJITSI_MODERATORS=role:NAME',
} as const

type Admin = Context<typeof KEYCLOAK & typeof LOGIN>

/**
 * What a command that talks to Keycloak's admin API cannot do without: its address, realms and a login. On a terminal
 * what is missing is asked for, the login as the missing half of what was given or as user and password.
 * @param others what else is missing, each with how to give it
 * @throws KjitsiError `usage` naming all that is missing, with the three ways to log in
 */
export async function needAdmin(
  context: Admin,
  others: readonly string[] = [],
): Promise<{ readonly url: string; readonly realms: readonly string[]; readonly login: Login }> {
  const { settings, canAsk } = context
  const { givenLogin, whoIs } = await import('./keycloak/login.ts')
  const given = givenLogin(settings)
  const missing = [...(given === undefined ? [howToLogIn(context)] : []), ...others]
  const { url, realm } = await context.need(['url', 'realm'], canAsk ? [] : missing)
  const login = given ?? (await askLogin(context, url, realm[0] ?? ''))
  context.output.detail(`login: ${whoIs(login)}`)
  return { url, realms: [...new Set(realm)], login }
}

/** Asks until Keycloak does not refuse the login, so that a slip costs no other answer. */
async function askLogin(context: Admin, url: string, realm: string): Promise<Login> {
  const { tokenSource } = await import('./keycloak/token.ts')
  for (;;) {
    const login = await typedLogin(context)
    try {
      await tokenSource(context.http, url, login, realm)()
      return login
    } catch (error) {
      if (!(error instanceof KjitsiError) || error.code !== 'login') throw error
      context.output.log('error', error.message, { fix: error.hint })
    }
  }
}

async function typedLogin(context: Admin): Promise<Grant> {
  const { loginClient, clientSecret: secret, user, authRealm } = context.settings
  if (user === undefined && (loginClient !== undefined || secret !== undefined)) {
    const { loginClient: clientId, clientSecret } = await context.need(['loginClient', 'clientSecret'])
    return { by: 'client', clientId, clientSecret, authRealm }
  }
  return { by: 'password', ...(await context.need(['user', 'password'])), authRealm: authRealm ?? 'master' }
}

/** What is missing for a login: the other half of what was given, or any of the three ways. */
function howToLogIn({ settings, waysToGive: ways }: Admin): string {
  const { user, password, loginClient, clientSecret } = settings
  if (user !== undefined) return `the password of ${user}: ${ways('password')}`
  if (loginClient !== undefined) return `the secret of client ${loginClient}: ${ways('clientSecret')}`
  if (clientSecret !== undefined) return `the client that the secret is of: ${ways('loginClient')}`
  if (password !== undefined) return `the user that the password is of: ${ways('user')}`
  return [
    'a login, in one of three ways:',
    `  a ready access token: ${ways('accessToken')}`,
    `  a service account: ${ways('loginClient')}, and ${ways('clientSecret')}`,
    `  an administrator, of realm master by default: ${ways('user')}, and ${ways('password')}`,
  ].join('\n  ')
}

/**
 * The issuers that were given; where there are none, the Keycloak that is to be asked for those of its realms.
 * @throws KjitsiError `usage` as `context.need` does
 */
export async function needIssuers(
  context: Context<typeof KEYCLOAK & { issuer: typeof ACCEPTED.issuer }>,
): Promise<IssuerSource> {
  const { issuer } = context.settings
  if (issuer.length > 0) return { issuer, url: '', realm: [] }
  return { issuer, ...(await context.need(['url', 'realm'])) }
}

type Sets = Context<typeof KEYCLOAK & { jwks: typeof JWKS; allowKeysFrom: typeof ALLOW_KEYS_FROM }>

/**
 * Where keys are read from. Realms and --jwks add up where both were given in the same way (as flags, in the environment,
 * in the settings file); otherwise those that were given more directly take the place of the others.
 * @param orElse how the command can be given keys besides, at the end of a sentence
 * @throws KjitsiError `usage` where there are none and nobody can be asked
 */
export async function needKeySources(context: Sets, orElse = ''): Promise<readonly KeySource[]> {
  const { settings, io, output } = context
  const { jwksSources, nameOfSource, realmSources } = await import('./certs/sources.ts')
  const [byRealm, byJwks] = [rankOf(context, 'realm'), rankOf(context, 'jwks')]
  const fromJwks = jwksSources(settings.jwks, io.cwd)
  if (byRealm > byJwks) {
    if (settings.realm.length > 0)
      output.note(`not read, since there is --jwks: realm ${settings.realm.join(', ')}`)
    return fromJwks
  }
  const { url, realm } = await context.need(['url', 'realm']).catch((error: unknown) => {
    if (!(error instanceof KjitsiError) || error.code !== 'usage') throw error
    const hint = `or give --jwks, the address or the file of a key set${orElse}`
    throw new KjitsiError('usage', error.message, { hint })
  })
  const fromRealms = realmSources(url, realm, settings.allowKeysFrom)
  if (byJwks === byRealm) return [...fromRealms, ...fromJwks]
  if (fromJwks.length > 0)
    output.note(`not read, since there is --realm: ${fromJwks.map(nameOfSource).join(', ')}`)
  return fromRealms
}

/** How directly a setting was given: 0 by flag, up to 3 by default; Infinity where it has no value. */
export function rankOf<K extends string>(
  { settings, sources }: { settings: Readonly<Record<K, unknown>>; sources: Partial<Record<K, Source>> },
  key: K,
): number {
  return isMissing(settings[key]) ? Infinity : SOURCES.indexOf(sources[key] ?? 'default')
}
