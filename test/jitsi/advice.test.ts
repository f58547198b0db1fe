import { describe, expect, it } from 'vitest'
import type { Finding } from '../../src/finding.ts'
import type { Facts } from '../../src/jitsi/config.ts'
import { adviseIssuers, adviseNeighbours, adviseValues } from '../../src/jitsi/advice.ts'

const codes = (found: readonly Finding[]): readonly string[] => found.map(({ code }) => code)

describe('adviseIssuers', () => {
  it.each([
    ['https://auth.example.org/realms/a', 'https://auth.example.org', []],
    ['https://auth.example.org/realms/a', 'https://auth.example.org:443/auth', []],
    ['https://auth.example.org/realms/a', 'https://AUTH.example.org', []],
    ['https://auth.example.org/realms/a', undefined, []],
    ['http://auth.example.org/realms/a', 'https://auth.example.org', ['issuer-http']],
    ['http://auth.example.org/realms/a', 'http://auth.example.org', ['issuer-http']],
    ['HTTP://auth.example.org/realms/a', undefined, ['issuer-http']],
    ['https://auth.example.org/realms/a', 'https://keycloak:8443', ['issuer-host']],
    ['https://auth.example.org:8443/realms/a', 'https://auth.example.org', ['issuer-host']],
    ['no address', 'https://auth.example.org', ['issuer-host']],
    ['no address', undefined, []],
  ])('%s asked at %s: %j', (issuer, url, expected) => {
    expect(codes(adviseIssuers([issuer], url))).toEqual(expected)
  })
})

describe('adviseValues', () => {
  const facts = (keyserver: string): Facts => ({
    issuers: [],
    audiences: [],
    appId: '',
    keyserver,
    guests: true,
    signType: 'RS256',
    moderators: 'everyone',
  })

  it.each([
    ['http://localhost:9000/certs', ['keyserver-default']],
    ['http://127.0.0.1/certs', ['keyserver-default']],
    ['http://[::1]:9000', ['keyserver-default']],
    ['https://meet.example.org/keys', []],
    ['http://localhost.example.org', []],
    ['keys', []],
  ])('the key server %s: %j', (keyserver, expected) => {
    expect(codes(adviseValues(new Map(), facts(keyserver)))).toEqual(expected)
  })

  it('no key server is missed where Prosody takes the key set', () => {
    expect(adviseValues(new Map(), { ...facts('http://localhost:9000/certs'), keys: 'jwks' })).toEqual([])
  })

  it.each([
    ['JWT_ACCEPTED_AUDIENCES', '*', 'Prosody accepts any'],
    ['JWT_ACCEPTED_ISSUERS', 'https://a,*', 'Prosody accepts any'],
    ['JWT_ACCEPTED_ISSUERS', 'https://*.example.org', 'compares the * as it stands'],
  ])('%s=%s', (key, value, sentence) => {
    const [found, ...others] = adviseValues(new Map([[key, value]]), facts('https://keys'))
    expect(others).toEqual([])
    expect(found?.message).toContain(sentence)
  })
})

const AUTH_URL =
  'https://auth.example.org/realms/a/protocol/openid-connect/auth?redirect_uri=https%3A%2F%2Fmeet.example.org%2Fstatic%2Fsso.html'

describe('adviseNeighbours', () => {
  it.each([
    [{}, []],
    [{ JWT_ALLOW_EMPTY: '0', JWT_ENABLE_DOMAIN_VERIFICATION: 'false', JWT_APP_SECRET: '' }, []],
    [{ JWT_ALLOW_EMPTY: '1' }, ['allow-empty']],
    [{ JWT_ALLOW_EMPTY: 'no' }, ['allow-empty']],
    [{ JWT_ENABLE_DOMAIN_VERIFICATION: 'true' }, ['domain-verification']],
    [{ JWT_APP_SECRET: 'hunter2' }, ['app-secret-unused']],
    [{ XMPP_MUC_MODULES: 'a,muc_wait_for_host', ENABLE_LOBBY: '0' }, ['lobby-off']],
    [{ XMPP_MUC_MODULES: 'a,muc_wait_for_host', ENABLE_LOBBY: '' }, []],
    [{ XMPP_MUC_MODULES: 'a', ENABLE_LOBBY: '0' }, []],
    [{ PROSODY_AUTH_TYPE: 'internal' }, ['auth-type-overridden']],
    [{ PROSODY_AUTH_TYPE: 'jwt', JICOFO_AUTH_TYPE: 'jwt' }, []],
    [{ CSP_HEADER: "default-src 'self'" }, []],
    [{ CSP_HEADER: "default-src 'self'", TOKEN_AUTH_URL: AUTH_URL }, ['logout-blocked']],
    [{ CSP_HEADER: "frame-src 'self' https://auth.example.org", TOKEN_AUTH_URL: AUTH_URL }, []],
    [{ JWT_ASAP_KEYSERVER: 'http://web:8000/keys' }, []],
    [{ JWT_ASAP_KEYSERVER: 'http://web:8000/keys', ENABLE_HTTP_REDIRECT: '0' }, []],
    [{ JWT_ASAP_KEYSERVER: 'http://web:8000/keys', ENABLE_HTTP_REDIRECT: '1' }, ['keyserver-redirected']],
    [{ JWT_ASAP_KEYSERVER: 'http://a:hunter2@web', ENABLE_HTTP_REDIRECT: '1' }, ['keyserver-redirected']],
    [{ JWT_ASAP_KEYSERVER: 'http://kjitsi:9000/keys', ENABLE_HTTP_REDIRECT: '1' }, []],
    [{ JWT_ASAP_KEYSERVER: 'https://meet.example.org/keys', ENABLE_HTTP_REDIRECT: '1' }, []],
    [
      {
        JWT_ASAP_KEYSERVER: 'http://meet.example.org/keys',
        ENABLE_HTTP_REDIRECT: 'true',
        PUBLIC_URL: 'https://meet.example.org:8443',
      },
      ['keyserver-redirected'],
    ],
    [
      { PROSODY_AUTH_TYPE: 'JWT', JICOFO_AUTH_TYPE: 'xmpp' },
      ['auth-type-overridden', 'auth-type-overridden'],
    ],
  ])('%j: %j', (values, expected) => {
    const found = adviseNeighbours(new Map(Object.entries(values)), '/opt/jitsi/.env')
    expect(codes(found)).toEqual(expected)
    for (const one of found) {
      expect(one.message).toContain('/opt/jitsi/.env')
      expect(one.fix).toBeTruthy()
      expect(JSON.stringify([one, one.message, one.fix])).not.toContain('hunter2')
    }
  })
})
