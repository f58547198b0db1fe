// THE table of what Prosody asks of a token, in its own order, with the very words that it logs and answers.
// Read from Jitsi's resources/prosody-plugins (mod_auth_token, token/util.lib.lua, luajwtjitsi.lib.lua,
// mod_token_verification) and held against the verdicts of a real Prosody in test/fixtures/corpus.
import type { Facts } from './facts.ts'
import * as join from './join.ts'
import * as login from './login.ts'
import type { Outcome } from './outcome.ts'

interface Row {
  readonly code: string
  /** What it looks at, in a word or two. */
  readonly about: string
  /** As Prosody logs it and the browser gets it; '' where it never refuses, but may give no answer. */
  readonly reason: string
  /** Of the answer; not-allowed where it is not given. */
  readonly condition?: 'not-authorized'
  readonly look: (facts: Facts) => Outcome
  /** How it comes about, for people. */
  readonly cause: string
  /** What mends it. */
  readonly fix: string
}

const EXPORT = 'kjitsi export-certs DIR writes the keys; DIR is what JWT_ASAP_KEYSERVER has to serve'
const ISSUER_OWN = 'take a token that the realm itself made, unchanged'
const RS256 =
  "set the client's access.token.signed.response.alg to RS256, or leave it unset (Keycloak: Clients > Advanced)"
const CLOCK = 'set the clocks of Keycloak and Prosody right (NTP): Prosody allows no leeway'
const ROOM = "kjitsi setup-mappers --room '*' (or the room's name) writes the claim"

