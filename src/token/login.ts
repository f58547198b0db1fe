// How each rule of the login looks at a token: process_and_verify_token in token/util.lib.lua, and verify in
// luajwtjitsi.lib.lua. Absent means Lua's nil here, which null is not.
import type { Decoded, Json } from './decode.ts'
import { type Attempt, membersOf } from './token.ts'
import { luaNumber, luaNumeral } from './lua.ts'
import { HIDDEN, type Outcome, SKIPPED, held, noAnswer, passed, refused, undetermined } from './outcome.ts'
import { shown, shownList, shownTime } from './show.ts'
import { DIGESTS, checkSignature } from './signature.ts'

/**
 * Prosody's limit for the head of a request (net/http/parser.lua), in which the token is by far the longest
 * part.
 */
const MAX_HEAD = 10_240
/** What is left of it for the rest of the head in the largest browser and proxy. */
const OTHER_HEADERS = 1024

export function requestSize({ token }: Attempt): Outcome {
  if (token === null) return SKIPPED
  const size = sizeInAddress(token)
  const found = `${size} characters`
  if (size > MAX_HEAD) return noAnswer(found, 'a request is closed whose head is over 10 kB')
  if (size > MAX_HEAD - OTHER_HEADERS)
    return undetermined(found, 'whether it fits into a head of 10 kB depends on what else the browser sends')
  return passed(found, `at most ${MAX_HEAD}`)
}

/** A token travels in an address, where every byte that no JWT has takes three characters. */
function sizeInAddress(token: string): number {
  const others = token.replace(/[A-Za-z0-9_.-]+/g, '')
  return token.length - others.length + 3 * Buffer.byteLength(others)
}

export function loginOffered({ prosody }: Attempt): Outcome {
  return prosody.login === 'none' ? noAnswer('none', prosody.whyNone) : passed('yes')
}

export function tokenThere({ token, prosody }: Attempt): Outcome {
  if (token !== null) return passed('yes')
  return held(prosody.allowEmpty, 'none', prosody.allowEmpty ? 'any or none' : 'a token')
}

export function firstDot({ byKey, first, token }: Attempt): Outcome {
  if (!byKey) return SKIPPED
  if (first === undefined)
    return refused(token === '' ? 'an empty text' : 'no dot', 'three parts with dots between')
  return first.is === 'no base64url' ? refused('a character outside base64url', 'base64url') : passed('yes')
}

export function firstHeader({ byKey, first }: Attempt): Outcome {
  if (!byKey) return SKIPPED
  return first === undefined || first.is === 'no base64url' ? HIDDEN : readable(first)
}

export function kidThere({ byKey, first }: Attempt): Outcome {
  if (!byKey) return SKIPPED
  const header = membersOf(first)
  return header ? there(header['kid'], 'the id of a key') : HIDDEN
}

export function algThere({ byKey, first }: Attempt): Outcome {
  if (!byKey) return SKIPPED
  const header = membersOf(first)
  return header ? there(header['alg'], 'RS256, RS384 or RS512') : HIDDEN
}

function there(value: Json | undefined, expected: string): Outcome {
  return value === undefined ? refused('nothing', expected) : passed(shown(value), 'any')
}

export function algFamily({ byKey, first }: Attempt): Outcome {
  if (!byKey) return SKIPPED
  const alg = membersOf(first)?.['alg']
  if (alg === undefined) return HIDDEN
  if (typeof alg !== 'string') return noAnswer(shown(alg), 'alg is no text')
  return held(alg.startsWith('RS'), shown(alg), 'RS256, RS384 or RS512')
}

