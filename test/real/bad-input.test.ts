import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { KjitsiError } from '../../src/errors.ts'
import { freePort } from '../support/http.ts'
import type { RunOptions } from '../support/io.ts'
import { makeAuthority } from '../support/authority.ts'
import { tempFolder } from '../support/folder.ts'
import { type Ran, run, spawnKjitsi } from '../support/run.ts'
import { type Fault, type Seen, startForwardProxy, startProxy } from '../support/proxy.ts'
import {
  ADMIN_ENV,
  type TestRealm,
  keycloak,
  makeClient,
  makeRealm,
  makeServiceAccount,
  makeUser,
  giveRole,
  fileRealm,
  tokensOf,
} from '../support/realm.ts'

/** In every place where it may be printed by mistake, it looks different. */
const SECRET = 'pl@nted sécret/"+%&=:\\ 42'

/** The forms in which a secret can be read again: as it is, quoted, encoded for a URL, a form, a shell or a header. */
function formsOf(secret: string): readonly string[] {
  // Three bytes become four letters, so it depends on what goes before which letters a secret becomes.
  const inBase64 = [0, 1, 2].map((before) => {
    const coded = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)]).toString('base64')
    return coded.slice(before === 0 ? 0 : 4, -4)
  })
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    new URLSearchParams({ x: secret }).toString().slice(2),
    ...inBase64,
  ]
}

/** Nothing that was printed gives a secret away. */
function expectNoLeak({ stdout, stderr }: Ran, ...secrets: readonly string[]): void {
  for (const form of secrets.flatMap(formsOf)) {
    expect(form.length).toBeGreaterThan(8)
    expect(stdout).not.toContain(form)
    expect(stderr).not.toContain(form)
  }
}

