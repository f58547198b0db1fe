// The login up to the signature, in Prosody's order: process_and_verify_token in token/util.lib.lua, and verify in
// luajwtjitsi.lib.lua, held against the verdicts of a real Prosody in test/fixtures. Absent means Lua's nil here, which
// null is not.
import type { Decoded, Json } from './decode.ts'
import {
  HIDDEN,
  type RuleOutcome,
  type Rules,
  SKIPPED,
  held,
  noAnswer,
  passed,
  refused,
  undetermined,
} from './rule.ts'
import { shown } from './show.ts'
import { DIGESTS, checkSignature } from './signature.ts'
import { type Attempt, membersOf } from './token.ts'

/**
 * Prosody's limit for the head of a request (net/http/parser.lua), in which the token is by far the longest
 * part.
 */
const MAX_HEAD = 10_240
/** What is left of it for the rest of the head in the largest browser and proxy. */
const OTHER_HEADERS = 1024

const EXPORT = 'kjitsi export-certs DIR writes the keys; DIR is what JWT_ASAP_KEYSERVER has to serve'
const WHOLE = 'send the bare access token, whole and unchanged'
const RS256 =
  "set the client's access.token.signed.response.alg to RS256, or leave it unset (Keycloak: Clients > Advanced)"
const UNSEEN =
  'ask from where that address answers (--ca-file adds an authority), or give what Prosody gets to see: ' +
  '--certs the folder of the key server, --jwks the key set of cache_keys_url'
const NEW_KEY =
  'set JWT_ASAP_KEYSERVER beside cache_keys_url: Prosody asks for the set every six hours only, ' +
  'and not for a kid that is new'
const NOT_WELL_FORMED = "it is not a well-formed JWT: Prosody's own parser decides"

/** What mends a token that did not come from a realm. */
export const ISSUER_OWN = 'take a token that the realm itself made, unchanged'

const byKid = ({ byKey }: Attempt): boolean => byKey

