import { describe, expect, test } from 'vitest'
import { readEnv } from '../../src/env-file/parse.ts'
import { readLuaOptions } from '../../src/prosody/lua-options.ts'
import { parentHost, prosodySettings } from '../../src/prosody/settings.ts'

const BASE =
  'ENABLE_AUTH=1\nAUTH_TYPE=jwt\nJWT_APP_ID=jitsi\nJWT_ASAP_KEYSERVER=https://keys.example.org/asap\n'
const read = (more: string, base = BASE): ReturnType<typeof prosodySettings> =>
  prosodySettings(readEnv(base + more))

test('what nobody set is what the template and Prosody say', () => {
  expect(read('')).toEqual({
    login: 'token',
    whyNone: '',
    keyServer: 'https://keys.example.org/asap',
    keyServerAskable: true,
    keysUrl: undefined,
    keysUrlAskable: false,
    secret: undefined,
    signType: 'RS256',
    issuers: ['jitsi'],
    audiences: ['*'],
    allowEmpty: false,
    requireRoom: true,
    domainVerification: false,
    domain: 'meet.jitsi',
    mucDomain: 'muc.meet.jitsi',
    roomsChecked: true,
    tenants: true,
    doubts: [],
  })
})

test.each<[string, object]>([
  ['JWT_ACCEPTED_ISSUERS=a,b', { issuers: ['a', 'b'] }],
  ['JWT_ACCEPTED_ISSUERS=a, b', { issuers: ['a', ' b'] }],
  ['JWT_ACCEPTED_ISSUERS=,a,,', { issuers: ['a'] }],
  ['JWT_ACCEPTED_ISSUERS=,', { issuers: [''] }],
  ['JWT_ACCEPTED_ISSUERS=', { issuers: ['jitsi'] }],
  ['JWT_APP_ID=', { issuers: [''] }],
  ['JWT_ACCEPTED_AUDIENCES="a,b" # both', { audiences: ['a', 'b'] }],
  ['JWT_ASAP_KEYSERVER=https://keys.example.org/', { keyServer: 'https://keys.example.org/' }],
  ['JWT_SIGN_TYPE=RS512', { signType: 'RS512' }],
  ['JWT_APP_SECRET=s', { secret: 's', signType: 'RS256' }],
  ['JWT_APP_SECRET=s\nJWT_ASAP_KEYSERVER=', { secret: 's', signType: 'HS256', keyServer: undefined }],
  ['JWT_APP_SECRET=0\nJWT_ASAP_KEYSERVER=', { secret: undefined, login: 'none' }],
  ['JWT_ALLOW_EMPTY=no', { allowEmpty: true }],
  ['JWT_ALLOW_EMPTY=FALSE', { allowEmpty: false }],
  ['JWT_ENABLE_DOMAIN_VERIFICATION=1', { domainVerification: true }],
  ['ENABLE_AUTH=0', { login: 'open' }],
  ['ENABLE_AUTH=off', { login: 'token' }],
  [`ENABLE_AUTH='"0"'`, { login: 'open' }],
  [`ENABLE_AUTH="'F'"`, { login: 'open' }],
  [`ENABLE_AUTH='fal"se'`, { login: 'open' }],
  [`ENABLE_AUTH='""'`, { login: 'open' }],
  [`ENABLE_AUTH='"no"'`, { login: 'token' }],
  [`JWT_ALLOW_EMPTY="'0'"`, { allowEmpty: false }],
  [`JWT_ENABLE_DOMAIN_VERIFICATION='"1"'`, { domainVerification: true }],
  [`ENABLE_SUBDOMAINS="''"`, { tenants: false }],
  [`JWT_APP_SECRET="'0'"\nJWT_ASAP_KEYSERVER=`, { secret: undefined, login: 'none' }],
  [`JWT_APP_SECRET="'s'"\nJWT_ASAP_KEYSERVER=`, { secret: "'s'", login: 'token' }],
  ['AUTH_TYPE=JWT', { login: 'none' }],
  [
    'AUTH_TYPE=',
    { login: 'none', whyNone: 'AUTH_TYPE is internal, and only jwt (in small letters) takes tokens' },
  ],
  ['PROSODY_AUTH_TYPE=ldap', { login: 'none' }],
  ['AUTH_TYPE=internal\nPROSODY_AUTH_TYPE=jwt', { login: 'token' }],
  ['ENABLE_SUBDOMAINS=0', { tenants: false }],
  ['XMPP_DOMAIN=meet.example.org', { roomsChecked: false }],
  ['XMPP_DOMAIN=meet.example.org\nXMPP_MUC_DOMAIN=conference.meet.example.org', { roomsChecked: true }],
  ['XMPP_MUC_DOMAIN=my-muc.meet.jitsi', { roomsChecked: false }],
  [
    'XMPP_CONFIGURATION=cache_keys_url="https://a.example.org/certs"',
    { keysUrl: 'https://a.example.org/certs' },
  ],
  ["XMPP_CONFIGURATION='asap_require_room_claim=false'", { requireRoom: false }],
  [
    'XMPP_CONFIGURATION=asap_accepted_issuers={"a";"b"};,asap_accepted_audiences="c",allow_empty_token="true"',
    { issuers: ['a', 'b'], audiences: ['c'], allowEmpty: true },
  ],
  ['XMPP_CONFIGURATION=jwt_pubkey_cache_size=1,asap_require_room_claim=0', { requireRoom: false }],
])('%s', (line, expected) => {
  expect(read(`${line}\n`)).toMatchObject({ doubts: [], ...expected })
})

