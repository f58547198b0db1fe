import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmod,
  lstat,
  lutimes,
  mkdir,
  readFile,
  readdir,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { KjitsiError } from '../../src/errors.ts'
import {
  type Entry,
  type Folder,
  applyExport,
  planExport,
  readFolder,
  removeLeftovers,
} from '../../src/certs/export.ts'
import { type PublicPem, fileNameOf } from '../../src/certs/pem.ts'
import { tempFolder } from '../support/folder.ts'

const NEVER = new AbortController().signal
const LONG_AGO = new Date(1_000_000_000_000)

function key(kid: string, pem = `pem of ${kid}`): PublicPem {
  return { kid, file: fileNameOf(kid), alg: 'RS256', bits: 2048, pem, source: 'here' }
}

/** Brings the folder up to date, as the command does. */
async function exportTo(dir: string, keys: readonly PublicPem[]): Promise<readonly string[]> {
  const steps = planExport(keys, await readFolder(dir))
  await applyExport(dir, steps, NEVER, [])
  return steps.map(({ action }) => action)
}

describe('the plan', () => {
  const file = (content: string, readable = true): Entry => ({ kind: 'file', content, readable })
  const folder = (entries: Readonly<Record<string, Entry>>): Folder => ({
    dir: '/certs',
    exists: true,
    open: true,
    entries: new Map(Object.entries(entries)),
    leftovers: [],
  })
  const [a, b] = [key('a'), key('b')]
  const stranger = fileNameOf('stranger')

  test.each([
    ['nothing there', [a, b], {}, ['create', 'create']],
    ['all there', [a], { [a.file]: file(a.pem) }, ['keep']],
    ['another content', [a], { [a.file]: file('old') }, ['update']],
    ['not for all to read', [a], { [a.file]: file(a.pem, false) }, ['update']],
    ['a file of another key', [a], { [stranger]: file('x') }, ['create']],
    ['a link of another name', [a], { [stranger]: { kind: 'other' } }, ['create']],
  ] as const)('%s', (_, keys, entries, actions) => {
    expect(planExport(keys, folder(entries)).map(({ action }) => action)).toEqual(actions)
  })

  test('refuses a link or a folder where a key has to go', () => {
    expect(() => planExport([a], folder({ [a.file]: { kind: 'other' } }))).toThrow(
      `/certs/${a.file} is no file but a link or a folder`,
    )
  })
})

