import { expect, test } from 'vitest'
import { adviseAddress, serverAddress } from '../../src/keycloak/address.ts'

const HOST = 'https://auth.example.org'
const REALM = 'a realm is given by --realm or KEYCLOAK_REALM'

test.each<[typed: string, address: string, left?: string, fix?: string]>([
  [HOST, HOST],
  [`${HOST}/`, `${HOST}/`],
  [`${HOST}/auth`, `${HOST}/auth`],
  [`${HOST}/a/b/`, `${HOST}/a/b/`],
  [`${HOST}/administration/realms-of-ours`, `${HOST}/administration/realms-of-ours`],
  ['https://admin', 'https://admin'],
  ['auth.example.org/realms/x', 'auth.example.org/realms/x'],
  [`${HOST}/admin`, HOST, '/admin'],
  [`${HOST}/admin/`, HOST, '/admin/'],
  [`${HOST}/auth/admin/master/console`, `${HOST}/auth`, '/admin/master/console'],
  [`${HOST}/admin/master/console/#/meet/clients`, HOST, '/admin/master/console/'],
  [`${HOST}/admin/realms/meet`, HOST, '/admin/realms/meet'],
  [`${HOST}/realms/meet`, HOST, '/realms/meet', REALM],
  [`${HOST}/realms/my%20realm/`, HOST, '/realms/my%20realm/', REALM],
  [`${HOST}//realms/meet/account?x=y#/a`, HOST, '//realms/meet/account', REALM],
  [
    `${HOST}/auth/realms/meet/.well-known/openid-configuration`,
    `${HOST}/auth`,
    '/realms/meet/.well-known/openid-configuration',
    REALM,
  ],
  [`${HOST}/realms`, HOST, '/realms'],
  [`${HOST}/#/meet`, `${HOST}/`, 'what begins with ? or #'],
  [`${HOST}/auth?token=hunter2`, `${HOST}/auth`, 'what begins with ? or #'],
  [`${HOST}?token=hunter2`, HOST, 'what begins with ? or #'],
])('of %s, the address of Keycloak is %s', (typed, address, left, fix) => {
  expect(serverAddress(typed)).toBe(address)
  const found = adviseAddress(typed)
  expect(found?.message).toBe(
    left &&
      `the address of Keycloak is ${address.replace(/\/$/, '')}; ${left} is not part of it, and was left out`,
  )
  expect(found?.fix).toBe(fix)
})

test('no token in an address is told', () => {
  const token = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl'
  expect(adviseAddress(`${HOST}/realms/${token}/account`)?.message).not.toContain('eyJ')
})
