import { expect, it } from 'vitest'
import { fileError } from '../../src/files/reasons.ts'

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