const LOGIN: readonly Row[] = [
  {
    code: 'request-size',
    about: 'size',
    reason: '',
    look: login.requestSize,
    cause: 'the token is over 10 kB, so the connection is closed before Prosody sees it',
    fix: 'put less into it: switch Full scope allowed off for the client, and take roles and groups out of its scopes',
  },
  {
    code: 'login-offered',
    about: 'login by token',
    reason: '',
    look: login.loginOffered,
    cause: 'Prosody offers no login by token: AUTH_TYPE is not jwt, or nothing says where its keys are',
    fix: "kjitsi gen-env .env writes what Jitsi's .env needs; then restart Prosody",
  },
  {
    code: 'token-required',
    about: 'a token',
    reason: 'token required',
    look: login.tokenThere,
    cause: 'the browser sent no token: its user has not logged in, or guests have no host of their own',
    fix: 'log in; ENABLE_GUESTS=1 lets people without a token in as guests (kjitsi gen-env .env --guests)',
  },
  {
    code: 'token-dots',
    about: 'first dot',
    reason: 'Invalid token',
    look: login.firstDot,
    cause:
      'it is no JWT: no dot, or other characters than base64url before the first one (a blank, `Bearer `, quotes)',
    fix: 'send the bare access token: three parts with dots between, and nothing around it',
  },
  {
    code: 'token-format',
    about: 'first part is JSON',
    reason: 'bad token format',
    look: login.firstHeader,
    cause: 'the first part is no JSON',
    fix: 'send the bare access token, whole and unchanged',
  },
  {
    code: 'kid-missing',
    about: 'kid is there',
    reason: "'kid' claim is missing",
    look: login.kidThere,
    cause: 'the header does not say which key signed it; an adapter or a script made the token, not Keycloak',
    fix: ISSUER_OWN,
  },
  {
    code: 'alg-missing',
    about: 'alg is there',
    reason: "'alg' claim is missing",
    look: login.algThere,
    cause: 'the header does not say how it is signed',
    fix: ISSUER_OWN,
  },
  {
    code: 'alg-family',
    about: 'alg is RSA',
    reason: "'kid' claim only support with RS family",
    look: login.algFamily,
    cause:
      'it is signed with PS, ES, HS or EdDSA: with published keys Prosody takes RSA with PKCS#1 v1.5 only',
    fix: RS256,
  },
  {
    code: 'key-missing',
    about: 'key is found',
    reason: 'could not obtain public key',
    look: login.keyFound,
    cause:
      'there is no <sha256(kid)>.pem at JWT_ASAP_KEYSERVER (404, a redirect, no way there from Prosody), or that is no address with scheme and host',
    fix: EXPORT,
  },
  {
    code: 'sign-type-unknown',
    about: 'JWT_SIGN_TYPE',
    reason: 'Algorithm not supported',
    look: login.signTypeKnown,
    cause: 'JWT_SIGN_TYPE names an algorithm that Prosody does not have',
    fix: 'kjitsi gen-env .env --sign-type RS256',
  },
  {
    code: 'token-parts',
    about: 'parts',
    reason: 'Invalid token',
    look: login.threeParts,
    cause: 'it does not have three parts: it was cut, it is encrypted (five parts), or its signature is gone',
    fix: 'send the bare access token, whole and unchanged',
  },
  {
    code: 'header-invalid',
    about: 'header is JSON',
    reason: 'Invalid header',
    look: login.headerReadable,
    cause: 'the first part is no JSON',
    fix: 'send the bare access token, whole and unchanged',
  },
  {
    code: 'body-invalid',
    about: 'body is JSON',
    reason: 'Invalid body',
    look: login.bodyReadable,
    cause: 'the second part is no JSON: it was cut or changed on its way',
    fix: 'send the bare access token, whole and unchanged',
  },
  {
    code: 'signature-invalid',
    about: 'signature is base64url',
    reason: 'Invalid signature',
    look: login.signatureReadable,
    cause: 'the third part has other characters than base64url, such as a newline at its end',
    fix: 'send the bare access token, whole and unchanged',
  },
  {
    code: 'typ',
    about: 'typ',
    reason: 'Invalid typ',
    look: login.typ,
    cause: 'the header\'s typ is not exactly "JWT": Keycloak writes at+jwt where the client asks for it',
    fix: 'switch the client\'s access.token.header.type.rfc9068 off (Keycloak: Clients > Advanced > Use "at+jwt")',
  },
  {
    code: 'alg',
    about: 'alg as set',
    reason: 'Invalid or incorrect alg',
    look: login.algAsSet,
    cause: 'it is signed with another algorithm than JWT_SIGN_TYPE (RS256 where that is not set)',
    fix: `kjitsi gen-env .env --sign-type ALG, with the alg of the token, or ${RS256}`,
  },
  {
    code: 'signature',
    about: 'signature',
    reason: 'Invalid signature',
    look: login.signatureRight,
    cause:
      'it was made with another key than the one that is published under this kid, or the token was changed',
    fix: `${EXPORT}; then restart Prosody, which keeps every key that it has fetched`,
  },
  {
    code: 'exp-type',
    about: 'exp is a number',
    reason: 'exp must be number',
    look: login.expNumber,
    cause: 'exp is a text or null',
    fix: 'take away the mapper that writes exp',
  },
  {
    code: 'nbf-type',
    about: 'nbf is a number',
    reason: 'nbf must be number',
    look: login.nbfNumber,
    cause: 'nbf is a text or null',
    fix: 'kjitsi setup-mappers --nbf writes 0; take away any other mapper that writes nbf',
  },
  {
    code: 'exp',
    about: 'exp',
    reason: 'Not acceptable by exp',
    look: login.notExpired,
    cause: 'it has expired',
    fix: `log in again; the client's access.token.lifespan gives more time; if the token is new, ${CLOCK}`,
  },
  {
    code: 'nbf',
    about: 'nbf',
    reason: 'Not acceptable by nbf',
    look: login.notTooEarly,
    cause: "it is not valid yet: Prosody's clock is behind, or nbf is in milliseconds",
    fix: CLOCK,
  },
  {
    code: 'iss-missing',
    about: 'iss is there',
    reason: "'iss' claim is missing",
    look: login.issThere,
    cause: 'no Keycloak made this token',
    fix: ISSUER_OWN,
  },
  {
    code: 'iss',
    about: 'iss',
    reason: "invalid 'iss' claim",
    look: login.issAccepted,
    cause:
      'iss is not, letter by letter, in JWT_ACCEPTED_ISSUERS: http for https, a port, a slash at the end, ' +
      'a blank after a comma',
    fix: 'kjitsi gen-env .env --url KEYCLOAK --realm REALM writes the issuer as the realm names it',
  },
  {
    code: 'aud-missing',
    about: 'aud is there',
    reason: "'aud' claim is missing",
    look: login.audThere,
    cause:
      'the user has no roles of other clients, or the roles scope is gone: Keycloak then writes no aud; ' +
      '* accepts any, but not none',
    fix: 'kjitsi setup-mappers --audience jitsi, and kjitsi gen-env .env --accept-audience jitsi',
  },
  {
    code: 'aud',
    about: 'aud',
    reason: "invalid 'aud' claim",
    look: login.audAccepted,
    cause: 'aud is another text than those in JWT_ACCEPTED_AUDIENCES, or a list, which equals none of them',
    fix:
      'one audience: kjitsi setup-mappers --audience jitsi with Full scope allowed off for the client, and ' +
      'kjitsi gen-env .env --accept-audience jitsi',
  },
  {
    code: 'room-missing',
    about: 'room is there',
    reason: 'room claim is missing',
    condition: 'not-authorized',
    look: login.roomThere,
    cause: 'no mapper writes the room, or the token is a lightweight one, which drops mapped claims',
    fix: ROOM,
  },
  {
    code: 'sub-missing',
    about: 'sub is there',
    reason: 'sub claim is missing',
    condition: 'not-authorized',
    look: login.subThere,
    cause: 'the client lacks the scope basic, or the token is a lightweight one',
    fix: 'give the client the default scope basic, and switch client.use.lightweight.access.token.enabled off',
  },
  {
    code: 'context',
    about: 'context',
    reason: '',
    look: login.contextUsable,
    cause: 'context is null, a number or a boolean, and Lua throws at it',
    fix: 'take away the mapper that writes context; kjitsi setup-mappers --user-context writes its members',
  },
]

