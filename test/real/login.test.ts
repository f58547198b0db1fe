// A login as the browser does it, on a client that setup-client has made; then each thing that setup-client sets is taken
// away once, and the login seen to fail. One realm for all, and in it a client for each test.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Ran, run } from '../support/run.ts'
import {
  type Cookies,
  type LoginEnd,
  type Person,
  claimsOf,
  logIn,
  logOut,
} from '../support/browserless-login.ts'
import { type Jitsi, askVerdict, makeJitsi } from '../support/jitsi.ts'
import {
  ADMIN_ENV,
  type Spoil,
  type TestRealm,
  attribute,
  clientOf,
  giveRole,
  keycloak,
  makeRealm,
  makeUser,
  spoilClient,
  withoutMapper,
} from '../support/realm.ts'
import { REFUSED_BY_JITSI } from '../support/taken-away.ts'

const ORIGIN = 'https://meet.example.org:8443'

const ALICE: Person = { username: 'alice', password: 'alice' }
const MONA: Person = { username: 'mona', password: 'mona' }
const ROOT: Person = { username: 'root', password: 'root' }

const ROOM = 'Team A'

let realm: TestRealm
/** Of mona, whom each client's role makes a moderator. */
let monaId: string
beforeAll(async () => {
  realm = await makeRealm()
  await makeUser(realm, 'alice')
  monaId = await makeUser(realm, 'mona')
  await giveRole(realm, await makeUser(realm, 'root'), 'realm-management', 'realm-admin')
})
afterAll(() => realm[Symbol.asyncDispose]())

/** A client made by setup-client, whose role owner mona has, and the files for its Jitsi. */
async function makeSite(): Promise<Jitsi> {
  const jitsi = await makeJitsi(realm, ORIGIN)
  await giveRole(realm, monaId, jitsi.clientId, 'owner')
  return jitsi
}

/** As `makeSite`, but with something of it taken away. */
async function makeSiteWithout(spoil: Spoil): Promise<Jitsi> {
  const jitsi = await makeSite()
  await spoilClient(realm, jitsi.clientId, spoil)
  return jitsi
}

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

function lifespanOf(token: string): number {
  const { exp, iat } = claimsOf(token)
  return Number(exp) - Number(iat)
}

