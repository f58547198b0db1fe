// THE table of settings: flag, environment name, default, secret or not, help. The options of every command, the
// README's table and the sentences about a missing setting are all made from it.
import { readModerators } from './jitsi/moderation.ts'
import { jitsiOrigin } from './jitsi/origin.ts'
import {
  attributeField,
  dnsLabel,
  clientId,
  duration,
  hostAndPort,
  httpUrl,
  integer,
  issuer,
  keyValue,
  lifespan,
  nameField,
  oneOf,
  pause,
  plain,
  port,
  time,
  urlOrPath,
  urlPath,
} from './values.ts'

/** One row of the table. */
export interface Definition<T> {
  /** As commander reads it. Two settings may share a flag where no command has both. */
  readonly flag: string
  readonly env: string
  readonly help: string
  readonly parse: (text: string) => T
  /** As a person would type it. */
  readonly default?: string
  /** Given by `ENV`, `ENV_FILE` or the flag that names a file; never a plain flag, never printed. */
  readonly secret?: true
  /** May be given several times; in the environment, separated by commas. */
  readonly repeat?: true
}

const setting = <const D extends Definition<unknown>>(definition: D): D => definition

/** A switch: `--x` is true, `--no-x` is false, and in the environment 1/true/yes/on or 0/false/no/off. */
function onOff(text: string): boolean {
  if (/^(1|true|yes|on)$/i.test(text)) return true
  if (/^(0|false|no|off)$/i.test(text)) return false
  throw new Error('is neither true nor false')
}

