import { describe, expect, test } from 'vitest'
import { readEnv } from '../../src/env-file/parse.ts'
import { parentHost, prosodySettings } from '../../src/prosody/settings.ts'

const BASE =
  'ENABLE_AUTH=1\nAUTH_TYPE=jwt\nJWT_APP_ID=jitsi\nJWT_ASAP_KEYSERVER=https://keys.example.org/asap\n'
const read = (more: string, base = BASE): ReturnType<typeof prosodySettings> =>
  prosodySettings(readEnv(base + more))

test('what nobody set is what the template and Prosody say', () => {
  expect(read('')).toEqual({
    login: 'token',
    whyNone: '',
    fixNone: undefined,
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
    roomsModule: 'token_verification',
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
  ['XMPP_CONFIGURATION=asap_accepted_issuers={"a".."b"}', 'login'],
  ['XMPP_CONFIGURATION=app_id=5', 'login'],
  ['XMPP_CONFIGURATION=asap_require_room_claim="no"', 'login'],
  ['XMPP_CONFIGURATION=modules_disabled={"token_verification"}', 'login'],
  ['GLOBAL_CONFIG=asap_accepted_audiences = { "a" }', 'login'],
  ['AUTH_TYPE=hybrid_matrix_token', 'login'],
  ['JWT_AUTH_TYPE=other', 'login'],
  ['JWT_APP_ID=a","b', 'login'],
  ['GLOBAL_CONFIG=a = os.time()', 'login'],
  ['XMPP_MUC_CONFIGURATION=a={', 'login'],
  ['PROSODY_MODE=visitors', 'login'],
  ['XMPP_MUC_DOMAIN=meet.jitsi', 'login'],
  ['JWT_TOKEN_AUTH_MODULE=token_affiliation', 'join'],
  ['XMPP_MUC_CONFIGURATION=token_verification_allowlist={"a"}', 'join'],
  ['XMPP_DOMAIN=Meet.Jitsi', 'join'],
  ['XMPP_DOMAIN=meet.jitsi\nXMPP_MUC_DOMAIN=my-meet.jitsi', 'join'],
])('%s is left to Prosody from the %s on', (line, step) => {
  expect(read(`${line}\n`).doubts[0]?.step).toBe(step)
})

describe('what docker-jitsi-meet writes into a Prosody that does not start:', () => {
  test.each<[string, string]>([
    ['JWT_APP_ID=a"b', 'JWT_APP_ID'],
    ["JWT_APP_ID='a\\d'", 'JWT_APP_ID'],
    ['JWT_APP_ID="a\\\\"', 'JWT_APP_ID'],
    [`JWT_ACCEPTED_ISSUERS='"a","b"'`, 'JWT_ACCEPTED_ISSUERS'],
    [`XMPP_MODULES='"a"'`, 'XMPP_MODULES'],
    ['LOG_LEVEL="a\\nb"', 'LOG_LEVEL'],
    ['TURN_HOST=a\nTURN_PORT=34 78', 'TURN_PORT'],
    ['PROSODY_HTTP_PORT=5280a', 'PROSODY_HTTP_PORT'],
    ['XMPP_CONFIGURATION=asap_accepted_issuers={"a","b"}', 'XMPP_CONFIGURATION'],
    ['XMPP_CONFIGURATION=cache_keys_url=https://a.example.org', 'XMPP_CONFIGURATION'],
    ['XMPP_MUC_CONFIGURATION=a={"x","y"}', 'XMPP_MUC_CONFIGURATION'],
    ['GLOBAL_CONFIG=a = "b', 'GLOBAL_CONFIG'],
    ['PROSODY_LOG_CONFIG={ to = "console" } { to = "file" }', 'PROSODY_LOG_CONFIG'],
    ['ENABLE_AUTH=0\nXMPP_DOMAIN=a"b', 'XMPP_DOMAIN'],
    ['ENABLE_GUESTS=1\nXMPP_GUEST_DOMAIN=a"b', 'XMPP_GUEST_DOMAIN'],
  ])('%s', (line, name) => {
    const { login, whyNone, fixNone, doubts } = read(`${line}\n`)
    expect({ login, doubts }).toEqual({ login: 'none', doubts: [] })
    expect(whyNone).toContain(`Prosody does not start: ${name} `)
    expect(fixNone).toBeDefined()
  })

  test.each([
    'XMPP_GUEST_DOMAIN=a"b',
    'ENABLE_LOBBY=0\nXMPP_LOBBY_MUC_MODULES=a"b',
    'TURN_PORT=34 78',
    'AUTH_TYPE=ldap\nJWT_APP_ID=a"b',
    `JWT_APP_SECRET='"0"'`,
    "TURN_CREDENTIALS=a'b",
    'GLOBAL_CONFIG=-- nothing',
    'GLOBAL_CONFIG=a = { "x", "y" }\\nb = 2',
    'MAX_PARTICIPANTS=',
  ])('%s is not among it', (line) => {
    const { whyNone, doubts } = read(`${line}\n`)
    expect(whyNone).not.toContain('does not start')
    expect(doubts).toEqual([])
  })
})

test.each<[string, object]>([
  ["JWT_APP_ID='a\\\\b'", { issuers: ['a\\b'] }],
  ["JWT_APP_SECRET='a\\nb'\nJWT_ASAP_KEYSERVER=", { secret: 'a\nb' }],
  ['XMPP_CONFIGURATION=asap_key_server=nil', { keyServer: undefined, login: 'none' }],
  ['XMPP_CONFIGURATION=app_id=nil', { login: 'none', whyNone: 'app_id is taken back in XMPP_CONFIGURATION' }],
  ['XMPP_CONFIGURATION=asap_accepted_audiences=nil\nJWT_ACCEPTED_AUDIENCES=a', { audiences: ['a'] }],
  ['XMPP_CONFIGURATION=authentication="token"', { login: 'token' }],
  ['XMPP_CONFIGURATION=authentication="internal_hashed"', { login: 'none' }],
  ['JWT_AUTH_TYPE=Token', { login: 'none' }],
  ['JWT_AUTH_TYPE=jitsi-anonymous', { login: 'open' }],
  ['JWT_TOKEN_AUTH_MODULE=muc_census', { roomsChecked: false }],
  ['XMPP_CONFIGURATION=disable_sasl_mechanisms={"ANONYMOUS"}', { login: 'none' }],
  ['GLOBAL_CONFIG=disable_sasl_mechanisms = { "ANONYMOUS" }', { login: 'none' }],
  [
    'GLOBAL_CONFIG=disable_sasl_mechanisms = { "ANONYMOUS" }\nXMPP_CONFIGURATION=disable_sasl_mechanisms={"PLAIN"}',
    { login: 'token' },
  ],
  ['XMPP_AUTH_DOMAIN=meet.jitsi', { login: 'none' }],
  ['XMPP_HIDDEN_DOMAIN=meet.jitsi', { login: 'token' }],
  ['XMPP_HIDDEN_DOMAIN=meet.jitsi\nENABLE_TRANSCRIPTIONS=1', { login: 'none' }],
  ['XMPP_GUEST_DOMAIN=meet.jitsi\nENABLE_GUESTS=1', { login: 'none' }],
])('%s in Lua', (line, expected) => {
  expect(read(`${line}\n`)).toMatchObject({ doubts: [], ...expected })
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
