// What Prosody is set to, read from docker-jitsi-meet's `.env` as its template does it
// (prosody/rootfs/defaults/conf.d/jitsi-meet.cfg.lua, with the defaults of token/util.lib.lua behind it).
import { isOn } from '../jitsi/config.ts'
import { offerOf } from './login-offer.ts'
import type { LuaFile, LuaOptions, LuaValue } from './lua.ts'
import { type Values, type Written, byToken, writtenBy } from './template.ts'

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
  /** Why no login takes a token, for a sentence, and what mends that; '' where one does. */
  readonly whyNone: string
  readonly fixNone: string | undefined
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
  /** The module that checks joins. */
  readonly roomsModule: string
  /** Whether joins are checked at all: false where that is another module, or Prosody does not find the host of its own rooms. */
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

const atLogin = (what: string): Doubt => ({ step: 'login', what })
const atJoin = (what: string): Doubt => ({ step: 'join', what })

/**
 * @param env what compose reads from the `.env`
 * @param given options that are known otherwise; they take the place of those in `env`. Its addresses of keys count as
 * askable: a folder or a file may stand for them
 * @param beside what Prosody reads besides
 */
export function prosodySettings(env: Values, given: TokenOptions = {}, beside?: FileBeside): ProsodySettings {
  // An empty value is an unset one to the template's `default`.
  const get = (key: string, preset: string): string => env.get(key) || preset
  const written = writtenBy(env)
  const doubts = [...doubtsOf(env, written)]
  const own = hostOptions(written.own('XMPP_CONFIGURATION'), 'XMPP_CONFIGURATION', doubts)
  const domain = get('XMPP_DOMAIN', 'meet.jitsi')
  const fromEnv: TokenOptions = { ...templateOptions(env, written), ...own }
  const fromFile = beside === undefined ? {} : besideOptions(beside, domain, fromEnv, doubts)
  const options: TokenOptions = { ...fromEnv, ...fromFile, ...given }
  const isBroken = beside?.file.is === 'broken'
  const login = isBroken
    ? ({ is: 'none', why: `Prosody does not start: ${beside.name} is no Lua`, fix: 'write it anew' } as const)
    : offerOf(env, written, options)
  if ('doubt' in login) doubts.push(atLogin(login.doubt))
  for (const { is, what } of written.troubles) if (is === 'unknown') doubts.push({ step: 'login', what })
  const mucDomain = get('XMPP_MUC_DOMAIN', 'muc.meet.jitsi')
  const roomsModule = get('JWT_TOKEN_AUTH_MODULE', CHECKS_ROOMS)
  const roomsChecked = roomsModule !== CHECKS_NOTHING && parentHost(mucDomain) === domain
  if (login.is === 'token' && roomsModule !== CHECKS_ROOMS && roomsModule !== CHECKS_NOTHING)
    doubts.push(
      atJoin(`JWT_TOKEN_AUTH_MODULE is ${roomsModule}: another module than Jitsi's own checks the rooms`),
    )
  if ([mucDomain, get('XMPP_INTERNAL_MUC_DOMAIN', '')].includes(domain))
    doubts.push(atLogin('a domain of rooms is XMPP_DOMAIN, and one host cannot be both'))
  if (roomsChecked && mucDomain !== `${mucDomain.split('.')[0] ?? ''}.${domain}`)
    doubts.push(atJoin('XMPP_MUC_DOMAIN is not one label before XMPP_DOMAIN'))
  const { asap_key_server: keyServer, cache_keys_url: keysUrl } = options
  const byKey = keyServer !== undefined || keysUrl !== undefined
  return {
    login: login.is,
    whyNone: login.is === 'none' ? login.why : '',
    fixNone: login.is === 'none' ? login.fix : undefined,
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
    roomsModule,
    roomsChecked,
    tenants: isOn(env.get('ENABLE_SUBDOMAINS'), true),
    // Nothing that is not known makes a Prosody start that does not.
    doubts: isBroken || written.troubles.some(({ is }) => is === 'broken') ? [] : doubts,
  }
}

export const CHECKS_ROOMS = 'token_verification'
/** Of Jitsi's other modules, one that looks at no token. */
const CHECKS_NOTHING = 'muc_census'

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
function templateOptions(env: Values, { text, list }: Written): TokenOptions {
  const [secret, keyServer, signType] = ['JWT_APP_SECRET', 'JWT_ASAP_KEYSERVER', 'JWT_SIGN_TYPE'].map(text)
  const [issuers, audiences] = ['JWT_ACCEPTED_ISSUERS', 'JWT_ACCEPTED_AUDIENCES'].map(list)
  return known({
    // That is what Go's templates write for a variable that is not there.
    app_id: env.has('JWT_APP_ID') ? (text('JWT_APP_ID') ?? '') : '<no value>',
    app_secret: isOn(env.get('JWT_APP_SECRET')) ? secret : undefined,
    asap_key_server: keyServer,
    signature_algorithm: signType,
    asap_accepted_issuers: issuers,
    asap_accepted_audiences: audiences,
    allow_empty_token: isOn(env.get('JWT_ALLOW_EMPTY')),
    enable_domain_verification: isOn(env.get('JWT_ENABLE_DOMAIN_VERIFICATION')),
  })
}