export const SETTINGS = {
  url: setting({
    flag: '--url <url>',
    env: 'KEYCLOAK_URL',
    help: 'address of Keycloak, with /auth at its end where the server has that path',
    parse: httpUrl,
  }),
  realm: setting({
    flag: '--realm <name>',
    env: 'KEYCLOAK_REALM',
    help: 'realm whose tokens Jitsi is to accept; may be given several times',
    parse: plain,
    repeat: true,
  }),
  client: setting({
    flag: '--client <client-id>',
    env: 'KJITSI_CLIENT',
    help: 'client id of the Keycloak client that Jitsi logs in with',
    parse: clientId,
    default: 'jitsi',
  }),
  authRealm: setting({
    flag: '--auth-realm <name>',
    env: 'KEYCLOAK_AUTH_REALM',
    help: 'realm to log in at (default: master with a password, the realm itself with a client secret)',
    parse: plain,
  }),
  user: setting({
    flag: '--user <name>',
    env: 'KEYCLOAK_USER',
    help: 'log in as this user, with KEYCLOAK_PASSWORD',
    parse: plain,
  }),
  password: setting({
    flag: '--password-file <path>',
    env: 'KEYCLOAK_PASSWORD',
    help: 'the password of --user; the flag names a file (- for stdin)',
    parse: plain,
    secret: true,
  }),
  loginClient: setting({
    flag: '--login-client <client-id>',
    env: 'KEYCLOAK_CLIENT_ID',
    help: 'log in as the service account of this client, with KEYCLOAK_CLIENT_SECRET',
    parse: plain,
  }),
  clientSecret: setting({
    flag: '--client-secret-file <path>',
    env: 'KEYCLOAK_CLIENT_SECRET',
    help: 'the secret of --login-client; the flag names a file (- for stdin)',
    parse: plain,
    secret: true,
  }),
  accessToken: setting({
    flag: '--access-token-file <path>',
    env: 'KEYCLOAK_ACCESS_TOKEN',
    help: 'a ready access token in place of a login; the flag names a file (- for stdin)',
    parse: plain,
    secret: true,
  }),

  jitsiUrls: setting({
    flag: '--jitsi-url <url>',
    env: 'KJITSI_JITSI_URL',
    help: "address of Jitsi; may be given several times (default: PUBLIC_URL of Jitsi's .env)",
    parse: jitsiOrigin,
    repeat: true,
  }),
  jitsiEnv: setting({
    flag: '--env <file>',
    env: 'KJITSI_JITSI_ENV',
    help: "Jitsi's own .env; flags come first (default for setup-client: .env, if there)",
    parse: plain,
  }),
  tokenLifespan: setting({
    flag: '--token-lifespan <duration>',
    env: 'KJITSI_TOKEN_LIFESPAN',
    help: 'how long a token lets its holder (re)join, such as 10h',
    parse: lifespan,
    default: '10h',
  }),
  makePublic: setting({
    flag: '--make-public',
    env: 'KJITSI_MAKE_PUBLIC',
    help: 'make a confidential client public: its secret and service account end',
    parse: onOff,
  }),
  fullScopeChange: setting({
    flag: '--full-scope-change',
    env: 'KJITSI_FULL_SCOPE_CHANGE',
    help: 'turn full scope off on a client that is there, so that its tokens have one audience',
    parse: onOff,
    default: 'true',
  }),

  room: setting({
    flag: '--room <value>',
    env: 'KJITSI_ROOM',
    help: 'value of the `room` claim; * opens every room',
    parse: plain,
    default: '*',
  }),
  roomAttribute: setting({
    flag: '--room-attribute <name>',
    env: 'KJITSI_ROOM_ATTRIBUTE',
    help: 'take the `room` claim from this user or group attribute instead',
    parse: plain,
  }),
  bnf: setting({
    flag: '--bnf <value>',
    env: 'KJITSI_BNF',
    help: 'value of the `bnf` claim',
    parse: integer,
    default: '0',
  }),
  nbf: setting({
    flag: '--nbf',
    env: 'KJITSI_NBF',
    help: 'also write `nbf` = 0, the not-before claim that Jitsi reads',
    parse: onOff,
  }),
  tokenAudience: setting({
    flag: '--audience <name>',
    env: 'KJITSI_TOKEN_AUDIENCE',
    help: 'add this audience to the `aud` claim (default of setup-client: the client id)',
    parse: plain,
  }),
  userContext: setting({
    flag: '--user-context',
    env: 'KJITSI_USER_CONTEXT',
    help: 'write context.user.id, name, email and avatar',
    parse: onOff,
  }),
  nameFrom: setting({
    flag: '--name-from <source>',
    env: 'KJITSI_NAME_FROM',
    help: 'where context.user.name comes from: username, firstName or attribute:NAME',
    parse: nameField,
    default: 'username',
  }),
  moderatorRole: setting({
    flag: '--moderator-role <role>',
    env: 'KJITSI_MODERATOR_ROLE',
    help: 'client role whose holders get it as context.user.affiliation; made if missing',
    parse: plain,
  }),
  groupFrom: setting({
    flag: '--group-from <source>',
    env: 'KJITSI_GROUP_FROM',
    help: 'where context.group comes from: attribute:NAME',
    parse: attributeField,
  }),
  feature: setting({
    flag: '--feature <name=true|false>',
    env: 'KJITSI_FEATURE',
    help: 'write context.features.NAME; all=true first, then the exceptions',
    parse: keyValue,
    repeat: true,
  }),
  remove: setting({
    flag: '--remove',
    env: 'KJITSI_REMOVE',
    help: 'remove what these options would create, where it is exactly that',
    parse: onOff,
  }),

  issuer: setting({
    flag: '--issuer <url>',
    env: 'KJITSI_ISSUER',
    help: 'issuer to accept, in place of asking Keycloak; may be given several times',
    parse: issuer,
    repeat: true,
  }),
  appId: setting({
    flag: '--app-id <name>',
    env: 'KJITSI_APP_ID',
    help: 'JWT_APP_ID (default of gen-env: the client id)',
    parse: plain,
  }),
  audience: setting({
    flag: '--audience <name>',
    env: 'KJITSI_AUDIENCE',
    help: 'audience to accept; may be given several times (default of gen-env: account and the client id)',
    parse: plain,
    repeat: true,
  }),
  keyserver: setting({
    flag: '--keyserver <url>',
    env: 'KJITSI_KEYSERVER',
    help: 'where Prosody fetches <sha256(kid)>.pem (default: what the .env has; in gen-env else http://localhost:9000/certs, in gen-config where its files put the keys)',
    parse: httpUrl,
  }),
  guests: setting({
    flag: '--guests',
    env: 'KJITSI_GUESTS',
    help: 'let people without a token wait for a host as guests',
    parse: onOff,
    default: 'true',
  }),
  signType: setting({
    flag: '--sign-type <alg>',
    env: 'KJITSI_SIGN_TYPE',
    help: 'signature algorithm of the tokens: RS256, RS384 or RS512',
    parse: oneOf('RS256', 'RS384', 'RS512'),
    default: 'RS256',
  }),

  moderators: setting({
    flag: '--moderators <who>',
    env: 'KJITSI_MODERATORS',
    help: 'who moderates: role:NAME (a role of the client), everyone who has logged in, or the first to come (default: what the .env has, else everyone)',
    parse: readModerators,
  }),
  keys: setting({
    flag: '--keys <form>',
    env: 'KJITSI_KEYS',
    help: 'how Prosody comes by the keys: pem, jwks (from Keycloak itself, one realm only) or both (default: pem)',
    parse: oneOf('pem', 'jwks', 'both'),
  }),
  login: setting({
    flag: '--login',
    env: 'KJITSI_LOGIN',
    help: "also write TOKEN_AUTH_URL, behind Jitsi's login button; with several realms it is the first one's",
    parse: onOff,
  }),

  debian: setting({
    flag: '--debian',
    env: 'KJITSI_DEBIAN',
    help: "for Jitsi's Debian packages, in place of docker-jitsi-meet",
    parse: onOff,
  }),
  xmppDomain: setting({
    flag: '--xmpp-domain <name>',
    env: 'XMPP_DOMAIN',
    help: "Jitsi's domain in Prosody (default: meet.jitsi, and with --debian the host of its address)",
    parse: plain,
  }),
  roomClaim: setting({
    flag: '--room-claim',
    env: 'KJITSI_ROOM_CLAIM',
    help: 'refuse tokens without the claim `room`, as Prosody does',
    parse: onOff,
    default: 'true',
  }),
  into: setting({
    flag: '--into <file>',
    env: 'KJITSI_INTO',
    help: 'file to merge the lines into as a marked block; the rest of it stays as it is',
    parse: plain,
  }),
  keysDir: setting({
    flag: '--keys-dir <path>',
    env: 'KJITSI_KEYS_DIR',
    help: 'folder for the keys (default: /etc/jitsi/meet/public, which the Debian packages serve)',
    parse: plain,
  }),
  image: setting({
    flag: '--image <name>',
    env: 'KJITSI_IMAGE',
    help: "container image of kjitsi (default: kjitsi with this kjitsi's version as its tag)",
    parse: plain,
  }),
  namespace: setting({
    flag: '--namespace <name>',
    env: 'KJITSI_NAMESPACE',
    help: 'Kubernetes namespace of Jitsi',
    parse: dnsLabel,
    default: 'jitsi',
  }),
  cronjob: setting({
    flag: '--cronjob',
    env: 'KJITSI_CRONJOB',
    help: 'keep the keys in a ConfigMap by a CronJob, in place of running a key server',
    parse: onOff,
  }),

  jwks: setting({
    flag: '--jwks <url|file>',
    env: 'KJITSI_JWKS',
    help: 'key set to read in place of asking Keycloak for it; may be given several times',
    parse: urlOrPath,
    repeat: true,
  }),
  allowKeysFrom: setting({
    flag: '--allow-keys-from <host>',
    env: 'KJITSI_ALLOW_KEYS_FROM',
    help: "host (or host:port) other than Keycloak's own that may publish a realm's keys; may be given several times",
    parse: hostAndPort,
    repeat: true,
  }),
  prune: setting({
    flag: '--prune',
    env: 'KJITSI_PRUNE',
    help: 'remove the files that kjitsi wrote for keys which have left their key sets',
    parse: onOff,
  }),

  grace: setting({
    flag: '--grace <duration>',
    env: 'KJITSI_GRACE',
    help:
      'how long a key that has left its key set is kept ' +
      '(default: 24h; 0s for export-certs without --watch, and for serve-certs --dir)',
    parse: duration,
  }),
  watch: setting({
    flag: '--watch',
    env: 'KJITSI_WATCH',
    help: 'go on: export again at every --interval, until stopped',
    parse: onOff,
  }),
  interval: setting({
    flag: '--interval <duration>',
    env: 'KJITSI_INTERVAL',
    help: 'how often --watch exports, give or take a tenth',
    parse: pause,
    default: '5m',
  }),

  dir: setting({
    flag: '--dir <folder>',
    env: 'KJITSI_DIR',
    help: 'serve the files that export-certs wrote there, in place of asking Keycloak',
    parse: plain,
  }),
  host: setting({
    flag: '--host <address>',
    // A Kubernetes service called kjitsi sets KJITSI_PORT, to something else.
    env: 'KJITSI_LISTEN_HOST',
    help: 'address to listen on; in a container it has to be 0.0.0.0, or nothing outside reaches it',
    parse: plain,
    default: '127.0.0.1',
  }),
  port: setting({
    flag: '--port <number>',
    env: 'KJITSI_LISTEN_PORT',
    help: 'port to listen on',
    parse: port,
    default: '9000',
  }),
  path: setting({
    flag: '--path <path>',
    env: 'KJITSI_LISTEN_PATH',
    help: 'path of the keys: JWT_ASAP_KEYSERVER ends with it',
    parse: urlPath,
    default: '/certs',
  }),
  tlsCert: setting({
    flag: '--tls-cert <path>',
    env: 'KJITSI_TLS_CERT',
    help: 'PEM file of the certificate to serve https with, those of its authorities after it',
    parse: plain,
  }),
  tlsKey: setting({
    flag: '--tls-key <path>',
    env: 'KJITSI_TLS_KEY',
    help: 'PEM file of the private key of --tls-cert',
    parse: plain,
  }),
  refresh: setting({
    flag: '--refresh <duration>',
    env: 'KJITSI_REFRESH',
    help: 'how often the key sets are read',
    parse: pause,
    default: '5m',
  }),
  cooldown: setting({
    flag: '--cooldown <duration>',
    env: 'KJITSI_COOLDOWN',
    help: 'a key that is not known has its key set read at once, but no more often than this',
    parse: duration,
    default: '30s',
  }),
  log: setting({
    flag: '--log <form>',
    env: 'KJITSI_LOG',
    help: 'form of the lines on stderr: text, or json with one document a line',
    parse: oneOf('text', 'json'),
    default: 'text',
  }),

  certs: setting({
    flag: '--certs <dir>',
    env: 'KJITSI_CERTS',
    help: 'folder with the <sha256(kid)>.pem files that the key server answers with, to read in place of asking it; with --env, JWT_ASAP_KEYSERVER still decides whether Prosody asks',
    parse: plain,
  }),
  domainVerification: setting({
    flag: '--domain-verification',
    env: 'KJITSI_DOMAIN_VERIFICATION',
    help: 'as JWT_ENABLE_DOMAIN_VERIFICATION=1: sub has to be the tenant, the host or *',
    parse: onOff,
  }),
  joinRoom: setting({
    flag: '--room <name>',
    env: 'KJITSI_JOIN_ROOM',
    help: 'room to join, as it stands in its address: team-a, or tenant/team-a',
    parse: plain,
  }),
  at: setting({
    flag: '--at <time>',
    env: 'KJITSI_AT',
    help: 'time of the check in Unix seconds, or as 2026-08-20T14:05:00Z (default: now)',
    parse: time,
  }),
  batch: setting({
    flag: '--batch <file>',
    env: 'KJITSI_BATCH',
    help: 'file of JSON lines {"token":…,"room":…,"at":…} (- for stdin); writes one JSON line for each',
    parse: plain,
  }),

  keep: setting({
    flag: '--keep',
    env: 'KJITSI_KEEP',
    help: 'leave the Keycloak running',
    parse: onOff,
  }),

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
  json: setting({
    flag: '--json',
    env: 'KJITSI_JSON',
    help: 'print one JSON document on stdout',
    parse: onOff,
  }),
  quiet: setting({ flag: '--quiet', env: 'KJITSI_QUIET', help: 'say nothing but errors', parse: onOff }),
  verbose: setting({
    flag: '--verbose',
    env: 'KJITSI_VERBOSE',
    help: 'say where each setting came from, and each HTTP request',
    parse: onOff,
  }),
  input: setting({
    flag: '--no-input',
    env: 'KJITSI_INPUT',
    help: 'never ask; a missing setting is an error',
    parse: onOff,
    default: 'true',
  }),
  timeout: setting({
    flag: '--timeout <duration>',
    env: 'KJITSI_TIMEOUT',
    help: 'longest wait for one answer, such as 10s',
    parse: duration,
    default: '10s',
  }),
  wait: setting({
    flag: '--wait <duration>',
    env: 'KJITSI_WAIT',
    help: 'go on trying this long while Keycloak is still starting',
    parse: duration,
    default: '0s',
  }),
  caFile: setting({
    flag: '--ca-file <path>',
    env: 'KJITSI_CA_FILE',
    help: 'PEM file of a certificate authority to trust as well',
    parse: plain,
  }),
  // Never --env-file: Node takes that for its own wherever it stands, and obeys NODE_OPTIONS in the file.
  settingsFile: setting({
    flag: '--settings <file>',
    env: 'KJITSI_SETTINGS',
    help: 'file of settings, in the form NAME=value (default: .env, if there)',
    parse: plain,
  }),
}