describe('a client that setup-client has made', () => {
  test.each([
    ['an ordinary user', ALICE, undefined],
    ['a moderator', MONA, { user: { affiliation: 'owner' } }],
    ['an administrator of the realm', ROOT, undefined],
  ])('gives %s a token that Jitsi accepts', async (_, person, context) => {
    const site = await makeSite()
    const { accessToken } = sessionOf(await logIn(site, person))
    expect(await askVerdict(site, accessToken, ROOM)).toBe('accepted')
    const payload = claimsOf(accessToken)
    expect(payload).toMatchObject({
      iss: site.issuer,
      // A string: Prosody refuses a list.
      aud: site.clientId,
      sub: expect.any(String) as string,
      room: '*',
      bnf: 0,
    })
    expect(payload['context']).toEqual(context)
    expect(payload['nbf']).toBeUndefined()
    // Ten hours, cut to what is left of the session's ten, which began with the form.
    expect(lifespanOf(accessToken)).toBeGreaterThan(35_900)
    expect(lifespanOf(accessToken)).toBeLessThanOrEqual(36_001)
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

  test.each(['a b', "a'b", 'é', 'a{', 'a{}', '$x', '100%', 'https://meet.example.org', '<b>', 'a#b&c=d+e'])(
    'with the client id %s works as with any other',
    async (clientId) => {
      const site = await makeJitsi(realm, ORIGIN, ADMIN_ENV, clientId)
      const { accessToken, idToken, cookies } = sessionOf(await logIn(site, ALICE))
      expect(await askVerdict(site, accessToken, ROOM)).toBe('accepted')
      expect(await logOut(site, idToken, cookies)).toBe(`${ORIGIN}/static/logout.html`)
    },
  )

  test.each(['${HOME}', '{x}', '{{x}}', 'a%2C'])('could not be logged in with as %s', async (clientId) => {
    await realm.admin.clients.create({
      clientId,
      publicClient: true,
      redirectUris: [`${ORIGIN}/static/sso.html`],
      webOrigins: [ORIGIN],
    })
    const end = await logIn(
      { issuer: `${keycloak.url}/realms/${realm.name}`, clientId, origin: ORIGIN },
      ALICE,
    ).catch((error: unknown) => String(error))
    expect(end).not.toHaveProperty('tokens')
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

describe('what is taken away shows in what Jitsi says to the token', () => {
  test.each(REFUSED_BY_JITSI)('$what', async ({ spoil, who, said }) => {
    const site = await makeSite()
    const sayAfterAnHour = async (): Promise<string> => {
      const { accessToken } = sessionOf(await logIn(site, { username: who, password: who }))
      return askVerdict(site, accessToken, ROOM, Number(claimsOf(accessToken)['iat']) + 3600)
    }
    expect(await sayAfterAnHour()).toBe('accepted')
    await spoilClient(realm, site.clientId, spoil)
    expect(await sayAfterAnHour()).toMatch(said)
  })
})

describe('what is taken away shows in what Jitsi makes of the token', () => {
  test("the role's mapper: a moderator is none", async () => {
    const site = await makeSiteWithout(withoutMapper('context.user.affiliation'))
    const { accessToken } = sessionOf(await logIn(site, MONA))
    expect(claimsOf(accessToken)).not.toHaveProperty('context')
    expect(await askVerdict(site, accessToken, ROOM)).toBe('accepted')
  })

  test('tokens without a refresh token: Jitsi would put it into the address of the next login', async () => {
    const { body } = sessionOf(await logIn(await makeSite(), ALICE))
    expect(body).not.toHaveProperty('refresh_token')
    const site = await makeSiteWithout(attribute('use.refresh.tokens', ''))
    expect(sessionOf(await logIn(site, ALICE)).body).toHaveProperty('refresh_token')
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

describe('what somebody has set, and what setup-client then mends', () => {
  const inAndOut = async (site: Jitsi): Promise<unknown> => {
    const end = await logIn(site, ALICE)
    return 'tokens' in end ? logOut(site, String(end.tokens['id_token']), end.cookies) : end
  }

  test.each<[what: string, spoil: Spoil, end: object]>([
    [
      'pushed authorization requests only',
      attribute('require.pushed.authorization.requests', 'true'),
      { failed: 'authorize', status: 302, said: 'Pushed Authorization Request is only allowed.' },
    ],
    [
      'request objects only',
      attribute('request.object.required', 'request or request_uri'),
      { failed: 'authorize', status: 400, said: 'Invalid Request' },
    ],
    [
      'encrypted ID tokens',
      attribute('id.token.encrypted.response.alg', 'RSA-OAEP'),
      { failed: 'token', status: 400, said: 'can not get encryption KEK' },
    ],
    [
      'tokens bound to a certificate',
      attribute('tls.client.certificate.bound.access.tokens', 'true'),
      { failed: 'token', status: 400, said: 'Client Certification missing for MTLS HoK Token Binding' },
    ],
    [
      "a logout that calls another application's page",
      (client) => ({
        frontchannelLogout: true,
        ...attribute('frontchannel.logout.url', 'https://other.example.org/bye')(client),
      }),
      { status: 200, said: 'Logging out' },
    ],
  ])('%s', async (_, spoil, end) => {
    const site = await makeSiteWithout(spoil)
    expect(await inAndOut(site)).toEqual(end)
    const setUp = (...argv: readonly string[]): Promise<Ran> =>
      run(
        ['setup-client', '--realm', realm.name, '--client', site.clientId, '--jitsi-url', ORIGIN, ...argv],
        { env: ADMIN_ENV },
      )
    expect(await setUp('--check')).toMatchObject({ exitCode: 3 })
    expect(await setUp()).toMatchObject({ exitCode: 0 })
    expect(await inAndOut(site)).toBe(`${ORIGIN}/static/logout.html`)
    expect(await setUp('--check')).toMatchObject({ exitCode: 0 })
  })
})

test('without the scope basic, Jitsi refuses the token, and setup-client says why', async () => {
  const site = await makeSite()
  const verdict = async (): Promise<string> =>
    askVerdict(site, sessionOf(await logIn(site, ALICE)).accessToken, ROOM)
  const findings = async (): Promise<string> => {
    const argv = ['setup-client', '--realm', realm.name, '--client', site.clientId, '--jitsi-url', ORIGIN]
    const { exitCode, stderr } = await run([...argv, '--check'], { env: ADMIN_ENV })
    expect(exitCode, stderr).toBe(0)
    return stderr
  }
  const { id } = await clientOf(realm, site.clientId)
  const scopes = await realm.admin.clientScopes.find()
  const clientScopeId = scopes.find(({ name }) => name === 'basic')?.id ?? ''
  await realm.admin.clients.delDefaultClientScope({ id, clientScopeId })
  expect(await verdict()).toBe('sub claim is missing')
  expect(await findings()).toContain('the client scope basic is no default scope of it')
  await realm.admin.clients.addDefaultClientScope({ id, clientScopeId })
  expect(await verdict()).toBe('accepted')
  expect(await findings()).not.toContain('scope basic')
})

test('without openid in its scope, sso.html finds no ID token', async () => {
  expect(await logIn(await makeSite(), ALICE, { scope: 'profile' })).toEqual({
    failed: 'token',
    status: 200,
    said: 'Missing tokens in response',
  })
})
