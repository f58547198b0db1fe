// The demo as a newcomer runs it: a process of its own, a Keycloak of its own.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { tempFolder } from '../support/folder.ts'
import { BIN, spawnKjitsi } from '../support/run.ts'

const TIMEOUT = 300_000
/** The start of every JSON object in base64url, and so of every token. */
const TOKEN = /eyJ/

let temporary: string

beforeEach(() => {
  temporary = tempFolder()
})

function environment(): Record<string, string> {
  const { JAVA_HOME = '', XDG_CACHE_HOME = '', DOCKER_HOST = '' } = process.env
  return {
    TMPDIR: temporary,
    HOME: homedir(),
    JAVA_HOME,
    XDG_CACHE_HOME,
    DOCKER_HOST,
    // All of the demo is on this machine: a proxy, here one that is down, must not come into it.
    HTTP_PROXY: 'http://127.0.0.1:9',
    // Meant for somebody else's server.
    KC_DB: 'postgres',
    KEYCLOAK_URL: 'http://127.0.0.1:9',
  }
}

interface Document {
  readonly kind: string
  readonly steps: readonly { readonly title: string; readonly command?: string; readonly outcome: string }[]
  readonly next: readonly { readonly command: string }[]
}

describe('kjitsi demo', () => {
  test(
    'with --json prints one document with steps, claims and what to do next, and leaves nothing',
    async ({ signal }) => {
      const { exitCode, stdout, stderr } = await spawnKjitsi(['demo', '--json'], {
        env: environment(),
        signal,
      })
      expect({ exitCode, stderr }, stdout).toEqual({ exitCode: 0, stderr: '' })
      expect(stdout).not.toMatch(TOKEN)
      const document = JSON.parse(stdout) as Document
      expect(document.kind).toBe('demo')
      expect(document.steps.map(({ command }) => command?.split(' ')[1])).toEqual([
        undefined,
        undefined,
        'setup-mappers',
        'gen-env',
        'export-certs',
        'check-token',
      ])
      expect(document.steps[2]?.outcome).toContain('created  room')
      const [exported, checked] = document.steps.slice(4)
      expect(exported?.outcome).toMatch(/^created .*\/certs\/[0-9a-f]{64}\.pem\n {2}key /m)
      expect(checked?.outcome).toMatch(/^Jitsi accepts this token for room team-a until /m)
      expect(checked?.outcome).toMatch(/join: room +"\*"/)
      expect(document.next).toHaveLength(3)
      expect(await readdir(temporary)).toEqual([])
    },
    TIMEOUT,
  )

  test(
    'with --keep leaves the server running, says how to reach it, and how to end all of it',
    async ({ signal }) => {
      const { exitCode, stdout, stderr } = await spawnKjitsi(['demo', '--keep'], {
        env: environment(),
        signal,
      })
      expect(exitCode, stderr).toBe(0)
      expect(stderr).toContain('1/6 Starting a Keycloak')
      expect(stderr).toContain('6/6 Logging alice in')
      expect(`${stdout}${stderr}`).not.toMatch(TOKEN)
      expect(stderr).toContain('Jitsi accepts this token for room team-a')
      const group = Number(/stop it with\s+kill -- -(\d+)/.exec(stdout)?.[1])
      try {
        const [, url = '', password = ''] =
          /user\s+(\S+)\/realms\/meet\/account\/\s+alice \/ (\S+)/.exec(stdout) ?? []
        const [, adminPassword = ''] = /administrator\s+\S+\s+admin \/ (\S+)/.exec(stdout) ?? []
        expect(await loginStatus(`${url}/realms/meet`, 'jitsi', 'alice', password)).toBe(200)
        expect(await loginStatus(`${url}/realms/master`, 'admin-cli', 'admin', adminPassword)).toBe(200)
        const [, folder = ''] = /files\s+(\S+)/.exec(stdout) ?? []
        expect((await readdir(folder)).sort()).toEqual(['.env', 'certs'])
      } finally {
        process.kill(-group)
      }
      await vi.waitUntil(async () => (await readdir(temporary)).length === 0, { timeout: 20_000 })
    },
    TIMEOUT,
  )

  test.for(['starting Keycloak', '4/6'])(
    'Ctrl-C at %s ends everything and leaves nothing',
    { timeout: TIMEOUT },
    async (step, { signal }) => {
      const env = { PATH: process.env['PATH'], ...environment() }
      const demo = spawn(process.execPath, [BIN, 'demo'], {
        env,
        signal,
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      let said = ''
      demo.stderr.setEncoding('utf8').on('data', (text: string) => {
        if (!said.includes(step) && `${said}${text}`.includes(step)) demo.kill('SIGINT')
        said += text
      })
      const [exitCode] = (await once(demo, 'close')) as [number | null]
      expect(exitCode).toBe(130)
      expect(said).toMatch(/error: interrupted\n$/)
      expect(await readdir(temporary)).toEqual([])
    },
  )
})

async function loginStatus(
  realmUrl: string,
  clientId: string,
  username: string,
  password: string,
): Promise<number> {
  const form = { grant_type: 'password', client_id: clientId, username, password }
  const address = `${realmUrl}/protocol/openid-connect/token`
  return (await fetch(address, { method: 'POST', body: new URLSearchParams(form) })).status
}
