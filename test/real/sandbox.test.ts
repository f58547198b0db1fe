// The sandbox itself: that it serves, ends, and finds its data again. Needs Java or docker even where
// KJITSI_TEST_KEYCLOAK_URL names a server for all other tests.
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { fileNameOf } from '../../src/certs/key.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/keycloak.ts'
import { tempFolder } from '../support/folder.ts'
import { ask } from '../support/key-server.ts'
import { startServing } from '../support/running.ts'

const TIMEOUT = 300_000

test(
  'serves until it is stopped, and with its data again when it is started anew; its keys are served by serve-certs all the while',
  async () => {
    const dataDir = tempFolder()
    const options = { dataDir, password: 'of the first start' }
    const first = await startSandbox(options)
    onTestFinished(first.stop)
    expect(first.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(await loginStatus(first)).toBe(200)
    const keys = await keysOf(first)
    const argv = ['--realm', 'master', '--refresh', '1s', '--cooldown', '0s']
    const serving = await startServing(argv, { KEYCLOAK_URL: first.url })
    const path = `/certs/${fileNameOf(keys.find(({ use }) => use === 'sig')?.kid ?? '')}`
    expect((await ask(serving.port, path)).status).toBe(200)

    await first.stop()
    await expect(fetch(first.url)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } })
    await serving.said('stays (1 key)')
    expect((await ask(serving.port, path)).status).toBe(200)
    expect((await ask(serving.port, '/readyz')).status).toBe(200)

    const port = Number(new URL(first.url).port)
    const again = await startSandbox({ ...options, port })
    onTestFinished(again.stop)
    expect(again.url).toBe(first.url)
    expect(await loginStatus(again)).toBe(200)
    expect(await keysOf(again)).toEqual(keys)
    await serving.said('answers again')
    expect((await ask(serving.port, path)).status).toBe(200)
    const { status, body } = await ask(serving.port, '/readyz')
    expect({ status, ...(JSON.parse(body) as object) }).toMatchObject({
      status: 200,
      sources: [{ failing: false }],
    })
    await expect(startSandbox({ port })).rejects.toMatchObject({
      code: 'server',
      message: expect.stringContaining(`no Keycloak can be started on port ${port}`) as string,
    })
    await again.stop()
    expect(await readdir(dataDir)).toContain('h2')
  },
  TIMEOUT,
)

test(
  'says why Keycloak did not start, and leaves nothing',
  async () => {
    const base = tempFolder()
    vi.stubEnv('TMPDIR', join(base, 'temporary'))
    onTestFinished(() => void vi.unstubAllEnvs())
    await mkdir(tmpdir())
    await mkdir(join(base, 'h2'))
    await writeFile(join(base, 'h2/keycloakdb.mv.db'), 'no database')
    await expect(startSandbox({ dataDir: base })).rejects.toMatchObject({
      code: 'server',
      message: expect.stringMatching(/ended before it was ready; its last lines:\n.*keycloakdb/s) as string,
    })
    expect(await readdir(tmpdir())).toEqual([])
  },
  TIMEOUT,
)

async function loginStatus({ url, user, password }: Sandbox): Promise<number> {
  const form = { grant_type: 'password', client_id: 'admin-cli', username: user, password }
  const address = `${url}/realms/master/protocol/openid-connect/token`
  const response = await fetch(address, { method: 'POST', body: new URLSearchParams(form) })
  return response.status
}

interface PublishedKey {
  readonly kid: string
  readonly use: string
}

async function keysOf({ url }: Sandbox): Promise<readonly PublishedKey[]> {
  const response = await fetch(`${url}/realms/master/protocol/openid-connect/certs`)
  const { keys } = (await response.json()) as { keys: readonly PublishedKey[] }
  return keys.toSorted((a, b) => (a.kid < b.kid ? -1 : 1))
}