describe('the folder', () => {
  test('is made with those above it, and the files can be read by all', async () => {
    const dir = join(tempFolder(), 'a', 'b')
    expect(await exportTo(dir, [key('k')])).toEqual(['create'])
    expect(await readFile(join(dir, fileNameOf('k')), 'utf8')).toBe('pem of k')
    expect(await modeOf(join(dir, fileNameOf('k')))).toBe(0o644)
    expect(await modeOf(dir)).toBe(0o755)
    expect(await modeOf(join(dir, '..'))).toBe(0o755)
  })

  test('that is there keeps its mode, and one that is closed to others is told', async () => {
    const dir = tempFolder()
    await chmod(dir, 0o700)
    await exportTo(dir, [key('k')])
    expect(await modeOf(dir)).toBe(0o700)
    expect(await readFolder(dir)).toMatchObject({ open: false })
    await chmod(dir, 0o755)
    expect(await readFolder(dir)).toMatchObject({ open: true })
  })

  test('a second run touches nothing', async () => {
    const dir = tempFolder()
    await exportTo(dir, [key('k')])
    await utimes(join(dir, fileNameOf('k')), LONG_AGO, LONG_AGO)
    const before = await lstat(join(dir, fileNameOf('k')))
    expect(await exportTo(dir, [key('k')])).toEqual(['keep'])
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
    const dir = tempFolder()
    await writeFile(join(dir, fileNameOf('k')), content, { mode })
    expect(await exportTo(dir, [key('k')])).toEqual(['update'])
    expect(await readFile(join(dir, fileNameOf('k')), 'utf8')).toBe('pem of k')
    expect(await modeOf(join(dir, fileNameOf('k')))).toBe(0o644)
    expect(await readdir(dir)).toHaveLength(1)
  })

  test('removing takes the files that are named, and a link itself', async () => {
    const dir = tempFolder()
    await writeFile(join(dir, 'mine'), 'x')
    await symlink('mine', join(dir, fileNameOf('link')))
    await writeFile(join(dir, fileNameOf('gone')), 'x')
    const steps = ['gone', 'link', 'not there'].map(
      (kid) => ({ action: 'remove', file: fileNameOf(kid) }) as const,
    )
    await applyExport(dir, steps, NEVER, [])
    expect(await readdir(dir)).toEqual(['mine'])
  })

  test.each([
    ['a link to a file', (path: string) => symlink('other.txt', path)],
    ['a link to nothing', (path: string) => symlink('nothing', path)],
    ['a folder', (path: string) => mkdir(path)],
  ])('%s under the name of a key is neither followed nor replaced', async (_, make) => {
    const dir = tempFolder()
    await writeFile(join(dir, 'other.txt'), 'mine')
    await make(join(dir, fileNameOf('k')))
    await expect(exportTo(dir, [key('first'), key('k')])).rejects.toMatchObject({ code: 'file' })
    expect(await readFile(join(dir, 'other.txt'), 'utf8')).toBe('mine')
    expect((await readdir(dir)).sort()).toEqual(['other.txt', fileNameOf('k')].sort())
  })

  test('a link that is put under the name of a key after it was looked at is replaced, not followed', async () => {
    const dir = tempFolder()
    const victim = join(dir, 'victim')
    await writeFile(victim, 'secret', { mode: 0o600 })
    const steps = planExport([key('k')], await readFolder(dir))
    await symlink('victim', join(dir, fileNameOf('k')))
    await applyExport(dir, steps, NEVER, [])
    expect(await readFile(victim, 'utf8')).toBe('secret')
    expect(await modeOf(victim)).toBe(0o600)
    expect((await lstat(join(dir, fileNameOf('k')))).isFile()).toBe(true)
    expect(await modeOf(join(dir, fileNameOf('k')))).toBe(0o644)
  })

  test('whatever is put under the name of a key, whenever, what a link points at stays as it is', async () => {
    const dir = tempFolder()
    const victim = join(dir, 'victim')
    await writeFile(victim, 'secret', { mode: 0o600 })
    const name = join(dir, fileNameOf('k'))
    // Puts a link there, and a file whose content or mode has to be mended, in turn, until it is killed.
    const script =
      'const fs = require("node:fs"); const [name, victim, spare] = process.argv.slice(1); process.send("ready");' +
      'for (let i = 0; i < 1e7; i++) { try { if (i % 2) fs.symlinkSync(victim, spare); else fs.writeFileSync(spare, "pem of k", { mode: 0o600 });' +
      'fs.renameSync(spare, name) } catch {} }'
    const swapper = spawn(process.execPath, ['--eval', script, name, victim, join(dir, 'spare')], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    const ended = once(swapper, 'exit')
    await once(swapper, 'message')
    const refused: unknown[] = []
    for (let round = 0; round < 1500; round++) {
      await exportTo(dir, [key('k')]).catch((error: unknown) => refused.push(error))
    }
    swapper.kill('SIGKILL')
    await ended
    for (const error of refused) expect(error).toMatchObject({ code: 'file' })
    expect(refused.length).toBeGreaterThan(0)
    expect(refused.length).toBeLessThan(1500)
    expect(await readFile(victim, 'utf8')).toBe('secret')
    expect(await modeOf(victim)).toBe(0o600)
  }, 60_000)

  test('temporary files that a killed run left are removed, and nothing that looks alike', async () => {
    const dir = tempFolder()
    const left = [`.${fileNameOf('k')}.0123abcd`, '..kjitsi.json.0123abcd']
    const others = [
      `.${fileNameOf('k')}.0123abc`,
      `.${fileNameOf('k')}.0123abcd.bak`,
      `.x${fileNameOf('k')}.0123abcd`,
      '.key.pem.0123abcd',
    ]
    for (const name of [...left, ...others]) {
      await writeFile(join(dir, name), 'x')
      await utimes(join(dir, name), LONG_AGO, LONG_AGO)
    }
    const [fresh, link] = ['1', '2'].map((end) => `.${fileNameOf('k')}.0000000${end}`) as [string, string]
    await writeFile(join(dir, fresh), 'of a run that is under way')
    await symlink('nothing', join(dir, link))
    await lutimes(join(dir, link), LONG_AGO, LONG_AGO)
    await removeLeftovers(await readFolder(dir))
    expect((await readdir(dir)).sort()).toEqual([...others, fresh, link].sort())
  })

  test('may itself be named by a link', async () => {
    const dir = tempFolder()
    await mkdir(join(dir, 'real'))
    await symlink('real', join(dir, 'link'))
    await exportTo(join(dir, 'link'), [key('k')])
    expect(await readdir(join(dir, 'real'))).toEqual([fileNameOf('k')])
  })

  test('is read even where a file in it is enormous', async () => {
    const dir = tempFolder()
    await writeFile(join(dir, fileNameOf('k')), '')
    await truncate(join(dir, fileNameOf('k')), 5 * 1024 ** 3)
    const steps = planExport([key('k')], await readFolder(dir))
    expect(steps).toMatchObject([{ action: 'update' }])
  })

  test('that is a file is refused', async () => {
    const path = join(tempFolder(), 'certs')
    await writeFile(path, 'mine')
    await expect(readFolder(path)).rejects.toThrow(`${path} is a file, not a folder`)
    await expect(readFolder(join(path, 'deeper'))).rejects.toThrow('a part of the path is no folder')
  })

  test('an interrupt ends the work between two files, and both are named', async () => {
    const dir = tempFolder()
    let looks = 0
    const secondLook = {
      throwIfAborted: () => {
        if (++looks === 2) throw new KjitsiError('interrupted', 'interrupted')
      },
    } as AbortSignal
    const steps = planExport([key('a'), key('b')], await readFolder(dir))
    await expect(applyExport(dir, steps, secondLook, [])).rejects.toMatchObject({
      code: 'interrupted',
      message: `interrupted; done before it: create ${fileNameOf('a')}; not done: create ${fileNameOf('b')}`,
    })
    expect(await readdir(dir)).toEqual([fileNameOf('a')])
  })
})

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777
}
