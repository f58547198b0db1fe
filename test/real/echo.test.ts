// Servers and proxies that repeat what they were sent, in an error.
import { expect, test } from 'vitest'
import { run } from '../support/run.ts'
import { startProxy } from '../support/proxy.ts'
import { keycloak, makeClient, makeServiceAccount, fileRealm } from '../support/realm.ts'

const SECRET = 'hunter2/s?cret+w rd'

function formsOf(secret: string): readonly string[] {
  const base64 = Buffer.from(secret).toString('base64')
  const form = new URLSearchParams([['', secret]]).toString().slice(1)
  return [secret, encodeURIComponent(secret), form, base64.replace(/=+$/, '')]
}

test.each(['the token request', 'a request of the admin API'])(
  'the secret of a login and its token, repeated in the answer to %s, are shown in no form',
  async (where) => {
    await using realm = await fileRealm()
    await makeClient(realm)
    const account = await makeServiceAccount(realm, 'robot', ['manage-clients'], SECRET)
    const atLogin = where === 'the token request'
    await using proxy = await startProxy(keycloak.url, {
      fault: ({ path, authorization, body }) => {
        if (path.endsWith('/token') !== atLogin || !(atLogin || path.startsWith('/admin'))) return undefined
        const credentials = authorization.split(' ')[1] ?? ''
        const said = `you sent ${authorization}, ${body}, ${Buffer.from(credentials, 'base64').toString()}, ${SECRET}`
        return {
          status: 400,
          json: { error: 'invalid_request', error_description: said, errorMessage: said },
        }
      },
    })
    const env = { KEYCLOAK_URL: proxy.url, KEYCLOAK_REALM: realm.name, ...account }
    for (const form of [[], ['--json'], ['--verbose'], ['--verbose', '--json'], ['--dry-run']]) {
      const ran = await run(['setup-mappers', ...form], { env })
      expect(ran.exitCode).not.toBe(0)
      expect(ran.stdout + ran.stderr).toContain('you sent')
      expect(ran.stdout + ran.stderr).toContain('(masked)')
      const sent = proxy.seen.flatMap(({ authorization }) => authorization.split(' ').slice(1))
      expect(sent.length).toBeGreaterThan(0)
      for (const hidden of [...formsOf(SECRET), ...new Set(sent)])
        expect(ran.stdout + ran.stderr).not.toContain(hidden)
    }
  },
)

test('a secret that is a word is told neither by what repeats it nor by our own sentences', async () => {
  await using realm = await fileRealm()
  const account = await makeServiceAccount(realm, 'robot', [], 'realm')
  await using proxy = await startProxy(keycloak.url, {
    fault: ({ path, body }) =>
      path.endsWith('/token')
        ? { status: 400, json: { error: 'invalid_request', error_description: `you sent realm, ${body}` } }
        : undefined,
  })
  const env = { KEYCLOAK_URL: proxy.url, KEYCLOAK_REALM: realm.name, ...account }
  for (const form of [[], ['--json'], ['--verbose']]) {
    const { stdout, stderr } = await run(['setup-mappers', ...form], { env })
    expect(stdout + stderr).toContain(
      `Keycloak refused the login of the service account of client robot in realm ${realm.name}: (masked) (status 400)`,
    )
    expect(stdout + stderr).not.toContain('you sent')
  }
})

test('what a server repeats among its data is printed neither for people nor as JSON', async () => {
  await using realm = await fileRealm()
  const account = await makeServiceAccount(realm, 'robot', ['manage-clients'], SECRET)
  await using proxy = await startProxy(keycloak.url, {
    fault: ({ path, authorization }) =>
      path.endsWith('/roles') ? { json: [{ name: `${SECRET} ${authorization}` }] } : undefined,
  })
  const env = { KEYCLOAK_URL: proxy.url, KEYCLOAK_REALM: realm.name, ...account }
  const argv = ['setup-client', '--jitsi-url', 'https://meet.example.org']
  expect(await run(argv, { env })).toMatchObject({ exitCode: 0 })
  for (const form of [[], ['--json']]) {
    const { exitCode, stdout } = await run([...argv, '--remove', ...form], { env })
    expect(exitCode).toBe(0)
    expect(stdout).toContain('people may hold its roles: delete (masked) Bearer (masked) first')
    for (const hidden of formsOf(SECRET)) expect(stdout).not.toContain(hidden)
  }
})
