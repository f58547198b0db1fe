// What a run would fail on is known before it: told by the plan, as the run would tell it.
import type * as fs from 'node:fs/promises'
import type * as os from 'node:os'
import { lstat, mkdir, readdir, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { readOwnTarget, readTarget } from '../../src/files/target.ts'
import { tempFolder } from '../support/folder.ts'
import { NO_FILES } from '../support/no-files.ts'

/** Runs once, between the look at a path and what is done with it. */
let afterLook: (() => Promise<void>) | undefined
vi.hoisted(() => {
  vi.resetModules()
})
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
  }
})
afterAll(() => {
  vi.resetModules()
})

/** Who runs this, where it is not who does; null where the system does not know. */
let user: number | null | undefined
vi.mock('node:os', async (original) => {
  const real = await original<typeof os>()
  return {
    ...real,
    userInfo() {
      if (user === null) throw new Error('no such user')
      return { ...real.userInfo(), ...(user !== undefined && { uid: user }) }
    },
  }
})

const LONG = 100

let dir: string
let path: string
beforeEach(() => {
  dir = tempFolder()
  path = join(dir, 'a')
  user = undefined
})

const refusal = (message: string): unknown => expect.objectContaining({ code: 'file', message })

describe('a file that people name', () => {
  it('is read with its mode, through links', async () => {
    await writeFile(path, 'text', { mode: 0o640 })
    await symlink('a', join(dir, 'link'))
    expect(await readTarget(join(dir, 'link'))).toEqual({
      path: join(dir, 'link'),
      own: false,
      there: 'file',
      text: 'text',
      mode: 0o640,
      blocked: undefined,
    })
  })

  it.each(Object.entries(NO_FILES))('is refused where there is %s', async (_, make) => {
    const reason = await make(path)
    const before = await readdir(dir)
    const { mode, ino } = await lstat(path)
    await expect(readTarget(path)).rejects.toEqual(refusal(`cannot write ${path}: ${reason}`))
    expect(await lstat(path)).toMatchObject({ mode, ino })
    expect(await readdir(dir)).toEqual(before)
  })

  it('is refused where a pipe took its place after it was looked at', async () => {
    await writeFile(path, 'old')
    afterLook = async () => {
      await rm(path)
      await NO_FILES['pipe']?.(path)
    }
    await expect(readTarget(path)).rejects.toEqual(refusal(`cannot read ${path}: it is a named pipe`))
    expect((await lstat(path)).isFIFO()).toBe(true)
  })

  it.each([
    ['somebody else', 1_234_567, 'permission denied'],
    ['root, who may give files away', 0, undefined],
    ['a user without a name', null, undefined],
  ])('keeps its owner, and so is not written by %s', async (_, uid, reason) => {
    await writeFile(path, 'text')
    user = uid
    const { blocked } = await readTarget(path)
    expect(blocked?.message).toBe(reason && `cannot write ${path}: ${reason}`)
    expect(blocked?.hint).toBe(reason && `run as the owner of ${path}, or as root: its owner has to stay`)
  })

  it('wants a folder, and says where a link leads to none', async () => {
    expect(await readTarget(path)).toMatchObject({ there: 'nothing', text: undefined, blocked: undefined })
    const deep = join(dir, 'none', 'a')
    await expect(readTarget(deep)).rejects.toEqual(refusal(`cannot write ${deep}: no such file or folder`))
    await writeFile(path, '')
    await expect(readTarget(join(path, 'b'))).rejects.toEqual(
      refusal(`cannot write ${join(path, 'b')}: a part of the path is no folder`),
    )
    const link = join(dir, 'link')
    await symlink(deep, link)
    await expect(readTarget(link)).rejects.toMatchObject({
      message: `cannot write ${link}: it is a link to ${deep}, and there is no such folder`,
      hint: `make ${join(dir, 'none')} first, or correct the link`,
    })
  })
})

describe('a file whose name is ours', () => {
  it.each([
    ['nothing', undefined, { there: 'nothing', text: undefined }],
    ['a file', 'pem', { there: 'file', text: 'pem', mode: 0o644 }],
    ['far too much', 'x'.repeat(LONG + 1), { there: 'file', text: '' }],
  ])('is %s', async (_, content, target) => {
    if (content !== undefined) await writeFile(path, content, { mode: 0o644 })
    expect(await readOwnTarget(path, LONG)).toMatchObject({ ...target, own: true, blocked: undefined })
  })

  it('is read even where it is enormous', async () => {
    await writeFile(path, '')
    await truncate(path, 5 * 1024 ** 3)
    expect(await readOwnTarget(path, LONG)).toMatchObject({ there: 'file', text: '' })
  })

  it.each([
    ['a link to a file', () => symlink('other', path)],
    ['a link to nothing', () => symlink('nothing', path)],
    ['a folder', () => mkdir(path)],
    ['a pipe', () => NO_FILES['pipe']?.(path)],
  ])('is none of ours where it is %s', async (_, make) => {
    await writeFile(join(dir, 'other'), 'mine')
    await make()
    expect(await readOwnTarget(path, LONG)).toMatchObject({
      there: 'other',
      text: undefined,
      blocked: { message: `${path} is no file but a link or a folder` },
    })
  })

  it.each([
    ['its folder can be made', 'none/deeper', undefined],
    ['its folder is a link to nothing', 'link', 'something else has that name'],
  ])('%s', async (_, folder, reason) => {
    await symlink('nothing', join(dir, 'link'))
    const { blocked } = await readOwnTarget(join(dir, folder, 'a'), LONG)
    expect(blocked?.message).toBe(reason && `cannot make ${join(dir, folder)}: ${reason}`)
  })
})