export function keyFound({ byKey, key }: Attempt): Outcome {
  if (!byKey) return SKIPPED
  switch (key?.is) {
    case undefined:
      return HIDDEN
    case 'absent':
      return { is: 'refused', found: 'none', expected: key.file, told: key.what }
    case 'unseen':
      return undetermined('not seen', `the key was not seen from here: ${key.what}`, UNSEEN)
    case 'no text':
      return noAnswer(
        'none',
        `Prosody looks for the key of ${key.what}`,
        'take a token that the realm itself made',
      )
    case 'not in set':
      return noAnswer(
        'none',
        `Prosody looks for the key of ${key.what}, and has no key server to ask`,
        NEW_KEY,
      )
    case 'undetermined':
      return undetermined(key.what, `Prosody finds ${key.what}`)
    // A file that holds no key is found all the same; it is the signature that fails for it.
    case 'unreadable':
    case 'key':
      return passed('yes')
  }
}

const UNSEEN =
  'ask from where that address answers (--ca-file adds an authority), or give what Prosody gets to see: ' +
  '--certs the folder of the key server, --jwks the key set of cache_keys_url'
const NEW_KEY =
  'set JWT_ASAP_KEYSERVER beside cache_keys_url: Prosody asks for the set every six hours only, ' +
  'and not for a kid that is new'

export function signTypeKnown({ prosody: { signType } }: Attempt): Outcome {
  return held(DIGESTS.has(signType), shown(signType), [...DIGESTS.keys()].join(', '))
}

export function threeParts({ parts }: Attempt): Outcome {
  return held(parts.length === 3, parts.length === 1 ? '1 part' : `${parts.length} parts`, '3 parts')
}

export function headerReadable({ header, first, byKey }: Attempt): Outcome {
  // What has been said of it once need not be said again.
  const known = byKey && header === first && header?.is !== 'json'
  return header === undefined || known ? HIDDEN : partReadable(header)
}

export function bodyReadable({ body }: Attempt): Outcome {
  return body === undefined ? HIDDEN : partReadable(body)
}

export function signatureReadable({ parts, signature }: Attempt): Outcome {
  if (parts[2] === undefined) return HIDDEN
  return signature === undefined ? refused('a character outside base64url', 'base64url') : passed('yes')
}

function partReadable(part: Decoded): Outcome {
  if (part.is === 'no base64url')
    return noAnswer('a character outside base64url', 'the JSON parser is given nothing to read')
  return part.is === 'json' ? passed('yes') : readable(part)
}

function readable(part: Decoded): Outcome {
  if (part.is === 'no json') return refused('no JSON', 'a JSON object')
  if (part.is !== 'json') return undetermined('no JSON as RFC 8259 has it', NOT_WELL_FORMED)
  return membersOf(part) === undefined ? crashed(part) : passed('yes')
}

const NOT_WELL_FORMED = "it is not a well-formed JWT: Prosody's own parser decides"

/** Lua throws when it looks for a member of null, a number or a boolean. */
function crashed(part: Decoded): Outcome {
  const value = part.is === 'json' ? shown(part.value) : ''
  return noAnswer(value, `Lua looks for a member of ${value}`)
}

export function typ({ header }: Attempt): Outcome {
  if (header?.is !== 'json') return HIDDEN
  const members = membersOf(header)
  return members === undefined
    ? crashed(header)
    : held(members['typ'] === 'JWT', shown(members['typ']), '"JWT"')
}

export function algAsSet({ header, prosody: { signType } }: Attempt): Outcome {
  const members = membersOf(header)
  return members ? held(members['alg'] === signType, shown(members['alg']), shown(signType)) : HIDDEN
}

export function signatureRight(attempt: Attempt): Outcome {
  const { header, parts, signature, prosody } = attempt
  const asSet = membersOf(header)?.['alg'] === prosody.signType
  return asSet && parts.length === 3 && signature !== undefined ? checkSignature(attempt, signature) : HIDDEN
}

/** A claim that is false counts as absent here. */
function numberOrAbsent({ body }: Attempt, name: string): Outcome {
  const claims = membersOf(body)
  if (claims === undefined) return HIDDEN
  const value = claims[name]
  if (value === undefined || value === false) return SKIPPED
  return held(typeof value === 'number', shown(value), 'a number')
}

