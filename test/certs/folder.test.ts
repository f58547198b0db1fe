import { mkdir, rename, symlink, unlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fileNameOf } from '../../src/certs/key.ts'
import { pemFolder } from '../../src/certs/folder.ts'
import { rsaKey, ellipticPem } from '../support/keys.ts'
import { tempFolder } from '../support/folder.ts'

const [ONE, TWO] = [rsaKey().pem, rsaKey().pem]
const ELLIPTIC = ellipticPem()
const [A, B] = [fileNameOf('a'), fileNameOf('b')]

async function folder(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const dir = tempFolder()
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text)
  return dir
}

async function dangling(): Promise<string> {
  const dir = await folder()
  await symlink('nothing', join(dir, A))
  return dir
}

describe('a folder of PEM files', () => {
  test('gives its keys, by their names alone', async () => {
    const dir = await folder({ [A]: ONE, 'README.md': 'x', '.kjitsi.json': '{}', [`${A}.bak`]: TWO })
    const { keys, leftOut, error } = await pemFolder(dir, 30).read('due')
    expect(keys).toEqual([{ kid: null, file: A, alg: null, bits: 2048, pem: ONE, source: dir }])
    expect([leftOut, error]).toEqual([[], undefined])
  })

  test('shows a new file, a changed one and one that is gone at the next reading', async () => {
    const dir = await folder({ [A]: ONE })
    const source = pemFolder(dir, 30)
    const pems = async (): Promise<string[]> => (await source.read('due')).keys.map(({ pem }) => pem)
    expect(await pems()).toEqual([ONE])
    await writeFile(join(dir, B), TWO)
    expect((await pems()).sort()).toEqual([ONE, TWO].sort())
    await unlink(join(dir, B))
    await writeFile(join(dir, 'new'), TWO)
    await rename(join(dir, 'new'), join(dir, A))
    expect(await pems()).toEqual([TWO])
  })

  test('shows a change that keeps size and time', async () => {
    const dir = await folder({ [A]: ONE })
    const source = pemFolder(dir, 30)
    await utimes(join(dir, A), 1, 1)
    await source.read('due')
    await writeFile(join(dir, A), TWO)
    await utimes(join(dir, A), 1, 1)
    expect((await source.read('due')).keys).toMatchObject([{ pem: TWO }])
  })

  test('follows links, as those of a Kubernetes volume', async () => {
    const dir = await folder()
    await mkdir(join(dir, '..data'))
    await writeFile(join(dir, '..data', A), ONE)
    await symlink(join('..data', A), join(dir, A))
    expect((await pemFolder(dir, 30).read('due')).keys).toMatchObject([{ file: A, pem: ONE }])
  })

  test.each([
    ['a certificate', ONE.replaceAll('PUBLIC KEY', 'CERTIFICATE'), 'it is not one public key in PEM form'],
    ['HTML', '<html></html>', 'it is not one public key in PEM form'],
    ['half a file', ONE.slice(0, 200), 'it is not one public key in PEM form'],
    ['two keys', ONE + TWO, 'it is not one public key in PEM form'],
    ['an empty file', '', 'it is not one public key in PEM form'],
    [
      'no key inside',
      '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n',
      'it is no public key that can be read',
    ],
    ['an elliptic key', ELLIPTIC, 'it is a key of type ec: Jitsi takes RSA keys only'],
  ])('leaves out %s, which Prosody cannot use', async (_, text, reason) => {
    const dir = await folder({ [A]: text, [B]: ONE })
    const { keys, leftOut } = await pemFolder(dir, 30).read('due')
    expect(keys).toMatchObject([{ file: B }])
    expect(leftOut).toMatchObject([{ kid: A, reason }])
  })

  test.each([
    [
      'a very long file',
      (path: string) => writeFile(path, ONE + ' '.repeat(10_000)),
      'it is longer than 10000 bytes',
    ],
    ['a folder', (path: string) => mkdir(path), 'it is a folder'],
  ])('leaves out %s, which is certainly no key', async (_, make, reason) => {
    const dir = await folder()
    await make(join(dir, A))
    expect(await pemFolder(dir, 30).read('due')).toMatchObject({ outcome: 'none', leftOut: [] })
    await writeFile(join(dir, B), ONE)
    expect(await pemFolder(dir, 30).read('due')).toMatchObject({
      outcome: 'keys',
      leftOut: [{ kid: A, reason: `cannot read ${join(dir, A)}: ${reason}` }],
    })
  })

  test.each([
    ['is empty', async () => folder(), 'none', 'keys', 'holds no key'],
    ['holds other files', async () => folder({ 'a.pem': ONE }), 'none', 'keys', 'holds no key'],
    ['holds what is no key', async () => folder({ [A]: '<html>' }), 'none', 'keys', 'holds no key'],
    ['holds what cannot be looked at', dangling, 'unreachable', 'keys', 'holds no key'],
    [
      'is not there',
      () => Promise.resolve('/nowhere/certs'),
      'unreachable',
      'file',
      'cannot read /nowhere/certs: no such file',
    ],
  ])('that %s gives no key', async (_, make, outcome, code, message) => {
    const { error, ...reading } = await pemFolder(await make(), 30).read('due')
    expect(reading).toMatchObject({ outcome, keys: [] })
    expect(error).toMatchObject({ code })
    expect(error?.message).toContain(message)
  })

  test.each([
    [30, 1],
    [0, 0],
  ])('with a cooldown of %i is read at most every %i seconds', (cooldown, seconds) => {
    expect(pemFolder('/certs', cooldown).cooldown).toBe(seconds)
  })
})