/** What looks like a token of Keycloak's, but for its signature. */
function tokenSaying(claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'RS256' })}.${part(claims)}.AAAA`
}

type Env = Readonly<Record<string, string>>

/** Runs it in all three forms of output; each has to end the same way and to keep the secret. */
async function failing(env: Env, argv: readonly string[] = [], ...secrets: readonly string[]): Promise<Ran> {
  const given = ['setup-mappers', ...argv]
  const json = await run([...given, '--json'], { env })
  const verbose = await run([...given, '--verbose'], { env })
  const ran = await run(given, { env })
  const { error } = JSON.parse(json.stdout) as { error: { exitCode: number; message: string; hint?: string } }
  expect(`error: ${error.message}${error.hint === undefined ? '' : `\n  → ${error.hint}`}\n`).toBe(ran.stderr)
  expect([json.exitCode, error.exitCode, verbose.exitCode]).toEqual([
    ran.exitCode,
    ran.exitCode,
    ran.exitCode,
  ])
  for (const one of [json, verbose, ran]) {
    expectNoLeak(one, SECRET, ...secrets)
    expect(one.stderr).not.toContain('This is a bug in kjitsi')
  }
  return ran
}

/** A Keycloak client that lacks everything, so that it shows whether anything was written. */
async function realmWithClient(make = fileRealm): Promise<TestRealm> {
  const realm = await make()
  await makeClient(realm)
  return realm
}

async function hasMappers(realm: TestRealm): Promise<boolean> {
  const [client] = await realm.admin.clients.find({ clientId: 'jitsi' })
  return (client?.protocolMappers ?? []).length > 0
}

const TOKEN_PATH = '/realms/master/protocol/openid-connect/token'
const isLogin = ({ path }: Seen): boolean => path.endsWith('/token')
const isFind = ({ method, path }: Seen): boolean => method === 'GET' && path.startsWith('/admin/')

describe('the login', () => {
  const user = { KEYCLOAK_URL: keycloak.url, KEYCLOAK_REALM: 'master', KEYCLOAK_USER: keycloak.user }
  const robot = { KEYCLOAK_URL: keycloak.url, KEYCLOAK_REALM: 'master', KEYCLOAK_CLIENT_ID: 'robot' }
  const nowhere = `no-${Date.now()}`

  test.each<[what: string, env: Env, exitCode: number, stderr: string]>([
    [
      'wrong password',
      { ...user, KEYCLOAK_PASSWORD: SECRET },
      4,
      `error: POST ${keycloak.url}${TOKEN_PATH}: Keycloak refused the login of user ${keycloak.user} in realm master: ` +
        'Invalid user credentials (status 4..)\n' +
        '  → correct KEYCLOAK_USER and KEYCLOAK_PASSWORD; the user must be of realm master (another: --auth-realm), and ' +
        'is locked for a while after many failed logins\n',
    ],
    [
      'a password with a line break',
      { ...user, KEYCLOAK_PASSWORD: `${SECRET}\r` },
      4,
      '\n  → the password begins or ends with a line break: remove it unless it belongs there; or correct ',
    ],
    [
      'a client secret with a blank',
      { ...robot, KEYCLOAK_CLIENT_SECRET: ` ${SECRET}` },
      4,
      '(status 401)\n  → the secret begins or ends with a blank: remove it unless it belongs there; or correct ',
    ],
    [
      'a token that ran out, which nobody has to be asked about',
      { ...user, KEYCLOAK_URL: 'http://127.0.0.1:9', KEYCLOAK_ACCESS_TOKEN: tokenSaying({ exp: 1.7e9 }) },
      4,
      ' days ago (2023-11-14T22:13:20Z)\n  → get a new one, or let kjitsi log in by itself: KEYCLOAK_CLIENT_ID with ',
    ],
    [
      'a token of another address',
      { ...user, KEYCLOAK_ACCESS_TOKEN: tokenSaying({ iss: 'https://k.example.org/realms/master' }) },
      4,
      '(status 401)\n  → it was issued by https://k.example.org/realms/master, and Keycloak accepts it under that address ' +
        'only: correct KEYCLOAK_URL or --url, or get a new one\n',
    ],
    [
      'unknown user',
      { ...user, KEYCLOAK_USER: 'nobody', KEYCLOAK_PASSWORD: SECRET },
      4,
      'Keycloak refused the login of user nobody in realm master: Invalid user credentials',
    ],
    [
      'unknown client',
      { ...robot, KEYCLOAK_CLIENT_SECRET: SECRET },
      4,
      'Keycloak refused the login of the service account of client robot in realm master: Invalid client or Invalid ' +
        'client credentials (status 401)\n' +
        '  → correct KEYCLOAK_CLIENT_ID and KEYCLOAK_CLIENT_SECRET; the client must be of realm master (another: ' +
        '--auth-realm), with client authentication and service account roles on\n',
    ],
    [
      'unknown realm to log in at',
      { ...user, KEYCLOAK_PASSWORD: SECRET, KEYCLOAK_AUTH_REALM: nowhere },
      6,
      `error: POST ${keycloak.url}/realms/${nowhere}/protocol/openid-connect/token: there is no realm ${nowhere} on ` +
        `${keycloak.url}\n  → realm names are case-sensitive; correct --realm or KEYCLOAK_REALM, or --auth-realm or ` +
        'KEYCLOAK_AUTH_REALM\n',
    ],
    [
      'a service account at a realm that does not exist',
      { ...robot, KEYCLOAK_CLIENT_SECRET: SECRET, KEYCLOAK_REALM: nowhere },
      6,
      `there is no realm ${nowhere} on ${keycloak.url}\n`,
    ],
    [
      'a token that is none',
      { ...user, KEYCLOAK_ACCESS_TOKEN: `${SECRET}.${SECRET}.${SECRET}`.replaceAll(/[^\w.]/g, '_') },
      4,
      'Keycloak does not accept the access token (status 401)\n' +
        '  → it may have been revoked, or be of another Keycloak: get a new one, or let kjitsi log in by itself: ',
    ],
  ])('%s', async (_, env, exitCode, stderr) => {
    const ran = await failing(env, [], env['KEYCLOAK_ACCESS_TOKEN'] ?? SECRET)
    expect(ran).toMatchObject({ exitCode, stdout: '' })
    expect(
      ran.stderr.replace(
        /status 40[01]\)\n {2}→ correct KEYCLOAK_USER/,
        'status 4..)\n  → correct KEYCLOAK_USER',
      ),
    ).toContain(stderr)
  })

  test('a wrong password for several realms is tried once, and is one error', async () => {
    await using proxy = await startProxy(keycloak.url)
    const env = { ...user, KEYCLOAK_URL: proxy.url, KEYCLOAK_REALM: 'a,b,c', KEYCLOAK_PASSWORD: SECRET }
    const ran = await run(['setup-mappers', '--json'], { env })
    expect(JSON.parse(ran.stdout)).toMatchObject({ kind: 'error', error: { code: 'login', exitCode: 4 } })
    expect(proxy.seen).toHaveLength(1)
  })

  test('wrong client secret, then the right one, which needs every encoding', async () => {
    await using realm = await realmWithClient()
    const right = await makeServiceAccount(realm, 'robot', ['manage-clients'], SECRET)
    const env = { ...robot, ...right, KEYCLOAK_REALM: realm.name }
    const wrong = await failing({ ...env, KEYCLOAK_CLIENT_SECRET: `${SECRET}!` })
    expect(wrong).toMatchObject({ exitCode: 4, stdout: '' })
    expect(wrong.stderr).toContain(
      `the login of the service account of client robot in realm ${realm.name}: Invalid client or Invalid client credentials`,
    )
    const ran = await run(['setup-mappers', '--verbose'], { env })
    expect(ran.exitCode, ran.stderr).toBe(0)
    expectNoLeak(ran, SECRET)
  })

  test.each<
    [
      what: string,
      change: (realm: TestRealm, id: string) => Promise<unknown>,
      exitCode: number,
      stderr: string,
    ]
  >([
    [
      'a disabled account',
      ({ admin }, id) => admin.users.update({ id }, { enabled: false }),
      4,
      'Account disabled (status 400)\n  → enable the account in Keycloak\n',
    ],
    [
      'an account that is not fully set up',
      ({ admin }, id) => admin.users.update({ id }, { requiredActions: ['UPDATE_PASSWORD'] }),
      4,
      'Account is not fully set up (status 400)\n  → log in once in the browser and do what Keycloak asks for, such as a new password\n',
    ],
    [
      'a disabled realm',
      ({ admin, name }) => admin.realms.update({ realm: name }, { enabled: false }),
      6,
      'is disabled\n  → enable it in Keycloak: Realm settings > Enabled\n',
    ],
  ])('%s', async (_, change, exitCode, stderr) => {
    await using realm = await realmWithClient(makeRealm)
    await change(realm, await makeUser(realm))
    const env = {
      ...user,
      KEYCLOAK_REALM: realm.name,
      KEYCLOAK_AUTH_REALM: realm.name,
      KEYCLOAK_USER: 'alice',
      KEYCLOAK_PASSWORD: 'alice',
    }
    const ran = await failing(env)
    expect(ran).toMatchObject({ exitCode, stdout: '' })
    expect(ran.stderr).toContain(stderr)
  })
})

test('an access token is found in what people save of it, and only its own realm and master administer a realm', async () => {
  await using realm = await realmWithClient()
  await giveRole(realm, await makeUser(realm), 'realm-management', 'view-clients')
  const { accessToken } = await tokensOf(realm)
  const env = { KEYCLOAK_URL: keycloak.url, KEYCLOAK_REALM: realm.name }
  for (const saved of [
    `\uFEFF${accessToken}\r\n`,
    `"${accessToken}"`,
    `Authorization: Bearer ${accessToken}\n`,
    JSON.stringify({ access_token: accessToken, expires_in: 60, token_type: 'Bearer' }),
  ]) {
    const ran = await run(['setup-mappers', '--check', '--access-token-file', '-'], { env, stdin: saved })
    expect(ran.exitCode, ran.stderr).toBe(3)
  }
  await using other = await realmWithClient(makeRealm)
  const ran = await failing(
    { ...env, KEYCLOAK_REALM: other.name, KEYCLOAK_ACCESS_TOKEN: accessToken },
    [],
    accessToken,
  )
  expect(ran).toMatchObject({ exitCode: 5, stdout: '' })
  expect(ran.stderr).toContain(
    `the account of the access token is of realm ${realm.name}, and realm ${other.name} is administered by accounts of its ` +
      'own and of master (status 403)\n  → log in with one of these: --auth-realm or KEYCLOAK_AUTH_REALM says where\n',
  )
})

test('a file for a password that is empty is no login', async () => {
  const env = { KEYCLOAK_URL: keycloak.url, KEYCLOAK_REALM: 'master', KEYCLOAK_USER: keycloak.user }
  const dir = tempFolder()
  const file = join(dir, 'password')
  await writeFile(file, '\n')
  const ran = await run(['setup-mappers', '--password-file', file], { env })
  expect(ran).toEqual({ exitCode: 2, stdout: '', stderr: `error: --password-file: ${file} is empty\n` })
})

describe('what is to be changed', () => {
  test('a realm that does not exist', async () => {
    // Other tests make and remove realms meanwhile.
    const ran = await run(['setup-mappers'], { env: { ...ADMIN_ENV, KEYCLOAK_REALM: 'no such realm' } })
    expect(ran).toMatchObject({ exitCode: 6, stdout: '' })
    expect(ran.stderr).toMatch(
      new RegExp(
        `^error: GET ${keycloak.url}/admin/realms/no%20such%20realm/clients/\\?clientId=jitsi: there is no realm no such realm ` +
          `on ${keycloak.url}\\n  → realm names are case-sensitive, and this account sees .*; correct --realm or KEYCLOAK_REALM\\n$`,
      ),
    )
  })

  test('a client that does not exist: where to make it', async () => {
    await using realm = await fileRealm()
    const ran = await failing({ ...ADMIN_ENV, KEYCLOAK_REALM: realm.name })
    expect(ran).toEqual({
      exitCode: 6,
      stdout: '',
      stderr:
        `error: client jitsi of realm ${realm.name} was not found or is not visible to this account\n` +
        "  → make it by kjitsi setup-client, or on Keycloak's page Clients " +
        `(${keycloak.url}/admin/master/console/#/${realm.name}/clients), or name another by ` +
        '--client or KJITSI_CLIENT; client ids are case-sensitive, and an account sees none without the role ' +
        'view-clients, or query-clients and a permission on the client\n',
    })
  })

  test('a client by its internal id is told its client id, and none is made', async () => {
    await using realm = await makeRealm()
    const id = await makeClient(realm, 'my client')
    const env = { ...ADMIN_ENV, KEYCLOAK_REALM: realm.name }
    const stderr =
      `error: realm ${realm.name}: ${id} is the internal id of a client, and its client id is my client\n` +
      "  → give --client 'my client', or KJITSI_CLIENT\n"
    expect(await failing(env, ['--client', id])).toEqual({ exitCode: 6, stdout: '', stderr })
    const setUp = ['setup-client', '--jitsi-url', 'https://meet.example.org', '--client']
    expect(await run([...setUp, id], { env })).toEqual({ exitCode: 6, stdout: '', stderr })
    const unknown = '00000000-0000-4000-8000-000000000000'
    expect((await failing(env, ['--client', unknown])).stderr).toContain(`client ${unknown} of realm`)
  })

  test.each([
    [
      { protocol: 'saml', attributes: { 'saml.client.signature': 'false' } },
      'it speaks saml, and Jitsi needs one of openid-connect',
    ],
    [{ bearerOnly: true }, 'it is bearer-only, so nobody can log in with it and no token is its own'],
  ])('a client of no use: %o', async (client, why) => {
    await using realm = await fileRealm()
    await realm.admin.clients.create({ clientId: 'jitsi', ...client })
    const ran = await failing({ ...ADMIN_ENV, KEYCLOAK_REALM: realm.name })
    expect(ran).toMatchObject({ exitCode: 2, stdout: '' })
    expect(ran.stderr).toContain(`error: realm ${realm.name}, client jitsi: ${why}\n`)
  })

  test.each<[roles: string[], dryRun: number, exitCode: number, stderr: (realm: string) => string]>([
    [
      [],
      5,
      5,
      (realm) =>
        `error: GET ${keycloak.url}/admin/realms/${realm}/clients/?clientId=jitsi: the service account of client robot lacks ` +
        `the right to see clients in realm ${realm} (status 403)\n  → give the account the role view-clients of client ` +
        `realm-management in realm ${realm} (an account in realm master: of client ${realm}-realm); one that has a permission on this client alone ` +
        'needs query-clients instead\n',
    ],
    [
      ['query-clients'],
      6,
      6,
      (realm) => `error: client jitsi of realm ${realm} was not found or is not visible to this account\n`,
    ],
    [['create-client'], 5, 5, (realm) => `lacks the right to see clients in realm ${realm} (status 403)\n`],
    [
      ['view-clients'],
      3,
      5,
      (realm) =>
        `error: realm ${realm}: the service account of client robot may see client jitsi, but not change it\n` +
        `  → give the account the role manage-clients of client realm-management in realm ${realm} (an account in realm ` +
        `master: of client ${realm}-realm); --dry-run and --check do without\n`,
    ],
  ])('an account with the roles %j', async (roles, check, exitCode, stderr) => {
    await using realm = await realmWithClient()
    const env = { ...(await makeServiceAccount(realm, 'robot', roles, SECRET)), KEYCLOAK_REALM: realm.name }
    await using proxy = await startProxy(keycloak.url)
    const ran = await failing({ ...env, KEYCLOAK_URL: keycloak.url })
    expect(ran).toMatchObject({ exitCode, stdout: '' })
    expect(ran.stderr).toContain(stderr(realm.name))
    const withRole = ['setup-mappers', '--moderators', 'role:owner', '--check']
    expect((await run(withRole, { env: { ...env, KEYCLOAK_URL: proxy.url } })).exitCode).toBe(check)
    await run(['setup-mappers'], { env: { ...env, KEYCLOAK_URL: proxy.url } })
    expect(proxy.seen.filter((one) => one.method !== 'GET' && !isLogin(one))).toEqual([])
    expect(await hasMappers(realm)).toBe(false)
  })
})

