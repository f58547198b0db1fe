import fc from 'fast-check'
import { appendFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { decode, encode } from '../../src/files/bytes.ts'
import { openFile, readIfThere, readText } from '../../src/files/read.ts'
import { tempFolder } from '../support/folder.ts'
import { NO_FILES } from '../support/no-files.ts'

let dir: string
beforeEach(() => {
  dir = tempFolder()
})

const refusal = (message: string): unknown => expect.objectContaining({ code: 'file', message })

describe('what is no regular file', () => {
  it.each(Object.entries(NO_FILES))('%s is not read', async (_, make) => {
    const path = join(dir, 'a')
    const error = refusal(`cannot read ${path}: ${await make(path)}`)
    for (const read of [openFile, readText, readIfThere]) await expect(read(path)).rejects.toEqual(error)
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
})

it('no byte of any file is lost between its bytes and its text', () => {
  const byte = fc.oneof(
    fc.integer({ min: 0, max: 255 }),
    fc.constantFrom(0xc3, 0xe2, 0xed, 0xf0, 0xf4, 0x80, 0xa0, 0xbf),
  )
  fc.assert(
    fc.property(fc.array(byte), (bytes) => {
      expect([...encode(decode(Buffer.from(bytes)))]).toEqual(bytes)
    }),
  )
})
