import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { fileNameOf } from '../../src/certs/key.ts'
import { ask } from '../support/key-server.ts'
import { startServing } from '../support/running.ts'
import { addKey, makeDoor } from '../support/realm-keys.ts'
import { keycloak, makeRealm } from '../support/realm.ts'

interface Ready {
  readonly ready: boolean
  readonly sources: readonly [{ readonly ageSeconds: number | null; readonly failing: boolean }]
}

async function readiness(port: number): Promise<Ready & { readonly status: number }> {
  const { status, body } = await ask(port, '/readyz')
  return { status, ...(JSON.parse(body) as Ready) }
}

/** The paths of a realm's usable keys, as Keycloak publishes them now. */
async function keysOf(url: string, realm: string): Promise<readonly string[]> {
  const response = await fetch(`${url}/realms/${realm}/protocol/openid-connect/certs`)
  const { keys } = (await response.json()) as { keys: readonly { kid: string; use: string }[] }
  return keys.filter(({ use }) => use === 'sig').map(({ kid }) => `/certs/${fileNameOf(kid)}`)
}

test('while Keycloak cannot be reached every key is served; afterwards new ones are, too', async () => {
  await using realm = await makeRealm()
  await using door = await makeDoor(keycloak.url)
  await addKey(realm.admin)
  const argv = ['--realm', realm.name, '--refresh', '1s', '--cooldown', '0s']
  const { port, said, lines } = await startServing(argv, { KEYCLOAK_URL: door.url })
  const paths = await keysOf(keycloak.url, realm.name)
  expect(paths).toHaveLength(2)
  for (const path of paths) expect((await ask(port, path)).status).toBe(200)

  await door.shut()
  await said('what it gave last stays (2 keys)')
  await expect
    .poll(async () => (await readiness(port)).sources[0].ageSeconds, { timeout: 10_000 })
    .toBeGreaterThan(2)
  for (const path of paths) expect((await ask(port, path)).status).toBe(200)
  expect(await readiness(port)).toMatchObject({ status: 200, ready: true, sources: [{ failing: true }] })
  expect((await ask(port, '/certs/unknown')).status).toBe(404)
  expect((await ask(port, '/metrics')).body).toMatch(
    /kjitsi_refresh_failures_total\{source="realm .*"\} [1-9]/,
  )
  expect(lines.filter((line) => line.startsWith('warning:'))).toHaveLength(1)

  await addKey(realm.admin, { priority: '300' })
  await door.open()
  await said('answers again')
  const all = await keysOf(keycloak.url, realm.name)
  expect(all).toHaveLength(3)
  for (const path of all) expect((await ask(port, path)).status).toBe(200)
})

test('a server that starts before Keycloak is not ready, until Keycloak is', async () => {
  await using realm = await makeRealm()
  await using door = await makeDoor(keycloak.url)
  await door.shut()
  const { port, said } = await startServing(['--realm', realm.name], { KEYCLOAK_URL: door.url })
  await said('has given no key yet')
  expect((await ask(port, '/healthz')).status).toBe(200)
  expect((await readiness(port)).status).toBe(503)
  await door.open()
  await expect.poll(async () => (await readiness(port)).status, { timeout: 20_000 }).toBe(200)
  for (const path of await keysOf(keycloak.url, realm.name)) expect((await ask(port, path)).status).toBe(200)
})

test('a flood of questions for keys that are not there costs Keycloak one request in a cooldown', async () => {
  await using realm = await makeRealm()
  await using door = await makeDoor(keycloak.url)
  const argv = ['--realm', realm.name, '--cooldown', '2s', '--refresh', '1h']
  const { port, said } = await startServing(argv, { KEYCLOAK_URL: door.url })
  await said('is served as')
  const certs = `/realms/${realm.name}/protocol/openid-connect/certs`
  const before = door.seen.length
  expect(door.seen).toEqual([`/realms/${realm.name}/.well-known/openid-configuration`, certs])

  const began = performance.now()
  const flood = async (): Promise<void> => {
    const paths = Array.from({ length: 100 }, () => `/certs/${randomBytes(32).toString('hex')}.pem`)
    const answers = await Promise.all(paths.map((path) => ask(port, path)))
    expect(answers.every(({ status }) => status === 404)).toBe(true)
  }
  while (door.seen.length < before + 2) await flood()
  const seconds = (performance.now() - began) / 1000
  expect(door.seen.slice(before)).toEqual([certs, certs])
  expect(seconds).toBeGreaterThan(1.9)
})
