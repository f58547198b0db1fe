import fc from 'fast-check'
import type * as fs from 'node:fs/promises'
import {
  appendFile,
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
import { beforeEach, describe, expect, it, vi } from 'vitest'
import {
  checkTarget,
  fileError,
  makeFolder,
  openFile,
  putFile,
  readBytes,
  readIfThere,
  readText,
  writeIfChanged,
} from '../src/files.ts'
import { tempFolder } from './support/folder.ts'
import { NO_FILES } from './support/no-files.ts'

/** Runs once, between the look at a path and what is done with it. */
let afterLook: (() => Promise<void>) | undefined
/** Runs once, when the file is made that is to take the place of another. */
let afterMade: (() => Promise<void>) | undefined
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof fs>()
  return {
    ...real,
    async stat(path: string) {
      const about = await real.stat(path)
      const act = afterLook
      afterLook = undefined
      await act?.()
      return about
    },
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

let dir: string
beforeEach(() => {
  dir = tempFolder()
})

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o7777
const refusal = (message: string): unknown => expect.objectContaining({ code: 'file', message })

describe('writeIfChanged', () => {
  it.each([0o600, 0o644])('makes a file with the mode, whatever the umask', async (mode) => {
    const path = join(dir, 'new')
    const umask = process.umask(0o077)
    try {
      expect(await writeIfChanged(path, 'a', mode)).toBe('created')
    } finally {
      process.umask(umask)
    }
    expect(await readFile(path, 'utf8')).toBe('a')
    expect(await modeOf(path)).toBe(mode)
  })

  it('leaves nothing else in the folder', async () => {
    await writeIfChanged(join(dir, 'a'), '1', 0o600)
    await writeIfChanged(join(dir, 'a'), '2', 0o600)
    expect(await readdir(dir)).toEqual(['a'])
  })

  it('touches no file that has the content already', async () => {
    const path = join(dir, 'a')
    await writeFile(path, 'same')
    await utimes(path, 1, 1)
    const before = await stat(path)
    expect(await writeIfChanged(path, 'same', 0o600)).toBe('unchanged')
    expect(await stat(path)).toMatchObject({ mtimeMs: before.mtimeMs, ino: before.ino })
  })

  it.each([0o640, 0o666, 0o400 | 0o200])('keeps the mode %o of an old file', async (mode) => {
    const path = join(dir, 'a')
    await writeFile(path, 'old')
    await chmod(path, mode)
    expect(await writeIfChanged(path, 'new', 0o600)).toBe('updated')
    expect(await readFile(path, 'utf8')).toBe('new')
    expect(await modeOf(path)).toBe(mode)
  })

  it('keeps owner and group, where the system lets it', async () => {
    const path = join(dir, 'a')
    await writeFile(path, 'old')
    // Only root can give a file away; for others it stays their own, which has to stay too.
    await chown(path, 12_345, 12_346).catch(() => undefined)
    const { uid, gid } = await stat(path)
    await writeIfChanged(path, 'new', 0o600)
    expect(await stat(path)).toMatchObject({ uid, gid })
  })

  it('writes through links, and keeps them', async () => {
    await mkdir(join(dir, 'real'))
    await writeFile(join(dir, 'real', 'a'), 'old')
    await symlink('real/a', join(dir, 'inner'))
    await symlink(join(dir, 'inner'), join(dir, 'outer'))
    expect(await writeIfChanged(join(dir, 'outer'), 'new', 0o600)).toBe('updated')
    expect(await readFile(join(dir, 'real', 'a'), 'utf8')).toBe('new')
    expect(await readlink(join(dir, 'outer'))).toBe(join(dir, 'inner'))
    expect(await readlink(join(dir, 'inner'))).toBe('real/a')
    expect(await readdir(join(dir, 'real'))).toEqual(['a'])
  })

  it('makes the file that a link points at, where there is none yet', async () => {
    await mkdir(join(dir, 'real'))
    await symlink('real/a', join(dir, 'link'))
    expect(await writeIfChanged(join(dir, 'link'), 'new', 0o600)).toBe('created')
    expect((await lstat(join(dir, 'link'))).isSymbolicLink()).toBe(true)
    expect(await readFile(join(dir, 'real', 'a'), 'utf8')).toBe('new')
  })

  it('never changes the old file itself, so that whoever reads it sees it whole', async () => {
    const path = join(dir, 'a')
    await writeFile(path, 'old')
    await link(path, join(dir, 'reader'))
    await writeIfChanged(path, 'new', 0o600)
    expect(await readFile(join(dir, 'reader'), 'utf8')).toBe('old')
  })

  it('refuses what it cannot write, and says why', async () => {
    await writeFile(join(dir, 'file'), '')
    await symlink('loop', join(dir, 'loop'))
    const attempt = (path: string): Promise<unknown> => writeIfChanged(path, 'a', 0o600)
    await expect(attempt(dir)).rejects.toEqual(refusal(`cannot write ${dir}: it is a folder`))
    await expect(attempt(join(dir, 'no', 'a'))).rejects.toEqual(
      refusal(`cannot write ${join(dir, 'no', 'a')}: no such file or folder`),
    )
    await expect(attempt(join(dir, 'file', 'a'))).rejects.toEqual(
      refusal(`cannot write ${join(dir, 'file', 'a')}: a part of the path is no folder`),
    )
    await expect(attempt(join(dir, 'loop'))).rejects.toEqual(
      refusal(`cannot write ${join(dir, 'loop')}: it is a link that leads to itself`),
    )
    expect(await readdir(dir)).toEqual(['file', 'loop'])
  })
})

describe('a file that somebody else changes', () => {
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
    if (theirs !== undefined) await writeFile(path, theirs)
    await expect(writeIfChanged(path, 'new', 0o600, { text })).rejects.toEqual(changed(path))
    expect(await readFile(path, 'utf8').catch(() => undefined)).toBe(theirs)
    expect(await readdir(dir)).toEqual(theirs === undefined ? [] : ['a'])
  })

  it('is looked at once all is ready to take its place', async () => {
    const path = join(dir, 'a')
    await writeFile(path, 'old')
    afterMade = () => writeFile(path, 'theirs')
    await expect(writeIfChanged(path, 'new', 0o600, { text: 'old' })).rejects.toEqual(changed(path))
    expect(await readFile(path, 'utf8')).toBe('theirs')
    expect(await readdir(dir)).toEqual(['a'])
  })

  it.each([
    ['none', undefined],
    ['text', 'old'],
    ['bytes that are no UTF-8', Buffer.of(0xff, 0x41, 0xc3)],
  ])('is replaced where it is still what was read: %s', async (_, content) => {
    await mkdir(join(dir, 'real'))
    const path = join(dir, 'link')
    await symlink('real/a', path)
    if (content !== undefined) await writeFile(path, content)
    const text = await readIfThere(path)
    expect(await writeIfChanged(path, 'new', 0o600, { text })).toBe(
      text === undefined ? 'created' : 'updated',
    )
    expect(await readFile(path, 'utf8')).toBe('new')
  })
})

