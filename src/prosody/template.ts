// Where docker-jitsi-meet's templates write what stands in `.env` into Prosody's configuration, and what Prosody then makes of
// it: https://github.com/jitsi/docker-jitsi-meet, prosody/rootfs/defaults/prosody.cfg.lua and conf.d/jitsi-meet.cfg.lua.
import { isOn } from '../jitsi/config.ts'
import { type LuaOptions, type LuaValue, readLua } from './lua.ts'

export type Values = ReadonlyMap<string, string>

/** What became of a value: `broken` is what Prosody stops at, `unknown` what only Prosody itself can read. */
interface Trouble {
  readonly is: 'broken' | 'unknown'
  readonly name: string
  /** A sentence without its full stop, without the value. */
  readonly what: string
  readonly fix: string
}

/** How a value is written: the Lua that comes of it, and whether that is still what the template means. */
interface Form {
  readonly write: (value: string) => string
  readonly isMeant: (written: LuaValue | undefined, value: string) => boolean
  readonly what: string
  readonly fix: string
}

const isText = (value: LuaValue | undefined): boolean => typeof value === 'string'
const QUOTED = {
  what: "holds a double quote, a backslash or a newline, and stands between double quotes in Prosody's configuration",
  fix: 'take it out: compose strips one pair of quotes round a value, and none inside of it',
}

/** In Lua's tables, a mistake is one whatever comes behind it; behind an assignment the next statement may begin. */
const FORMS = {
  text: { ...QUOTED, write: (value) => `x = "${value}"`, isMeant: isText },
  item: { ...QUOTED, write: (value) => `x = { "${value}" }`, isMeant: (x) => itemsOf(x)?.length === 1 },
  items: {
    ...QUOTED,
    write: (value) => `x = { "${splitList(value).join('";"')}" }`,
    isMeant: (x, value) => itemsOf(x)?.length === splitList(value).length,
  },
  number: {
    what: "is no number, and stands as it is in Prosody's configuration",
    fix: 'write a number, without blanks and quotes',
    write: (value) => `x = { ${value} }`,
    isMeant: (x) => typeof x === 'object' && typeof x?.items[0] === 'number' && x.items.length === 1,
  },
} satisfies Readonly<Record<string, Form>>

function itemsOf(value: LuaValue | undefined): readonly LuaValue[] | undefined {
  return typeof value === 'object' && value?.fields.size === 0 && value.items.every(isText)
    ? value.items
    : undefined
}

/** As the template's `splitList "," | compact`: empty items go, a list of nothing else is one with an empty item. Blanks stay. */
function splitList(text: string): readonly string[] {
  const items = text.split(',').filter((item) => item !== '')
  return items.length === 0 ? [''] : items
}

/** Which variables are written so, and when; an empty one takes the template's default, which is right. */
type Slot = readonly [form: keyof typeof FORMS, names: string, when?: (env: Values) => boolean]

const on =
  (name: string, preset = false) =>
  (env: Values): boolean =>
    isOn(env.get(name), preset)
const off =
  (name: string) =>
  (env: Values): boolean =>
    !isOn(env.get(name))
const given =
  (...names: readonly string[]) =>
  (env: Values): boolean =>
    names.some((name) => env.get(name))

/** AUTH_TYPE as the template takes it. */
export function authTypeOf(env: Values): string {
  return env.get('PROSODY_AUTH_TYPE') || env.get('AUTH_TYPE') || 'internal'
}

/** Logins are asked for, and tokens are what is asked for. */
export const byToken = (env: Values): boolean => isOn(env.get('ENABLE_AUTH')) && authTypeOf(env) === 'jwt'
/** Guests have a host of their own where logins are asked for. */
export const hasGuests = (env: Values): boolean =>
  isOn(env.get('ENABLE_AUTH')) && isOn(env.get('ENABLE_GUESTS'))
/** Recordings and transcriptions log in on a host of their own. */
export const hasHidden = (env: Values): boolean =>
  isOn(env.get('ENABLE_RECORDING')) || isOn(env.get('ENABLE_TRANSCRIPTIONS'))
const byGeneration = (env: Values): boolean => env.get('GC_TYPE') === 'generational'

