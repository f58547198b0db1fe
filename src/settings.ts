// The settings that several commands share, and what is made of some of them together. What one command alone has stands in
// its own file.
import { type Context, isMissing } from './cli/context.ts'
import { clientId } from './jitsi/client-id.ts'
import { hostAndPort, httpUrl, issuer, oneOf, plain, urlOrPath } from './cli/readers.ts'
import { SOURCES } from './cli/resolve.ts'
import { onOff, setting, waysToGive } from './cli/setting.ts'
import type { KeySource } from './certs/sources.ts'
import { duration } from './duration.ts'
import { KjitsiError, messageOf } from './errors.ts'
import type { Http } from './http/http.ts'
import { type Moderators, readModerators } from './jitsi/moderation.ts'
import { jitsiOrigin } from './jitsi/origin.ts'
import { adviseAddress, serverAddress } from './keycloak/address.ts'
import type { Grant, Login } from './keycloak/login.ts'
import { tokenIn } from './token/pasted.ts'

const KEYCLOAK_GROUP = 'Keycloak:'
const LOGIN_GROUP = 'Login of kjitsi at Keycloak:'

/** Which Keycloak, and which of its realms. */
export const KEYCLOAK = {
  url: setting({
    flag: '--url <url>',
    env: 'KEYCLOAK_URL',
    help: 'address of Keycloak, with /auth at its end where the server has that path',
    parse: (text) => httpUrl(serverAddress(text)),
    advise: adviseAddress,
    group: KEYCLOAK_GROUP,
    question: 'Address of Keycloak',
    check: async (url: string, _: object, http: Http) =>
      trueOr((await import('./keycloak/discovery.ts')).checkServer(http, url)),
  }),
  realm: setting({
    flag: '--realm <name>',
    env: 'KEYCLOAK_REALM',
    help: 'realm whose tokens Jitsi is to accept; may be given several times',
    parse: plain,
    repeat: true,
    group: KEYCLOAK_GROUP,
    question: 'Realm',
    check: async (realm: string, { url }: { url?: unknown }, http: Http) =>
      typeof url !== 'string' || trueOr((await import('./keycloak/discovery.ts')).discover(http, url, realm)),
  }),
}

/** True where it comes to something, else what it says. */
async function trueOr(asked: Promise<unknown>): Promise<string | true> {
  return asked.then(() => true as const, messageOf)
}

export const CLIENT = setting({
  flag: '--client <client-id>',
  env: 'KJITSI_CLIENT',
  help: 'client id of the Keycloak client that Jitsi logs in with',
  parse: clientId,
  default: 'jitsi',
  group: KEYCLOAK_GROUP,
})

/** How to log in to Keycloak's admin API. */
export const LOGIN = {
  authRealm: setting({
    flag: '--auth-realm <name>',
    env: 'KEYCLOAK_AUTH_REALM',
    help: 'realm to log in at (default: master with a password, the realm itself with a client secret)',
    parse: plain,
    group: LOGIN_GROUP,
  }),
  user: setting({
    flag: '--user <name>',
    env: 'KEYCLOAK_USER',
    help: 'log in as this user, with KEYCLOAK_PASSWORD',
    parse: plain,
    group: LOGIN_GROUP,
    question: 'Log in as user',
  }),
  password: setting({
    flag: '--password-file <path>',
    env: 'KEYCLOAK_PASSWORD',
    help: 'the password of --user; the flag names a file (- for stdin)',
    parse: plain,
    secret: true,
    group: LOGIN_GROUP,
    question: 'Password',
  }),
  loginClient: setting({
    flag: '--login-client <client-id>',
    env: 'KEYCLOAK_CLIENT_ID',
    help: 'log in as the service account of this client, with KEYCLOAK_CLIENT_SECRET',
    parse: plain,
    group: LOGIN_GROUP,
    question: 'Log in as the service account of client',
  }),
  clientSecret: setting({
    flag: '--client-secret-file <path>',
    env: 'KEYCLOAK_CLIENT_SECRET',
    help: 'the secret of --login-client; the flag names a file (- for stdin)',
    parse: plain,
    secret: true,
    group: LOGIN_GROUP,
    question: 'Secret of that client',
  }),
  accessToken: setting({
    flag: '--access-token-file <path>',
    env: 'KEYCLOAK_ACCESS_TOKEN',
    help: 'a ready access token in place of a login; the flag names a file (- for stdin)',
    parse: tokenIn,
    secret: true,
    group: LOGIN_GROUP,
  }),
}

