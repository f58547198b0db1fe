import type * as fs from 'node:fs/promises'
import {
  chmod,
  chown,
  link,
  lstat,
  mkdir,
  readFile,
  readdir,
  readlink,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { KjitsiError } from '../../src/errors.ts'
import { applyFiles } from '../../src/files/apply.ts'
import { type FileItem, planFile, planFileRemoval } from '../../src/files/plan.ts'
import { readOwnTarget, readTarget } from '../../src/files/target.ts'
import { tempFolder } from '../support/folder.ts'
import { NO_FILES } from '../support/no-files.ts'

/** Runs once, when the file is made that is to take the place of another. */
let afterMade: (() => Promise<void>) | undefined
vi.hoisted(() => {
  vi.resetModules()
})
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof fs>()
  return {
    ...real,
    async open(path: string, flags?: string | number, mode?: number) {
      const file = await real.open(path, flags, mode)
      if (flags === 'wx') {
        const act = afterMade
        afterMade = undefined
        await act?.()
      }
      return file
    },
  }
})
afterAll(() => {
  vi.resetModules()
})

const NEVER = new AbortController().signal
const LONG = 100_000

let dir: string
beforeEach(() => {
  dir = tempFolder()
})

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o7777

const planned = async (path: string, text: string, mode = 0o600): Promise<FileItem> =>
  planFile(await readTarget(path), { what: 'a file', text, mode })

const plannedOwn = async (path: string, text: string): Promise<FileItem> =>
  planFile(await readOwnTarget(path, LONG), { what: 'a file', text, mode: 0o644 })

/** Plans and writes one file, and gives the plan's action. */
async function write(path: string, text: string, mode?: number): Promise<string> {
  const item = await planned(path, text, mode)
  await applyFiles([item], NEVER)
  return item.action
}

describe('a file that people name', () => {
  it.each([0o600, 0o644])('is made with the mode, whatever the umask', async (mode) => {
    const path = join(dir, 'new')
    const umask = process.umask(0o077)
    try {
      expect(await write(path, 'a', mode)).toBe('create')
    } finally {
      process.umask(umask)
    }
    expect(await readFile(path, 'utf8')).toBe('a')
    expect(await modeOf(path)).toBe(mode)
  })

  it('leaves nothing else in the folder', async () => {
    await write(join(dir, 'a'), '1')
    await write(join(dir, 'a'), '2')
    expect(await readdir(dir)).toEqual(['a'])
  })

  it('is not touched where it has the content already', async () => {
    const path = join(dir, 'a')
    await writeFile(path, 'same')
    await utimes(path, 1, 1)
    const before = await stat(path)
    expect(await write(path, 'same')).toBe('keep')
    expect(await stat(path)).toMatchObject({ mtimeMs: before.mtimeMs, ino: before.ino })
  })

  it.each([0o640, 0o666, 0o400 | 0o200])('keeps its mode %o', async (mode) => {
    const path = join(dir, 'a')
    await writeFile(path, 'old')
    await chmod(path, mode)
    const item = await planned(path, 'new')
    expect(item).toMatchObject({ action: 'update', mode })
    await applyFiles([item], NEVER)
    expect(await readFile(path, 'utf8')).toBe('new')
    expect(await modeOf(path)).toBe(mode)
  })

  it('keeps owner and group, where the system lets it', async () => {
    const path = join(dir, 'a')
    await writeFile(path, 'old')
    // Only root can give a file away; for others it stays their own, which has to stay too.
    await chown(path, 12_345, 12_346).catch(() => undefined)
    const { uid, gid } = await stat(path)
    await write(path, 'new')
    expect(await stat(path)).toMatchObject({ uid, gid })
  })

  it('is written through links, which stay', async () => {
    await mkdir(join(dir, 'real'))
    await writeFile(join(dir, 'real', 'a'), 'old')
    await symlink('real/a', join(dir, 'inner'))
    await symlink(join(dir, 'inner'), join(dir, 'outer'))
    expect(await write(join(dir, 'outer'), 'new')).toBe('update')
    expect(await readFile(join(dir, 'real', 'a'), 'utf8')).toBe('new')
    expect(await readlink(join(dir, 'outer'))).toBe(join(dir, 'inner'))
    expect(await readlink(join(dir, 'inner'))).toBe('real/a')
    expect(await readdir(join(dir, 'real'))).toEqual(['a'])
  })

  it('is made where a link points at, if there is none yet', async () => {
    await mkdir(join(dir, 'real'))
    await symlink('real/a', join(dir, 'link'))
    expect(await write(join(dir, 'link'), 'new')).toBe('create')
    expect((await lstat(join(dir, 'link'))).isSymbolicLink()).toBe(true)
    expect(await readFile(join(dir, 'real', 'a'), 'utf8')).toBe('new')
  })

  it('is never changed itself, so that whoever reads it sees it whole', async () => {
    const path = join(dir, 'a')
    await writeFile(path, 'old')
    await link(path, join(dir, 'reader'))
    await write(path, 'new')
    expect(await readFile(join(dir, 'reader'), 'utf8')).toBe('old')
  })

  it('keeps bytes that are no UTF-8', async () => {
    const path = join(dir, 'a')
    await writeFile(path, Buffer.of(0xff, 0x41, 0xc3))
    const { text = '' } = await readTarget(path)
    expect(await write(path, `${text}#`)).toBe('update')
    expect([...(await readFile(path))]).toEqual([0xff, 0x41, 0xc3, 0x23])
  })
})

