import { expect, test } from 'vitest'
import { agreeOnKeys, besideEnv } from '../../src/prosody/beside-env.ts'
import type { Facts, Keys } from '../../src/jitsi/config.ts'
import { readEnv } from '../../src/env-file/parse.ts'

const ISSUER = 'https://auth.example.org/realms/meet'
const SET = `${ISSUER}/protocol/openid-connect/certs`
const NOTHING = { xmppDomain: undefined, roomClaim: undefined, keyserver: undefined }
const factsWith = (keys: Keys): Facts => ({
  issuers: [ISSUER],
  audiences: ['jitsi'],
  appId: 'jitsi',
  keyserver: '',
  guests: false,
  moderators: 'everyone',
  signType: 'RS256',
  keys,
})
const PEM_LINE = 'JWT_ASAP_KEYSERVER=https://k.example.org/certs\n'
const SET_LINE = `XMPP_CONFIGURATION=cache_keys_url="${SET}"\n`

test.each<[string, object]>([
  ['', { domain: 'meet.jitsi', roomClaim: true, keyserver: undefined, keySet: undefined }],
  [SET_LINE, { keySet: SET, keyserver: undefined }],
  [PEM_LINE, { keySet: undefined, keyserver: 'https://k.example.org/certs' }],
  [PEM_LINE + SET_LINE, { keySet: SET, keyserver: 'https://k.example.org/certs' }],
  ['XMPP_DOMAIN=x.example\n', { domain: 'x.example' }],
  ['XMPP_CONFIGURATION=asap_require_room_claim=false\n', { roomClaim: false }],
])('%j is what nobody said otherwise', (env, found) => {
  expect(besideEnv(NOTHING, readEnv(env), '.env')).toMatchObject(found)
})

test.each([
  [
    'XMPP_DOMAIN=x.example\n',
    { xmppDomain: 'y.example' },
    '--xmpp-domain y.example, but .env has XMPP_DOMAIN=x.example',
  ],
  [
    'XMPP_CONFIGURATION=asap_require_room_claim=true\n',
    { roomClaim: false },
    '--no-room-claim, but .env has',
  ],
  ['XMPP_CONFIGURATION=asap_require_room_claim=false\n', { roomClaim: true }, '--room-claim, but .env has'],
  [
    PEM_LINE,
    { keyserver: 'https://other.example.org' },
    '--keyserver https://other.example.org, but .env has JWT_ASAP',
  ],
])('%j contradicts %j', (env, said, message) => {
  expect(() => besideEnv({ ...NOTHING, ...said }, readEnv(env), '.env')).toThrow(message)
})

test.each<[Keys, string, string | undefined]>([
  ['pem', '', undefined],
  ['jwks', '', undefined],
  ['both', '', undefined],
  ['pem', PEM_LINE, undefined],
  ['jwks', PEM_LINE, '--keys jwks, but .env has JWT_ASAP_KEYSERVER=https://k.example.org/certs'],
  // The file adds what .env lacks.
  ['both', PEM_LINE, undefined],
  ['pem', SET_LINE, '--keys pem, but .env has cache_keys_url='],
  ['jwks', SET_LINE, undefined],
  ['both', SET_LINE, '--keys both, but .env has no JWT_ASAP_KEYSERVER'],
  ['pem', PEM_LINE + SET_LINE, '--keys pem, but .env has cache_keys_url='],
  ['jwks', PEM_LINE + SET_LINE, '--keys jwks, but .env has JWT_ASAP_KEYSERVER='],
  ['both', PEM_LINE + SET_LINE, undefined],
  [
    'jwks',
    'XMPP_CONFIGURATION=cache_keys_url="https://other"\n',
    `--keys jwks (${SET}), but .env has cache_keys_url="https://other"`,
  ],
])('--keys %s beside %j', (keys, env, message) => {
  const agree = (): void => {
    agreeOnKeys(factsWith(keys), readEnv(env), '.env')
  }
  if (message === undefined) expect(agree).not.toThrow()
  else expect(agree).toThrow(message)
})
