import { spawn } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { describe, expect, test, vi } from 'vitest'
import { namedCommands } from '../../src/cli/context.ts'
import { PROGRAM } from '../../src/main.ts'
import { BIN, run, spawnKjitsi } from '../support/run.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

test('the version', async () => {
  expect(await run(['--version'])).toEqual({ exitCode: 0, stdout: `${version}\n`, stderr: '' })
})

test('--help names every command with its summary', async () => {
  const { exitCode, stdout } = await run(['--help'])
  expect(exitCode).toBe(0)
  for (const { name, summary } of PROGRAM.commands) {
    expect(stdout).toContain(name)
    expect(stdout.replace(/\s+/g, ' ')).toContain(summary)
  }
})

test('--verbose says each setting by its flag, with where it came from, defaults too', async () => {
  const argv = ['gen-env', '--issuer', 'https://auth.example.org/realms/meet', '--verbose']
  const { stderr } = await run(argv, { env: { KJITSI_CLIENT: 'web' } })
  for (const line of [
    '--issuer = ["https://auth.example.org/realms/meet"] (flag)',
    '--client = "web" (environment)',
    '--timeout = 10 (default)',
    '--guests = true (default)',
  ])
    expect(stderr.split('\n')).toContain(line)
})

test.each<[argv: string[], env: Record<string, string>]>([
  [['gen-env', '--json', '--timeout', 'soon'], {}],
  [['gen-env', '--timeout', 'soon'], { KJITSI_JSON: '1' }],
  [['frobnicate'], { KJITSI_JSON: 'yes' }],
  [[], { KJITSI_JSON: 'yes' }],
])('a usage error is a document where JSON was asked for: %j %j', async (argv, env) => {
  const ran = await run(argv, { env })
  expect(ran.exitCode).toBe(2)
  expect(JSON.parse(ran.stdout)).toMatchObject({
    version: 1,
    kind: 'error',
    error: { code: 'usage', exitCode: 2 },
  })
})

test('--no-json takes back what the environment says, for a usage error too', async () => {
  const ran = await run(['gen-env', '--no-json', '--timeout', 'soon'], { env: { KJITSI_JSON: '1' } })
  expect(ran).toMatchObject({ exitCode: 2, stdout: '' })
  expect(ran.stderr).toMatch(/^error: --timeout/)
})

test('commands are files, those of a group in its folder, and the README tells the same ones', () => {
  const words = namedCommands(PROGRAM.commands).map(([name]) => name)
  for (const one of PROGRAM.commands) {
    const names = 'subcommands' in one ? one.subcommands.map(({ name }) => name) : []
    expect(filesIn(`${one.name}/`).filter((name) => !SHARED_BY_KINDS.includes(name))).toEqual(names.sort())
  }
  expect(filesIn('')).toEqual(PROGRAM.commands.map(({ name }) => name).sort())
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  expect([...readme.matchAll(/^\| `kjitsi ([a-z-]+(?: [a-z]+)?)/gm)].map(([, name]) => name)).toEqual(words)
})

const SHARED_BY_KINDS = ['settings', 'target']

/** Names of the files in src/commands/, or of a group's in there. */
function filesIn(folder: string): readonly string[] {
  const url = new URL(`../../src/commands/${folder}`, import.meta.url)
  if (!existsSync(url)) return []
  return readdirSync(url, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name.replace(/\.ts$/, ''))
    .sort()
}

/** What a module might have changed by being imported. */
function surroundings(): object {
  return {
    listeners: Object.fromEntries(
      process.eventNames().map((name) => [String(name), process.listenerCount(name)]),
    ),
    globals: Reflect.ownKeys(globalThis).map((name) => [name, Reflect.get(globalThis, name) as unknown]),
    env: { ...process.env },
    exitCode: process.exitCode,
    title: process.title,
  }
}

test('every module can be imported without anything happening', async () => {
  const src = new URL('../../src/', import.meta.url)
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  expect(files).toContain('commands/gen-env.ts')
  // The libraries first: what they do is theirs.
  await Promise.all([
    import('zod'),
    import('@keycloak/keycloak-admin-client'),
    import('undici'),
    import('inquirer'),
  ])
  vi.resetModules()
  const before = surroundings()
  for (const file of files) await import(/* @vite-ignore */ new URL(file, src).href)
  expect(surroundings()).toEqual(before)
})

describe('the real command', () => {
  const dist = new URL('../../dist/', import.meta.url)

  /** The chunks that are loaded with this one, by their names. */
  function loadedWith(start: string): ReadonlyMap<string, string> {
    const chunks = new Map<string, string>()
    const load = (file: string): void => {
      if (chunks.has(file)) return
      const text = readFileSync(new URL(file, dist), 'utf8')
      chunks.set(file, text)
      for (const [, next = ''] of text.matchAll(/(?:\bfrom|^import) "\.\/([^"]+)"/gm)) load(next)
    }
    load(start)
    return chunks
  }

  test('loads no library of a flow before a command runs', () => {
    const chunks = loadedWith('main.js')
    const all = [...chunks.values()].join('')
    for (const library of ['ZodError', 'EnvHttpProxyAgent', 'KeycloakAdminClient', 'createPromptModule'])
      expect(all.includes(`class ${library}`) || all.includes(`${library} =`), library).toBe(false)
    expect(chunks.size).toBeGreaterThan(1)
  })

  const KINDS = ['web', 'prosody', 'nginx', 'systemd', 'containers', 'helm']

  test.each(['main', ...KINDS])(
    '%s loads none of the files that a kind of gen-config makes, but its own',
    (name) => {
      const start = readdirSync(dist).find((chunk) => chunk.startsWith(`${name}-`)) ?? 'main.js'
      const text = [...loadedWith(start).values()].join('')
      expect(KINDS.filter((kind) => text.includes(`// src/jitsi/${kind}.ts`))).toEqual(
        KINDS.filter((kind) => kind === name),
      )
    },
  )

  test('runs from what was built', async () => {
    expect(await spawnKjitsi(['--version'])).toEqual({ exitCode: 0, stdout: `${version}\n`, stderr: '' })
  })

  test('says nothing when its reader leaves early', async () => {
    const child = spawn('bash', [
      '-c',
      `set -o pipefail; "${process.execPath}" "${BIN}" gen-env --help | true`,
    ])
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    const exitCode = await new Promise((resolve) => child.once('close', resolve))
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  })
})
