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
  utimes,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { planExport } from '../../src/certs/export.ts'
import { readFolder } from '../../src/certs/folder.ts'
import { type Key, fileNameOf } from '../../src/certs/key.ts'
import { applyFiles } from '../../src/files/apply.ts'
import type { FileItem } from '../../src/files/plan.ts'
import { tempFolder } from '../support/folder.ts'

const NEVER = new AbortController().signal
const LONG_AGO = new Date(1_000_000_000_000)

function key(kid: string, pem = `pem of ${kid}`): Key {
  return { kid, file: fileNameOf(kid), alg: 'RS256', bits: 2048, pem, source: 'here' }
}

/** Brings the folder up to date, as the command does. */
async function exportTo(dir: string, keys: readonly Key[]): Promise<readonly string[]> {
  const items = await planned(dir, keys)
  await applyFiles(items, NEVER)
  return items.map(({ action }) => action)
}

async function planned(dir: string, keys: readonly Key[]): Promise<readonly FileItem[]> {
  const folder = await readFolder(
    dir,
    keys.map(({ file }) => file),
  )
  return planExport(folder, keys)
}

test('the plan tells each file by its key, and shows no PEM', async () => {
  const dir = tempFolder()
  expect(await planned(dir, [key('a b')])).toMatchObject([
    {
      action: 'create',
      path: join(dir, fileNameOf('a b')),
      what: 'key "a b" of here, RS256',
      mode: 0o644,
      own: true,
      after: 'pem of a b',
      shown: { before: '', after: '' },
      facts: { kid: 'a b', alg: 'RS256', bits: 2048, source: 'here' },
    },
  ])
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

  test('what is gone is removed, and a link of that name is not', async () => {
    const dir = tempFolder()
    await writeFile(join(dir, 'mine'), 'x')
    await symlink('mine', join(dir, fileNameOf('link')))
    await writeFile(join(dir, fileNameOf('gone')), 'x')
    const folder = await readFolder(dir)
    const items = planExport(folder, [], [fileNameOf('gone')])
    expect(items).toMatchObject([{ action: 'remove', path: join(dir, fileNameOf('gone')) }])
    expect(() => planExport(folder, [], [fileNameOf('link')])).toThrow('is no file but a link or a folder')
    await applyFiles(items, NEVER)
    expect((await readdir(dir)).sort()).toEqual(['mine', fileNameOf('link')].sort())
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
    const items = planExport(await readFolder(dir), [])
    expect(items.map(({ what }) => what)).toEqual(Array(2).fill('left by a run that was killed'))
    await applyFiles(items, NEVER)
    expect((await readdir(dir)).sort()).toEqual([...others, fresh, link].sort())
  })

  test('may itself be named by a link', async () => {
    const dir = tempFolder()
    await mkdir(join(dir, 'real'))
    await symlink('real', join(dir, 'link'))
    await exportTo(join(dir, 'link'), [key('k')])
    expect(await readdir(join(dir, 'real'))).toEqual([fileNameOf('k')])
  })

  test('that is a file is refused', async () => {
    const path = join(tempFolder(), 'certs')
    await writeFile(path, 'mine')
    await expect(readFolder(path)).rejects.toThrow(`${path} is a file, not a folder`)
    await expect(readFolder(join(path, 'deeper'))).rejects.toThrow('a part of the path is no folder')
  })
})

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777
}
