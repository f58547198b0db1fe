import { importSPKI, jwtVerify } from 'jose'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fileNameOf } from '../../src/certs/key.ts'
import { tempFolder } from '../support/folder.ts'
import { type Answered, ask } from '../support/key-server.ts'
import { startKjitsi, startServing } from '../support/running.ts'
import { addKey, changeKey, firstKey, kidOf } from '../support/realm-keys.ts'
import {
  ADMIN_ENV,
  type TestRealm,
  keycloak,
  makeClient,
  makeRealm,
  makeUser,
  tokensOf,
} from '../support/realm.ts'

// Neither is told who the administrator is: keys are public.
const ENV = { KEYCLOAK_URL: ADMIN_ENV.KEYCLOAK_URL }

async function realmWithUser(): Promise<TestRealm> {
  const realm = await makeRealm()
  await makeClient(realm)
  await makeUser(realm)
  return realm
}

const freshToken = async (realm: TestRealm): Promise<string> => (await tokensOf(realm)).accessToken

const askFor = (port: number, kid: string): Promise<Answered> => ask(port, `/certs/${fileNameOf(kid)}`)

/** Whether the token is one that was signed with the key in this PEM. */
async function verifies(token: string, pem: string): Promise<boolean> {
  return jwtVerify(token, await importSPKI(pem, 'RS256')).then(
    () => true,
    () => false,
  )
}

describe('served keys', () => {
  test('a rotation from its first day to its last, and nothing is restarted', async () => {
    await using realm = await realmWithUser()
    const argv = ['--realm', realm.name, '--refresh', '1s', '--cooldown', '0s', '--grace', '4s']
    const { port, said } = await startServing(argv, ENV)
    const oldToken = await freshToken(realm)
    const old = kidOf(oldToken)
    expect(await verifies(oldToken, (await askFor(port, old)).body)).toBe(true)

    await addKey(realm.admin)
    const newToken = await freshToken(realm)
    const fresh = kidOf(newToken)
    expect(fresh).not.toBe(old)
    const answered = await askFor(port, fresh)
    expect(answered.status).toBe(200)
    expect(await verifies(newToken, answered.body)).toBe(true)
    expect(await verifies(oldToken, answered.body)).toBe(false)

    const first = await firstKey(realm.admin)
    await changeKey(realm.admin, first, { active: 'false' })
    await askFor(port, 'unknown')
    expect((await askFor(port, old)).status).toBe(200)

    await changeKey(realm.admin, first, { enabled: 'false' })
    await said(`key ${old} has left, and is served for 4s more`)
    expect((await askFor(port, old)).status).toBe(200)
    await said(`key ${old} left realm ${realm.name} 4s ago and is no longer served`)
    expect((await askFor(port, old)).status).toBe(404)
    expect((await askFor(port, fresh)).status).toBe(200)

    await changeKey(realm.admin, first, { enabled: 'true' })
    expect((await askFor(port, old)).status).toBe(200)
  })

  test('a new key is there at the first question, however long the next refresh is away', async () => {
    await using realm = await realmWithUser()
    const { port, said } = await startServing(
      ['--realm', realm.name, '--refresh', '1h', '--cooldown', '0s'],
      ENV,
    )
    await said('is served as')
    await addKey(realm.admin)
    expect((await askFor(port, kidOf(await freshToken(realm)))).status).toBe(200)
  })

  test('keys that Jitsi cannot use are left out and named, and spoil nothing', async () => {
    await using realm = await realmWithUser()
    const token = await freshToken(realm)
    await addKey(realm.admin, { algorithm: 'PS256' })
    await addKey(realm.admin, { ecdsaEllipticCurveKey: 'P-256' }, 'ecdsa-generated')
    const { port, said, lines } = await startServing(['--realm', realm.name], ENV)
    await said('is left out: alg PS256: Jitsi takes RS256, RS384 and RS512 only')
    await said('is left out: kty EC (ES256): Jitsi takes RSA keys only')
    expect(await verifies(token, (await askFor(port, kidOf(token))).body)).toBe(true)
    for (const [, kid = ''] of lines.join('\n').matchAll(/key (\S+) is left out/g)) {
      expect((await askFor(port, kid)).status).toBe(404)
    }
  })

  test('two servers that share nothing answer alike', async () => {
    await using realm = await realmWithUser()
    const old = kidOf(await freshToken(realm))
    const argv = ['--realm', realm.name, '--refresh', '1h', '--cooldown', '0s']
    const servers = [await startServing(argv, ENV), await startServing(argv, ENV)]
    await addKey(realm.admin)
    const fresh = kidOf(await freshToken(realm))
    for (const kid of [fresh, old, 'unknown']) {
      const [one, other] = await Promise.all(servers.map(({ port }) => askFor(port, kid)))
      const timeless = { ...one?.headers, date: other?.headers.date }
      expect(other).toEqual({ ...one, headers: timeless })
      expect(one?.status).toBe(kid === 'unknown' ? 404 : 200)
    }
    const late = await startServing(argv, ENV)
    const { body, headers } = await askFor(late.port, fresh)
    expect([body, headers.etag]).toEqual([
      (await askFor(servers[0]?.port ?? 0, fresh)).body,
      (await askFor(servers[1]?.port ?? 0, fresh)).headers.etag,
    ])
  })

  test('a realm that is not there does not take the others down', async () => {
    await using realm = await realmWithUser()
    const kid = kidOf(await freshToken(realm))
    const { port, said } = await startServing(
      ['--realm', 'nowhere', '--realm', realm.name, '--ready', 'any'],
      ENV,
    )
    await said(
      `warning: realm nowhere has given no key yet, and is asked again: GET ${keycloak.url}/realms/nowhere/`,
    )
    // A realm that is named first has some seconds to answer before another's keys are taken.
    await expect.poll(async () => (await askFor(port, kid)).status, { timeout: 20_000 }).toBe(200)
    expect(JSON.parse((await ask(port, '/readyz')).body)).toMatchObject({
      ready: true,
      sources: [
        { source: 'realm nowhere', keys: 0, ageSeconds: null, failing: true },
        { source: `realm ${realm.name}`, keys: 1, failing: false },
      ],
    })
  })
})

