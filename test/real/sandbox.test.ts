// The sandbox itself: that it serves, ends, and finds its data again. Needs Java or docker even where
// KJITSI_TEST_KEYCLOAK_URL names a server for all other tests.
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { type Sandbox, startSandbox } from '../../src/sandbox/keycloak.ts'
import { tempFolder } from '../support/folder.ts'
import { canStartKeycloak } from '../support/own-keycloak.ts'

const TIMEOUT = 300_000

describe.skipIf(!(await canStartKeycloak()))('the sandbox', () => {
  test(
    'serves until it is stopped, and with its data again when it is started anew',
    async () => {
      const dataDir = tempFolder()
      const options = { dataDir, password: 'of the first start' }
      const first = await startSandbox(options)
      try {
        expect(first.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
        expect(await loginStatus(first)).toBe(200)
        const before = await keyIds(first)
        await first.stop()
        await expect(fetch(first.url)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } })

        const port = Number(new URL(first.url).port)
        const again = await startSandbox({ ...options, port })
        try {
          expect(again.url).toBe(first.url)
          expect(await loginStatus(again)).toBe(200)
          expect(await keyIds(again)).toEqual(before)
          await expect(startSandbox({ port })).rejects.toMatchObject({
            code: 'server',
            message: expect.stringContaining(`no Keycloak can be started on port ${port}`) as string,
          })
        } finally {
          await again.stop()
        }
        expect(await readdir(dataDir)).toContain('h2')
      } finally {
        await first.stop()
        await rm(dataDir, { recursive: true })
      }
    },
    TIMEOUT,
  )

  test(
    'says why Keycloak did not start, and leaves nothing',
    async () => {
      const base = tempFolder()
      vi.stubEnv('TMPDIR', join(base, 'temporary'))
      await mkdir(tmpdir())
      await mkdir(join(base, 'h2'))
      await writeFile(join(base, 'h2/keycloakdb.mv.db'), 'no database')
      await expect(startSandbox({ dataDir: base })).rejects.toMatchObject({
        code: 'server',
        message: expect.stringMatching(/ended before it was ready; its last lines:\n.*keycloakdb/s) as string,
      })
      expect(await readdir(tmpdir())).toEqual([])
      vi.unstubAllEnvs()
      await rm(base, { recursive: true })
    },
    TIMEOUT,
  )
})

async function loginStatus({ url, user, password }: Sandbox): Promise<number> {
  const form = { grant_type: 'password', client_id: 'admin-cli', username: user, password }
  const address = `${url}/realms/master/protocol/openid-connect/token`
  const response = await fetch(address, { method: 'POST', body: new URLSearchParams(form) })
  return response.status
}

async function keyIds({ url }: Sandbox): Promise<readonly string[]> {
  const response = await fetch(`${url}/realms/master/protocol/openid-connect/certs`)
  const { keys } = (await response.json()) as { keys: readonly { kid: string }[] }
  return keys.map(({ kid }) => kid).sort()
}
