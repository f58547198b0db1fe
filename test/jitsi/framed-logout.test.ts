import { expect, it } from 'vitest'
import { blockedLogout } from '../../src/jitsi/framed-logout.ts'
import { loginOf } from '../../src/jitsi/login.ts'

const KEYCLOAK = 'https://auth.example.org:8443'
const { authUrl } = loginOf(`${KEYCLOAK}/realms/meet`, 'jitsi', 'https://meet.example.org')
const LOGOUT = '/realms/meet/protocol/openid-connect/logout'

it.each([
  ['', undefined],
  ["script-src 'self'; frame-ancestors 'none'", undefined],
  ["default-src 'self'", { directive: 'default-src', missing: [KEYCLOAK] }],
  ["default-src 'none'", { directive: 'default-src', missing: ["'self'", KEYCLOAK] }],
  ['default-src', { directive: 'default-src', missing: ["'self'", KEYCLOAK] }],
  ['default-src *', undefined],
  ['default-src https:', undefined],
  ['default-src data:', { directive: 'default-src', missing: ["'self'", KEYCLOAK] }],
  [`frame-src 'self' ${KEYCLOAK}`, undefined],
  [`FRAME-SRC 'SELF' HTTPS://AUTH.example.org:8443`, undefined],
  [`frame-src ${KEYCLOAK}`, { directive: 'frame-src', missing: ["'self'"] }],
  [`frame-src https://meet.example.org ${KEYCLOAK}`, undefined],
  [`default-src 'none'; frame-src 'self' ${KEYCLOAK}`, undefined],
  [`default-src 'self' ${KEYCLOAK}; child-src 'self'`, { directive: 'child-src', missing: [KEYCLOAK] }],
  [`frame-src 'self'; frame-src ${KEYCLOAK} 'self'`, { directive: 'frame-src', missing: [KEYCLOAK] }],
  ["frame-src 'self' https://auth.example.org", { directive: 'frame-src', missing: [KEYCLOAK] }],
  ["frame-src 'self' auth.example.org:*", undefined],
  ["frame-src 'self' *.example.org:8443", undefined],
  ["frame-src 'self' *.auth.example.org:8443", { directive: 'frame-src', missing: [KEYCLOAK] }],
  ["frame-src 'self' http://auth.example.org:8443", undefined],
  [`frame-src 'self' ${KEYCLOAK}/realms/`, undefined],
  [`frame-src 'self' ${KEYCLOAK}${LOGOUT}`, undefined],
  [`frame-src 'self' ${KEYCLOAK}/realms/other/`, { directive: 'frame-src', missing: [KEYCLOAK] }],
  [`frame-src https://meet.example.org/other/ ${KEYCLOAK}`, undefined],
  [`frame-src *, frame-src 'self'`, { directive: 'frame-src', missing: [KEYCLOAK] }],
])('%j', (policy, blocked) => {
  expect(blockedLogout(policy, authUrl)).toEqual(blocked)
})

it.each([
  '',
  'no address',
  'https://auth.example.org/auth',
  'https://auth.example.org/auth?redirect_uri=sso',
])('says nothing without the addresses of a login: %j', (url) => {
  expect(blockedLogout("default-src 'none'", url)).toBeUndefined()
})
