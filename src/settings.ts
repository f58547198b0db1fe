// The settings that several commands share; those of the login and of the keys have files of their own. What one command
// alone has stands in its own file.
import type { Context } from './cli/context.ts'
import { clientId } from './jitsi/client-id.ts'
import { httpUrl, issuer, oneOf } from './cli/readers.ts'
import { setting, under } from './cli/setting.ts'
import { messageOf } from './errors.ts'
import type { Http } from './http/http.ts'
import { type Moderators, readModerators } from './jitsi/moderation.ts'
import { jitsiOrigin } from './jitsi/origin.ts'
import type { IssuerSource } from './keycloak/accepted.ts'
import { adviseAddress, serverAddress } from './keycloak/address.ts'

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
