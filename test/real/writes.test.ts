import { expect, test } from 'vitest'
import { run } from '../support/run.ts'
import { type Fault, startProxy } from '../support/proxy.ts'
import { ADMIN_ENV, keycloak, makeClient, fileRealm } from '../support/realm.ts'

const CLIENT = ['setup-client', '--jitsi-url', 'https://meet.example.org', '--moderators', 'role:owner']

/** Each kind of write: what brings it about, on what is there. */
const WRITES: readonly (readonly [
  what: string,
  there: readonly (readonly string[])[],
  argv: readonly string[],
  request: RegExp,
  perhaps: string,
])[] = [
  ['create a client', [], CLIENT, /^POST .*\/clients\/?$/, 'create client jitsi, create audience-jitsi'],
  ['create a role', [], CLIENT, /^POST .*\/roles\/?$/, 'create role owner'],
  [
    'change a client',
    [CLIENT],
    [...CLIENT, '--token-lifespan', '1h'],
    /^PUT .*\/clients\/[^/]+$/,
    'update client jitsi',
  ],
  [
    'remove a client',
    [CLIENT.slice(0, 3)],
    [...CLIENT.slice(0, 3), '--remove'],
    /^DELETE /,
    'remove client jitsi',
  ],
  ['create mappers', [CLIENT], ['setup-mappers', '--nbf'], /^POST .*\/add-models$/, 'create nbf'],
  ['change a mapper', [CLIENT], ['setup-mappers', '--room', 'x'], /^PUT .*\/models\//, 'update room'],
  ['remove a mapper', [CLIENT], ['setup-mappers', '--remove'], /^DELETE .*\/models\//, 'remove room'],
]

const ANSWERS: readonly (readonly [answer: string, fault: Fault, said: string])[] = [
  ['a page', { page: 'log in first' }, "status 200 and text/html, not a Keycloak's answer"],
  ['nothing, with 200', { status: 200 }, "status 200 and something, not a Keycloak's answer"],
  ['nothing, with 202', { status: 202 }, "status 202 and something, not a Keycloak's answer"],
]

test.each(WRITES.flatMap((write) => ANSWERS.map((answer) => [...write, ...answer] as const)))(
  "%s: the answer is not Keycloak's",
  async (_, there, argv, request, perhaps, _answer, fault, said) => {
    await using realm = await fileRealm()
    const env = { ...ADMIN_ENV, KEYCLOAK_REALM: realm.name }
    for (const before of there) expect(await run(before, { env })).toMatchObject({ exitCode: 0 })
    await using proxy = await startProxy(keycloak.url, {
      fault: ({ method, path }) => (request.test(`${method} ${path}`) ? fault : undefined),
    })
    const ran = await run(argv, { env: { ...env, KEYCLOAK_URL: proxy.url } })
    expect(ran).toMatchObject({ exitCode: 7, stdout: '' })
    expect(ran.stderr).toContain(said)
    expect(ran.stderr).toContain(`perhaps done: ${perhaps}`)
  },
)

test('the real Keycloak answers each of them with 201 or 204', async () => {
  await using realm = await fileRealm()
  await makeClient(realm, 'theirs')
  const env = { ...ADMIN_ENV, KEYCLOAK_REALM: realm.name }
  for (const argv of [
    CLIENT,
    [...CLIENT, '--token-lifespan', '1h'],
    ['setup-mappers', '--nbf', '--room', 'x'],
    ['setup-mappers', '--remove', '--nbf'],
    ['setup-mappers', '--client', 'theirs'],
  ]) {
    const ran = await run(argv, { env })
    expect(ran.exitCode, ran.stderr).toBe(0)
  }
})
