// The files for Jitsi against the Keycloak that they name: a login with the addresses in them, on a client that
// setup-client made with the same options.
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { readEnv } from '../../src/env-file/parse.ts'
import { sharedFolder } from '../support/folder.ts'
import { run } from '../support/run.ts'
import { type Site, claimsOf, logIn, logOut } from '../support/browserless-login.ts'
import { ADMIN_ENV, type TestRealm, keycloak, makeRealm, makeUser, fileRealm } from '../support/realm.ts'

const ORIGIN = 'https://meet.example.org:8443'

interface WebConfig {
  readonly sso: { readonly tokenService: string; readonly clientId: string }
  readonly tokenLogoutUrl: string
}

const cwd = sharedFolder()

async function ranWell(argv: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await run([...argv, '--jitsi-url', ORIGIN], { env: ADMIN_ENV, cwd })
  expect(exitCode, stderr).toBe(0)
  return stdout
}

async function filesFor(
  realm: TestRealm,
  ...options: readonly string[]
): Promise<{ readonly env: ReadonlyMap<string, string>; readonly web: WebConfig }> {
  const of = ['--realm', realm.name]
  await ranWell(['setup-client', ...of, '--moderators', 'role:owner', ...options])
  const env = readEnv(
    await ranWell(['gen-env', ...of, '--login', '--keys', 'both', '--moderators', 'role:owner', ...options]),
  )
  const text = await ranWell(['gen-config', 'web', ...of, ...options])
  const web = runInNewContext(`var config = {};\n${text}\nJSON.stringify(config)`) as string
  return { env, web: JSON.parse(web) as WebConfig }
}

test.each([[[]], [['--client', "o'neill & co"]]])('a login, and a logout: %j', async (options) => {
  await using realm = await fileRealm()
  await makeUser(realm)
  const { env, web } = await filesFor(realm, ...options)
  const url = new URL(env.get('TOKEN_AUTH_URL') ?? '')
  const issuer = url.href.replace(/\/protocol\/.*/, '')
  const [redirect = ''] = url.searchParams.getAll('redirect_uri')
  const site: Site = { issuer, clientId: web.sso.clientId, origin: new URL(redirect).origin }
  const { state, code_challenge: challenge, ...asked } = Object.fromEntries(url.searchParams)
  // What the web client fills in, it fills in here too.
  expect([state, challenge]).toEqual(['{state}', '{code_challenge}'])

  const end = await logIn(site, { username: 'alice', password: 'alice' }, asked)
  expect(end).not.toHaveProperty('failed')
  if (!('tokens' in end)) return
  const claims = claimsOf(String(end.tokens['access_token']))
  expect(env.get('JWT_ACCEPTED_ISSUERS')).toBe(claims['iss'])
  expect(env.get('JWT_ACCEPTED_AUDIENCES')?.split(',')).toContain(claims['aud'])

  const logout = new URL(web.tokenLogoutUrl)
  expect(logout.href.startsWith(`${issuer}/protocol/openid-connect/logout?`)).toBe(true)
  expect(logout.searchParams.get('client_id')).toBe(site.clientId)
  const target = await logOut(site, String(end.tokens['id_token']), end.cookies)
  expect(target).toBe(logout.searchParams.get('post_logout_redirect_uri'))
})

describe('the addresses', () => {
  test("are those of the realm's discovery document", async () => {
    await using realm = await makeRealm('kjitsi ü')
    const { env, web } = await filesFor(realm)
    const path = `realms/${encodeURIComponent(realm.name)}/.well-known/openid-configuration`
    const document = (await (await fetch(`${keycloak.url}/${path}`)).json()) as Record<string, string>
    const same = (a: string | undefined, b: string | undefined): void => {
      // A URL may escape a character, or leave it; both are one path.
      expect(decodeURIComponent(a ?? '')).toBe(decodeURIComponent(b ?? ''))
    }
    same(env.get('TOKEN_AUTH_URL')?.replace(/\?.*/, ''), document['authorization_endpoint'])
    same(`http://${web.sso.tokenService}/token`, document['token_endpoint'])
    same(web.tokenLogoutUrl.replace(/\?.*/, ''), document['end_session_endpoint'])
    const [, keySet = ''] = /^cache_keys_url="(.*)"$/.exec(env.get('XMPP_CONFIGURATION') ?? '') ?? []
    same(keySet, document['jwks_uri'])
    expect((await fetch(keySet)).status).toBe(200)
  })
})

test('--moderators makes the role and its mapper', async () => {
  await using realm = await fileRealm()
  await ranWell(['setup-client', '--realm', realm.name, '--moderators', 'everyone'])
  const [before] = await realm.admin.clients.find({ clientId: 'jitsi' })
  const id = before?.id ?? ''
  expect(await realm.admin.clients.listRoles({ id })).toEqual([])
  await run(['setup-mappers', '--realm', realm.name, '--moderators', 'role:owner'], { env: ADMIN_ENV })
  expect(await realm.admin.clients.listRoles({ id })).toMatchObject([{ name: 'owner' }])
  const mappers = await realm.admin.clients.listProtocolMappers({ id })
  expect(mappers.map(({ name }) => name)).toContain('context.user.affiliation')
})