/** What a command that changes things can do instead. */
export const PLAN = {
  dryRun: setting({
    flag: '--dry-run',
    env: 'KJITSI_DRY_RUN',
    help: 'say what would change and change nothing',
    parse: onOff,
  }),
  check: setting({
    flag: '--check',
    env: 'KJITSI_CHECK',
    help: 'as --dry-run, but exit 3 where something would change',
    parse: onOff,
  }),
  strict: setting({
    flag: '--strict',
    env: 'KJITSI_STRICT',
    help: 'exit 3 where there is a warning too',
    parse: onOff,
  }),
  all: setting({
    flag: '--all',
    env: 'KJITSI_ALL',
    help: 'show what stays as it is as well',
    parse: onOff,
  }),
}

/** Without a name in the environment: there it would turn each run into a removal, without a word. */
export const REMOVE = setting({
  flag: '--remove',
  help: 'remove what these options would create, where it is exactly that',
  parse: onOff,
})

/** Under which address people open Jitsi. */
export const JITSI_URLS = setting({
  flag: '--jitsi-url <url>',
  env: 'KJITSI_JITSI_URL',
  help: "address of Jitsi; may be given several times (default: PUBLIC_URL of Jitsi's .env)",
  parse: jitsiOrigin,
  repeat: true,
  question: 'Address of Jitsi',
})

export const ROOM_CLAIM = setting({
  flag: '--room-claim',
  env: 'KJITSI_ROOM_CLAIM',
  help: 'refuse tokens without the claim `room`, as Prosody does',
  parse: onOff,
  default: 'true',
})

export const JITSI_ENV_FILE = setting({
  flag: '--env <file>',
  env: 'KJITSI_JITSI_ENV',
  help: "Jitsi's own .env; flags come first (default for setup-client: .env, if there)",
  parse: plain,
})

export const MODERATORS = setting({
  flag: '--moderators <who>',
  env: 'KJITSI_MODERATORS',
  help: 'who moderates: role:NAME (a role of the client), everyone who has logged in, or the first to come',
  unset: 'what the .env has, else everyone',
  parse: readModerators,
  question: 'Who moderates (role:NAME, everyone or first)',
  write: (who: Moderators) => (typeof who === 'object' ? `role:${who.role}` : who),
})

export const MODERATOR_ROLE = setting({
  flag: '--moderator-role <role>',
  env: 'KJITSI_MODERATOR_ROLE',
  help: 'client role whose holders get it as context.user.affiliation; made if missing',
  parse: plain,
})

export const TOKEN_AUDIENCE = setting({
  flag: '--audience <name>',
  env: 'KJITSI_TOKEN_AUDIENCE',
  help: 'add this audience to the `aud` claim (default of setup-client: the client id)',
  parse: plain,
})

export const GUESTS = setting({
  flag: '--guests',
  env: 'KJITSI_GUESTS',
  help: 'let people without a token wait for a host as guests',
  parse: onOff,
  default: 'true',
})

/** What Jitsi accepts of a token. */
export const ACCEPTED = {
  issuer: setting({
    flag: '--issuer <url>',
    env: 'KJITSI_ISSUER',
    help: 'issuer to accept, in place of asking Keycloak; may be given several times',
    parse: issuer,
    repeat: true,
  }),
  audience: setting({
    flag: '--audience <name>',
    env: 'KJITSI_AUDIENCE',
    help: 'audience to accept; may be given several times (default of gen-env: account and the client id)',
    parse: plain,
    repeat: true,
  }),
  appId: setting({
    flag: '--app-id <name>',
    env: 'KJITSI_APP_ID',
    help: 'JWT_APP_ID (default of gen-env: the client id)',
    parse: plain,
  }),
  signType: setting({
    flag: '--sign-type <alg>',
    env: 'KJITSI_SIGN_TYPE',
    help: 'signature algorithm of the tokens: RS256, RS384 or RS512',
    parse: oneOf('RS256', 'RS384', 'RS512'),
    default: 'RS256',
  }),
}

