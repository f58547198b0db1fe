// The claims that the login looks at once the signature is right: as login.ts.
import type { Json } from './decode.ts'
import { ISSUER_OWN, crashed, memberThere } from './login.ts'
import { luaNumber, luaNumeral } from './lua.ts'
import {
  HIDDEN,
  type RuleOutcome,
  type Rules,
  SKIPPED,
  held,
  noAnswer,
  passed,
  undetermined,
} from './rule.ts'
import { shown, shownList, shownTime } from './show.ts'
import { membersOf } from './token.ts'

const CLOCK = 'set the clocks of Keycloak and Prosody right (NTP): Prosody allows no leeway'

/** What mends a room claim. */
export const ROOM = "kjitsi setup-mappers --room '*' (or the room's name) writes the claim"

export const CLAIM_RULES = {
  'exp-type': {
    about: 'exp is a number',
    reason: 'exp must be number',
    cause: 'exp is a text or null',
    fix: 'take away the mapper that writes exp',
    // It is the first claim that Prosody looks for.
    look: ({ body }) =>
      body?.is === 'json' && membersOf(body) === undefined
        ? crashed(body)
        : numberOrAbsent(membersOf(body), 'exp'),
  },
  'nbf-type': {
    about: 'nbf is a number',
    reason: 'nbf must be number',
    cause: 'nbf is a text or null',
    fix: 'kjitsi setup-mappers --nbf writes 0; take away any other mapper that writes nbf',
    look: ({ body }) => numberOrAbsent(membersOf(body), 'nbf'),
  },
  exp: {
    about: 'exp',
    reason: 'Not acceptable by exp',
    cause: 'it has expired',
    fix: `log in again; the client's access.token.lifespan gives more time; if the token is new, ${CLOCK}`,
    look({ body, now }) {
      const claims = membersOf(body)
      const { exp, iat } = claims ?? {}
      if (typeof exp !== 'number') return absentOrHidden(claims, exp)
      const [found, expected] = [shownTime(exp), `after ${shownTime(now)}`]
      if (now < exp) return passed(found, expected)
      const since = `Not acceptable by exp (${luaNumber(now - exp)} sec since expired`
      if (iat === undefined || iat === false) return { is: 'refused', found, expected, text: `${since})` }
      const start = typeof iat === 'string' ? luaNumeral(iat) : iat
      if (start === 'undetermined') return undetermined(found, 'iat is a long number in hexadecimal')
      if (typeof start !== 'number')
        return noAnswer(shown(iat), 'iat, which the reason would tell, is no number')
      return { is: 'refused', found, expected, text: `${since}, valid for:${luaNumber(exp - start)} sec)` }
    },
  },
  nbf: {
    about: 'nbf',
    reason: 'Not acceptable by nbf',
    cause: "it is not valid yet: Prosody's clock is behind, or nbf is in milliseconds",
    fix: CLOCK,
    look({ body, now }) {
      const claims = membersOf(body)
      const nbf = claims?.['nbf']
      if (typeof nbf !== 'number') return absentOrHidden(claims, nbf)
      return held(now >= nbf, shownTime(nbf), `not after ${shownTime(now)}`)
    },
  },
  'iss-missing': {
    about: 'iss is there',
    reason: "'iss' claim is missing",
    cause: 'no Keycloak made this token',
    fix: ISSUER_OWN,
    look: ({ body, prosody }) => memberThere(body, 'iss', shownList(prosody.issuers)),
  },
  iss: {
    about: 'iss',
    reason: "invalid 'iss' claim",
    cause:
      'iss is not, letter by letter, in JWT_ACCEPTED_ISSUERS: http for https, a port, a slash at the end, ' +
      'a blank after a comma',
    fix: 'kjitsi gen-env .env --url KEYCLOAK --realm REALM writes the issuer as the realm names it',
    look: ({ body, prosody }) => accepted(membersOf(body)?.['iss'], prosody.issuers),
  },
  'aud-missing': {
    about: 'aud is there',
    reason: "'aud' claim is missing",
    cause:
      'the user has no roles of other clients, or the roles scope is gone: Keycloak then writes no aud; ' +
      '* accepts any, but not none',
    fix: 'kjitsi setup-mappers --audience jitsi, and kjitsi gen-env .env --accept-audience jitsi',
    look: ({ body, prosody }) => memberThere(body, 'aud', shownList(prosody.audiences)),
  },
  aud: {
    about: 'aud',
    reason: "invalid 'aud' claim",
    cause: 'aud is another text than those in JWT_ACCEPTED_AUDIENCES, or a list, which equals none of them',
    fix:
      'one audience: kjitsi setup-mappers --audience jitsi with Full scope allowed off for the client, and ' +
      'kjitsi gen-env .env --accept-audience jitsi',
    look: ({ body, prosody }) => accepted(membersOf(body)?.['aud'], prosody.audiences),
  },
  'room-missing': {
    about: 'room is there',
    reason: 'room claim is missing',
    condition: 'not-authorized',
    cause: 'no mapper writes the room, or the token is a lightweight one, which drops mapped claims',
    fix: ROOM,
    when: ({ prosody }) => prosody.requireRoom,
    look: ({ body }) => memberThere(body, 'room', 'a room, or "*" for all'),
  },
  'sub-missing': {
    about: 'sub is there',
    reason: 'sub claim is missing',
    condition: 'not-authorized',
    cause: 'the client lacks the scope basic, or the token is a lightweight one',
    fix: 'give the client the default scope basic, and switch client.use.lightweight.access.token.enabled off',
    look: ({ body }) => memberThere(body, 'sub', 'a text'),
  },
  context: {
    about: 'context',
    reason: '',
    cause: 'context is null, a number or a boolean, and Lua throws at it',
    fix: 'take away the mapper that writes context; kjitsi setup-mappers --user-context writes its members',
    look({ body }) {
      const claims = membersOf(body)
      if (claims === undefined) return HIDDEN
      const { context } = claims
      if (context === undefined) return SKIPPED
      const usable = typeof context === 'string' || (typeof context === 'object' && context !== null)
      return usable
        ? passed(shown(context))
        : noAnswer(shown(context), `Lua looks for a member of ${shown(context)}`)
    },
  },
} satisfies Rules

type Claims = ReturnType<typeof membersOf>

/** A claim that is false counts as absent here. */
function numberOrAbsent(claims: Claims, name: string): RuleOutcome {
  if (claims === undefined) return HIDDEN
  const value = claims[name]
  if (value === undefined || value === false) return SKIPPED
  return held(typeof value === 'number', shown(value), 'a number')
}

/**
 * For a time that is no number: it may well be absent, or false, and anything else has been refused before.
 */
function absentOrHidden(claims: Claims, value: Json | undefined): RuleOutcome {
  return claims !== undefined && (value === undefined || value === false) ? SKIPPED : HIDDEN
}

function accepted(claim: Json | undefined, among: readonly string[]): RuleOutcome {
  if (claim === undefined) return HIDDEN
  const holds = among.includes('*') || (typeof claim === 'string' && among.includes(claim))
  return held(holds, shown(claim), shownList(among))
}
