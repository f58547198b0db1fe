// What is worth a warning in a token that Prosody may well accept: mostly what jitsi-meet's web client reads
// in it (react/features/base/jwt), which never looks at the signature and ignores what is no text.
import type { Finding } from '../finding.ts'
import { tokenFinding } from './findings.ts'
import { FEATURES } from '../jitsi/features.ts'
import { CHECKS_ROOMS } from '../prosody/settings.ts'
import type { Json } from './decode.ts'
import { type Attempt, membersOf, membersOfValue } from './token.ts'
import type { AboutJitsi } from './verdict.ts'

// nginx takes 8 kB a line by default, and the address holds more than the token.
const LARGE = 6 * 1024
// Keycloak's own default is five minutes.
const SHORT = 15 * 60
/** A number of seconds that no clock reaches, but milliseconds do. */
const MILLISECONDS = 100_000_000_000

/** @param about what the commands that mend something are to name */
export function adviseToken(attempt: Attempt, about: AboutJitsi | undefined): readonly Finding[] {
  const { prosody, token } = attempt
  const found: Finding[] = []
  if (prosody.login === 'open') found.push(tokenFinding('auth-off', { file: about?.file }))
  else if (!prosody.roomsChecked && prosody.roomsModule !== CHECKS_ROOMS)
    found.push(tokenFinding('rooms-unchecked', { module: prosody.roomsModule }))
  else if (!prosody.roomsChecked)
    found.push(tokenFinding('rooms-open', { domain: prosody.domain, mucDomain: prosody.mucDomain }))
  for (const { what } of prosody.doubts) found.push(tokenFinding('settings-undetermined', { what }))
  if (token !== null && token.length > LARGE)
    found.push(tokenFinding('token-large', { length: token.length }))
  const claims = membersOf(attempt.body)
  if (claims !== undefined) found.push(...lifetimeWarnings(claims), ...clientWarnings(claims, about))
  return found
}

type Claims = Readonly<Record<string, Json>>

function lifetimeWarnings({ exp, iat }: Claims): readonly Finding[] {
  if (exp === undefined || exp === false) return [tokenFinding('token-endless', { why: 'it has no exp' })]
  if (typeof exp !== 'number') return []
  if (exp >= MILLISECONDS)
    return [tokenFinding('token-endless', { why: `exp is ${exp}, which looks like milliseconds` })]
  const seconds = typeof iat === 'number' ? exp - iat : Infinity
  return seconds > 0 && seconds < SHORT ? [tokenFinding('token-short-lived', { seconds })] : []
}

function clientWarnings(claims: Claims, about: AboutJitsi | undefined): readonly Finding[] {
  const inContext = claims['context'] !== undefined
  const context = membersOfValue(claims['context']) ?? {}
  const { name, email } = inContext ? (membersOfValue(context['user']) ?? {}) : claims
  const found: Finding[] = []
  if (!isText(name)) found.push(tokenFinding('token-name', { ...about, inContext }))
  else if (!inContext && !about?.readsOutside) found.push(tokenFinding('token-name-outside', { ...about }))
  if (!isText(email)) found.push(tokenFinding('token-email', { ...about }))
  const missing = missingFeatures(context['features'])
  if (missing.length > 0) found.push(tokenFinding('token-features', { ...about, missing }))
  return found
}

function isText(value: Json | undefined): boolean {
  return typeof value === 'string' && value !== ''
}

/** The features with a button of their own: Prosody alone reads one, and screen-sharing is on unless it is named. */
const BUTTONS = FEATURES.filter((name) => name !== 'live-translation-subscribe' && name !== 'screen-sharing')

/** Of those that are there at all, so a token without features lacks none. */
function missingFeatures(features: Json | undefined): readonly string[] {
  if (typeof features !== 'object' || features === null || Array.isArray(features)) return []
  return BUTTONS.filter((name) => !Object.hasOwn(features, name))
}
