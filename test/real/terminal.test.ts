import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { tempFolder } from '../support/folder.ts'
import { CTRL_C, ENTER, type Terminal, openTerminal } from '../support/terminal.ts'
import { startProxy } from '../support/proxy.ts'
import { keycloak, makeClient, makeServiceAccount, fileRealm } from '../support/realm.ts'

async function answer(terminal: Terminal, question: string, ...answers: readonly string[]): Promise<void> {
  await terminal.shows(question)
  for (const text of answers) terminal.type(text)
  terminal.type(ENTER)
}

test('what is missing is asked one at a time, each answer is checked, and stdout has the result alone', async () => {
  await using realm = await fileRealm()
  await makeClient(realm)
  const cwd = tempFolder()
  const stdout = join(cwd, 'stdout')
  const terminal = openTerminal(['setup-mappers', '--json', '--verbose'], { cwd, stdoutTo: stdout })

  await answer(terminal, 'Address of Keycloak:')
  await terminal.shows('An answer is needed.')
  await answer(terminal, 'Address of Keycloak:', 'keycloak')
  await terminal.shows('This has no scheme: write https://, or http:// where it has no TLS, before it.')
  // Backspaces and then another.
  await answer(terminal, 'Address of Keycloak:', '\u007f'.repeat(8), `${keycloak.url}/auth`)
  await terminal.shows(`this Keycloak is at ${keycloak.url}`)
  await answer(terminal, 'Address of Keycloak:', '\u007f'.repeat(5))
  await answer(terminal, 'Realm:', `${realm.name}x`)
  await terminal.shows(`there is no realm ${realm.name}x on ${keycloak.url}`)
  await answer(terminal, 'Realm:', '\u007f')
  await answer(terminal, 'Log in as administrator:', 'admn')
  await answer(terminal, 'Password:', keycloak.password)
  await terminal.shows('Keycloak refused the login of user admn in realm master')
  await answer(terminal, 'Log in as administrator:', keycloak.user)
  await answer(terminal, 'Password:', keycloak.password)

  expect(await terminal.exitCode, terminal.screen()).toBe(0)
  const document = JSON.parse(await readFile(stdout, 'utf8')) as object
  expect(document).toMatchObject({ kind: 'mappers', realms: [{ realm: realm.name, changes: 'made' }] })
  const [, afterQuestion = ''] = terminal.screen().split('Password:')
  expect(afterQuestion.slice(0, afterQuestion.indexOf('POST'))).not.toContain(keycloak.password)
})

test('the missing half of a login is asked for until it is right, and what is typed is a secret', async () => {
  await using realm = await fileRealm()
  await makeClient(realm)
  const secret = 'typed by hand'
  const { KEYCLOAK_CLIENT_ID } = await makeServiceAccount(realm, 'robot', ['manage-clients'], secret)
  await using proxy = await startProxy(keycloak.url, {
    // Repeats what it was told, as no server should.
    fault: ({ path, authorization }) =>
      path.includes('/clients')
        ? undefined
        : path.endsWith('/token') &&
            Buffer.from(authorization.slice(6), 'base64').toString().includes('wrong')
          ? { status: 400, json: { error: 'invalid_client', error_description: 'not wrong by hand' } }
          : undefined,
  })
  const env = { KEYCLOAK_URL: proxy.url, KEYCLOAK_REALM: realm.name, KEYCLOAK_CLIENT_ID }
  const terminal = openTerminal(['setup-mappers', '--verbose'], { env, cwd: tempFolder() })
  await answer(terminal, 'Secret of that client:', 'wrong by hand')
  await terminal.shows('not (masked) (status 400)')
  await terminal.shows('correct KEYCLOAK_CLIENT_ID and KEYCLOAK_CLIENT_SECRET')
  await answer(terminal, 'Secret of that client:', secret)
  expect(await terminal.exitCode, terminal.screen()).toBe(0)
  expect(terminal.screen()).not.toContain('by hand')
})

test('an address is checked as it will be used, and Ctrl-C at a question ends it with 130', async () => {
  const terminal = openTerminal(['setup-mappers'], { cwd: tempFolder() })
  await answer(terminal, 'Address of Keycloak:', `${keycloak.url}/realms/wrong/account/#/`)
  await terminal.shows(
    `note: the address of Keycloak is ${keycloak.url}; /realms/wrong/account/ is not part of it`,
  )
  await terminal.shows('Realm:')
  terminal.type(CTRL_C)
  expect(await terminal.exitCode).toBe(130)
  expect(terminal.screen()).toContain('error: interrupted while asking')
})

test('Ctrl-C while a server is silent ends it with 130 at once', async () => {
  await using proxy = await startProxy(keycloak.url, { fault: () => 'silence' })
  const env = { KEYCLOAK_URL: proxy.url, KEYCLOAK_REALM: 'x', KEYCLOAK_USER: 'x', KEYCLOAK_PASSWORD: 'x' }
  const terminal = openTerminal(['setup-mappers', '--timeout', '1h'], { env, cwd: tempFolder() })
  await expect.poll(() => proxy.seen.length).toBe(1)
  terminal.type(CTRL_C)
  expect(await terminal.exitCode).toBe(130)
  expect(terminal.screen()).toContain('error: interrupted')
})

test.each([
  [['--no-input'], {}],
  [[], { CI: '1' }],
])('nothing is asked with %j and the environment %j', async (argv, env) => {
  const terminal = openTerminal(['setup-mappers', ...argv], { env, cwd: tempFolder() })
  expect(await terminal.exitCode).toBe(2)
  expect(terminal.screen()).toContain('error: 3 settings are missing:')
})

test('while a server is silent, the last line says for whom and how long', async () => {
  await using proxy = await startProxy(keycloak.url, { fault: () => 'silence' })
  const env = { KEYCLOAK_URL: proxy.url, KEYCLOAK_REALM: 'x', KEYCLOAK_USER: 'x', KEYCLOAK_PASSWORD: 'x' }
  const argv = ['setup-mappers', '--timeout', '1h']
  const waits = openTerminal(argv, { env, cwd: tempFolder() })
  await waits.shows(`waiting for ${new URL(proxy.url).host} (`)
  waits.type(CTRL_C)
  expect(await waits.exitCode).toBe(130)
})