/** Those options that are known: they take the place of others, which an undefined one would take back. */
export function known(options: { readonly [K in OptionName]?: TokenOptions[K] | undefined }): TokenOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
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
/** Other names that change who may log in or join. */
const FAR_REACHING =
  /^(?:muc_mapper_\w+|authentication|modules_enabled|modules_disabled|token_verification_allowlist)$/

/** The options that a host's section sets, where they win over the template's own; undefined takes one of those back. */
function hostOptions(lua: LuaOptions, where: string, doubts: Doubt[]): TokenOptions {
  const options: Partial<Record<OptionName, unknown>> = {}
  for (const [name, value] of lua) {
    if (!isOption(name)) continue
    const kind = KINDS[name]
    const read = asKind(kind, value)
    if (value === null) {
      // The template sets its lists for all hosts, where they stay.
      if (kind !== 'list') options[name] = undefined
    } else if (read === undefined) doubts.push(atLogin(`${where} gives ${name} a value of another kind`))
    else options[name] = read
  }
  return options as TokenOptions
}

/** What a file of Prosody's own folder says besides `.env`. */
export interface FileBeside {
  readonly name: string
  readonly file: LuaFile
}

/** Prosody reads both in no order, so a value that both name has to be the same. */
function besideOptions(
  { name, file: { sections, is } }: FileBeside,
  domain: string,
  fromEnv: TokenOptions,
  doubts: Doubt[],
): TokenOptions {
  if (is === 'unknown') doubts.push(atLogin(`${name} holds more than plain options`))
  const options: Partial<Record<OptionName, unknown>> = {}
  for (const [host, lua] of sections) {
    const far = [...lua.keys()].find(
      (option) => FAR_REACHING.test(option) || option === 'disable_sasl_mechanisms',
    )
    if (far !== undefined) doubts.push(atLogin(`${name} sets ${far}`))
    if (host !== '' && host !== domain) continue
    const set = hostOptions(lua, name, doubts) as Partial<Record<OptionName, unknown>>
    for (const option of OPTION_NAMES) {
      if (!(option in set)) continue
      const [here, there] = [set[option], fromEnv[option]]
      if (there === undefined) options[option] = here
      else if (JSON.stringify(here) !== JSON.stringify(there))
        doubts.push(atLogin(`${name} and .env differ in ${option}, and Prosody reads them in no order`))
    }
  }
  return options as TokenOptions
}

const OPTION_NAMES = Object.keys(KINDS) as OptionName[]

function isOption(name: string): name is OptionName {
  return Object.hasOwn(KINDS, name)
}

/** A value as Prosody's get_option functions take it. */
function asKind(
  kind: 'text' | 'list' | 'switch',
  value: LuaValue,
): string | boolean | readonly string[] | undefined {
  if (kind === 'text') return typeof value === 'string' ? value : undefined
  if (kind === 'list') return typeof value === 'string' ? [value] : textsOf(value)
  if (value === true || value === 'true' || value === 1) return true
  return value === false || value === 'false' || value === 0 ? false : undefined
}

function textsOf(value: LuaValue): readonly string[] | undefined {
  if (typeof value !== 'object' || value === null || value.fields.size > 0) return undefined
  return value.items.every((item) => typeof item === 'string') ? value.items : undefined
}

const DOMAINS = ['XMPP_DOMAIN', 'XMPP_MUC_DOMAIN']

/** Settings that reach further than they are followed here. */
function doubtsOf(env: Values, { own }: Written): readonly Doubt[] {
  const doubts: Doubt[] = []
  const mode = env.get('PROSODY_MODE')
  if (mode && mode !== 'client')
    doubts.push(atLogin(`PROSODY_MODE is ${mode}, which is another configuration`))
  for (const key of DOMAINS) {
    const value = env.get(key)
    if (value && !/^[a-z0-9.-]+$/.test(value))
      doubts.push(atJoin(`${key} has other characters than small letters, digits, dots and hyphens`))
  }
  for (const name of own('XMPP_CONFIGURATION').keys())
    if (FAR_REACHING.test(name) && (name !== 'authentication' || !byToken(env)))
      doubts.push(atLogin(`XMPP_CONFIGURATION sets ${name}`))
  // The host has an authentication of its own.
  for (const name of own('GLOBAL_CONFIG').keys())
    if ((FAR_REACHING.test(name) && name !== 'authentication') || isOption(name))
      doubts.push(atLogin(`GLOBAL_CONFIG sets ${name}, on which the check of tokens depends`))
  for (const name of own('XMPP_MUC_CONFIGURATION').keys())
    if (FAR_REACHING.test(name))
      doubts.push(atJoin(`XMPP_MUC_CONFIGURATION sets ${name}, on which the check of rooms depends`))
  return doubts
}
