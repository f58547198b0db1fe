import { SignJWT, generateKeyPair } from 'jose'
import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { fileNameOf } from '../../src/certs/key.ts'
import { readKeySet } from '../../src/token/keys.ts'
import { RULES } from '../../src/token/verdict.ts'
import { fails } from '../../src/token/verdict.ts'
import {
  CLAIMS,
  HEADER,
  JWK,
  KID,
  NOW,
  PEM,
  ask,
  encode,
  keysWith,
  said,
  settingsOf,
  token,
} from '../support/tokens.ts'

const body = (more: object): string => token({ ...CLAIMS, ...more })
const header = (more: object): string => token(CLAIMS, { ...HEADER, ...more })
const without = (name: keyof typeof CLAIMS): string => token({ ...CLAIMS, [name]: undefined })
const [good] = [token()]

/** HS256 with the public key as the secret: what a verifier falls for that lets the token choose the algorithm. */
function confused(): string {
  const signed = `${encode({ ...HEADER, alg: 'HS256' })}.${encode(CLAIMS)}`
  return `${signed}.${createHmac('sha256', PEM).update(signed).digest('base64url')}`
}

describe('what Prosody says to', () => {
  test.each([
    ['a token of its realm', good, 'accepted'],
    ['no token', null, 'token required'],
    ['an empty one', '', 'Invalid token'],
    ['one without dots', good.replaceAll('.', ''), 'Invalid token'],
    ['one with four dots', `${good}.a.b`, 'Invalid token'],
    ['one of a megabyte', 'a.'.repeat(500_000), 'no answer'],
    ['one that is not base64', '#.#.#', 'Invalid token'],
    ['one with its middle cut', good.replace(/\.(.{20})[^.]*\./, '.$1.'), 'Invalid body'],
    ['one with its end cut', good.slice(0, -10), 'Invalid signature'],
    ['one with a newline behind it', `${good}\n`, 'Invalid signature'],
    ['a payload that is a list', token([CLAIMS]), "'iss' claim is missing"],
    ['a payload that is null', token(null), 'no answer'],
    ['a payload that is a text', token('"x"'), "'iss' claim is missing"],
    ['a payload that is no JSON', token('x'), 'Invalid body'],
    ['a payload of NaN', token('{"exp":NaN}'), 'undetermined'],
    ['a header that is a list', token(CLAIMS, [HEADER]), "'kid' claim is missing"],
    ['a header that is null', token(CLAIMS, null), 'no answer'],
    ['a header that is no JSON', token(CLAIMS, '{'), 'bad token format'],
    [
      'a claim twice, the last one right',
      token(JSON.stringify(CLAIMS).replace('{', '{"aud":"other",')),
      'accepted',
    ],
    [
      'a claim twice, the last one wrong',
      token(JSON.stringify(CLAIMS).replace(/}$/, ',"aud":"other"}')),
      "invalid 'aud' claim",
    ],
    ['alg none', header({ alg: 'none' }), "'kid' claim only support with RS family"],
    [
      'alg none without a signature',
      `${encode({ ...HEADER, alg: 'none' })}.${encode(CLAIMS)}.`,
      "'kid' claim only support with RS family",
    ],
    ['HS256 with the public key for a secret', confused(), "'kid' claim only support with RS family"],
    ['alg absent', header({ alg: undefined }), "'alg' claim is missing"],
    ['alg null', header({ alg: null }), 'no answer'],
    ['RS512, where RS256 is set', header({ alg: 'RS512' }), 'Invalid or incorrect alg'],
    ['kid absent', header({ kid: undefined }), "'kid' claim is missing"],
    ['kid a number', header({ kid: 7 }), 'could not obtain public key'],
    ['kid an object', header({ kid: {} }), 'no answer'],
    ['kid null', header({ kid: null }), 'no answer'],
    ['a kid of 4000 characters', header({ kid: 'k'.repeat(4000) }), 'could not obtain public key'],
    ['typ at+jwt', header({ typ: 'at+jwt' }), 'Invalid typ'],
    ['typ absent', header({ typ: undefined }), 'Invalid typ'],
    ['an unknown crit', header({ crit: ['x'], x: 1 }), 'accepted'],
    ['exp a text', body({ exp: String(NOW + 60) }), 'exp must be number'],
    ['exp null', body({ exp: null }), 'exp must be number'],
    ['exp now', body({ exp: NOW }), 'Not acceptable by exp (0.0 sec since expired, valid for:10.0 sec)'],
    [
      'exp past, iat a numeral',
      body({ exp: NOW - 5, iat: ' 1e9 ' }),
      'Not acceptable by exp (5.0 sec since expired, valid for:787219995.0 sec)',
    ],
    ['exp past, iat no number', body({ exp: NOW - 5, iat: 'then' }), 'no answer'],
    [
      'exp past, iat hexadecimal',
      body({ exp: NOW - 5, iat: '0x6a000000' }),
      'Not acceptable by exp (5.0 sec since expired, valid for:8835099.0 sec)',
    ],
    ['exp past, iat long hexadecimal', body({ exp: NOW - 5, iat: `0x${'1'.repeat(20)}.8` }), 'undetermined'],
    ['exp in milliseconds', body({ exp: NOW * 1000 }), 'accepted'],
    ['exp absent', without('exp'), 'accepted'],
    ['nbf in milliseconds', body({ nbf: NOW * 1000 }), 'Not acceptable by nbf'],
    ['nbf a text', body({ nbf: '0' }), 'nbf must be number'],
    ['nbf now', body({ nbf: NOW }), 'accepted'],
    ['iss absent', without('iss'), "'iss' claim is missing"],
    ['iss with a slash', body({ iss: `${CLAIMS.iss}/` }), "invalid 'iss' claim"],
    ['aud absent', without('aud'), "'aud' claim is missing"],
    ['aud null', body({ aud: null }), "invalid 'aud' claim"],
    ['aud empty', body({ aud: '' }), "invalid 'aud' claim"],
    ['aud a list of one', body({ aud: ['jitsi'] }), "invalid 'aud' claim"],
    ['room absent', without('room'), 'room claim is missing'],
    ['sub absent', without('sub'), 'sub claim is missing'],
    ['context a text', body({ context: '{"user":{}}' }), 'accepted'],
    ['context null', body({ context: null }), 'no answer'],
    ['context a number', body({ context: 5 }), 'no answer'],
  ])('%s', (_, text, expected) => {
    expect(said(ask(text))).toBe(expected)
  })

  test.each([
    ['room *', { room: '*' }, 'team-a', 'accepted'],
    ['the room in another case', { room: 'TEAM-A' }, 'Team-A', 'accepted'],
    ['another room', { room: 'team-b' }, 'team-a', 'Room does not match the room from token'],
    ['a number', { room: 5 }, '5', 'Room does not match the room from token'],
    ['a number, in a tenant', { room: 5 }, 'acme/5.0', 'accepted'],
    ['false', { room: false }, 'team-a', 'accepted'],
    ['a list', { room: ['team-a'] }, 'team-a', 'no answer'],
    ['null', { room: null }, 'team-a', 'no answer'],
    [
      'unicode in another case, as it is',
      { room: 'CAFÉ' },
      'café',
      'Room does not match the room from token',
    ],
    ['unicode in another case, encoded', { room: 'CAF%C3%A9' }, 'CAFÉ', 'accepted'],
    ['the room of a tenant', { room: 'team-a' }, 'acme/team-a', 'accepted'],
    [
      'a pattern, which is none here',
      { room: 'team-.*', context: { room: { regex: true } } },
      'team-a',
      'Room does not match the room from token',
    ],
    ['a name that no JID can hold', { room: '*' }, 'it%27s', 'undetermined'],
    ['two tenants', { room: '*' }, 'a/b/c', 'undetermined'],
  ])('a join with %s', (_, claims, room, expected) => {
    expect(said(ask(body(claims), room))).toBe(expected)
  })

  test.each([
    ["a user's id in sub", {}, 'team-a', 'Room and token mismatched'],
    ['sub *', { sub: '*' }, 'team-a', 'accepted'],
    ['the host in sub', { sub: 'MEET.jitsi' }, 'team-a', 'accepted'],
    ['the tenant in sub', { sub: 'acme' }, 'acme/team-a', 'accepted'],
    ['another tenant in sub', { sub: 'other' }, 'acme/team-a', 'Room and token mismatched'],
    ['sub null', { sub: null }, 'team-a', 'no answer'],
    ['sub a number', { sub: 5 }, 'team-a', 'Room and token mismatched'],
    ['another room', { sub: '*', room: 'team-b' }, 'team-a', 'Room and token mismatched'],
    ['room false', { sub: '*', room: false }, 'team-a', 'Room name cannot be matched to the one from token.'],
    ['room null', { sub: '*', room: null }, 'team-a', 'no answer'],
    ['context.room null, room *', { sub: '*', context: { room: null } }, 'team-a', 'accepted'],
    ['context.room null', { sub: '*', room: 'team-a', context: { room: null } }, 'team-a', 'no answer'],
    ['context.tenant a list', { sub: '*', context: { tenant: [] } }, 'team-a', 'no answer'],
    [
      'a pattern',
      { sub: '*', room: 'team.*', context: { room: { regex: 'true' } } },
      'team-a',
      'undetermined',
    ],
    ['a pattern that is *', { sub: '*', context: { room: { regex: true } } }, 'team-a', 'accepted'],
  ])('a join by domain verification with %s', (_, claims, room, expected) => {
    const settings = settingsOf({ JWT_ENABLE_DOMAIN_VERIFICATION: '1' })
    expect(said(ask(body(claims), room, settings))).toBe(expected)
  })
})