test('without JWT_APP_ID the issuer is what Go writes for nothing', () => {
  expect(read('', 'ENABLE_AUTH=1\nAUTH_TYPE=jwt\n')).toMatchObject({ login: 'none', issuers: ['<no value>'] })
})

test.each([
  ['JWT_APP_ID=a"b', 'login'],
  ["JWT_ACCEPTED_ISSUERS='a\\b'", 'login'],
  ['XMPP_CONFIGURATION=asap_accepted_issuers={"a","b"}', 'login'],
  ['XMPP_CONFIGURATION=asap_accepted_issuers={"a".."b"}', 'login'],
  ['XMPP_CONFIGURATION=cache_keys_url=https://a.example.org', 'login'],
  ['XMPP_CONFIGURATION=app_id=5', 'login'],
  ['XMPP_CONFIGURATION=asap_require_room_claim="no"', 'login'],
  ['XMPP_CONFIGURATION=modules_disabled={"token_verification"}', 'login'],
  ['GLOBAL_CONFIG=asap_accepted_audiences = { "a" }', 'login'],
  ['AUTH_TYPE=hybrid_matrix_token', 'login'],
  ['JWT_AUTH_TYPE=other', 'login'],
  ['JWT_TOKEN_AUTH_MODULE=token_affiliation', 'join'],
  ['XMPP_MUC_CONFIGURATION=token_verification_allowlist={"a"}', 'join'],
  ['XMPP_DOMAIN=Meet.Jitsi', 'join'],
  ['XMPP_DOMAIN=meet.jitsi\nXMPP_MUC_DOMAIN=my-meet.jitsi', 'join'],
])('%s is left to Prosody from the %s on', (line, step) => {
  expect(read(`${line}\n`).doubts[0]?.step).toBe(step)
})

test('with nobody asked for a token, what is written for tokens does not count', () => {
  expect(read('ENABLE_AUTH=0\nJWT_APP_ID=a"b\n')).toMatchObject({ login: 'open', doubts: [] })
})

test('what is given otherwise comes before the .env, and before XMPP_CONFIGURATION', () => {
  const values = readEnv(`${BASE}JWT_SIGN_TYPE=RS384\nXMPP_CONFIGURATION=asap_accepted_issuers={"a"}\n`)
  expect(
    prosodySettings(values, { asap_accepted_issuers: ['b'], signature_algorithm: 'RS512' }),
  ).toMatchObject({
    issuers: ['b'],
    signType: 'RS512',
  })
})

test.each([
  ['muc.meet.jitsi', 'meet.jitsi'],
  ['my-muc.meet.jitsi', 'muc.meet.jitsi'],
  ['a.b', undefined],
  ['localhost', 'st'],
  ['ab', undefined],
])('the host of %s is taken for %s', (muc, host) => {
  // Lua: string.gmatch(muc, "%w+.(%w.+)")()
  expect(parentHost(muc)).toBe(host)
})

describe('plain assignments of a Lua file', () => {
  test.each<[string, object, string]>([
    ['', {}, ''],
    ['a="x"', { a: 'x' }, ''],
    [" a = 'x' ; b=true\nc = false;;", { a: 'x', b: true, c: false }, ''],
    ['a=1 a=-20', { a: -20 }, ''],
    ['a={} b={"x"} c={ "x"; \'y\', }', { a: [], b: ['x'], c: ['x', 'y'] }, ''],
    ['a="x"b="y"', {}, 'a="x"b="y"'],
    ['a="x\\n"', {}, 'a="x\\n"'],
    ['a=1\nb={"x"\n"y"}', { a: 1 }, 'b={"x"\n"y"}'],
    ['a=1 -- one', { a: 1 }, '-- one'],
    ['a=1.5', {}, 'a=1.5'],
    ['a=truely', {}, 'a=truely'],
    ['Include "x"', {}, 'Include "x"'],
  ])('%j', (source, values, rest) => {
    const read = readLuaOptions(source)
    expect({ values: Object.fromEntries(read.values), rest: read.rest }).toEqual({ values, rest })
  })
})
