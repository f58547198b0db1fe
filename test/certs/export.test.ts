import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Entry, type Folder, applyExport, planExport, readFolder } from '../../src/certs/export.ts'
import { type PublicPem, fileNameOf } from '../../src/certs/pem.ts'

const NEVER = new AbortController().signal
const LONG_AGO = new Date(1_000_000_000_000)

function key(kid: string, pem = `pem of ${kid}`): PublicPem {
  return { kid, file: fileNameOf(kid), alg: 'RS256', bits: 2048, pem, source: 'here' }
}

async function tempFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'kjitsi-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  return dir
}

/** Brings the folder up to date, as the command does. */
async function exportTo(dir: string, keys: readonly PublicPem[], prune = false): Promise<readonly string[]> {
  const { steps } = planExport(keys, await readFolder(dir), prune)
  await applyExport(dir, steps, NEVER)
  return steps.map(({ action }) => action)
}

describe('the plan', () => {
  const file = (content: string, readable = true): Entry => ({ kind: 'file', content, readable })
  const folder = (entries: Readonly<Record<string, Entry>>): Folder => ({
    dir: '/certs',
    exists: true,
    open: true,
    entries: new Map(Object.entries(entries)),
  })
  const [a, b] = [key('a'), key('b')]
  const stranger = fileNameOf('stranger')

  test.each([
    ['nothing there', [a, b], {}, false, ['create', 'create'], []],
    ['all there', [a], { [a.file]: file(a.pem) }, false, ['keep'], []],
    ['another content', [a], { [a.file]: file('old') }, false, ['update'], []],
    ['not for all to read', [a], { [a.file]: file(a.pem, false) }, false, ['update'], []],
    ['a key that is gone stays', [a], { [stranger]: file('x') }, false, ['create'], [stranger]],
    ['a key that is gone goes with --prune', [a], { [stranger]: file('x') }, true, ['create', 'remove'], []],
    ['a link of such a name stays', [a], { [stranger]: { kind: 'other' } }, true, ['create'], []],
  ] as const)('%s', (_, keys, entries, prune, actions, stale) => {
    const plan = planExport(keys, folder(entries), prune)
    expect(plan.steps.map(({ action }) => action)).toEqual(actions)
    expect(plan.stale).toEqual(stale)
  })

  test('refuses a link or a folder where a key has to go', () => {
    expect(() => planExport([a], folder({ [a.file]: { kind: 'other' } }), false)).toThrow(
      `/certs/${a.file} is no file but a link or a folder`,
    )
  })
})

