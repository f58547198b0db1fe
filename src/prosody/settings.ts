// What Prosody is set to, read from docker-jitsi-meet's `.env` as its template does it
// (prosody/rootfs/defaults/conf.d/jitsi-meet.cfg.lua, with the defaults of token/util.lib.lua behind it).
import { isOn } from '../jitsi/config.ts'
import { type LuaValue, readLuaOptions } from './lua-options.ts'

/** The options of Jitsi's token plugin, under Prosody's own names. */
export interface TokenOptions {
  readonly app_id?: string
  readonly app_secret?: string
  readonly asap_key_server?: string
  readonly cache_keys_url?: string
  readonly signature_algorithm?: string
  readonly asap_accepted_issuers?: readonly string[]
  readonly asap_accepted_audiences?: readonly string[]
  readonly asap_require_room_claim?: boolean
  readonly allow_empty_token?: boolean
  readonly enable_domain_verification?: boolean
}

export interface ProsodySettings {
  /** `token`: tokens are checked. `open`: nobody is asked for anything. `none`: no login takes a token. */
  readonly login: 'token' | 'open' | 'none'
  /** Why no login takes a token, for a sentence; '' where one does. */
  readonly whyNone: string
  /** Where `/<sha256(kid)>.pem` is asked for, as it stands. */
  readonly keyServer: string | undefined
  /** Whether Prosody can ask `keyServer` for a file at all. */
  readonly keyServerAskable: boolean
  /** Address of a key set. */
  readonly keysUrl: string | undefined
  /** Whether Prosody can ask `keysUrl` at all. */
  readonly keysUrlAskable: boolean
  /** Counts only where there is neither key server nor key set. */
  readonly secret: string | undefined
  readonly signType: string
  /** Compared as they stand; `*` accepts any. */
  readonly issuers: readonly string[]
  readonly audiences: readonly string[]
  readonly allowEmpty: boolean
  readonly requireRoom: boolean
  readonly domainVerification: boolean
  readonly domain: string
  readonly mucDomain: string
  /** Whether joins are checked at all: false where Prosody does not find the host of its own rooms. */
  readonly roomsChecked: boolean
  /** Whether a room may have a tenant before it: `/tenant/room`. */
  readonly tenants: boolean
  /** What of the settings only Prosody itself can read, each with the first step that it may change. */
  readonly doubts: readonly Doubt[]
}

interface Doubt {
  readonly step: 'login' | 'join'
  /** A sentence without its full stop. */
  readonly what: string
}

/**
 * @param values what compose reads from the `.env`
 * @param given options that are known otherwise; they take the place of those in `values`. Its addresses of keys count as
 * askable: a folder or a file may stand for them
 */
export function prosodySettings(
  values: ReadonlyMap<string, string>,
  given: TokenOptions = {},
): ProsodySettings {
  // An empty value is an unset one to the template's `default`.
  const get = (key: string, preset: string): string => values.get(key) || preset
  const doubts: Doubt[] = []
  const own = ownOptions(values.get('XMPP_CONFIGURATION') ?? '', doubts)
  const options: TokenOptions = { ...templateOptions(values), ...own, ...given }
  const authType = get('PROSODY_AUTH_TYPE', get('AUTH_TYPE', 'internal'))
  const open = !isOn(values.get('ENABLE_AUTH'))
  doubtValues(values, open ? DOMAINS : [...DOMAINS, ...IN_LUA], doubts)
  if (!open) doubtModules(values, authType, doubts)
  const whyNone = open ? '' : whyNoLogin(authType, options)
  const domain = get('XMPP_DOMAIN', 'meet.jitsi')
  const mucDomain = get('XMPP_MUC_DOMAIN', 'muc.meet.jitsi')
  const roomsChecked = parentHost(mucDomain) === domain
  if (roomsChecked && mucDomain !== `${mucDomain.split('.')[0] ?? ''}.${domain}`)
    doubts.push({ step: 'join', what: 'XMPP_MUC_DOMAIN is not one label before XMPP_DOMAIN' })
  const { asap_key_server: keyServer, cache_keys_url: keysUrl } = options
  const byKey = keyServer !== undefined || keysUrl !== undefined
  return {
    login: open ? 'open' : whyNone === '' ? 'token' : 'none',
    whyNone,
    keyServer,
    keyServerAskable: given.asap_key_server !== undefined || KEY_SERVER.test(keyServer ?? ''),
    keysUrl,
    keysUrlAskable: given.cache_keys_url !== undefined || ABSOLUTE.test(keysUrl ?? ''),
    secret: options.app_secret,
    signType: options.signature_algorithm ?? (byKey ? 'RS256' : 'HS256'),
    issuers: options.asap_accepted_issuers ?? [options.app_id ?? ''],
    audiences: options.asap_accepted_audiences ?? ['*'],
    allowEmpty: options.allow_empty_token ?? false,
    requireRoom: options.asap_require_room_claim ?? true,
    domainVerification: options.enable_domain_verification ?? true,
    domain,
    mucDomain,
    roomsChecked,
    tenants: isOn(values.get('ENABLE_SUBDOMAINS'), true),
    doubts,
  }
}

