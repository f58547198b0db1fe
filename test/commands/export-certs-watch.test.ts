import { readFileSync } from 'node:fs'
import { readFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { MANIFEST_FILE } from '../../src/certs/manifest.ts'
import { fileNameOf } from '../../src/certs/key.ts'
import { tempFolder } from '../support/folder.ts'
import { run } from '../support/run.ts'
import { startKjitsi } from '../support/running.ts'

const { keys } = JSON.parse(readFileSync(new URL('../fixtures/jwks.json', import.meta.url), 'utf8')) as {
  keys: readonly { readonly kid: string }[]
}
const usable = keys.filter(
  ({ kid }) => kid === '1DKOk8q4Dc9BSgDLmksFemg5lEGuoYQvYrHVOnXNj3k' || kid === 'second key',
)
const [A = '', B = ''] = usable.map(({ kid }) => fileNameOf(kid))

let dir: string
let jwks: string

beforeEach(async () => {
  const box = tempFolder()
  dir = join(box, 'certs')
  jwks = join(box, 'jwks.json')
  await publish(2)
})

/** Writes a key set with the first `count` keys. */
async function publish(count: number): Promise<void> {
  await writeFile(jwks, JSON.stringify({ keys: usable.slice(0, count) }))
}

const pems = async (): Promise<readonly string[]> =>
  (await readdir(dir)).filter((name) => name.endsWith('.pem'))

describe('--watch', () => {
  test('exports again at every interval, tells changes only, and ends with 0', async () => {
    await publish(1)
    const { said, end, lines } = startKjitsi([
      'export-certs',
      dir,
      '--jwks',
      jwks,
      '--watch',
      '--interval',
      '1s',
    ])
    await said(`created ${join(dir, A)}`)
    const before = await stat(join(dir, A))
    await publish(2)
    await said(`created ${join(dir, B)}: key "second key" of ${jwks}`)
    const list = join(dir, MANIFEST_FILE)
    await said(`updated ${list}`)
    const { exitCode, stdout } = await end('SIGTERM')
    expect([exitCode, stdout]).toEqual([0, ''])
    expect(lines).toEqual([
      `exporting to ${dir} every 1s`,
      expect.stringContaining(`created ${join(dir, A)}`),
      expect.stringContaining(`created ${list}`),
      expect.stringContaining(`created ${join(dir, B)}`),
      expect.stringContaining(`updated ${list}`),
    ])
    expect((await stat(join(dir, A))).mtimeMs).toBe(before.mtimeMs)
  })

  test('a round that fails changes nothing, is told once, and the next good one is told', async () => {
    const watching = startKjitsi([
      'export-certs',
      dir,
      '--jwks',
      jwks,
      '--watch',
      '--interval',
      '1s',
      '--prune',
    ])
    await watching.said(`created ${join(dir, B)}`)
    await writeFile(jwks, '<html>')
    await watching.said(`warning: ${jwks} is asked again, and what it gave last stays (2 keys)`)
    expect(await pems()).toHaveLength(2)
    await publish(2)
    await watching.said(`${jwks}: answers again`)
    expect(watching.lines.filter((line) => line.startsWith('warning: '))).toHaveLength(1)
    expect((await watching.end('SIGINT')).exitCode).toBe(0)
  })

  test('starts before there is a key set', async () => {
    await rm(jwks)
    const { said } = startKjitsi(['export-certs', dir, '--jwks', jwks, '--watch', '--interval', '1s'])
    await said(`warning: ${jwks} has given no key yet, and is asked again: cannot read`)
    await publish(1)
    await said(`created ${join(dir, A)}`)
  })

  test('keeps a key that is gone for a day, unless it is told otherwise', async () => {
    const argv = ['export-certs', dir, '--jwks', jwks, '--watch', '--interval', '1s', '--prune']
    const patient = startKjitsi(argv)
    await patient.said(`created ${join(dir, B)}`)
    await publish(1)
    await patient.said('a key is removed when it has been gone for 24h')
    await patient.end('SIGTERM')
    expect(await pems()).toHaveLength(2)
    const quick = startKjitsi([...argv, '--grace', '0s', '--log', 'json'])
    expect(JSON.parse(await quick.said(`removed ${join(dir, B)}`))).toMatchObject({
      message: `removed ${join(dir, B)}: a key that has left its key set`,
      action: 'remove',
    })
    await quick.end('SIGTERM')
    expect(await pems()).toEqual([A])
  })

  test.each([
    [['--json'], '--json'],
    [['--dry-run', '--check'], '--dry-run, --check'],
  ])('does not go with %j', async (flags, named) => {
    const { exitCode, stderr, stdout } = await run(['export-certs', dir, '--jwks', jwks, '--watch', ...flags])
    expect(exitCode).toBe(2)
    expect(stderr + stdout).toContain(`--watch does not go with ${named}`)
  })
})

describe('--prune --grace', () => {
  const prune = (...flags: readonly string[]): ReturnType<typeof run> =>
    run(['export-certs', dir, '--jwks', jwks, '--prune', ...flags])
  const since = async (file: string, time: string): Promise<void> =>
    writeFile(join(dir, MANIFEST_FILE), JSON.stringify({ version: 1, gone: { [file]: time } }))

  test('a key that has just gone stays, and the time is written down', async () => {
    await prune('--grace', '24h')
    await publish(1)
    const { stderr, stdout } = await prune('--grace', '24h')
    expect(stderr).toContain('a key is removed when it has been gone for 24h')
    expect(stdout).not.toContain(B)
    expect(await pems()).toHaveLength(2)
    const { files } = JSON.parse(await readFile(join(dir, MANIFEST_FILE), 'utf8')) as {
      files: Readonly<Record<string, unknown>>
    }
    expect(files).toEqual({
      [A]: { kid: usable[0]?.kid, sources: { [jwks]: null } },
      [B]: { kid: 'second key', sources: { [jwks]: expect.stringMatching(/^20.*Z$/) as string } },
    })
  })

  test('a key that has been gone for that long is removed', async () => {
    await prune('--grace', '24h')
    await publish(1)
    await since(B, '2020-01-01T00:00:00Z')
    const { stdout } = await prune('--grace', '24h')
    expect(stdout).toContain('removed')
    expect(await pems()).toEqual([A])
    expect(await readFile(join(dir, MANIFEST_FILE), 'utf8')).not.toContain(B)
  })

  test('a second run writes nothing, not even its state', async () => {
    await prune('--grace', '24h')
    await publish(1)
    await prune('--grace', '24h')
    await utimes(join(dir, MANIFEST_FILE), 1, 1)
    await prune('--grace', '24h')
    expect((await stat(join(dir, MANIFEST_FILE))).mtimeMs).toBe(1000)
  })

  test('a run that cannot read every set leaves the time alone', async () => {
    await prune('--grace', '24h')
    await publish(1)
    await since(B, '2020-01-01T00:00:00Z')
    const { exitCode, stderr } = await prune('--grace', '24h', '--jwks', '/nowhere.json')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('no key of /nowhere.json was removed')
    expect(await readFile(join(dir, MANIFEST_FILE), 'utf8')).toContain('2020-01-01')
    expect(await pems()).toHaveLength(2)
  })

  test('--dry-run writes nothing, and without --grace a key goes at once', async () => {
    await prune()
    await publish(1)
    const before = await readFile(join(dir, MANIFEST_FILE), 'utf8')
    const dry = await prune('--dry-run')
    expect(dry.stdout).toContain('to remove')
    expect(await readFile(join(dir, MANIFEST_FILE), 'utf8')).toBe(before)
    await prune()
    expect(await pems()).toEqual([A])
  })

  test('the time counts from when the key left, with --prune or without', async () => {
    await run(['export-certs', dir, '--jwks', jwks])
    await publish(1)
    await run(['export-certs', dir, '--jwks', jwks])
    const path = join(dir, MANIFEST_FILE)
    await writeFile(path, (await readFile(path, 'utf8')).replace(/"20\d\d-/, '"2020-'))
    await prune('--grace', '24h')
    expect(await pems()).toEqual([A])
  })

  test('a set without a key: its keys go after the grace, and that is a failure', async () => {
    await prune()
    await publish(0)
    const kept = await prune('--grace', '24h')
    expect(kept.stderr).toContain('the key set is empty')
    expect(kept.stderr).toContain('a key is removed when it has been gone for 24h')
    expect(kept.exitCode).toBe(1)
    expect(kept.stdout).toBe(`updated ${join(dir, MANIFEST_FILE)}: the list of the files that kjitsi wrote\n`)
    expect(await prune('--grace', '24h')).toMatchObject({ exitCode: 1, stdout: '' })
    expect(await pems()).toHaveLength(2)
    const gone = await prune()
    expect(gone.stderr).toContain(`error: ${jwks}: the key set is empty`)
    expect(gone.stdout.match(/^removed/gm)).toHaveLength(2)
    expect(gone.exitCode).toBe(1)
    expect(await pems()).toEqual([])
  })
})