const SLOTS: readonly Slot[] = [
  [
    'text',
    'XMPP_DOMAIN XMPP_MUC_DOMAIN XMPP_INTERNAL_MUC_DOMAIN XMPP_AUTH_DOMAIN MAX_PARTICIPANTS TURN_CREDENTIALS',
  ],
  ['item', 'XMPP_HIDDEN_DOMAIN JVB_AUTH_USER JIBRI_RECORDER_USER JIGASI_TRANSCRIBER_USER LOG_LEVEL'],
  ['items', 'PROSODY_ADMINS PROSODY_TRUSTED_PROXIES GLOBAL_MODULES XMPP_MODULES XMPP_MUC_MODULES'],
  ['items', 'XMPP_INTERNAL_MUC_MODULES XMPP_SPEAKERSTATS_MODULES'],
  ['number', 'XMPP_PORT PROSODY_HTTP_PORT PROSODY_RATE_LIMIT_CACHE_SIZE'],
  ['text', 'JWT_APP_ID JWT_ASAP_KEYSERVER JWT_SIGN_TYPE JWT_AUTH_TYPE', byToken],
  ['text', 'JWT_APP_SECRET', (env) => byToken(env) && isOn(env.get('JWT_APP_SECRET'))],
  ['items', 'JWT_ACCEPTED_ISSUERS JWT_ACCEPTED_AUDIENCES', byToken],
  ['item', 'JWT_TOKEN_AUTH_MODULE', byToken],
  ['text', 'XMPP_GUEST_DOMAIN PROSODY_GUEST_AUTH_TYPE', hasGuests],
  ['items', 'XMPP_LOBBY_MUC_MODULES', on('ENABLE_LOBBY', true)],
  ['items', 'XMPP_BREAKOUT_MUC_MODULES', on('ENABLE_BREAKOUT_ROOMS', true)],
  ['item', 'JIGASI_XMPP_USER', given('JIGASI_XMPP_PASSWORD')],
  ['item', 'JIBRI_XMPP_USER', given('JIBRI_XMPP_PASSWORD')],
  ['item', 'PUBLIC_URL', on('ENABLE_JAAS_COMPONENTS')],
  ['text', 'PROSODY_RESERVATION_REST_BASE_URL', on('PROSODY_RESERVATION_ENABLED')],
  ['items', 'PROSODY_MUC_RESOURCE_VALIDATE_ANON_METHODS', on('PROSODY_ENABLE_MUC_RESOURCE_VALIDATE', true)],
  [
    'number',
    'PROSODY_RATE_LIMIT_LOGIN_RATE PROSODY_RATE_LIMIT_SESSION_RATE',
    on('PROSODY_ENABLE_RATE_LIMITS'),
  ],
  ['number', 'PROSODY_RATE_LIMIT_TIMEOUT', on('PROSODY_ENABLE_RATE_LIMITS')],
  ['items', 'PROSODY_RATE_LIMIT_ALLOW_RANGES', on('PROSODY_ENABLE_RATE_LIMITS')],
  ['item', 'PROSODY_C2S_LIMIT', off('PROSODY_DISABLE_C2S_LIMIT')],
  ['item', 'PROSODY_S2S_LIMIT', off('PROSODY_DISABLE_S2S_LIMIT')],
  ['text', 'PROSODY_METRICS_ALLOWED_CIDR', on('PROSODY_ENABLE_METRICS')],
  ['number', 'GC_GEN_MIN_TH GC_GEN_MAX_TH', byGeneration],
  ['number', 'GC_INC_TH GC_INC_SPEED GC_INC_STEP_SIZE', (env) => !byGeneration(env)],
  ['item', 'STUN_HOST'],
  ['number', 'STUN_PORT', given('STUN_HOST')],
  ['items', 'TURN_HOST TURNS_HOST'],
  ['number', 'TURN_PORT', given('TURN_HOST')],
  ['items', 'TURN_TRANSPORT', given('TURN_HOST')],
  ['number', 'TURNS_PORT', given('TURNS_HOST')],
  ['number', 'TURN_TTL', given('TURN_HOST', 'TURNS_HOST')],
  ['item', 'TURN_USERNAME TURN_PASSWORD', given('TURN_HOST', 'TURNS_HOST')],
]

/** Lua of people's own, with what the template cuts it into lines by. */
const OWN_LUA = {
  XMPP_CONFIGURATION: ',',
  XMPP_MUC_CONFIGURATION: ',',
  GLOBAL_CONFIG: '\\n',
  PROSODY_LOG_CONFIG: '\\n',
} as const

export interface Written {
  readonly troubles: readonly Trouble[]
  /** What people's own Lua sets, as far as it was read. */
  readonly own: (name: keyof typeof OWN_LUA) => LuaOptions
  /** A value between double quotes as Lua reads it; undefined where it is not there or empty. */
  readonly text: (name: string) => string | undefined
  readonly list: (name: string) => readonly string[] | undefined
}

export function writtenBy(env: Values): Written {
  const troubles: Trouble[] = []
  for (const [form, names, when] of SLOTS) {
    if (when?.(env) === false) continue
    for (const name of names.split(' ')) {
      const value = env.get(name)
      if (!value) continue
      const { write, isMeant, what, fix }: Form = FORMS[form]
      const { sections, is } = readLua(write(value))
      const isFine = is === 'read' && sections.size === 1 && isMeant(sections.get('')?.get('x'), value)
      if (!isFine || sections.get('')?.size !== 1)
        troubles.push({ is: is === 'read' ? 'unknown' : is, name, what: `${name} ${what}`, fix })
    }
  }
  const own = new Map<string, LuaOptions>()
  for (const [name, separator] of Object.entries(OWN_LUA)) {
    const lines = (env.get(name) ?? '')
      .split(separator)
      .filter((line) => line !== '')
      .join('\n')
    const { sections, is } = readLua(name === 'PROSODY_LOG_CONFIG' ? `x = { {}; ${lines}\n}` : lines)
    own.set(name, sections.get('') ?? new Map<string, LuaValue>())
    if (is !== 'read' || sections.size > 1) troubles.push(ownTrouble(name, separator, is))
  }
  const read = (source: string): LuaValue | undefined => readLua(source).sections.get('')?.get('x')
  return {
    troubles,
    own: (name) => own.get(name) ?? new Map<string, LuaValue>(),
    text: (name) => {
      const value = env.get(name)
      const text = value ? read(FORMS.text.write(value)) : undefined
      return typeof text === 'string' ? text : undefined
    },
    list: (name) => {
      const value = env.get(name)
      return value ? (itemsOf(read(FORMS.items.write(value))) as readonly string[] | undefined) : undefined
    },
  }
}

function ownTrouble(name: string, separator: string, is: 'read' | 'broken' | 'unknown'): Trouble {
  if (is !== 'broken')
    return {
      is: 'unknown',
      name,
      what: `${name} holds more than plain assignments of a text, a list, a number or a switch`,
      fix: 'take that out to ask about the rest',
    }
  const cut = separator === ',' ? ', once docker-jitsi-meet has cut it at its commas' : ''
  return {
    is,
    name,
    what: `${name} is no Lua${cut}`,
    fix:
      separator === ','
        ? 'write texts in quotes, and lists with semicolons, such as name={"a";"b"}'
        : 'write it as Lua, with \\n between lines',
  }
}