describe('the server', () => {
  /** A master realm and a user that are there, a password that must go nowhere. */
  const env = (url: string): Env => ({
    KEYCLOAK_URL: url,
    KEYCLOAK_REALM: 'master',
    KEYCLOAK_USER: keycloak.user,
    KEYCLOAK_PASSWORD: SECRET,
  })

  test('is down', async () => {
    const port = await freePort()
    const ran = await failing(env(`http://127.0.0.1:${port}`))
    expect(ran).toEqual({
      exitCode: 7,
      stdout: '',
      stderr:
        `error: POST http://127.0.0.1:${port}${TOKEN_PATH}: connection refused (127.0.0.1 port ${port})\n` +
        '  → is it running, and is the port right? --wait 60s waits for one that is starting\n',
    })
  })

  test('has no such name', async () => {
    const ran = await failing(env('http://keycloak.invalid'))
    expect(ran).toMatchObject({ exitCode: 7, stdout: '' })
    expect(ran.stderr).toMatch(
      /^error: POST http:\/\/keycloak\.invalid.*: (no such host|the name server does not answer)\n/,
    )
  })

  test.each<[what: string, fault: Fault, exitCode: number, stderr: string]>([
    [
      'answers the login with a page',
      { page: 'Welcome' },
      7,
      "status 200 and text/html, not a Keycloak's answer\n  → is KEYCLOAK_URL or --url the address of Keycloak itself, with " +
        'its base path (such as /auth) where it has one?\n',
    ],
    [
      'refuses the login with a page',
      { page: 'Forbidden', status: 403 },
      7,
      "status 403 and text/html, not a Keycloak's answer\n",
    ],
    [
      'answers the login with other JSON',
      { json: { token: 'x' } },
      7,
      "status 200 and application/json, not a Keycloak's answer\n",
    ],
    [
      'answers the login with null',
      { json: null },
      7,
      "status 200 and application/json, not a Keycloak's answer\n",
    ],
    ['has an error of its own', { status: 500 }, 7, ': status 500\n'],
    [
      'wants https',
      { json: { error: 'invalid_request', error_description: 'HTTPS required' }, status: 403 },
      4,
      'HTTPS required (status 403)\n  → use the https:// address',
    ],
    [
      'repeats the password',
      { json: { error: SECRET, error_description: `not ${SECRET}!` }, status: 400 },
      4,
      ': not (masked)! (status 400)\n',
    ],
    [
      'answers without end',
      { page: 'x'.repeat(1_000_001) },
      7,
      ': the answer is longer than 1000000 bytes\n',
    ],
  ])('%s', async (_, fault, exitCode, stderr) => {
    await using proxy = await startProxy(keycloak.url, { fault: (one) => (isLogin(one) ? fault : undefined) })
    const ran = await failing(env(proxy.url))
    expect(ran).toMatchObject({ exitCode, stdout: '' })
    expect(ran.stderr).toContain(`error: POST ${proxy.url}${TOKEN_PATH}: `)
    expect(ran.stderr).toContain(stderr)
  })

  test('redirects the login to another origin: the password does not go there', async () => {
    await using other = await startProxy(keycloak.url)
    await using proxy = await startProxy(keycloak.url, {
      fault: ({ body }) => ({ redirectTo: `${other.url}/realms/x/token?${body}#x` }),
    })
    const ran = await failing(env(proxy.url))
    expect(ran).toEqual({
      exitCode: 7,
      stdout: '',
      stderr:
        `error: POST ${proxy.url}${TOKEN_PATH}: redirected to ${other.url}/realms/x/token, which kjitsi does not follow\n` +
        '  → nothing was sent there; give its address, if you trust it\n',
    })
    expect(other.seen).toEqual([])
    expect(proxy.seen[0]?.body).toContain(new URLSearchParams({ password: SECRET }).toString())
  })

  test('redirects the admin API to another origin: the token does not go there', async () => {
    await using other = await startProxy(keycloak.url)
    await using proxy = await startProxy(keycloak.url, {
      fault: (one) => (isFind(one) ? { redirectTo: `${other.url}/x` } : undefined),
    })
    const ran = await failing({ ...ADMIN_ENV, KEYCLOAK_URL: proxy.url, KEYCLOAK_REALM: 'master' })
    expect(ran).toMatchObject({ exitCode: 7, stdout: '' })
    expect(ran.stderr).toContain(`redirected to ${other.url}/x, which kjitsi does not follow\n`)
    expect(other.seen).toEqual([])
  })

  test.each<[what: string, fault: Fault, stderr: string]>([
    ['answers with a page', { page: 'Welcome' }, "status 200 and a text, not a Keycloak's answer\n"],
    [
      'hides /admin behind a page',
      { page: 'Forbidden', status: 403 },
      "status 403 and text/html, not a Keycloak's answer\n  → does a reverse proxy keep /admin from you?",
    ],
    [
      'answers with other JSON',
      { json: { id: 'x' } },
      "status 200 and JSON of another kind, not a Keycloak's answer\n",
    ],
    [
      'answers with half a client',
      { json: [{ clientId: 'jitsi' }] },
      "status 200 and JSON of another kind, not a Keycloak's answer\n",
    ],
    ['has an error of its own', { status: 500 }, ': status 500\n'],
  ])('the admin API %s', async (_, fault, stderr) => {
    await using proxy = await startProxy(keycloak.url, { fault: (one) => (isFind(one) ? fault : undefined) })
    const ran = await failing({ ...ADMIN_ENV, KEYCLOAK_URL: proxy.url, KEYCLOAK_REALM: 'master' })
    expect(ran).toMatchObject({ exitCode: 7, stdout: '' })
    const value = stderr.startsWith(': status 500') ? '(masked)' : 'jitsi'
    expect(ran.stderr).toContain(`error: GET ${proxy.url}/admin/realms/master/clients/?clientId=${value}: `)
    expect(ran.stderr).toContain(stderr)
  })

  test('is starting: two failures are outlived, and --wait outlives more', async () => {
    await using realm = await realmWithClient()
    let failures = 2
    await using proxy = await startProxy(keycloak.url, {
      fault: (one) =>
        (one.method === 'GET' || isLogin(one)) && failures-- > 0 ? { status: 503 } : undefined,
    })
    const starting = { ...ADMIN_ENV, KEYCLOAK_URL: proxy.url, KEYCLOAK_REALM: realm.name }
    expect(await run(['setup-mappers', '--dry-run'], { env: starting })).toMatchObject({ exitCode: 0 })
    failures = 3
    const ran = await run(['setup-mappers', '--dry-run'], { env: starting })
    expect(ran).toEqual({
      exitCode: 7,
      stdout: '',
      stderr:
        `error: POST ${proxy.url}${TOKEN_PATH}: status 503\n  → the server failed, or is not up: look at its log; ` +
        '--wait 60s waits for one that is starting\n',
    })
    failures = 3
    expect(await run(['setup-mappers', '--wait', '1m'], { env: starting })).toMatchObject({ exitCode: 0 })
  })

  test('stays overloaded: the login that a request waits for is tried three times, not three times three', async () => {
    await using proxy = await startProxy(keycloak.url, { fault: () => ({ status: 503 }) })
    const env = {
      KEYCLOAK_URL: proxy.url,
      KEYCLOAK_REALM: 'master',
      KEYCLOAK_CLIENT_ID: 'x',
      KEYCLOAK_CLIENT_SECRET: SECRET,
    }
    const ran = await run(['setup-mappers'], { env })
    expect(ran).toEqual({
      exitCode: 7,
      stdout: '',
      stderr:
        `error: POST ${proxy.url}${TOKEN_PATH}: status 503\n  → the server failed, or is not up: look at its log; ` +
        '--wait 60s waits for one that is starting\n',
    })
    expect(proxy.seen).toHaveLength(3)
  })

  test('is overloaded when it is written to: that is never tried twice', async () => {
    await using realm = await realmWithClient()
    await using proxy = await startProxy(keycloak.url, {
      fault: ({ path }) => (path.endsWith('add-models') ? { status: 503 } : undefined),
    })
    const ran = await run(['setup-mappers', '--wait', '1m', '--realm', realm.name], {
      env: { ...ADMIN_ENV, KEYCLOAK_URL: proxy.url },
    })
    expect(ran).toMatchObject({ exitCode: 7, stdout: '' })
    expect(ran.stderr).toContain('add-models: status 503; perhaps done: create room, create bnf\n')
    expect(proxy.seen.filter(({ path }) => path.endsWith('add-models'))).toHaveLength(1)
  })

  test.each([
    ['the login', isLogin, `POST`],
    ['the admin API', isFind, `GET`],
  ])('is silent: %s', async (_, silent, method) => {
    await using proxy = await startProxy(keycloak.url, {
      fault: (one) => (silent(one) ? 'silence' : undefined),
    })
    const ran = await run(['setup-mappers', '--timeout', '1s'], {
      env: { ...ADMIN_ENV, KEYCLOAK_URL: proxy.url, KEYCLOAK_REALM: 'master' },
    })
    expect(ran).toMatchObject({ exitCode: 7, stdout: '' })
    expect(ran.stderr).toMatch(
      new RegExp(
        `^error: ${method} ${proxy.url}/.*: no answer within 1s \\(--timeout\\)\\n.*--timeout 60s waits longer\\n$`,
      ),
    )
  })

  test.each<[what: string, silent: (one: Seen) => boolean, stderr: RegExp]>([
    ['during the login', isLogin, /^error: interrupted\n$/],
    ['while it reads', isFind, /^error: interrupted\n$/],
    [
      'while it writes',
      ({ path }) => path.endsWith('add-models'),
      /error: interrupted; perhaps done: create room, create bnf\n/,
    ],
  ])('is silent, and the person gives up %s', async (_, silent, stderr) => {
    await using realm = await realmWithClient()
    const controller = new AbortController()
    await using proxy = await startProxy(keycloak.url, {
      fault(one) {
        if (!silent(one)) return undefined
        controller.abort(new KjitsiError('interrupted', 'interrupted'))
        return 'silence'
      },
    })
    const options: RunOptions = { env: { ...ADMIN_ENV, KEYCLOAK_URL: proxy.url }, signal: controller.signal }
    const ran = await run(['setup-mappers', '--timeout', '1h', '--realm', realm.name], options)
    expect(ran).toMatchObject({ exitCode: 130, stdout: '' })
    expect(ran.stderr).toMatch(stderr)
  })

  test.each(['', '/auth'])(
    'at base path %j, whatever page of it KEYCLOAK_URL was copied from',
    async (prefix) => {
      await using realm = await realmWithClient()
      await using proxy = await startProxy(keycloak.url, { prefix })
      for (const page of [
        '/',
        ' ',
        '/admin',
        '/admin/master/console/#/x',
        '/realms/WRONG',
        '/realms/x/account?y',
      ]) {
        const env = { ...ADMIN_ENV, KEYCLOAK_URL: `${proxy.url}${prefix}${page}`, KEYCLOAK_REALM: realm.name }
        const ran = await run(['setup-mappers', '--check'], { env })
        expect(ran.exitCode, ran.stderr).toBe(3)
        const note = `note: the address of Keycloak is ${proxy.url}${prefix}; ${page.replace(/[?#].*/, '')} is not`
        if (page.length > 1) expect(ran.stderr).toContain(note)
        else expect(ran.stderr).not.toContain('the address of Keycloak')
      }
      expect(proxy.seen.filter(({ path }) => !path.startsWith(`${prefix}/`) || path.includes('//'))).toEqual(
        [],
      )
    },
  )

  test('is at /auth: it works with it, and without it the address is named', async () => {
    await using realm = await realmWithClient()
    await using proxy = await startProxy(keycloak.url, { prefix: '/auth' })
    for (const url of [`${proxy.url}/auth`, `${proxy.url}/auth/`]) {
      const env = { ...ADMIN_ENV, KEYCLOAK_REALM: realm.name, KEYCLOAK_URL: url }
      expect(await run(['setup-mappers'], { env })).toMatchObject({ exitCode: 0 })
    }
    const ran = await failing(env(proxy.url))
    expect(ran).toEqual({
      exitCode: 6,
      stdout: '',
      stderr:
        `error: POST ${proxy.url}${TOKEN_PATH}: status 404; this Keycloak is at ${proxy.url}/auth\n` +
        `  → set KEYCLOAK_URL or --url to ${proxy.url}/auth\n`,
    })
  })

  test('is not at /auth', async () => {
    const ran = await failing(env(`${keycloak.url}/auth`))
    expect(ran).toMatchObject({ exitCode: 6, stdout: '' })
    expect(ran.stderr).toContain(`status 404; this Keycloak is at ${keycloak.url}\n`)
  })

  test('is no Keycloak', async () => {
    await using proxy = await startProxy(keycloak.url, { fault: () => ({ page: 'not here', status: 404 }) })
    const ran = await failing(env(proxy.url))
    expect(ran).toMatchObject({ exitCode: 7, stdout: '' })
    expect(ran.stderr).toContain("status 404 and text/html, not a Keycloak's answer\n")
  })
})