export const KEYSERVER = setting({
  flag: '--keyserver <url>',
  env: 'KJITSI_KEYSERVER',
  help: 'where Prosody fetches <sha256(kid)>.pem',
  unset: 'what the .env has; for gen-env else http://localhost:9000/certs',
  parse: httpUrl,
})

export const KEYS = setting({
  flag: '--keys <form>',
  env: 'KJITSI_KEYS',
  help: 'how Prosody comes by the keys: pem, jwks (from Keycloak itself, one realm only) or both (default: pem)',
  parse: oneOf('pem', 'jwks', 'both'),
})

export const JWKS = setting({
  flag: '--jwks <url|file>',
  env: 'KJITSI_JWKS',
  help: 'key set to read in place of asking Keycloak for it; may be given several times',
  parse: urlOrPath,
  repeat: true,
})

export const ALLOW_KEYS_FROM = setting({
  flag: '--allow-keys-from <host>',
  env: 'KJITSI_ALLOW_KEYS_FROM',
  help: "host (or host:port) other than Keycloak's own that may publish a realm's keys; may be given several times",
  parse: hostAndPort,
  repeat: true,
})

export const GRACE = setting({
  flag: '--grace <duration>',
  env: 'KJITSI_GRACE',
  help:
    'how long a key that has left its key set is kept ' +
    '(default: 24h; 0s for export-certs without --watch, and for serve-certs --dir)',
  parse: duration,
})

export const LOG = setting({
  flag: '--log <form>',
  env: 'KJITSI_LOG',
  help: 'form of the lines on stderr: text, or json with one document a line',
  parse: oneOf('text', 'json'),
  default: 'text',
})

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
  const missing = [...(given === undefined ? [howToLogIn(settings)] : []), ...others]
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
      await tokenSource(context.http, url, login, login.authRealm ?? realm)()
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
function howToLogIn({ user, password, loginClient, clientSecret }: Admin['settings']): string {
  const ways = (key: keyof typeof LOGIN): string => waysToGive(LOGIN[key])
  if (user !== undefined) return `the password of ${user}: ${ways('password')}`
  if (loginClient !== undefined) return `the secret of client ${loginClient}: ${ways('clientSecret')}`
  if (clientSecret !== undefined) return `the client that the secret is of: ${ways('loginClient')}`
  if (password !== undefined) return `the user that the password is of: ${ways('user')}`
  return [
    'a login, in one of three ways:',
    `  a ready access token: ${ways('accessToken')}`,
    `  a service account: ${ways('loginClient')}, and ${ways('clientSecret')}`,
    `  a user: ${ways('user')}, and ${ways('password')}`,
  ].join('\n  ')
}

type Sets = Context<typeof KEYCLOAK & { jwks: typeof JWKS; allowKeysFrom: typeof ALLOW_KEYS_FROM }>

/**
 * Where keys are read from. Realms and --jwks add up where both were given in the same way (as flags, in the environment,
 * in the settings file); otherwise those that were given more directly take the place of the others.
 * @throws KjitsiError `usage` where there are none and nobody can be asked
 */
export async function needKeySources(context: Sets): Promise<readonly KeySource[]> {
  const { settings, sources, io, output } = context
  const { jwksSources, nameOfSource, realmSources } = await import('./certs/sources.ts')
  const rank = (key: 'realm' | 'jwks'): number =>
    isMissing(settings[key]) ? Infinity : SOURCES.indexOf(sources[key] ?? 'default')
  const fromJwks = jwksSources(settings.jwks, io.cwd)
  if (rank('realm') > rank('jwks')) {
    if (settings.realm.length > 0)
      output.note(`not read, since there is --jwks: realm ${settings.realm.join(', ')}`)
    return fromJwks
  }
  const { url, realm } = await context.need(['url', 'realm']).catch(orJwks)
  const fromRealms = realmSources(url, realm, settings.allowKeysFrom)
  if (rank('jwks') === rank('realm')) return [...fromRealms, ...fromJwks]
  if (fromJwks.length > 0)
    output.note(`not read, since there is --realm: ${fromJwks.map(nameOfSource).join(', ')}`)
  return fromRealms
}

function orJwks(error: unknown): never {
  if (!(error instanceof KjitsiError) || error.code !== 'usage') throw error
  throw new KjitsiError('usage', error.message, {
    hint: 'or give --jwks, the address or the file of a key set',
  })
}