const JOIN: readonly Row[] = [
  {
    code: 'room-address',
    about: 'room asked for',
    reason: '',
    look: join.roomAddress,
    cause: 'the room has a name that kjitsi does not know the address of',
    fix: 'ask about the room by the name that stands in its address, such as team-a or tenant/team-a',
  },
  {
    code: 'room',
    about: 'room',
    reason: 'Room does not match the room from token',
    look: join.roomMatches,
    cause:
      'the token is for another room: Prosody compares the name in small letters, percent-encoded (`caf%c3%a9`)',
    fix: ROOM,
  },
  {
    code: 'room-pattern',
    about: 'context.room',
    reason: 'Room claim is not a valid Lua pattern',
    look: join.roomPattern,
    cause:
      'context.room.regex makes the room a Lua pattern, and it is none (with domain verification on only)',
    fix: 'write a Lua pattern, or take context.room.regex out',
  },
  {
    code: 'room-unnamed',
    about: 'room is named',
    reason: 'Room name cannot be matched to the one from token.',
    look: join.roomNamed,
    cause:
      'with domain verification on, the room is false or its pattern does not match; guests have none at all',
    fix: 'take JWT_ENABLE_DOMAIN_VERIFICATION out of .env',
  },
  {
    code: 'tenant',
    about: 'context.tenant',
    reason: '',
    look: join.tenantUsable,
    cause: 'context.tenant is no text, and Lua throws at it (with domain verification on only)',
    fix: 'take away the mapper that writes context.tenant',
  },
  {
    code: 'domain',
    about: 'room and sub',
    reason: 'Room and token mismatched',
    look: join.roomAndTenantMatch,
    cause:
      "with domain verification on, sub has to be the tenant, the host or *; Keycloak's is the user's id",
    fix: 'take JWT_ENABLE_DOMAIN_VERIFICATION out of .env',
  },
]

export interface Rule extends Row {
  /** The step that it may stop. */
  readonly step: 'login' | 'join'
}

/** In the order in which Prosody asks. */
export const RULES: readonly Rule[] = [
  ...LOGIN.map((row) => ({ ...row, step: 'login' }) as const),
  ...JOIN.map((row) => ({ ...row, step: 'join' }) as const),
]