describe('a place that takes no file', () => {
  it('is told by its own reason where its folder is there', async () => {
    const message = 'cannot write /proc/self/a: the file system there takes no new file'
    await expect(writeIfChanged('/proc/self/a', 'x', 0o600)).rejects.toMatchObject({
      message,
      hint: 'choose another place',
    })
    await expect(putFile('/proc/self/a', 'x', 0o600)).rejects.toEqual(refusal(message))
  })

  it('is named where a link leads to it', async () => {
    const [path, target] = [join(dir, 'link'), join(dir, 'none', 'a')]
    await symlink(target, path)
    const error = expect.objectContaining({
      message: `cannot write ${path}: it is a link to ${target}, and there is no such folder`,
      hint: `make ${join(dir, 'none')} first, or correct the link`,
    }) as unknown
    await expect(checkTarget(path)).rejects.toEqual(error)
    await expect(writeIfChanged(path, 'x', 0o600)).rejects.toEqual(error)
  })
})

describe('what is no regular file', () => {
  it.each(Object.entries(NO_FILES))('%s is neither read nor replaced', async (_, make) => {
    const path = join(dir, 'a')
    const reason = await make(path)
    const before = await readdir(dir)
    const { mode, ino } = await lstat(path)
    const [read, write] = [`cannot read ${path}: ${reason}`, `cannot write ${path}: ${reason}`]
    await expect(openFile(path)).rejects.toEqual(refusal(read))
    await expect(readText(path)).rejects.toEqual(refusal(read))
    await expect(readIfThere(path)).rejects.toEqual(refusal(read))
    await expect(checkTarget(path)).rejects.toEqual(refusal(write))
    await expect(writeIfChanged(path, 'x', 0o600)).rejects.toEqual(refusal(write))
    expect(await lstat(path)).toMatchObject({ mode, ino })
    expect(await readdir(dir)).toEqual(before)
  })

  it('is refused where it took the place of a file that was looked at', async () => {
    const path = join(dir, 'a')
    const swap = async (): Promise<void> => {
      await rm(path)
      await NO_FILES['pipe']?.(path)
    }
    const reason = 'it is a named pipe'
    for (const [act, attempt] of [
      ['read', () => readBytes(path)],
      ['write', () => writeIfChanged(path, 'x', 0o600)],
    ] as const) {
      await rm(path, { force: true })
      await writeFile(path, 'old')
      afterLook = swap
      await expect(attempt()).rejects.toEqual(refusal(`cannot ${act} ${path}: ${reason}`))
      expect((await lstat(path)).isFIFO()).toBe(true)
    }
  })

  it('is told with name, code and hint of who asked', async () => {
    const opening = { name: '--x-file', code: 'usage', hint: 'give another' } as const
    await expect(readText('/dev/null', opening)).rejects.toMatchObject({
      code: 'usage',
      message: '--x-file: cannot read /dev/null: it is a device',
      hint: 'give another',
    })
    await expect(readText(join(dir, 'none'), { name: '--x-file' })).rejects.toMatchObject({
      message: `--x-file: cannot read ${join(dir, 'none')}: no such file or folder`,
      hint: 'correct the path',
    })
  })
})

