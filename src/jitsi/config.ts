// The facts of a Jitsi that accepts Keycloak's tokens, decided once; each file that Jitsi reads is made from them.
import { KjitsiError } from '../errors.ts'
import { commaList, jsText, luaString, luaText } from './literals.ts'
import { type JitsiLogin, keySetOf, loginOf } from './login.ts'
import { type Moderators, type ModeratedBy, moderatedBy, moderatedByOf, moderationOf } from './moderation.ts'
import { type Own, isSharedList } from './shown-env.ts'

type SignType = 'RS256' | 'RS384' | 'RS512'
/** Whether Prosody fetches each key as a PEM file, all of them as a key set (JWKS), or falls back from this to that. */
export type Keys = 'pem' | 'jwks' | 'both'

export interface Facts {
  /** `iss` of the tokens, as each realm's discovery document has it; compared as they stand. */
  readonly issuers: readonly string[]
  /** A token passes whose `aud` is one of these strings. A list in a token equals none of them. */
  readonly audiences: readonly string[]
  readonly appId: string
  /** Where Prosody fetches `/<sha256(kid)>.pem`, without a slash at its end. */
  readonly keyserver: string
  /** Whether people without a token may come in as guests. */
  readonly guests: boolean
  readonly signType: SignType
  readonly moderators: ModeratedBy
  /** How Prosody comes by the keys; undefined for PEM files, besides whatever else it was told before. */
  readonly keys?: Keys | undefined
  /** The login of the web client; undefined where it is not asked for. */
  readonly login?: JitsiLogin | undefined
}

/** The audiences of a realm's own tokens: Keycloak's default, and that of a client with an audience of its own. */
export function defaultAudiences(clientId: string): readonly string[] {
  return ['account', clientId]
}

/** What people say about a Jitsi that accepts tokens. */
export interface FactSettings extends Pick<Facts, 'guests' | 'signType' | 'keys'> {
  /** Client id. */
  readonly client: string
  /** Empty for those of the realm's own tokens. */
  readonly audience: readonly string[]
  /** Undefined for the client id. */
  readonly appId: string | undefined
  readonly moderators?: Moderators | undefined
}

/**
 * The facts that the settings give, with the issuers and the key server that were found for them.
 * @param origin under which people open Jitsi, where the web client is to get a login; it is that of the first issuer
 * @param byDefault who moderates where the settings do not say it
 * @throws KjitsiError `usage` where the settings do not go together
 */
export function factsOf(
  settings: FactSettings,
  issuers: readonly string[],
  keyserver: string,
  origin?: string,
  byDefault: ModeratedBy = 'everyone',
): Facts {
  const { client, audience, appId = client, guests, signType, keys } = settings
  const moderators = settings.moderators === undefined ? byDefault : moderatedBy(settings.moderators)
  const audiences = audience.length > 0 ? audience : defaultAudiences(client)
  const [issuer = ''] = issuers
  const facts = { issuers, audiences, appId, keyserver, guests, signType, moderators, keys }
  keySet(facts)
  return origin === undefined ? facts : { ...facts, login: loginOf(issuer, client, origin) }
}

/**
 * The one key set from which Prosody takes keys (cache_keys_url), undefined where it takes them one by one.
 * @throws KjitsiError `usage` where there are several
 */
export function keySet({ keys, issuers }: Pick<Facts, 'keys' | 'issuers'>): string | undefined {
  if (keys !== 'jwks' && keys !== 'both') return undefined
  const [issuer = '', ...others] = issuers
  if (others.length > 0) {
    const message = `--keys ${keys} serves one realm only: Prosody reads one key set, and there are ${issuers.length} issuers`
    throw new KjitsiError('usage', message, {
      hint: 'leave --keys out: PEM files of many realms go together',
    })
  }
  return keySetOf(issuer)
}

const DEFAULT_KEYSERVER = 'http://localhost:9000/certs'

/**
 * Where the keys are: the address given, else that of the `.env`, else a key server on this machine. A slash at its end
 * goes, since Prosody adds one of its own and a doubled one is another path to most servers.
 */
export function keyserverOf(given: string | undefined, before: ReadonlyMap<string, string>): string {
  return (given ?? before.get('JWT_ASAP_KEYSERVER')?.replace(/\/+$/, '')) || DEFAULT_KEYSERVER
}

/**
 * The variables of docker-jitsi-meet's `.env`, in the order of its template, with their values.
 * @param before what the `.env` has: its lists of modules are kept and extended, and a signature type that it names is
 * set right even where it is the default
 * @throws KjitsiError `usage` naming the setting and the character that Jitsi cannot hold
 */
