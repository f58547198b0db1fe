import { expect, test } from 'vitest'
import { CLIENT, MAPPERS, type Raced, race } from '../support/race.ts'
import { run } from '../support/run.ts'
import { startProxy } from '../support/proxy.ts'
import { ADMIN_ENV, type TestRealm, clientOf, keycloak, makeClient, fileRealm } from '../support/realm.ts'

const ROUNDS = 20

function expectWhole({ both, mappers, roles, checked }: Raced): void {
  for (const { exitCode, stderr } of both) {
    // Who came too late twice is told to run again.
    if (exitCode !== 0) expect([exitCode, stderr]).toEqual([1, expect.stringContaining('run again')])
  }
  expect(both.map(({ exitCode }) => exitCode)).toContain(0)
  expect(mappers).toEqual([...new Set(mappers)])
  expect(roles).toEqual(['owner'])
  expect(checked.exitCode, checked.stdout + checked.stderr).toBe(0)
}

test(`setup-mappers twice at once, ${ROUNDS} times: no mapper twice, none lost`, async () => {
  await using realm = await fileRealm()
  for (let i = 0; i < ROUNDS; i++) {
    await makeClient(realm, `jitsi-${i}`)
    const raced = await race(realm.admin, `jitsi-${i}`, MAPPERS)
    expectWhole(raced)
    expect(raced.mappers).toHaveLength(7)
  }
})

test(`setup-client twice at once, ${ROUNDS} times: one client, with its role and mappers`, async () => {
  await using realm = await fileRealm()
  for (let i = 0; i < ROUNDS; i++) {
    const raced = await race(realm.admin, `jitsi-${i}`, CLIENT)
    expectWhole(raced)
    expect(raced.mappers).toHaveLength(4)
  }
})

const BNF = {
  name: 'bnf',
  protocol: 'openid-connect',
  protocolMapper: 'oidc-hardcoded-claim-mapper',
  config: {
    'claim.name': 'bnf',
    'claim.value': '0',
    'jsonType.label': 'int',
    'access.token.claim': 'true',
    'id.token.claim': 'true',
    'userinfo.token.claim': 'true',
    'introspection.token.claim': 'true',
  },
}

async function mappersOf(realm: TestRealm): Promise<readonly { id: string; name: string }[]> {
  const { protocolMappers = [] } = await clientOf(realm, 'jitsi')
  return protocolMappers.map(({ id = '', name = '' }) => ({ id, name }))
}

/** Loses Keycloak's own race until the mapper is there twice, as two runs at once could leave it. */
async function doubled(realm: TestRealm, id: string): Promise<readonly { id: string; name: string }[]> {
  for (;;) {
    await Promise.allSettled(
      Array.from({ length: 8 }, () => realm.admin.clients.addProtocolMapper({ id }, BNF)),
    )
    const there = await mappersOf(realm)
    // More than one of them may have won.
    for (const { id: mapperId } of there.slice(2))
      await realm.admin.clients.delProtocolMapper({ id, mapperId })
    if (there.length > 1) return there.slice(0, 2)
    for (const mapper of there) await realm.admin.clients.delProtocolMapper({ id, mapperId: mapper.id })
  }
}

test('an installation that is doubled already is mended by a run, which says it', async () => {
  await using realm = await fileRealm()
  const id = await makeClient(realm)
  const there = await doubled(realm, id)
  const env = { ...ADMIN_ENV, KEYCLOAK_REALM: realm.name }
  const dry = await run(['setup-mappers', '--check'], { env })
  expect(dry.exitCode).toBe(3)
  expect(dry.stderr).toContain('it differs from what these options set: create room; remove bnf\n')
  expect(dry.stdout).toContain('  remove  bnf   a duplicate, equal in all\n')
  expect(await mappersOf(realm)).toHaveLength(there.length)

  const ran = await run(['setup-mappers'], { env })
  expect(ran.exitCode, ran.stderr).toBe(0)
  expect(ran.stdout).toContain('  removed  bnf   a duplicate, equal in all\n')
  const left = await mappersOf(realm)
  expect(left.map(({ name }) => name).sort()).toEqual(['bnf', 'room'])
  expect(left.find(({ name }) => name === 'bnf')?.id).toBe(there.map((one) => one.id).sort()[0])
  expect(await run(['setup-mappers', '--check'], { env })).toMatchObject({ exitCode: 0 })
})

test('a duplicate that the other run has removed meanwhile is gone, and that is no failure', async () => {
  await using realm = await fileRealm()
  const id = await makeClient(realm)
  await doubled(realm, id)
  await using proxy = await startProxy(keycloak.url, {
    async fault({ method, path }, nth) {
      const mapperId = path.split('/').at(-1) ?? ''
      if (method === 'DELETE' && nth === 0) await realm.admin.clients.delProtocolMapper({ id, mapperId })
      return undefined
    },
  })
  const env = { ...ADMIN_ENV, KEYCLOAK_URL: proxy.url, KEYCLOAK_REALM: realm.name }
  const ran = await run(['setup-mappers'], { env })
  expect(ran.exitCode, ran.stderr).toBe(0)
  expect((await mappersOf(realm)).map(({ name }) => name).sort()).toEqual(['bnf', 'room'])
})