describe('how much is read', () => {
  it('is as much as the limit, and no more', async () => {
    const path = join(dir, 'a')
    await writeFile(path, '12345')
    expect(await readText(path, { maxBytes: 5 })).toBe('12345')
    const message = `cannot read ${path}: it is longer than 4 bytes`
    await expect(readText(path, { maxBytes: 4 })).rejects.toEqual(refusal(message))
  })

  it('has a limit unless one is given', async () => {
    const path = join(dir, 'a')
    await writeFile(path, 'x'.repeat(1_000_000))
    expect(await readIfThere(path)).toHaveLength(1_000_000)
    await appendFile(path, 'x')
    await expect(readIfThere(path)).rejects.toEqual(
      refusal(`cannot read ${path}: it is longer than 1000000 bytes`),
    )
  })

  it('counts what is there, whatever size the system says', async () => {
    expect((await stat('/proc/self/status')).size).toBe(0)
    expect(await readText('/proc/self/status')).toContain('Pid:')
    await expect(readText('/proc/self/status', { maxBytes: 10 })).rejects.toMatchObject({ code: 'file' })
  })

  it('does not keep a file of any length from being replaced', async () => {
    const path = join(dir, 'a')
    await writeFile(path, 'x'.repeat(1_000_001))
    expect(await writeIfChanged(path, 'new', 0o600)).toBe('updated')
    expect(await readFile(path, 'utf8')).toBe('new')
  })
})

describe('makeFolder', () => {
  it('makes what is missing, with the mode whatever the umask, and leaves alone what is there', async () => {
    await chmod(dir, 0o700)
    const umask = process.umask(0o077)
    try {
      await makeFolder(join(dir, 'a', 'b'), 0o755)
      await makeFolder(join(dir, 'a', 'b'), 0o700)
    } finally {
      process.umask(umask)
    }
    expect(await modeOf(dir)).toBe(0o700)
    expect(await modeOf(join(dir, 'a'))).toBe(0o755)
    expect(await modeOf(join(dir, 'a', 'b'))).toBe(0o755)
  })

  it('lets another process be first', async () => {
    const all = Array.from({ length: 8 }, () => makeFolder(join(dir, 'a', 'b', 'c'), 0o755))
    await expect(Promise.all(all)).resolves.toHaveLength(8)
  })

  it.each([
    ['file', 'a', 'a part of the path is no folder'],
    ['file', '', 'something else has that name'],
    ['link', '', 'something else has that name'],
  ])('refuses %s/%s', async (name, below, reason) => {
    await writeFile(join(dir, 'file'), '')
    await symlink('none', join(dir, 'link'))
    const path = join(dir, name, below)
    await expect(makeFolder(path, 0o755)).rejects.toEqual(refusal(`cannot make ${path}: ${reason}`))
  })
})