test('a kid that is a number asks for the file of how Lua writes it', () => {
  expect(said(ask(header({ kid: 7 }), undefined, settingsOf(), keysWith(fileNameOf('7.0'))))).toBe('accepted')
})

describe('settings', () => {
  test.each([
    ['everybody let in', { ENABLE_AUTH: '0' }, 'x', 'accepted'],
    ['everybody let in, with more than 10 kB', { ENABLE_AUTH: '0' }, 'x'.repeat(11_000), 'no answer'],
    ['passwords', { AUTH_TYPE: 'internal' }, good, 'no answer'],
    ['JWT in capitals', { AUTH_TYPE: 'JWT' }, good, 'no answer'],
    ['no keys', { JWT_ASAP_KEYSERVER: '' }, good, 'no answer'],
    ['empty tokens allowed, none', { JWT_ALLOW_EMPTY: '1' }, null, 'accepted'],
    ['empty tokens allowed, a wrong one', { JWT_ALLOW_EMPTY: '1' }, 'x', 'Invalid token'],
    ['an algorithm that does not exist', { JWT_SIGN_TYPE: 'ES256' }, good, 'Algorithm not supported'],
    [
      'a secret where a key has to be',
      { JWT_ASAP_KEYSERVER: '', JWT_APP_SECRET: 's3cret', JWT_SIGN_TYPE: 'RS256' },
      good,
      'no answer',
    ],
    ['a backslash', { JWT_APP_ID: 'a\\b' }, good, 'accepted'],
    ['a quote', { JWT_APP_ID: 'a"b' }, good, 'no answer'],
    ["Lua of people's own", { GLOBAL_CONFIG: 'a = os.time()' }, good, 'undetermined'],
    [
      'rooms that nobody checks',
      { XMPP_DOMAIN: 'meet.example.org' },
      token({ ...CLAIMS, room: 'other' }),
      'accepted',
    ],
  ])('with %s', (_, env, text, expected) => {
    expect(said(ask(text, 'team-a', settingsOf(env)))).toBe(expected)
  })

  test('HS256 by JWT_APP_SECRET, as jose signs it', async () => {
    const settings = settingsOf({ JWT_ASAP_KEYSERVER: '', JWT_APP_SECRET: 's3cret' })
    const signed = await new SignJWT(CLAIMS)
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .sign(Buffer.from('s3cret'))
    expect(said(ask(signed, 'team-a', settings))).toBe('accepted')
    const other = await new SignJWT(CLAIMS)
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .sign(Buffer.from('secret'))
    expect(said(ask(other, 'team-a', settings))).toBe('Invalid signature')
  })

  test('a key of the same kid that did not sign it', async () => {
    const { privateKey } = await generateKeyPair('RS256')
    const signed = await new SignJWT(CLAIMS).setProtectedHeader(HEADER).sign(privateKey)
    expect(said(ask(signed))).toBe('Invalid signature')
  })
})