export type Settings = typeof SETTINGS
export type SettingKey = keyof Settings

type Parsed<D> = D extends { parse: (text: string) => infer T } ? T : never
type ValueOf<D> = D extends { repeat: true }
  ? readonly Parsed<D>[]
  : D extends { default: string }
    ? Parsed<D>
    : Parsed<D> extends boolean
      ? boolean
      : Parsed<D> | undefined

/** The values of some settings; a switch that is not given is false, a repeated one an empty list. */
export type Values<K extends SettingKey = SettingKey> = { readonly [P in K]: ValueOf<Settings[P]> }

/** How a person can give a setting: `--url or KEYCLOAK_URL`. */
export function waysToGive(key: SettingKey): string {
  const { flag, env, secret }: Definition<unknown> = SETTINGS[key]
  const name = flag.replace(/ .*/, '')
  return secret ? `${env}, ${env}_FILE or ${name}` : `${name} or ${env}`
}

/** Whether a setting is a switch, which takes no value on the command line. */
export function isSwitch(key: SettingKey): boolean {
  return !SETTINGS[key].flag.includes(' ')
}

export function isSecret(key: SettingKey): boolean {
  const { secret }: Definition<unknown> = SETTINGS[key]
  return secret === true
}

/** The flags of a setting: a switch that is on by default can be given both ways. */
export function flagsOf(key: SettingKey): readonly string[] {
  const { flag, default: preset }: Definition<unknown> = SETTINGS[key]
  const both = isSwitch(key) && preset === 'true' && !flag.startsWith('--no-')
  return both ? [flag, flag.replace('--', '--no-')] : [flag]
}