describe('readIfThere', () => {
  it('is undefined where there is nothing', async () => {
    expect(await readIfThere(join(dir, 'none'))).toBeUndefined()
    expect(await readIfThere(join(dir, 'none', 'none'))).toBeUndefined()
  })

  it.each([
    ['UTF-8', Buffer.from('Zürich 😀\n'), 'Zürich 😀\n'],
    ['a byte order mark', Buffer.from('\uFEFFa'), '\uFEFFa'],
    ['Latin-1', Buffer.from('Zürich, Genève', 'latin1'), 'Z\uDCFCrich, Gen\uDCE8ve'],
    ['both', Buffer.from([0xc3, 0xbc, 0xfc, 0x41]), 'ü\uDCFCA'],
    ['an overlong form', Buffer.from([0xc0, 0x80]), '\uDCC0\uDC80'],
    ['half a surrogate pair', Buffer.from([0xed, 0xa0, 0x80]), '\uDCED\uDCA0\uDC80'],
    ['beyond Unicode', Buffer.from([0xf4, 0x90, 0x80, 0x80]), '\uDCF4\uDC90\uDC80\uDC80'],
    ['a cut character', Buffer.from([0xf0, 0x9f, 0x98]), '\uDCF0\uDC9F\uDC98'],
  ])('reads %s', async (_, bytes, text) => {
    await writeFile(join(dir, 'a'), bytes)
    expect(await readIfThere(join(dir, 'a'))).toBe(text)
  })

  it('loses no byte of any file, once it is written again', async () => {
    const byte = fc.oneof(
      fc.integer({ min: 0, max: 255 }),
      fc.constantFrom(0xc3, 0xe2, 0xed, 0xf0, 0xf4, 0x80, 0xa0, 0xbf),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(byte, { minLength: 1 }), async (bytes) => {
        await writeFile(join(dir, 'a'), Buffer.from(bytes))
        const text = (await readIfThere(join(dir, 'a'))) ?? ''
        expect(await writeIfChanged(join(dir, 'a'), text, 0o600)).toBe('unchanged')
        await writeIfChanged(join(dir, 'a'), `${text}#`, 0o600)
        expect([...(await readFile(join(dir, 'a')))]).toEqual([...bytes, 0x23])
      }),
    )
  })
})

it('checkTarget wants a file, or a folder for one', async () => {
  await expect(checkTarget(join(dir, 'a'))).resolves.toBeUndefined()
  await writeFile(join(dir, 'a'), '')
  await expect(checkTarget(join(dir, 'a'))).resolves.toBeUndefined()
  await expect(checkTarget(join(dir, 'no', 'a'))).rejects.toEqual(
    refusal(`cannot write ${join(dir, 'no', 'a')}: no such file or folder`),
  )
})

it.each([
  ['ENOSPC', 'cannot write /a/b: the disk is full', 'make room; what was there before is untouched'],
  ['ENOENT', 'cannot write /a/b: no such file or folder', 'make /a first'],
  ['EROFS', 'cannot write /a/b: the file system is read-only', 'choose another place'],
  [
    'EBUSY',
    'cannot write /a/b: it is a mount of its own, and cannot be replaced',
    'write to the file that is mounted there',
  ],
  ['EWHAT', 'cannot write /a/b: oh', undefined],
])('fileError of %s', (code, message, hint) => {
  const error = fileError('cannot write /a/b', Object.assign(new Error('oh'), { code }))
  expect(error).toMatchObject({ code: 'file', message })
  expect(error.hint).toBe(hint)
})
