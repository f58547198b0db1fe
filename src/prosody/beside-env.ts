// What a file of Prosody's may say beside `.env`. Prosody reads both in no order, so what both name has to be the same, and
// neither can take away what the other sets.
import { KjitsiError } from '../errors.ts'
import { type Facts, keySet } from '../jitsi/config.ts'
import { prosodySettings } from './settings.ts'

/** What people said themselves; undefined takes what `.env` has. */
export interface Said {
  readonly xmppDomain: string | undefined
  readonly roomClaim: boolean | undefined
  readonly keyserver: string | undefined
}

export interface BesideEnv {
  readonly domain: string
  readonly roomClaim: boolean
  /** Where Prosody asks for `.pem` files; undefined where it does not. */
  readonly keyserver: string | undefined
  readonly keySet: string | undefined
}

/**
 * @param values what compose reads from the `.env`
 * @param name of that file
 * @throws KjitsiError `usage` where both name a thing and do not agree
 */
export function besideEnv(
  { xmppDomain, roomClaim, keyserver }: Said,
  values: ReadonlyMap<string, string>,
  name: string,
): BesideEnv {
  const env = prosodySettings(values)
  const ownLines = values.get('XMPP_CONFIGURATION') ?? ''
  if (xmppDomain !== undefined && values.get('XMPP_DOMAIN') && xmppDomain !== env.domain)
    throw contradiction(`--xmpp-domain ${xmppDomain}`, name, `XMPP_DOMAIN=${env.domain}`)
  if (
    roomClaim !== undefined &&
    /\basap_require_room_claim\b/.test(ownLines) &&
    roomClaim !== env.requireRoom
  )
    throw contradiction(
      roomClaim ? '--room-claim' : '--no-room-claim',
      name,
      `asap_require_room_claim=${String(env.requireRoom)} in XMPP_CONFIGURATION`,
    )
  const server = env.keyServer?.replace(/\/+$/, '')
  if (keyserver !== undefined && server !== undefined && keyserver !== server)
    throw contradiction(`--keyserver ${keyserver}`, name, `JWT_ASAP_KEYSERVER=${server}`)
  return {
    domain: xmppDomain ?? env.domain,
    roomClaim: roomClaim ?? env.requireRoom,
    keyserver: keyserver ?? server,
    keySet: env.keysUrl,
  }
}

/**
 * Sees to it that Prosody takes keys as `facts` say and from nowhere else. A `.env` without any place of keys says nothing yet.
 * @throws KjitsiError `usage` where `.env` says otherwise
 */
export function agreeOnKeys(facts: Facts, values: ReadonlyMap<string, string>, name: string): void {
  const { keys } = facts
  const { keyServer, keysUrl } = prosodySettings(values)
  if (keys === undefined || (keyServer ?? keysUrl) === undefined) return
  const flag = `--keys ${keys}`
  const url = keySet(facts)
  if (keysUrl !== undefined && keysUrl !== url)
    throw contradiction(url === undefined ? flag : `${flag} (${url})`, name, `cache_keys_url="${keysUrl}"`)
  if (keys === 'jwks' && keyServer !== undefined)
    throw contradiction(flag, name, `JWT_ASAP_KEYSERVER=${keyServer}`)
  if (keys !== 'jwks' && keyServer === undefined) throw contradiction(flag, name, 'no JWT_ASAP_KEYSERVER')
}

function contradiction(said: string, name: string, has: string): KjitsiError {
  const message = `${said}, but ${name} has ${has}: Prosody reads both, and this file cannot change what the other says; nothing was written`
  return new KjitsiError('usage', message, {
    hint: `leave the flag out, which keeps what ${name} has, or change ${name} first (kjitsi gen-env ${name})`,
  })
}
