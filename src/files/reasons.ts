// Why the file system refused, as a sentence with what mends it.
import { dirname } from 'node:path'
import { KjitsiError, messageOf, systemCodeOf } from '../errors.ts'

/** Codes of our own beside the system's. */
export const NOT_REGULAR = 'NOT_REGULAR'
export const FILE_TOO_LONG = 'TOO_LONG'
export const CHANGED = 'CHANGED'

/** An error as the system gives one. */
export function systemError(code: string, message?: string): Error {
  return Object.assign(new Error(message), { code })
}

const FULL = 'make room; what was there before is untouched'
const RIGHTS = (path: string): string =>
  `run as a user who may read and write ${path} and make files in ${dirname(path)}`

const REASONS: Readonly<
  Record<string, readonly [reason: string | undefined, hint: (path: string) => string]>
> = {
  [NOT_REGULAR]: [undefined, () => 'name a regular file'],
  [FILE_TOO_LONG]: [undefined, () => 'name the right file'],
  [CHANGED]: [
    'it was changed meanwhile, and is left as it is',
    () => 'run this again; it starts from what is there now',
  ],
  EACCES: ['permission denied', RIGHTS],
  EPERM: ['permission denied', (path) => `run as the owner of ${path}, or as root: its owner has to stay`],
  EROFS: ['the file system is read-only', () => 'choose another place'],
  EISDIR: ['it is a folder', () => 'name a file'],
  ENOENT: ['no such file or folder', (path) => `make ${dirname(path)} first`],
  EEXIST: ['something else has that name', () => 'choose another place'],
  ENOTDIR: ['a part of the path is no folder', () => 'correct the path'],
  ELOOP: ['it is a link that leads to itself', () => 'correct the link'],
  EBUSY: [
    'it is a mount of its own, and cannot be replaced',
    () => 'write to the file that is mounted there',
  ],
  ENOSPC: ['the disk is full', () => FULL],
  EDQUOT: ['the disk quota is used up', () => FULL],
  EFBIG: ['it would be larger than the largest file allowed', () => 'raise the limit (ulimit -f)'],
}

/** A failure of the file system as a sentence: `what` names act and path, its last word is the path. */
export function fileError(what: string, error: unknown): KjitsiError {
  const [reason, hint] = REASONS[systemCodeOf(error) ?? ''] ?? []
  const path = what.slice(what.indexOf('/'))
  return new KjitsiError('file', `${what}: ${reason ?? messageOf(error)}`, {
    hint: hint?.(path),
    cause: error,
  })
}