/** An address that Prosody's HTTP client can ask: with a scheme and a host. */
const ABSOLUTE = /^[A-Za-z][\w+.-]*:\/\/[^/?#\s]/
/** Prosody puts the file's name at the very end: behind a query or fragment, it is no part of the path. */
const KEY_SERVER = /^[A-Za-z][\w+.-]*:\/\/[^/?#\s][^?#]*$/

/**
 * The host that mod_token_verification takes for that of its rooms: Lua's pattern `%w+.(%w.+)`, not anchored.
 */
export function parentHost(mucDomain: string): string | undefined {
  return /[A-Za-z0-9]+.([A-Za-z0-9].+)/s.exec(mucDomain)?.[1]
}

/** What the template writes for AUTH_TYPE=jwt. */
function templateOptions(values: ReadonlyMap<string, string>): TokenOptions {
  const { JWT_APP_ID, JWT_APP_SECRET, JWT_ASAP_KEYSERVER, JWT_SIGN_TYPE, ...env } = Object.fromEntries(values)
  const { JWT_ACCEPTED_ISSUERS: issuers, JWT_ACCEPTED_AUDIENCES: audiences } = env
  return {
    // That is what Go's templates write for a variable that is not there.
    app_id: JWT_APP_ID ?? '<no value>',
    ...(isOn(JWT_APP_SECRET) && { app_secret: JWT_APP_SECRET ?? '' }),
    ...(JWT_ASAP_KEYSERVER && { asap_key_server: JWT_ASAP_KEYSERVER }),
    ...(JWT_SIGN_TYPE && { signature_algorithm: JWT_SIGN_TYPE }),
    ...(issuers && { asap_accepted_issuers: splitList(issuers) }),
    ...(audiences && { asap_accepted_audiences: splitList(audiences) }),
    allow_empty_token: isOn(env['JWT_ALLOW_EMPTY']),
    enable_domain_verification: isOn(env['JWT_ENABLE_DOMAIN_VERIFICATION']),
  }
}

/** Empty items go; a list of nothing else is one with an empty item. Blanks stay. */
function splitList(text: string): readonly string[] {
  const items = text.split(',').filter((item) => item !== '')
  return items.length === 0 ? [''] : items
}

type OptionName = keyof TokenOptions

const KINDS: Readonly<Record<OptionName, 'text' | 'list' | 'switch'>> = {
  app_id: 'text',
  app_secret: 'text',
  asap_key_server: 'text',
  cache_keys_url: 'text',
  signature_algorithm: 'text',
  asap_accepted_issuers: 'list',
  asap_accepted_audiences: 'list',
  asap_require_room_claim: 'switch',
  allow_empty_token: 'switch',
  enable_domain_verification: 'switch',
}
const OPTION_NAMES = Object.keys(KINDS) as OptionName[]
/** Other names that change who may log in or join. */
const FAR_REACHING = new RegExp(
  '\\b(?:muc_mapper_\\w+|authentication|modules_enabled|modules_disabled|token_verification_allowlist|' +
    'VirtualHost|Component|Include)\\b',
)

/** The options that XMPP_CONFIGURATION sets on the host, where they win over the template's own. */
function ownOptions(text: string, doubts: Doubt[]): TokenOptions {
  // The template cuts it at every comma, inside of values too, and makes lines of the pieces.
  const source = text
    .split(',')
    .filter((piece) => piece !== '')
    .join('\n')
  const { values, rest } = readLuaOptions(source)
  const doubt = (what: string): void => void doubts.push({ step: 'login', what })
  if (rest !== '')
    doubt('XMPP_CONFIGURATION holds more than plain assignments of a text, a list, a number or a switch')
  const options: Partial<Record<OptionName, unknown>> = {}
  for (const [name, value] of values) {
    if (FAR_REACHING.test(name)) doubt(`XMPP_CONFIGURATION sets ${name}`)
    if (!isOption(name)) continue
    const read = asKind(KINDS[name], value)
    if (read === undefined) doubt(`XMPP_CONFIGURATION gives ${name} a value of another kind`)
    else options[name] = read
  }
  return options as TokenOptions
}

function isOption(name: string): name is OptionName {
  return Object.hasOwn(KINDS, name)
}

/** A value as Prosody's get_option functions take it. */
function asKind(
  kind: 'text' | 'list' | 'switch',
  value: LuaValue,
): string | boolean | readonly string[] | undefined {
  if (kind === 'text') return typeof value === 'string' ? value : undefined
  if (kind === 'list')
    return typeof value === 'string' ? [value] : typeof value === 'object' ? value : undefined
  if (value === true || value === 'true' || value === 1) return true
  return value === false || value === 'false' || value === 0 ? false : undefined
}

const DOMAINS = ['XMPP_DOMAIN', 'XMPP_MUC_DOMAIN']
/** Written between the template's double quotes where tokens are checked. */
const IN_LUA = [
  'JWT_APP_ID',
  'JWT_APP_SECRET',
  'JWT_ACCEPTED_ISSUERS',
  'JWT_ACCEPTED_AUDIENCES',
  'JWT_ASAP_KEYSERVER',
  'JWT_SIGN_TYPE',
]

/**
 * Values that mean something else inside of double quotes, and configuration that the template does not know.
 */
function doubtValues(values: ReadonlyMap<string, string>, quoted: readonly string[], doubts: Doubt[]): void {
  for (const key of quoted) {
    if (!/["\\\r\n]/.test(values.get(key) ?? '')) continue
    doubts.push({
      step: 'login',
      what: `${key} holds a double quote, a backslash or a newline, which Prosody reads as Lua`,
    })
  }
  for (const key of DOMAINS) {
    const value = values.get(key)
    if (value && !/^[a-z0-9.-]+$/.test(value))
      doubts.push({
        step: 'join',
        what: `${key} has other characters than small letters, digits, dots and hyphens`,
      })
  }
  const global = values.get('GLOBAL_CONFIG') ?? ''
  if (FAR_REACHING.test(global) || OPTION_NAMES.some((name) => global.includes(name)))
    doubts.push({ step: 'login', what: 'GLOBAL_CONFIG sets things that the check of tokens depends on' })
  if (FAR_REACHING.test(values.get('XMPP_MUC_CONFIGURATION') ?? ''))
    doubts.push({
      step: 'join',
      what: 'XMPP_MUC_CONFIGURATION sets things that the check of rooms depends on',
    })
}

const OTHER_TOKEN_LOGINS = ['matrix', 'hybrid_matrix_token']

function doubtModules(values: ReadonlyMap<string, string>, authType: string, doubts: Doubt[]): void {
  const { JWT_AUTH_TYPE: login, JWT_TOKEN_AUTH_MODULE: rooms } = Object.fromEntries(values)
  if (OTHER_TOKEN_LOGINS.includes(authType))
    doubts.push({ step: 'login', what: `AUTH_TYPE is ${authType}, which checks tokens in a way of its own` })
  if (login && login !== 'token')
    doubts.push({
      step: 'login',
      what: `JWT_AUTH_TYPE is ${login}: another module than Jitsi's own checks the login`,
    })
  if (rooms && rooms !== 'token_verification')
    doubts.push({
      step: 'join',
      what: `JWT_TOKEN_AUTH_MODULE is ${rooms}: another module than Jitsi's own checks the rooms`,
    })
}

function whyNoLogin(authType: string, options: TokenOptions): string {
  if (authType !== 'jwt' && !OTHER_TOKEN_LOGINS.includes(authType))
    return `AUTH_TYPE is ${authType}, and only jwt (in small letters) takes tokens`
  const { app_secret, asap_key_server, cache_keys_url } = options
  return app_secret === undefined && asap_key_server === undefined && cache_keys_url === undefined
    ? 'there is no JWT_ASAP_KEYSERVER, no cache_keys_url and no JWT_APP_SECRET'
    : ''
}