describe('a file that somebody else changes after the plan', () => {
  const changed = (path: string): unknown =>
    expect.objectContaining({
      code: 'file',
      message: `cannot write ${path}: it was changed meanwhile, and is left as it is`,
      hint: 'run this again; it starts from what is there now',
    })

  it.each([
    ['was made', undefined, 'theirs'],
    ['was edited', 'old', 'theirs'],
    ['grew', 'old', 'old, and more'],
    ['was emptied', 'old', ''],
    ['was taken away', 'old', undefined],
  ])('is left as it is, where it %s', async (_, text, theirs) => {
    const path = join(dir, 'a')
    if (text !== undefined) await writeFile(path, text)
    const item = await planned(path, 'new')
    await rm(path, { force: true })
    if (theirs !== undefined) await writeFile(path, theirs)
    await expect(applyFiles([item], NEVER)).rejects.toEqual(changed(path))
    expect(await readFile(path, 'utf8').catch(() => undefined)).toBe(theirs)
    expect(await readdir(dir)).toEqual(theirs === undefined ? [] : ['a'])
  })

  it('is looked at once all is ready to take its place', async () => {
    const path = join(dir, 'a')
    await writeFile(path, 'old')
    const item = await planned(path, 'new')
    afterMade = () => writeFile(path, 'theirs')
    await expect(applyFiles([item], NEVER)).rejects.toEqual(changed(path))
    expect(await readFile(path, 'utf8')).toBe('theirs')
    expect(await readdir(dir)).toEqual(['a'])
  })

  it.each(Object.entries(NO_FILES))('stays where it is now %s', async (_, make) => {
    const path = join(dir, 'a')
    const item = await planned(path, 'new')
    const reason = await make(path)
    const { mode, ino } = await lstat(path)
    await expect(applyFiles([item], NEVER)).rejects.toThrow(`cannot write ${path}: ${reason}`)
    expect(await lstat(path)).toMatchObject({ mode, ino })
  })
})

describe('a file whose name is ours', () => {
  it('comes with its folder, and can be read by all', async () => {
    const path = join(dir, 'a', 'b', 'key')
    await applyFiles([await plannedOwn(path, 'new')], NEVER)
    expect(await readFile(path, 'utf8')).toBe('new')
    expect([await modeOf(path), await modeOf(join(dir, 'a'))]).toEqual([0o644, 0o755])
  })

  it('takes the place of a link that was put there after the plan, and what that points at stays', async () => {
    const [path, victim] = [join(dir, 'key'), join(dir, 'victim')]
    await writeFile(victim, 'secret', { mode: 0o600 })
    const item = await plannedOwn(path, 'new')
    await symlink('victim', path)
    await applyFiles([item], NEVER)
    expect(await readFile(victim, 'utf8')).toBe('secret')
    expect(await modeOf(victim)).toBe(0o600)
    expect((await lstat(path)).isFile()).toBe(true)
  })

  it('is removed where that was planned, or is gone already', async () => {
    const path = join(dir, 'key')
    await writeFile(path, 'old')
    const item = planFileRemoval(await readOwnTarget(path, LONG), 'a file')
    await applyFiles([item], NEVER)
    await applyFiles([item], NEVER)
    expect(await readdir(dir)).toEqual([])
  })
})

describe('a plan of several files', () => {
  it('that stops half-way says what was done and what was not', async () => {
    const paths = ['a', 'b', 'c', 'd'].map((name) => join(dir, name)) as [string, string, string, string]
    const [a, b, c, d] = paths
    await writeFile(d, 'as it should be')
    const items = await Promise.all(paths.map((path) => planned(path, 'as it should be')))
    const told: string[] = []
    await mkdir(b)
    await expect(applyFiles(items, NEVER, ({ path }) => told.push(path))).rejects.toMatchObject({
      code: 'file',
      message: `cannot write ${b}: it is a folder; done before it: create ${a}; not done: create ${b}, create ${c}`,
    })
    expect(told).toEqual([a])
    expect((await readdir(dir)).sort()).toEqual(['a', 'b', 'd'])
  })

  it('is ended by an interrupt between two files', async () => {
    const items = await Promise.all(['a', 'b'].map((name) => planned(join(dir, name), 'new')))
    const stop = new AbortController()
    const ended = applyFiles(items, stop.signal, () => {
      stop.abort(new KjitsiError('interrupted', 'interrupted'))
    })
    await expect(ended).rejects.toMatchObject({
      code: 'interrupted',
      message: `interrupted; done before it: create ${join(dir, 'a')}; not done: create ${join(dir, 'b')}`,
    })
    expect(await readdir(dir)).toEqual(['a'])
  })

  it('does nothing at all where one of them is in conflict', async () => {
    await writeFile(join(dir, 'b'), 'mine')
    const items = await Promise.all(
      ['a', 'b'].map(async (name) =>
        planFile(await readTarget(join(dir, name)), {
          ...{ what: 'a file', text: 'new', mode: 0o644, onlyMarked: true },
        }),
      ),
    )
    expect(items.map(({ action }) => action)).toEqual(['create', 'conflict'])
    await applyFiles(items, NEVER)
    expect(await readdir(dir)).toEqual(['b'])
  })
})

it.each([true, false])(
  'a place that takes no file is told by its own reason where its folder is there',
  async (own) => {
    const path = '/proc/self/a'
    const nothing = { there: 'nothing', text: undefined, mode: undefined, blocked: undefined } as const
    const item = planFile({ path, own, ...nothing }, { what: 'a file', text: 'x', mode: 0o600 })
    await expect(applyFiles([item], NEVER)).rejects.toMatchObject({
      message: expect.stringContaining(
        `cannot write ${path}: the file system there takes no new file`,
      ) as string,
      hint: 'choose another place',
    })
  },
)
