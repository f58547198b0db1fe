// A login as the browser does it, on a client that setup-client has made; then each thing that setup-client sets is taken
// away once, and the login seen to fail. One realm for all, and in it a client for each test.
import type KeycloakAdminClient from '@keycloak/keycloak-admin-client'
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { run } from '../run.ts'
import {
  type Cookies,
  type LoginEnd,
  type Person,
  type Site,
  claimsOf,
  logIn,
  logOut,
} from './browserless-login.ts'
import { ADMIN_ENV, type TestRealm, keycloak, makeRealm, makeUser } from './realm.ts'

const ORIGIN = 'https://meet.example.org:8443'

const ALICE: Person = { username: 'alice', password: 'alice' }
const MONA: Person = { username: 'mona', password: 'mona' }
const ROOT: Person = { username: 'root', password: 'root' }

type ClientRepresentation = Awaited<ReturnType<KeycloakAdminClient['clients']['find']>>[number]

let realm: TestRealm
/** Of mona, whom each client's role makes a moderator. */
let monaId: string
beforeAll(async () => {
  realm = await makeRealm()
  await makeUser(realm, 'alice')
  monaId = await makeUser(realm, 'mona')
  await makeRealmAdmin(await makeUser(realm, 'root'))
})
beforeEach(async () => {
  // The login of an administrator lasts a minute, and is renewed at the realm that the client is set on.
  const { user: username, password } = keycloak
  realm.admin.setConfig({ realmName: 'master' })
  await realm.admin.auth({ grantType: 'password', clientId: 'admin-cli', username, password })
  realm.admin.setConfig({ realmName: realm.name })
})
afterAll(() => realm[Symbol.asyncDispose]())

async function makeRealmAdmin(id: string): Promise<void> {
  const management = await clientOf('realm-management')
  await giveRole(id, management.id, 'realm-admin')
}

async function clientOf(clientId: string): Promise<ClientRepresentation & { readonly id: string }> {
  const [client] = await realm.admin.clients.find({ clientId })
  if (client?.id === undefined) throw new Error(`no client ${clientId}`)
  return { ...client, id: client.id }
}

async function giveRole(userId: string, clientUuid: string, roleName: string): Promise<void> {
  const role = await realm.admin.clients.findRole({ id: clientUuid, roleName })
  if (!role?.id || !role.name) throw new Error(`no role ${roleName}`)
  await realm.admin.users.addClientRoleMappings({
    id: userId,
    clientUniqueId: clientUuid,
    roles: [{ id: role.id, name: role.name }],
  })
}

/** A client made by setup-client, whose role owner mona has. */
async function makeSite(): Promise<Site> {
  const clientId = `jitsi-${randomUUID().slice(0, 8)}`
  const argv = ['setup-client', '--realm', realm.name, '--client', clientId, '--jitsi-url', ORIGIN]
  const ran = await run([...argv, '--moderator-role', 'owner'], { env: ADMIN_ENV })
  expect(ran.exitCode, ran.stderr).toBe(0)
  await giveRole(monaId, (await clientOf(clientId)).id, 'owner')
  return { issuer: `${keycloak.url}/realms/${realm.name}`, clientId, origin: ORIGIN }
}

/** As `makeSite`, but with something of it taken away. */
async function makeSiteWithout(
  spoil: (client: ClientRepresentation) => Partial<ClientRepresentation>,
): Promise<Site> {
  const site = await makeSite()
  const client = await clientOf(site.clientId)
  await realm.admin.clients.update({ id: client.id }, { ...client, ...spoil(client) })
  return site
}

const attribute =
  (name: string, value: string) =>
  ({ attributes }: ClientRepresentation): Partial<ClientRepresentation> => ({
    attributes: { ...(attributes as object), [name]: value },
  })

const withoutMapper =
  (name: string) =>
  ({ protocolMappers = [] }: ClientRepresentation): Partial<ClientRepresentation> => ({
    protocolMappers: protocolMappers.filter((mapper) => !mapper.name?.startsWith(name)),
  })

interface Session {
  readonly accessToken: string
  readonly idToken: string
  readonly body: Readonly<Record<string, unknown>>
  readonly cookies: Cookies
}

function sessionOf(end: LoginEnd): Session {
  if (!('tokens' in end)) throw new Error(`${end.failed}: ${end.status} ${end.said}`)
  const { access_token: accessToken, id_token: idToken } = end.tokens
  return {
    accessToken: String(accessToken),
    idToken: String(idToken),
    body: end.tokens,
    cookies: end.cookies,
  }
}