describe('certificates and proxies, in a process of its own', () => {
  test('an unknown authority is refused, --ca-file makes it known, beside NODE_EXTRA_CA_CERTS', async () => {
    await using realm = await realmWithClient()
    await using authority = await makeAuthority()
    await using another = await makeAuthority()
    await using proxy = await startProxy(keycloak.url, { tls: authority.server })
    const env = { ...ADMIN_ENV, KEYCLOAK_URL: proxy.url, KEYCLOAK_REALM: realm.name }

    const refused = await spawnKjitsi(['setup-mappers'], { env })
    expect(refused).toEqual({
      exitCode: 7,
      stdout: '',
      stderr:
        `error: POST ${proxy.url}${TOKEN_PATH}: its certificate is signed by an unknown authority\n` +
        '  → give the authority that signed it by --ca-file or KJITSI_CA_FILE\n',
    })
    expect(proxy.seen).toEqual([])

    const wrong = await spawnKjitsi(['setup-mappers', '--ca-file', another.caFile], { env })
    expect(wrong).toMatchObject({ exitCode: 7, stderr: refused.stderr })
    const right = await spawnKjitsi(['setup-mappers', '--ca-file', authority.caFile], { env })
    expect(right).toMatchObject({ exitCode: 0 })
    const both = await spawnKjitsi(['setup-mappers', '--ca-file', another.caFile], {
      env: { ...env, NODE_EXTRA_CA_CERTS: authority.caFile },
    })
    expect(both).toMatchObject({ exitCode: 0, stderr: '' })
  })

  test('a certificate for another host is refused for that reason', async () => {
    await using authority = await makeAuthority('DNS:keycloak.example.org')
    await using proxy = await startProxy(keycloak.url, { tls: authority.server })
    const ran = await spawnKjitsi(['setup-mappers', '--ca-file', authority.caFile], {
      env: { ...ADMIN_ENV, KEYCLOAK_URL: proxy.url, KEYCLOAK_REALM: 'master' },
    })
    expect(ran).toMatchObject({ exitCode: 7, stdout: '' })
    expect(ran.stderr).toContain(
      'its certificate is for another host name\n  → mend the certificate; kjitsi never goes on without checking it\n',
    )
  })

  test('--ca-file is no certificate, or not there', async () => {
    for (const [file, message] of [
      ['/nowhere/ca.pem', '--ca-file: cannot read /nowhere/ca.pem: no such file or folder'],
      [new URL(import.meta.url).pathname, 'holds no certificate in PEM form'],
    ] as const) {
      const ran = await spawnKjitsi(['setup-mappers', '--ca-file', file], { env: ADMIN_ENV })
      expect(ran).toMatchObject({ exitCode: 2, stdout: '' })
      expect(ran.stderr).toContain(message)
    }
  })

  test('plain http goes through HTTP_PROXY without a tunnel, https through HTTPS_PROXY in one', async () => {
    await using realm = await realmWithClient()
    await using authority = await makeAuthority()
    await using overTls = await startProxy(keycloak.url, { tls: authority.server })
    await using proxy = await startForwardProxy()
    const env = { ...ADMIN_ENV, KEYCLOAK_REALM: realm.name }

    const plain = await spawnKjitsi(['setup-mappers'], { env: { ...env, HTTP_PROXY: proxy.url } })
    expect(plain).toMatchObject({ exitCode: 0 })
    expect(proxy.seen.map(({ method }) => method)).toEqual(['POST', 'GET', 'POST', 'GET'])

    const tls = { ...env, KEYCLOAK_URL: overTls.url, HTTPS_PROXY: proxy.url }
    const tunnelled = await spawnKjitsi(['setup-mappers', '--ca-file', authority.caFile], { env: tls })
    expect(tunnelled, tunnelled.stderr).toMatchObject({ exitCode: 0 })
    const tunnels = proxy.seen.slice(4)
    expect(new Set(tunnels.map(({ method, path }) => `${method} ${path}`))).toEqual(
      new Set([`CONNECT ${new URL(overTls.url).host}`]),
    )

    for (const NO_PROXY of ['127.0.0.1', '*']) {
      expect(
        await spawnKjitsi(['setup-mappers'], { env: { ...env, HTTP_PROXY: proxy.url, NO_PROXY } }),
      ).toMatchObject({ exitCode: 0 })
    }
    expect(proxy.seen).toHaveLength(4 + tunnels.length)
  })

  test('a proxy that is down is named by its address', async () => {
    const env = { ...ADMIN_ENV, KEYCLOAK_REALM: 'master', HTTP_PROXY: 'http://127.0.0.1:9' }
    const ran = await spawnKjitsi(['setup-mappers'], { env })
    expect(ran).toMatchObject({ exitCode: 7, stdout: '' })
    expect(ran.stderr).toContain('connection refused (127.0.0.1 port 9)\n')
  })
})

