import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keySetOf, loginOf } from '../../src/jitsi/login.ts'

const ISSUER = 'https://auth.example.org/realms/meet'
const ORIGIN = 'https://meet.example.org:8443'

test('a login', () => {
  expect(loginOf(ISSUER, 'jitsi', ORIGIN)).toEqual({
    clientId: 'jitsi',
    authUrl:
      'https://auth.example.org/realms/meet/protocol/openid-connect/auth?client_id=jitsi&response_type=code&scope=openid' +
      '&state={state}&redirect_uri=https%3A%2F%2Fmeet.example.org%3A8443%2Fstatic%2Fsso.html' +
      '&code_challenge={code_challenge}&code_challenge_method=S256',
    tokenService: 'auth.example.org/realms/meet/protocol/openid-connect',
    logoutUrl:
      'https://auth.example.org/realms/meet/protocol/openid-connect/logout?client_id=jitsi' +
      '&post_logout_redirect_uri=https%3A%2F%2Fmeet.example.org%3A8443%2Fstatic%2Flogout.html',
  })
})

test.each([
  [ISSUER, `${ISSUER}/protocol/openid-connect/certs`],
  ['https://a.example/auth/realms/meet', 'https://a.example/auth/realms/meet/protocol/openid-connect/certs'],
  [
    "https://a.example/realms/o'neill, inc",
    'https://a.example/realms/o%27neill%2C%20inc/protocol/openid-connect/certs',
  ],
])('the key set of %s is %s', (issuer, address) => {
  expect(keySetOf(issuer)).toBe(address)
})

test.each([
  ['jitsi'],
  ['https://auth.example.org'],
  ['https://auth.example.org/realms/'],
  [`${ISSUER}?x=1`],
  [`${ISSUER}#x`],
  ['https://user:pass@auth.example.org/realms/meet'],
  ['ftp://auth.example.org/realms/meet'],
])('%s is no realm', (issuer) => {
  expect(() => loginOf(issuer, 'jitsi', ORIGIN)).toThrow('is no address of a Keycloak realm')
})

describe('whatever the client is called', () => {
  test('the addresses say it, and nothing in them can end a string or be taken for a placeholder', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (client) => {
        const { authUrl, logoutUrl } = loginOf(ISSUER, client, ORIGIN)
        for (const address of [authUrl, logoutUrl]) {
          expect(new URL(address).searchParams.get('client_id')).toBe(client)
          expect(address).not.toMatch(/['"\\\s<#]/)
        }
        expect(authUrl.match(/\{\w+\}/g)).toEqual(['{state}', '{code_challenge}'])
        // The web client adds `&nonce=` at the end.
        expect(new URL(`${authUrl}&nonce=1`).searchParams.get('nonce')).toBe('1')
      }),
    )
  })
})