export function envValues(facts: Facts, before: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const values = new Map([
    ['ENABLE_AUTH', '1'],
    ['ENABLE_GUESTS', facts.guests ? '1' : '0'],
    ['AUTH_TYPE', 'jwt'],
    ['JWT_APP_ID', luaText('JWT_APP_ID (--app-id or KJITSI_APP_ID)', facts.appId)],
    ['JWT_ACCEPTED_ISSUERS', luaList('JWT_ACCEPTED_ISSUERS (--issuer or KJITSI_ISSUER)', facts.issuers)],
    [
      'JWT_ACCEPTED_AUDIENCES',
      luaList('JWT_ACCEPTED_AUDIENCES (--accept-audience or KJITSI_ACCEPT_AUDIENCE)', facts.audiences),
    ],
    ...pemServer(facts, before),
    ['JICOFO_ENABLE_AUTH', '0'],
    ...moderation(facts, before),
    ...prosodyLines(facts, before),
  ])
  if (facts.login) values.set('TOKEN_AUTH_URL', jsText('TOKEN_AUTH_URL', facts.login.authUrl))
  if (facts.signType !== 'RS256' || before.get('JWT_SIGN_TYPE')) values.set('JWT_SIGN_TYPE', facts.signType)
  return values
}

type Entries = readonly (readonly [key: string, value: string])[]

function pemServer({ keys, keyserver }: Facts, before: ReadonlyMap<string, string>): Entries {
  const key = 'JWT_ASAP_KEYSERVER'
  if (keys !== 'jwks') return [[key, luaText(`${key} (--keyserver or KJITSI_KEYSERVER)`, keyserver)]]
  return before.get(key) ? [[key, '']] : []
}

function moderation({ moderators, guests }: Facts, before: ReadonlyMap<string, string>): Entries {
  const { autoOwner, hostsAreOwners, modules, mucModules, mucModulesNot } = moderationOf(moderators, guests)
  return [
    ['ENABLE_AUTO_OWNER', autoOwner ? '1' : '0'],
    ...extended('XMPP_MODULES', before, modules),
    ...extended('XMPP_MUC_MODULES', before, mucModules, (item) => mucModulesNot.includes(item)),
    ['WAIT_FOR_HOST_DISABLE_AUTO_OWNERS', String(!hostsAreOwners)],
  ]
}

/**
 * What of these values is kjitsi's own work. The address of the key server is not: it may be taken over from the `.env`.
 * @param values as `envValues` gives them
 */
export function ownValues(facts: Facts, values: ReadonlyMap<string, string>): Own {
  const { modules, mucModules, mucModulesNot } = moderationOf(facts.moderators, facts.guests)
  const whole = [...values].filter(([key]) => key !== 'JWT_ASAP_KEYSERVER' && !isSharedList(key))
  return new Map<string, readonly string[]>([
    ...whole.map(([key, value]) => [key, [value]] as const),
    ['XMPP_MODULES', modules],
    ['XMPP_MUC_MODULES', [...mucModules, ...mucModulesNot]],
    ['XMPP_CONFIGURATION', keySetLines(facts)],
  ])
}

/** Who moderates by a `.env`; undefined as in `moderatedByOf`. */
export function moderatedByEnv(env: ReadonlyMap<string, string>): ModeratedBy | undefined {
  const set = (key: string): boolean | undefined => (env.get(key) ? isOn(env.get(key)) : undefined)
  const noOwners = set('WAIT_FOR_HOST_DISABLE_AUTO_OWNERS')
  return moderatedByOf({
    autoOwner: set('ENABLE_AUTO_OWNER'),
    hostsAreOwners: noOwners === undefined ? undefined : !noOwners,
    mucModules: (env.get('XMPP_MUC_MODULES') ?? '').split(','),
  })
}

/** What the `.env` has no variable for: lines of Prosody's configuration, which docker-jitsi-meet cuts at every comma. */
function prosodyLines(facts: Facts, before: ReadonlyMap<string, string>): Entries {
  if (facts.keys === undefined) return []
  const isOther = (item: string): boolean => /^\s*cache_keys_url\s*=/.test(item)
  return extended('XMPP_CONFIGURATION', before, keySetLines(facts), isOther)
}

function keySetLines(facts: Facts): readonly string[] {
  const url = keySet(facts)
  return url === undefined ? [] : [`cache_keys_url=${luaString('cache_keys_url', url)}`]
}

/**
 * One of Jitsi's comma lists as it is, with what it lacks at its end.
 * @param isUnwanted the items that go, where they are none of those that are to be there
 */
function extended(
  key: string,
  before: ReadonlyMap<string, string>,
  wanted: readonly string[],
  isUnwanted: (item: string) => boolean = () => false,
): Entries {
  const text = before.get(key) ?? ''
  const there = text.split(',').filter((item) => item !== '')
  const kept = there.filter((item) => wanted.includes(item) || !isUnwanted(item))
  const missing = wanted.filter((item) => !kept.includes(item))
  if (missing.length === 0 && kept.length === there.length) return text === '' ? [] : [[key, text]]
  return [[key, [...kept, ...missing].join(',')]]
}

function luaList(what: string, items: readonly string[]): string {
  const texts = items.map((item) => luaText(what, item))
  return commaList(what, texts)
}

/**
 * How docker-jitsi-meet's templates read a switch (`toBool` of https://github.com/jitsi/tpl): quotes go wherever they stand, the
 * words that Go's `strconv.ParseBool` takes for false are false, and so is nothing; every other word is true, `no` and `off` among
 * them. An empty value is `preset`.
 */
export function isOn(value: string | undefined, preset = false): boolean {
  if (value === undefined || value === '') return preset
  return !['', '0', 'f', 'F', 'false', 'False', 'FALSE'].includes(value.replace(/["']/g, ''))
}
