import { expect, test } from 'vitest'
import { givenLogin } from '../../src/keycloak/login.ts'
import { run } from '../support/run.ts'

const NOTHING = {
  authRealm: undefined,
  user: undefined,
  password: undefined,
  loginClient: undefined,
  clientSecret: undefined,
  accessToken: undefined,
}
const PASSWORD = { user: 'alice', password: 'pw' }
const SECRET = { loginClient: 'robot', clientSecret: 'sec' }

test.each([
  [{}, undefined],
  [PASSWORD, { by: 'password', user: 'alice', password: 'pw', authRealm: 'master' }],
  [
    { ...PASSWORD, authRealm: 'staff' },
    { by: 'password', user: 'alice', password: 'pw', authRealm: 'staff' },
  ],
  [SECRET, { by: 'client', clientId: 'robot', clientSecret: 'sec', authRealm: undefined }],
  [
    { ...SECRET, authRealm: 'staff' },
    { by: 'client', clientId: 'robot', clientSecret: 'sec', authRealm: 'staff' },
  ],
  [
    { ...PASSWORD, ...SECRET },
    { by: 'client', clientId: 'robot', clientSecret: 'sec', authRealm: undefined },
  ],
  [
    { ...PASSWORD, ...SECRET, accessToken: 't' },
    { by: 'token', token: 't' },
  ],
  [{ user: 'alice' }, undefined],
  [{ loginClient: 'robot' }, undefined],
  [
    { loginClient: 'robot', ...PASSWORD },
    { by: 'password', user: 'alice', password: 'pw', authRealm: 'master' },
  ],
])('%j logs in as %j', (given, login) => {
  expect(givenLogin({ ...NOTHING, ...given })).toEqual(login)
})

const THERE = { KEYCLOAK_URL: 'http://127.0.0.1:9', KEYCLOAK_REALM: 'meet' }

test.each([
  [
    'the password',
    { KEYCLOAK_USER: 'alice' },
    'the password of alice: KEYCLOAK_PASSWORD, KEYCLOAK_PASSWORD_FILE or --password-file',
  ],
  ['the user', { KEYCLOAK_PASSWORD: 'pw' }, 'the user that the password is of: --user or KEYCLOAK_USER'],
  [
    'the secret',
    { KEYCLOAK_CLIENT_ID: 'robot' },
    'the secret of client robot: KEYCLOAK_CLIENT_SECRET, KEYCLOAK_CLIENT_SECRET_FILE or --client-secret-file',
  ],
  [
    'the client',
    { KEYCLOAK_CLIENT_SECRET: 'sec' },
    'the client that the secret is of: --login-client or KEYCLOAK_CLIENT_ID',
  ],
])('without a terminal it is an error when only %s is missing', async (_, env, missing) => {
  const { exitCode, stdout, stderr } = await run(['setup-mappers'], { env: { ...THERE, ...env } })
  expect({ exitCode, stdout, stderr }).toEqual({
    exitCode: 2,
    stdout: '',
    stderr: `error: a setting is missing: ${missing}\n`,
  })
})

test('with no setting at all and no terminal, everything is named at once, with the three ways to log in', async () => {
  const { exitCode, stdout, stderr } = await run(['setup-mappers'])
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
  expect(stderr).toBe(`error: 3 settings are missing:
  --url or KEYCLOAK_URL: Keycloak's address, with any /auth
  --realm or KEYCLOAK_REALM: realm whose tokens Jitsi accepts
  a login, in one of three ways:
    a ready access token: KEYCLOAK_ACCESS_TOKEN, KEYCLOAK_ACCESS_TOKEN_FILE or --access-token-file
    a service account: --login-client or KEYCLOAK_CLIENT_ID, and KEYCLOAK_CLIENT_SECRET, KEYCLOAK_CLIENT_SECRET_FILE or --client-secret-file
    an administrator, of realm master by default: --user or KEYCLOAK_USER, and KEYCLOAK_PASSWORD, KEYCLOAK_PASSWORD_FILE or --password-file
`)
})