describe('a client that setup-client has made', () => {
  test.each([
    ['an ordinary user', ALICE, undefined],
    ['a moderator', MONA, { user: { affiliation: 'owner' } }],
    ['an administrator of the realm', ROOT, undefined],
  ])('gives %s a token with all that Prosody reads', async (_, person, context) => {
    const site = await makeSite()
    const { accessToken } = sessionOf(await logIn(site, person))
    const keys = createRemoteJWKSet(new URL(`${site.issuer}/protocol/openid-connect/certs`))
    const { payload } = await jwtVerify(accessToken, keys, { algorithms: ['RS256'] })
    expect(decodeProtectedHeader(accessToken)).toEqual({
      alg: 'RS256',
      typ: 'JWT',
      kid: expect.any(String) as string,
    })
    expect(payload).toMatchObject({
      iss: site.issuer,
      // A string: Prosody refuses a list.
      aud: site.clientId,
      sub: expect.any(String) as string,
      room: '*',
      bnf: 0,
    })
    expect(payload['context']).toEqual(context)
    expect(payload.nbf).toBeUndefined()
    expect(Number(payload.exp) - Number(payload.iat)).toBe(36_000)
    // The token rides in an address line, of which Prosody takes 10 KiB.
    expect(accessToken.length).toBeLessThan(2000)
  })

  test('logs the same browser in again without a form, and out to the page that Jitsi waits for', async () => {
    const site = await makeSite()
    const { idToken, cookies } = sessionOf(await logIn(site, ALICE))
    const again = await logIn(site, { username: 'nobody', password: 'is asked' }, {}, cookies)
    expect(sessionOf(again).accessToken).not.toBe('')
    expect(await logOut(site, idToken, cookies)).toBe(`${ORIGIN}/static/logout.html`)
    expect(await logIn(site, { username: 'nobody', password: 'is asked' }, {}, cookies)).toEqual({
      failed: 'form',
      status: 200,
      said: 'Invalid username or password.',
    })
  })

  test('works from each of several addresses', async () => {
    const site = await makeSite()
    const other = 'https://meet.example.com'
    const argv = ['setup-client', '--realm', realm.name, '--client', site.clientId, '--jitsi-url', other]
    expect(await run(argv, { env: ADMIN_ENV })).toMatchObject({ exitCode: 0 })
    for (const origin of [ORIGIN, other]) {
      const { idToken, cookies } = sessionOf(await logIn({ ...site, origin }, ALICE))
      expect(await logOut({ ...site, origin }, idToken, cookies)).toBe(`${origin}/static/logout.html`)
    }
  })

  test.each([
    [
      'no code challenge',
      { code_challenge: undefined, code_challenge_method: undefined },
      'Missing parameter: code_challenge_method',
    ],
    [
      'a plain code challenge',
      { code_challenge_method: 'plain' },
      'Invalid parameter: code challenge method is not matching the configured one',
    ],
    [
      'the implicit flow',
      { response_type: 'token' },
      'Client is not allowed to initiate browser login with given response_type. Implicit flow is disabled for the client.',
    ],
  ])('refuses %s', async (_, query, said) => {
    expect(await logIn(await makeSite(), ALICE, query)).toMatchObject({ failed: 'authorize', said })
  })

  test('refuses a password that is sent without the form', async () => {
    const { issuer, clientId } = await makeSite()
    const grant = { grant_type: 'password', client_id: clientId, ...ALICE, scope: 'openid' }
    const response = await fetch(`${issuer}/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams(grant),
    })
    expect(await response.json()).toMatchObject({ error: 'unauthorized_client' })
  })
})

describe('what is taken away shows in the login', () => {
  test.each([
    [
      'the redirect URI',
      () => ({ redirectUris: [`${ORIGIN.replace(':8443', '')}/static/sso.html`] }),
      'authorize',
      400,
      'Invalid parameter: redirect_uri',
    ],
    ['the web origin', () => ({ webOrigins: [] }), 'token', 403, 'Failed to fetch'],
    [
      'the web origin as it is, by a slash',
      () => ({ webOrigins: [`${ORIGIN}/`] }),
      'token',
      403,
      'Failed to fetch',
    ],
    [
      'the standard flow',
      () => ({ standardFlowEnabled: false }),
      'authorize',
      302,
      'Client is not allowed to initiate browser login with given response_type. Standard flow is disabled for the client.',
    ],
    [
      'public access',
      () => ({ publicClient: false }),
      'token',
      401,
      'Invalid client or Invalid client credentials',
    ],
    [
      'bearer tokens (dpop on)',
      attribute('dpop.bound.access.tokens', 'true'),
      'token',
      400,
      'DPoP proof is missing',
    ],
  ] as const)('%s', async (_, spoil, failed, status, said) => {
    const site = await makeSiteWithout(spoil)
    expect(await logIn(site, ALICE)).toEqual({ failed, status, said })
  })

  test('PKCE: then a code is given without a challenge', async () => {
    const site = await makeSiteWithout(attribute('pkce.code.challenge.method', ''))
    const end = await logIn(site, ALICE, { code_challenge: undefined, code_challenge_method: undefined })
    // Only the page's own verifier is refused then: whoever steals the code has none to send.
    expect(end).toMatchObject({
      failed: 'token',
      said: expect.stringContaining('challenge not present') as string,
    })
  })
})

describe('what is taken away shows in the token', () => {
  type Look = (session: Session) => unknown
  const claim =
    (name: string): Look =>
    ({ accessToken }) =>
      claimsOf(accessToken)[name]
  const isList =
    (name: string): Look =>
    ({ accessToken }) =>
      Array.isArray(claimsOf(accessToken)[name])
  const header =
    (name: 'alg' | 'typ'): Look =>
    ({ accessToken }) =>
      decodeProtectedHeader(accessToken)[name]
  const lifespan: Look = ({ accessToken }) => {
    const { exp, iat } = claimsOf(accessToken)
    return Number(exp) - Number(iat)
  }

  test.each<[string, Parameters<typeof makeSiteWithout>[0], Person, Look, unknown]>([
    ['full scope off: aud is a list', () => ({ fullScopeAllowed: true }), ALICE, isList('aud'), true],
    [
      'full scope off and the audience, for an administrator: aud is a list',
      (client) => ({ fullScopeAllowed: true, ...withoutMapper('audience')(client) }),
      ROOT,
      claim('aud'),
      ['realm-management', 'account'],
    ],
    ['the audience: no aud', withoutMapper('audience'), ALICE, claim('aud'), undefined],
    ['the room: no room', withoutMapper('room'), ALICE, claim('room'), undefined],
    [
      "the role's mapper: a moderator is none",
      withoutMapper('context.user.affiliation'),
      MONA,
      claim('context'),
      undefined,
    ],
    [
      'the lifespan: the realm gives five minutes',
      attribute('access.token.lifespan', ''),
      ALICE,
      lifespan,
      300,
    ],
    ['RS256', attribute('access.token.signed.response.alg', 'ES256'), ALICE, header('alg'), 'ES256'],
    [
      'tokens without a refresh token',
      attribute('use.refresh.tokens', ''),
      ALICE,
      ({ body }) => 'refresh_token' in body,
      true,
    ],
    ['the type JWT', attribute('access.token.header.type.rfc9068', 'true'), ALICE, header('typ'), 'at+jwt'],
    [
      'whole access tokens: no sub',
      attribute('client.use.lightweight.access.token.enabled', 'true'),
      ALICE,
      claim('sub'),
      undefined,
    ],
    [
      'whole access tokens: no room',
      attribute('client.use.lightweight.access.token.enabled', 'true'),
      ALICE,
      claim('room'),
      undefined,
    ],
  ])('%s', async (_, spoil, person, look, found) => {
    const whole = await makeSite()
    expect(look(sessionOf(await logIn(whole, person)))).not.toEqual(found)
    const site = await makeSiteWithout(spoil)
    expect(look(sessionOf(await logIn(site, person)))).toEqual(found)
  })
})

describe('what is taken away shows in the logout', () => {
  test.each([
    ['the post-logout URI', attribute('post.logout.redirect.uris', ''), 400, 'Invalid redirect uri'],
    ['the post-logout URI for a +', attribute('post.logout.redirect.uris', '+'), 400, 'Invalid redirect uri'],
    [
      'logout without confirmation',
      attribute('logout.confirmation.enabled', 'true'),
      200,
      'You are logged out',
    ],
  ])('%s', async (_, spoil, status, said) => {
    const site = await makeSiteWithout(spoil)
    const { idToken, cookies } = sessionOf(await logIn(site, ALICE))
    expect(await logOut(site, idToken, cookies)).toEqual({ status, said })
  })
})

test('without openid in its scope, sso.html finds no ID token', async () => {
  expect(await logIn(await makeSite(), ALICE, { scope: 'profile' })).toEqual({
    failed: 'token',
    status: 200,
    said: 'Missing tokens in response',
  })
})