describe('a key set', () => {
  const set = readKeySet(JSON.stringify({ keys: [JWK] }))
  const address = 'https://auth.example.org/realms/meet/protocol/openid-connect/certs'
  const alone = settingsOf({ JWT_ASAP_KEYSERVER: '', XMPP_CONFIGURATION: `cache_keys_url="${address}"` })
  const both = settingsOf({ XMPP_CONFIGURATION: `cache_keys_url="${address}"` })

  test.each([
    ['alone', alone, KID, 'accepted'],
    ['alone, with an unknown kid', alone, 'other', 'no answer'],
    ['before a key server', both, KID, 'accepted'],
    ['before a key server, with an unknown kid', both, 'other', 'could not obtain public key'],
    ['before a key server, with a kid that this has', both, 'third', 'accepted'],
  ])('%s', (_, settings, kid, expected) => {
    const files = keysWith(fileNameOf('third'))
    expect(said(ask(header({ kid }), undefined, settings, { ...files, set }))).toBe(expected)
  })
})

test('all rules that fail are told, in order, and those behind an unreadable part are hidden', () => {
  const many = ask(body({ iss: 'other', aud: ['jitsi'], exp: NOW - 60, room: 'team-b' }), 'team-a')
  expect(many.rules.filter(fails).map(({ rule }) => rule.code)).toEqual(['exp', 'iss', 'aud', 'room'])
  expect(many.auth.text).toMatch(/^Not acceptable by exp/)
  const unreadable = ask(token('x'), 'team-a')
  expect(unreadable.rules.filter(fails).map(({ rule }) => rule.code)).toEqual(['body-invalid'])
  const hidden = unreadable.rules
    .filter(({ outcome }) => outcome.is === 'hidden')
    .map(({ rule }) => rule.code)
  expect(hidden).toEqual(
    expect.arrayContaining([
      'exp-type',
      'exp',
      'nbf',
      'iss',
      'aud',
      'room-missing',
      'sub-missing',
      'context',
      'room',
    ]),
  )
})

test.each([
  ['a header that is no JSON is told once', token(CLAIMS, '{'), 'token-format'],
  ['of a token that is far too long nothing else is', 'a.'.repeat(500_000), 'request-size'],
  ['nor where there is none', null, 'token-required'],
])('%s', (_, text, code) => {
  expect(
    ask(text)
      .rules.filter(fails)
      .map(({ rule }) => rule.code),
  ).toEqual([code])
})

test('the table has a code, a cause and a fix for each rule, and no code twice', () => {
  expect(new Set(RULES.map(({ code }) => code)).size).toBe(RULES.length)
  for (const { cause, fix } of RULES) expect(cause && fix).toBeTruthy()
})