export const LOGIN_RULES = {
  'request-size': {
    about: 'size',
    reason: '',
    cause: 'the token is over 10 kB, so the connection is closed before Prosody sees it',
    fix: 'put less into it: switch Full scope allowed off for the client, and take roles and groups out of its scopes',
    look({ token }) {
      if (token === null) return SKIPPED
      const size = sizeInAddress(token)
      const found = `${size} characters`
      if (size > MAX_HEAD) return noAnswer(found, 'a request is closed whose head is over 10 kB')
      return size > MAX_HEAD - OTHER_HEADERS
        ? undetermined(found, 'whether it fits into a head of 10 kB depends on what else the browser sends')
        : passed(found, `at most ${MAX_HEAD}`)
    },
  },
  'login-offered': {
    about: 'login by token',
    reason: '',
    cause: 'Prosody offers no login by token: AUTH_TYPE is not jwt, or nothing says where its keys are',
    fix: "kjitsi gen-env .env writes what Jitsi's .env needs; then restart Prosody",
    look: ({ prosody }) =>
      prosody.login === 'none' ? noAnswer('none', prosody.whyNone, prosody.fixNone) : passed('yes'),
  },
  'token-required': {
    about: 'a token',
    reason: 'token required',
    cause: 'the browser sent no token: its user has not logged in, or guests have no host of their own',
    fix: 'log in; ENABLE_GUESTS=1 lets people without a token in as guests (kjitsi gen-env .env --guests)',
    look: ({ token, prosody: { allowEmpty } }) =>
      token === null ? held(allowEmpty, 'none', allowEmpty ? 'any or none' : 'a token') : passed('yes'),
  },
  'token-dots': {
    about: 'first dot',
    reason: 'Invalid token',
    cause:
      'it is no JWT: no dot, or other characters than base64url before the first one (a blank, `Bearer `, quotes)',
    fix: 'send the bare access token: three parts with dots between, and nothing around it',
    when: byKid,
    look({ first, token }) {
      if (first === undefined)
        return refused(token === '' ? 'an empty text' : 'no dot', 'three parts with dots between')
      return base64url(first.is !== 'no base64url')
    },
  },
  'token-format': {
    about: 'first part is JSON',
    reason: 'bad token format',
    cause: 'the first part is no JSON',
    fix: WHOLE,
    when: byKid,
    look: ({ first }) => (first === undefined || first.is === 'no base64url' ? HIDDEN : readable(first)),
  },
  'kid-missing': {
    about: 'kid is there',
    reason: "'kid' claim is missing",
    cause: 'the header does not say which key signed it; an adapter or a script made the token, not Keycloak',
    fix: ISSUER_OWN,
    when: byKid,
    look: ({ first }) => memberThere(first, 'kid', 'the id of a key'),
  },
  'alg-missing': {
    about: 'alg is there',
    reason: "'alg' claim is missing",
    cause: 'the header does not say how it is signed',
    fix: ISSUER_OWN,
    when: byKid,
    look: ({ first }) => memberThere(first, 'alg', 'RS256, RS384 or RS512'),
  },
  'alg-family': {
    about: 'alg is RSA',
    reason: "'kid' claim only support with RS family",
    cause:
      'it is signed with PS, ES, HS or EdDSA: with published keys Prosody takes RSA with PKCS#1 v1.5 only',
    fix: RS256,
    when: byKid,
    look({ first }) {
      const alg = membersOf(first)?.['alg']
      if (alg === undefined) return HIDDEN
      if (typeof alg !== 'string') return noAnswer(shown(alg), 'alg is no text')
      return held(alg.startsWith('RS'), shown(alg), 'RS256, RS384 or RS512')
    },
  },
  'key-missing': {
    about: 'key is found',
    reason: 'could not obtain public key',
    cause:
      'there is no <sha256(kid)>.pem at JWT_ASAP_KEYSERVER (404, a redirect, no way there from Prosody), or that is no address with scheme and host',
    fix: EXPORT,
    when: byKid,
    look({ key }) {
      switch (key?.is) {
        case undefined:
          return HIDDEN
        case 'absent':
          return { is: 'refused', found: 'none', expected: key.file, told: key.what }
        case 'unseen':
          return undetermined('not seen', `the key was not seen from here: ${key.what}`, UNSEEN)
        case 'no text':
          return noAnswer('none', `Prosody looks for the key of ${key.what}`, ISSUER_OWN)
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
    },
  },
  'sign-type-unknown': {
    about: 'JWT_SIGN_TYPE',
    reason: 'Algorithm not supported',
    cause: 'JWT_SIGN_TYPE names an algorithm that Prosody does not have',
    fix: 'kjitsi gen-env .env --sign-type RS256',
    look: ({ prosody: { signType } }) =>
      held(DIGESTS.has(signType), shown(signType), [...DIGESTS.keys()].join(', ')),
  },
  'token-parts': {
    about: 'parts',
    reason: 'Invalid token',
    cause: 'it does not have three parts: it was cut, it is encrypted (five parts), or its signature is gone',
    fix: WHOLE,
    look: ({ parts: { length } }) =>
      held(length === 3, length === 1 ? '1 part' : `${length} parts`, '3 parts'),
  },
  'header-invalid': {
    about: 'header is JSON',
    reason: 'Invalid header',
    cause: 'the first part is no JSON',
    fix: WHOLE,
    look({ header, first, byKey }) {
      // What has been said of it once need not be said again.
      const known = byKey && header === first && header?.is !== 'json'
      return header === undefined || known ? HIDDEN : partReadable(header)
    },
  },
  'body-invalid': {
    about: 'body is JSON',
    reason: 'Invalid body',
    cause: 'the second part is no JSON: it was cut or changed on its way',
    fix: WHOLE,
    look: ({ body }) => (body === undefined ? HIDDEN : partReadable(body)),
  },
  'signature-invalid': {
    about: 'signature is base64url',
    reason: 'Invalid signature',
    cause: 'the third part has other characters than base64url, such as a newline at its end',
    fix: WHOLE,
    look: ({ parts, signature }) => (parts[2] === undefined ? HIDDEN : base64url(signature !== undefined)),
  },
  typ: {
    about: 'typ',
    reason: 'Invalid typ',
    cause: 'the header\'s typ is not exactly "JWT": Keycloak writes at+jwt where the client asks for it',
    fix: 'switch the client\'s access.token.header.type.rfc9068 off (Keycloak: Clients > Advanced > Use "at+jwt")',
    look({ header }) {
      if (header?.is !== 'json') return HIDDEN
      const members = membersOf(header)
      return members === undefined
        ? crashed(header)
        : held(members['typ'] === 'JWT', shown(members['typ']), '"JWT"')
    },
  },
  alg: {
    about: 'alg as set',
    reason: 'Invalid or incorrect alg',
    cause: 'it is signed with another algorithm than JWT_SIGN_TYPE (RS256 where that is not set)',
    fix: `kjitsi gen-env .env --sign-type ALG, with the alg of the token, or ${RS256}`,
    look({ header, prosody: { signType } }) {
      const members = membersOf(header)
      return members ? held(members['alg'] === signType, shown(members['alg']), shown(signType)) : HIDDEN
    },
  },
  signature: {
    about: 'signature',
    reason: 'Invalid signature',
    cause:
      'it was made with another key than the one that is published under this kid, or the token was changed',
    fix: `${EXPORT}; then restart Prosody, which keeps every key that it has fetched`,
    look(attempt) {
      const { header, parts, signature, prosody } = attempt
      const asSet = membersOf(header)?.['alg'] === prosody.signType
      return asSet && parts.length === 3 && signature !== undefined
        ? checkSignature(attempt, signature)
        : HIDDEN
    },
  },
} satisfies Rules

/** A token travels in an address, where every byte that no JWT has takes three characters. */
function sizeInAddress(token: string): number {
  const others = token.replace(/[A-Za-z0-9_.-]+/g, '')
  return token.length - others.length + 3 * Buffer.byteLength(others)
}

function base64url(holds: boolean): RuleOutcome {
  return holds ? passed('yes') : refused('a character outside base64url', 'base64url')
}

/** Whether a part has a member at all; null is one. */
export function memberThere(part: Decoded | undefined, name: string, expected: string): RuleOutcome {
  const members = membersOf(part)
  if (members === undefined) return HIDDEN
  const value: Json | undefined = members[name]
  return value === undefined ? refused('nothing', expected) : passed(shown(value), 'any')
}

function partReadable(part: Decoded): RuleOutcome {
  if (part.is === 'no base64url')
    return noAnswer('a character outside base64url', 'the JSON parser is given nothing to read')
  return part.is === 'json' ? passed('yes') : readable(part)
}

function readable(part: Decoded): RuleOutcome {
  if (part.is === 'no json') return refused('no JSON', 'a JSON object')
  if (part.is !== 'json') return undetermined('no JSON as RFC 8259 has it', NOT_WELL_FORMED)
  return membersOf(part) === undefined ? crashed(part) : passed('yes')
}

/** Lua throws when it looks for a member of null, a number or a boolean. */
export function crashed(part: Decoded): RuleOutcome {
  const value = part.is === 'json' ? shown(part.value) : ''
  return noAnswer(value, `Lua looks for a member of ${value}`)
}
