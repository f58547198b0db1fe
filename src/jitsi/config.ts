// The facts of a Jitsi that accepts Keycloak's tokens, decided once; each file that Jitsi reads is made from them.
import { type Values, waysToGive } from '../settings.ts'
import { commaList, luaText } from './literals.ts'

export type SignType = 'RS256' | 'RS384' | 'RS512'

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
}

/** The audiences of a realm's own tokens: Keycloak's default, and that of a client with an audience of its own. */
export function defaultAudiences(clientId: string): readonly string[] {
  return ['account', clientId]
}

/** The facts that the settings give, with the issuers and the key server that were found for them. */
export function factsOf(
  settings: Values<'client' | 'audience' | 'appId' | 'guests' | 'signType'>,
  issuers: readonly string[],
  keyserver: string,
): Facts {
  const { client, audience, appId = client, guests, signType } = settings
  const audiences = audience.length > 0 ? audience : defaultAudiences(client)
  return { issuers, audiences, appId, keyserver, guests, signType }
}

const DEFAULT_KEYSERVER = 'http://localhost:9000/certs'

/**
 * Where the keys are: the address given, else that of the `.env`, else a key server on this machine. A slash at its end
 * goes, since Prosody adds one of its own and a doubled one is another path to most servers.
 */
export function keyserverOf(given: string | undefined, before: ReadonlyMap<string, string>): string {
  const address = given ?? before.get('JWT_ASAP_KEYSERVER')?.replace(/\/+$/, '')
  return address ? address : DEFAULT_KEYSERVER
}

/**
 * The variables of docker-jitsi-meet's `.env`, in the order of its template, with their values.
 * @param before what the `.env` has: a signature type that it names is set right even where it is the default
 * @throws KjitsiError `usage` naming the setting and the character that Jitsi cannot hold
 */
export function envValues(facts: Facts, before: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const values = new Map([
    ['ENABLE_AUTH', '1'],
    ['ENABLE_GUESTS', facts.guests ? '1' : '0'],
    ['AUTH_TYPE', 'jwt'],
    ['JWT_APP_ID', luaText(`JWT_APP_ID (${waysToGive('appId')})`, facts.appId)],
    ['JWT_ACCEPTED_ISSUERS', luaList(`JWT_ACCEPTED_ISSUERS (${waysToGive('issuer')})`, facts.issuers)],
    [
      'JWT_ACCEPTED_AUDIENCES',
      luaList(`JWT_ACCEPTED_AUDIENCES (${waysToGive('audience')})`, facts.audiences),
    ],
    ['JWT_ASAP_KEYSERVER', luaText(`JWT_ASAP_KEYSERVER (${waysToGive('keyserver')})`, facts.keyserver)],
    ['JICOFO_ENABLE_AUTH', '0'],
  ])
  if (facts.signType !== 'RS256' || before.get('JWT_SIGN_TYPE')) values.set('JWT_SIGN_TYPE', facts.signType)
  return values
}

function luaList(what: string, items: readonly string[]): string {
  return commaList(
    what,
    items.map((item) => luaText(what, item)),
  )
}

/**
 * How docker-jitsi-meet's templates read a switch: the words that Go's `strconv.ParseBool` takes for false are false,
 * nothing is `preset`, and every other word is true, `no` and `off` among them.
 */
export function isOn(value: string | undefined, preset = false): boolean {
  if (value === undefined || value === '') return preset
  return !['0', 'f', 'F', 'false', 'False', 'FALSE'].includes(value)
}
