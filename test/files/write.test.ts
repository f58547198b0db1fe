import { chmod, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { makeFolder } from '../../src/files/write.ts'
import { tempFolder } from '../support/folder.ts'

let dir: string
beforeEach(() => {
  dir = tempFolder()
})

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o7777
const refusal = (message: string): unknown => expect.objectContaining({ code: 'file', message })

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
