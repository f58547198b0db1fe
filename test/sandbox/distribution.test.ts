// That only a whole distribution is ever used, whoever fetches it, and however the fetching ends. A script
// stands in for Maven.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, expect, test, vi } from 'vitest'
import { distributionFolder, fetchDistribution } from '../../src/sandbox/distribution.ts'
import { tempFolder } from '../support/folder.ts'

/** Says that it has begun by a file of its own, and waits for a file `go` before it does its work. */
const BEGIN = ': >"$TEST_BASE/begun.$$"; until [ -e "$TEST_BASE/go" ]; do sleep 0.05; done'
const HALF = 'mkdir -p unpacked/keycloak-26.7.3/lib; echo half >unpacked/keycloak-26.7.3/lib/half.jar'
const WHOLE = `${HALF}; mkdir unpacked/keycloak-26.7.3/bin; : >unpacked/keycloak-26.7.3/bin/kc.sh
echo "$$" >unpacked/keycloak-26.7.3/by
echo "Keycloak - Version 26.7.3" >unpacked/keycloak-26.7.3/version.txt`

let base: string
let folder: string
let env: Record<string, string>

beforeEach(async () => {
  base = tempFolder()
  await mkdir(join(base, 'bin'))
  env = { PATH: `${join(base, 'bin')}:/usr/bin:/bin`, TEST_BASE: base, XDG_CACHE_HOME: join(base, 'cache') }
  folder = distributionFolder(env)
})

async function maven(script: string): Promise<void> {
  await writeFile(join(base, 'bin/mvn'), `#!/bin/sh\n${script}\n`)
  await chmod(join(base, 'bin/mvn'), 0o755)
}

const go = (): Promise<void> => writeFile(join(base, 'go'), '')
const cached = (): Promise<string[]> => readdir(join(base, 'cache/kjitsi'))
const fetchIt = (signal = new AbortController().signal): Promise<void> =>
  fetchDistribution(folder, env, signal)

async function untilBegun(count: number): Promise<void> {
  await vi.waitUntil(
    async () => (await readdir(base)).filter((name) => name.startsWith('begun.')).length === count,
    {
      timeout: 10_000,
    },
  )
}

test.each([
  ['/somewhere', '/home/ann', '/somewhere/kjitsi/keycloak-26.7.3'],
  ['', '/home/ann', '/home/ann/.cache/kjitsi/keycloak-26.7.3'],
  ['relative', '/home/ann', '/home/ann/.cache/kjitsi/keycloak-26.7.3'],
])('with XDG_CACHE_HOME=%j and HOME=%j the distribution is in %s', (cache, home, expected) => {
  expect(distributionFolder({ XDG_CACHE_HOME: cache, HOME: home })).toBe(expected)
})

test('two who fetch at once both succeed, and one distribution is left', async () => {
  await maven(`${BEGIN}\n${WHOLE}`)
  const both = Promise.all([fetchIt(), fetchIt()])
  await untilBegun(2)
  expect(existsSync(folder)).toBe(false)
  await go()
  await both
  expect(await cached()).toEqual(['keycloak-26.7.3'])
  expect(await readFile(join(folder, 'version.txt'), 'utf8')).toContain('26.7.3')
})

test('what is there is not fetched again', async () => {
  await maven(WHOLE)
  await fetchIt()
  const by = await readFile(join(folder, 'by'), 'utf8')
  await fetchIt()
  expect(await readFile(join(folder, 'by'), 'utf8')).toBe(by)
})

test.each([
  ['fails', `${HALF}; echo "[ERROR] no route to host"; exit 1`, '[ERROR] no route to host'],
  ['stops half-way without saying so', `${HALF}; exit 0`, 'Maven could not fetch'],
])('nothing is kept where Maven %s, and the next try succeeds', async (_, script, message) => {
  await maven(script)
  await expect(fetchIt()).rejects.toMatchObject({
    code: 'server',
    message: expect.stringContaining(message) as string,
  })
  expect(await cached()).toEqual([])
  await maven(WHOLE)
  await fetchIt()
  expect(await cached()).toEqual(['keycloak-26.7.3'])
})

test('an interrupt ends Maven and leaves nothing', async () => {
  await maven(`${HALF}; ${BEGIN}`)
  const controller = new AbortController()
  const fetching = fetchIt(controller.signal)
  await untilBegun(1)
  controller.abort(new Error('enough'))
  await expect(fetching).rejects.toThrow('enough')
  expect(await cached()).toEqual([])
})

test('a kill ends Maven too and leaves nothing', async () => {
  await maven(`${HALF}; ${BEGIN}`)
  const module = fileURLToPath(new URL('../../src/sandbox/distribution.ts', import.meta.url))
  const script = `import { fetchDistribution } from ${JSON.stringify(module)}
    await fetchDistribution(${JSON.stringify(folder)}, process.env, new AbortController().signal)`
  const options = { env: { ...env, NODE_NO_WARNINGS: '1' }, stdio: 'ignore' as const }
  const fetcher = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], options)
  await untilBegun(1)
  fetcher.kill('SIGKILL')
  await vi.waitUntil(async () => (await cached()).length === 0, { timeout: 10_000 })
})