describe('the folder', () => {
  test('is made with those above it, and the files can be read by all', async () => {
    const dir = join(await tempFolder(), 'a', 'b')
    expect(await exportTo(dir, [key('k')])).toEqual(['create'])
    expect(await readFile(join(dir, fileNameOf('k')), 'utf8')).toBe('pem of k')
    expect(await modeOf(join(dir, fileNameOf('k')))).toBe(0o644)
    expect(await modeOf(dir)).toBe(0o755)
    expect(await modeOf(join(dir, '..'))).toBe(0o755)
  })

  test('that is there keeps its mode, and one that is closed to others is told', async () => {
    const dir = await tempFolder()
    await chmod(dir, 0o700)
    await exportTo(dir, [key('k')])
    expect(await modeOf(dir)).toBe(0o700)
    expect(await readFolder(dir)).toMatchObject({ open: false })
    await chmod(dir, 0o755)
    expect(await readFolder(dir)).toMatchObject({ open: true })
  })

  test('a second run touches nothing', async () => {
    const dir = await tempFolder()
    await exportTo(dir, [key('k')])
    await utimes(join(dir, fileNameOf('k')), LONG_AGO, LONG_AGO)
    const before = await lstat(join(dir, fileNameOf('k')))
    expect(await exportTo(dir, [key('k')], true)).toEqual(['keep'])
    expect(await lstat(join(dir, fileNameOf('k')))).toMatchObject({
      mtimeMs: before.mtimeMs,
      ino: before.ino,
    })
  })

  test.each([
    ['another content, closed to others', 'old', 0o600],
    ['another content', 'old', 0o644],
    ['the right content, closed to others', 'pem of k', 0o600],
    ['far too much content', 'x'.repeat(20_000), 0o644],
  ])('a file with %s is updated', async (_, content, mode) => {
    const dir = await tempFolder()
    await writeFile(join(dir, fileNameOf('k')), content, { mode })
    expect(await exportTo(dir, [key('k')])).toEqual(['update'])
    expect(await readFile(join(dir, fileNameOf('k')), 'utf8')).toBe('pem of k')
    expect(await modeOf(join(dir, fileNameOf('k')))).toBe(0o644)
    expect(await readdir(dir)).toHaveLength(1)
  })

  test('pruning takes the files of keys that are gone, and nothing else', async () => {
    const dir = await tempFolder()
    const gone = fileNameOf('gone')
    const strangers = [
      'index.html',
      'key.pem',
      `${gone}.bak`,
      `x${gone}`,
      gone.toUpperCase(),
      gone.slice(1),
      `${'g'.repeat(64)}.pem`,
      '.hidden',
    ]
    for (const name of [...strangers, gone]) await writeFile(join(dir, name), 'x')
    await mkdir(join(dir, fileNameOf('folder')))
    await symlink(join(dir, 'index.html'), join(dir, fileNameOf('link')))
    await symlink('/nowhere', join(dir, fileNameOf('dangling')))
    expect(await exportTo(dir, [key('k')], true)).toEqual(['create', 'remove'])
    expect((await readdir(dir)).sort()).toEqual(
      [...strangers, ...['folder', 'link', 'dangling', 'k'].map(fileNameOf)].sort(),
    )
  })

  test.each([
    ['a link to a file', (path: string) => symlink('other.txt', path)],
    ['a link to nothing', (path: string) => symlink('nothing', path)],
    ['a folder', (path: string) => mkdir(path)],
  ])('%s under the name of a key is neither followed nor replaced', async (_, make) => {
    const dir = await tempFolder()
    await writeFile(join(dir, 'other.txt'), 'mine')
    await make(join(dir, fileNameOf('k')))
    await expect(exportTo(dir, [key('first'), key('k')])).rejects.toMatchObject({ code: 'file' })
    expect(await readFile(join(dir, 'other.txt'), 'utf8')).toBe('mine')
    expect((await readdir(dir)).sort()).toEqual(['other.txt', fileNameOf('k')].sort())
  })

  test('may itself be named by a link', async () => {
    const dir = await tempFolder()
    await mkdir(join(dir, 'real'))
    await symlink('real', join(dir, 'link'))
    await exportTo(join(dir, 'link'), [key('k')])
    expect(await readdir(join(dir, 'real'))).toEqual([fileNameOf('k')])
  })

  test('is read even where a file in it is enormous', async () => {
    const dir = await tempFolder()
    await writeFile(join(dir, fileNameOf('k')), '')
    await truncate(join(dir, fileNameOf('k')), 5 * 1024 ** 3)
    const { steps } = planExport([key('k')], await readFolder(dir), false)
    expect(steps).toMatchObject([{ action: 'update' }])
  })

  test('that is a file is refused', async () => {
    const path = join(await tempFolder(), 'certs')
    await writeFile(path, 'mine')
    await expect(readFolder(path)).rejects.toThrow(`${path} is a file, not a folder`)
    await expect(readFolder(join(path, 'deeper'))).rejects.toThrow('a part of the path is no folder')
  })

  test('an interrupt ends the work between two files', async () => {
    const dir = await tempFolder()
    const interrupt = new AbortController()
    const { steps } = planExport([key('a'), key('b')], await readFolder(dir), false)
    const stepsThenInterrupt = {
      *[Symbol.iterator]() {
        yield* steps.slice(0, 1)
        interrupt.abort(new Error('interrupted'))
        yield* steps.slice(1)
      },
    }
    await expect(applyExport(dir, stepsThenInterrupt, interrupt.signal)).rejects.toThrow('interrupted')
    expect(await readdir(dir)).toEqual([fileNameOf('a')])
  })
})

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777
}
