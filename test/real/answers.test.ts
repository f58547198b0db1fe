// What kjitsi makes of answers of the admin API that are too long, and of each status that refuses or fails.
import { expect, test } from 'vitest'
import { run } from '../support/run.ts'
import { type Fault, type Seen, startProxy } from '../support/proxy.ts'
import { ADMIN_ENV, keycloak, makeClient, fileRealm } from '../support/realm.ts'

const SETUP = ['setup-client', '--jitsi-url', 'https://meet.example.org', '--moderators', 'role:owner']
const isFind = ({ method, path }: Seen): boolean => method === 'GET' && path.includes('/clients/?')
const isToken = ({ path }: Seen): boolean => path.endsWith('/token')

test.each<[what: string, realm: string, which: (one: Seen) => boolean, asked: string, why: string]>([
  ['the client', '', isFind, 'GET URL/admin/realms/REALM/clients/?clientId=(masked)', 'the answer'],
  [
    'an error',
    'nowhere',
    isFind,
    'GET URL/admin/realms/REALM/clients/?clientId=(masked)',
    'status 404, and the answer',
  ],
  [
    'what a write answers',
    '',
    ({ method, path }) => method === 'POST' && path.endsWith('/clients/'),
    'POST URL/admin/realms/REALM/clients/',
    'the answer',
  ],
])('%s with 60 MB is not read whole', async (_, nowhere, which, asked, why) => {
  await using realm = await fileRealm()
  await using proxy = await startProxy(keycloak.url, {
    fault: (one) => (which(one) ? { padded: 60_000_000 } : undefined),
  })
  const name = nowhere || realm.name
  const ran = await run(SETUP, { env: { ...ADMIN_ENV, KEYCLOAK_URL: proxy.url, KEYCLOAK_REALM: name } })
  expect(ran).toMatchObject({ exitCode: 7, stdout: '' })
  const subject = asked.replace('URL', proxy.url).replace('REALM', name)
  expect(ran.stderr).toContain(`error: ${subject}: ${why} is longer than 10000000 bytes`)
  expect(ran.stderr).toContain('\n  → no more of it was read')
})

test('nine million bytes are no failure', async () => {
  await using realm = await fileRealm()
  await makeClient(realm)
  await using proxy = await startProxy(keycloak.url, {
    fault: (one) => (isFind(one) ? { padded: 9_000_000 } : undefined),
  })
  const env = { ...ADMIN_ENV, KEYCLOAK_URL: proxy.url, KEYCLOAK_REALM: realm.name }
  expect(await run(['setup-mappers', '--dry-run'], { env })).toMatchObject({ exitCode: 0 })
})

const JSON_ERROR = { error: 'why' }

test.each<[status: number, json: unknown, exitCode: number, said: string, hint: string]>([
  [400, { errorMessage: 'bad URI' }, 2, 'Keycloak refused a value: bad URI', 'correct the setting'],
  [400, undefined, 2, 'Keycloak refused a value: status 400', 'correct the setting'],
  [422, { errorMessage: 'bad URI' }, 2, 'Keycloak refused a value: bad URI', 'correct the setting'],
  [422, undefined, 2, 'Keycloak refused a value: status 422', 'correct the setting'],
  [405, JSON_ERROR, 7, 'status 405', 'is the address right? '],
  [407, JSON_ERROR, 7, 'status 407', 'set HTTP_PROXY to http://USER:PASSWORD@HOST:PORT'],
  [418, JSON_ERROR, 7, 'status 418', 'is the address right? '],
  [429, JSON_ERROR, 7, 'status 429', 'the number of requests is limited: try again later; --wait 60s'],
  [500, JSON_ERROR, 7, 'status 500', 'the server failed: look at its log'],
  [503, JSON_ERROR, 7, 'status 503', 'the server failed, or is not up: look at its log; --wait 60s'],
])('the admin API answers with %i and %j', async (status, json, exitCode, said, hint) => {
  await using realm = await fileRealm()
  await makeClient(realm)
  const fault: Fault = json === undefined ? { status } : { status, json }
  const env = { ...ADMIN_ENV, KEYCLOAK_REALM: realm.name }
  for (const isIt of [isFind, ({ method }: Seen) => method === 'POST']) {
    await using proxy = await startProxy(keycloak.url, {
      fault: (one) => (isIt(one) && !isToken(one) ? fault : undefined),
    })
    const ran = await run(['setup-mappers'], { env: { ...env, KEYCLOAK_URL: proxy.url } })
    expect(ran).toMatchObject({ exitCode, stdout: '' })
    expect(ran.stderr).toMatch(
      new RegExp(`^error: (GET|POST) ${proxy.url}/admin/realms/${realm.name}/clients/`, 'm'),
    )
    expect(ran.stderr).toContain(`: ${said}`)
    expect(ran.stderr).toContain(`\n  → ${hint}`)
  }
})

test('--verbose tells each request, tried again or not', async () => {
  await using realm = await fileRealm()
  await makeClient(realm)
  await using proxy = await startProxy(keycloak.url, {
    fault: (one, nth) => (isFind(one) && nth === 0 ? { status: 502 } : undefined),
  })
  const env = { ...ADMIN_ENV, KEYCLOAK_URL: proxy.url, KEYCLOAK_REALM: realm.name }
  const { exitCode, stderr } = await run(['setup-mappers', '--verbose'], { env })
  expect(exitCode).toBe(0)
  const admin = `${proxy.url}/admin/realms/${realm.name}/clients`
  const lines = stderr.split('\n').filter((line) => / \(\d+ ms\)$/.test(line))
  expect(
    lines.map((line) => line.replace(/\d+ ms/, 'N ms').replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, 'UUID')),
  ).toEqual([
    `POST ${proxy.url}/realms/master/protocol/openid-connect/token → 200 (N ms)`,
    `GET ${admin}/?clientId=(masked) → 502 (N ms)`,
    `GET ${admin}/?clientId=(masked) → 200 (N ms)`,
    `POST ${admin}/UUID/protocol-mappers/add-models → 204 (N ms)`,
    `GET ${admin}/?clientId=(masked) → 200 (N ms)`,
  ])
})