export function expNumber(attempt: Attempt): Outcome {
  // It is the first claim that Prosody looks for.
  if (attempt.body?.is === 'json' && membersOf(attempt.body) === undefined) return crashed(attempt.body)
  return numberOrAbsent(attempt, 'exp')
}

export function nbfNumber(attempt: Attempt): Outcome {
  return numberOrAbsent(attempt, 'nbf')
}

export function notExpired({ body, now }: Attempt): Outcome {
  const claims = membersOf(body)
  const { exp, iat } = claims ?? {}
  if (typeof exp !== 'number') return absentOrHidden(claims, exp)
  const [found, expected] = [shownTime(exp), `after ${shownTime(now)}`]
  if (now < exp) return passed(found, expected)
  const since = `Not acceptable by exp (${luaNumber(now - exp)} sec since expired`
  if (iat === undefined || iat === false) return { is: 'refused', found, expected, text: `${since})` }
  const start = typeof iat === 'string' ? luaNumeral(iat) : iat
  if (start === 'undetermined') return undetermined(found, 'iat is a text in hexadecimal')
  if (typeof start !== 'number') return noAnswer(shown(iat), 'iat, which the reason would tell, is no number')
  return { is: 'refused', found, expected, text: `${since}, valid for:${luaNumber(exp - start)} sec)` }
}

export function notTooEarly({ body, now }: Attempt): Outcome {
  const claims = membersOf(body)
  const nbf = claims?.['nbf']
  if (typeof nbf !== 'number') return absentOrHidden(claims, nbf)
  return held(now >= nbf, shownTime(nbf), `not after ${shownTime(now)}`)
}

/**
 * For a time that is no number: it may well be absent, or false, and anything else has been refused before.
 */
function absentOrHidden(claims: object | undefined, value: Json | undefined): Outcome {
  return claims !== undefined && (value === undefined || value === false) ? SKIPPED : HIDDEN
}

function claimThere({ body }: Attempt, name: string, expected: string): Outcome {
  const claims = membersOf(body)
  return claims ? there(claims[name], expected) : HIDDEN
}

function claimAccepted({ body }: Attempt, name: string, accepted: readonly string[]): Outcome {
  const claim = membersOf(body)?.[name]
  if (claim === undefined) return HIDDEN
  return held(accepted.includes('*') || isAmong(claim, accepted), shown(claim), shownList(accepted))
}

function isAmong(claim: Json, accepted: readonly string[]): boolean {
  return typeof claim === 'string' && accepted.includes(claim)
}

export function issThere(attempt: Attempt): Outcome {
  return claimThere(attempt, 'iss', shownList(attempt.prosody.issuers))
}

export function issAccepted(attempt: Attempt): Outcome {
  return claimAccepted(attempt, 'iss', attempt.prosody.issuers)
}

export function audThere(attempt: Attempt): Outcome {
  return claimThere(attempt, 'aud', shownList(attempt.prosody.audiences))
}

export function audAccepted(attempt: Attempt): Outcome {
  return claimAccepted(attempt, 'aud', attempt.prosody.audiences)
}

export function roomThere(attempt: Attempt): Outcome {
  return attempt.prosody.requireRoom ? claimThere(attempt, 'room', 'a room, or "*" for all') : SKIPPED
}

export function subThere(attempt: Attempt): Outcome {
  return claimThere(attempt, 'sub', 'a text')
}

export function contextUsable({ body }: Attempt): Outcome {
  const claims = membersOf(body)
  if (claims === undefined) return HIDDEN
  const { context } = claims
  if (context === undefined) return SKIPPED
  const usable = typeof context === 'string' || (typeof context === 'object' && context !== null)
  return usable
    ? passed(shown(context))
    : noAnswer(shown(context), `Lua looks for a member of ${shown(context)}`)
}
