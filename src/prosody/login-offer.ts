// Whether Prosody offers a login that takes tokens, and why not.
import { isOn } from '../jitsi/config.ts'
import type { LuaValue } from './lua.ts'
import { type Values, type Written, authTypeOf, hasGuests, hasHidden } from './template.ts'

/** The modules that a name of one may be taken for: Prosody's own logins by password, and the token's name in other letters. */
const NO_TOKENS = /^(?:internal_hashed|internal_plain|(?!token$)[Tt][Oo][Kk][Ee][Nn])$/
const OTHER_TOKEN_LOGINS = ['matrix', 'hybrid_matrix_token']

export type Offer =
  | { readonly is: 'token' | 'open' }
  | { readonly is: 'none'; readonly why: string; readonly fix?: string }
  | { readonly is: 'token'; readonly doubt: string }

interface KeyOptions {
  readonly app_id?: string
  readonly app_secret?: string
  readonly asap_key_server?: string
  readonly cache_keys_url?: string
}

/** What people without and with a token meet on the host. */
export function offerOf(env: Values, { own, text, troubles }: Written, options: KeyOptions): Offer {
  const broken = troubles.find(({ is }) => is === 'broken')
  if (broken) return none(`Prosody does not start: ${broken.what}`, `in .env, ${broken.fix}`)
  const twin = twinOf(env)
  if (twin !== undefined)
    return none(
      `${twin} is XMPP_DOMAIN: of two hosts of one name the last one counts, and Prosody opens neither BOSH nor WebSocket`,
      `give ${twin} a name of its own in .env, or take it out`,
    )
  if (!isOn(env.get('ENABLE_AUTH'))) return { is: 'open' }
  const type = authTypeOf(env)
  if (OTHER_TOKEN_LOGINS.includes(type))
    return { is: 'token', doubt: `AUTH_TYPE is ${type}, which checks tokens in a way of its own` }
  if (type !== 'jwt') return none(`AUTH_TYPE is ${type}, and only jwt (in small letters) takes tokens`)
  const set = own('XMPP_CONFIGURATION').get('authentication')
  const where = set === undefined ? 'JWT_AUTH_TYPE' : 'authentication in XMPP_CONFIGURATION'
  const module = set ?? text('JWT_AUTH_TYPE') ?? 'token'
  if (module === 'jitsi-anonymous') return { is: 'open' }
  if (typeof module !== 'string') return { is: 'token', doubt: `${where} is no text` }
  if (NO_TOKENS.test(module))
    return none(`${where} is ${module}, and only token (in small letters) takes tokens`)
  if (module !== 'token')
    return { is: 'token', doubt: `${where} is ${module}: another module than Jitsi's own checks the login` }
  const disabled =
    own('XMPP_CONFIGURATION').get('disable_sasl_mechanisms') ??
    own('GLOBAL_CONFIG').get('disable_sasl_mechanisms')
  if (hasAnonymous(disabled))
    return none(
      'disable_sasl_mechanisms takes ANONYMOUS away, which is how a token logs in',
      'take ANONYMOUS out of disable_sasl_mechanisms in .env',
    )
  if (options.app_id === undefined) return none('app_id is taken back in XMPP_CONFIGURATION')
  return (options.app_secret ?? options.asap_key_server ?? options.cache_keys_url) === undefined
    ? none('there is no JWT_ASAP_KEYSERVER, no cache_keys_url and no JWT_APP_SECRET')
    : { is: 'token' }
}

function none(why: string, fix?: string): Offer {
  return { is: 'none', why, ...(fix !== undefined && { fix }) }
}

/** The variable that names a host as the main one is named. */
function twinOf(env: Values): string | undefined {
  const domain = env.get('XMPP_DOMAIN') || 'meet.jitsi'
  return [
    'XMPP_AUTH_DOMAIN',
    ...(hasGuests(env) ? ['XMPP_GUEST_DOMAIN'] : []),
    ...(hasHidden(env) ? ['XMPP_HIDDEN_DOMAIN'] : []),
  ].find((name) => env.get(name) === domain)
}

/** Prosody takes a text for a list of one. */
function hasAnonymous(mechanisms: LuaValue | undefined): boolean {
  const items = typeof mechanisms === 'object' && mechanisms !== null ? mechanisms.items : [mechanisms]
  return items.includes('ANONYMOUS')
}