test('secrets: neither password, nor secret, nor token is printed by a run that succeeds', async () => {
  await using realm = await realmWithClient()
  const id = await makeUser(realm)
  await realm.admin.users.resetPassword({
    id,
    credential: { type: 'password', value: SECRET, temporary: false },
  })
  await giveRole(realm, id, 'realm-management', 'manage-clients')
  await using proxy = await startProxy(keycloak.url)
  const at = { KEYCLOAK_URL: proxy.url, KEYCLOAK_REALM: realm.name }
  const byPassword = {
    ...at,
    KEYCLOAK_AUTH_REALM: realm.name,
    KEYCLOAK_USER: 'alice',
    KEYCLOAK_PASSWORD: SECRET,
  }
  const bySecret = { ...at, ...(await makeServiceAccount(realm, 'robot', ['manage-clients'], SECRET)) }
  for (const env of [byPassword, bySecret]) {
    for (const argv of [
      ['--verbose'],
      ['--verbose', '--json'],
      ['--verbose', '--dry-run', '--remove'],
      ['--remove', '--verbose'],
    ]) {
      const ran = await run(['setup-mappers', ...argv], { env })
      expect(ran.exitCode, ran.stderr).toBe(0)
      const tokens = proxy.seen.flatMap(({ authorization }) => authorization.split(' ').slice(1))
      expect(tokens.length).toBeGreaterThan(0)
      expectNoLeak(ran, SECRET, ...new Set(tokens))
    }
  }
  const token = proxy.seen.at(-1)?.authorization.replace('Bearer ', '') ?? ''
  const ran = await run(['setup-mappers', '--verbose'], { env: { ...at, KEYCLOAK_ACCESS_TOKEN: token } })
  expect(ran.exitCode, ran.stderr).toBe(0)
  expectNoLeak(ran, token)
})