describe('exported keys', () => {
  test('a rotation from its first day to its last, and nothing is restarted', async () => {
    await using realm = await realmWithUser()
    const dir = tempFolder()
    const argv = ['--realm', realm.name, '--watch', '--interval', '1s', '--prune', '--grace', '4s']
    const { said, end } = startKjitsi(['export-certs', dir, ...argv], ENV)
    const oldToken = await freshToken(realm)
    const old = fileNameOf(kidOf(oldToken))
    await said(`created ${join(dir, old)}`)
    expect(await verifies(oldToken, await readFile(join(dir, old), 'utf8'))).toBe(true)

    await addKey(realm.admin)
    await addKey(realm.admin, { algorithm: 'PS256' })
    const newToken = await freshToken(realm)
    const fresh = fileNameOf(kidOf(newToken))
    await said(`created ${join(dir, fresh)}`)
    expect(await verifies(newToken, await readFile(join(dir, fresh), 'utf8'))).toBe(true)
    await said('alg PS256')

    const first = await firstKey(realm.admin)
    await changeKey(realm.admin, first, { active: 'false' })
    await changeKey(realm.admin, first, { enabled: 'false' })
    await said('a key is removed when it has been gone for 4s')
    expect(await readdir(dir)).toContain(old)
    await said(`removed ${join(dir, old)}`)
    // Once nothing is being written any more.
    expect((await end('SIGTERM')).exitCode).toBe(0)
    expect((await readdir(dir)).sort()).toEqual(['.kjitsi.json', fresh].sort())
  })

  test('are served from their folder as they come', async () => {
    await using realm = await realmWithUser()
    const dir = tempFolder()
    const argv = ['--realm', realm.name, '--watch', '--interval', '1s']
    const exporting = startKjitsi(['export-certs', dir, ...argv], ENV)
    const { port, said } = await startServing(['--dir', dir, '--cooldown', '0s', '--refresh', '1h'])
    const old = kidOf(await freshToken(realm))
    await exporting.said(`created ${join(dir, fileNameOf(old))}`)
    expect((await askFor(port, old)).status).toBe(200)
    await addKey(realm.admin)
    const fresh = fileNameOf(kidOf(await freshToken(realm)))
    await exporting.said(`created ${join(dir, fresh)}`)
    expect((await ask(port, `/certs/${fresh}`)).status).toBe(200)
    await said(`key ${fresh} is served as ${fresh}`)
  })
})
