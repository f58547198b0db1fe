// Writes a file whole or not at all, and only where its content changes.
import { randomUUID } from 'node:crypto'
import type { Stats } from 'node:fs'
import {
  access,
  constants,
  lstat,
  open,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  stat,
} from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { KjitsiError, messageOf, systemCodeOf } from './errors.ts'

export type Written = 'created' | 'updated' | 'unchanged'

/**
 * The text of a file, undefined where there is none. Bytes that are no UTF-8 come as the lone surrogates U+DC80 to
 * U+DCFF, and `writeIfChanged` turns them back into the bytes they were.
 * @throws KjitsiError `file`
 */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return decode(await readFile(path))
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined
    throw fileError(`cannot read ${path}`, error)
  }
}

/**
 * Puts `content` at `path`: temporary file beside it, fsync, rename. An existing file keeps its mode and owner, and a
 * link keeps pointing at the file that gets the content; a file that has the content already is not touched.
 * @param mode of a new file, such as 0o600
 * @throws KjitsiError `file`
 */
export async function writeIfChanged(path: string, content: string, mode: number): Promise<Written> {
  const before = await readIfThere(path)
  if (before === content) return 'unchanged'
  try {
    const target = await linkTarget(path)
    // A rename asks for no right on the file that it replaces; who made it read-only meant it.
    if (before !== undefined) await access(target, constants.W_OK)
    await replaceFile(target, encode(content), mode, await stat(target).catch(() => undefined))
  } catch (error) {
    throw fileError(`cannot write ${path}`, error)
  }
  return before === undefined ? 'created' : 'updated'
}

/**
 * What has the name `path`, through no link: the text and mode of a regular file (no text where it is longer than `maxBytes`),
 * `other` for a link, a folder or a pipe, undefined where there is nothing.
 * @throws KjitsiError `file`
 */
export async function readNoLink(
  path: string,
  maxBytes: number,
): Promise<{ readonly text: string | undefined; readonly mode: number } | 'other' | undefined> {
  try {
    // Nothing but a file is opened: to open a pipe or a device can wait, or do something.
    if (!(await lstat(path)).isFile()) return 'other'
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      const about = await file.stat()
      if (!about.isFile()) return 'other'
      const { bytesRead, buffer } = await file.read(Buffer.alloc(Math.min(about.size, maxBytes) + 1), 0)
      return {
        text: bytesRead > maxBytes ? undefined : buffer.toString('utf8', 0, bytesRead),
        mode: about.mode,
      }
    } finally {
      await file.close()
    }
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined
    if (systemCodeOf(error) === 'ELOOP') return 'other'
    throw fileError(`cannot read ${path}`, error)
  }
}

/**
 * Puts `content` at `path` in place of what has that name, through no link: for a file whose name is ours, in a folder in
 * which others may write at the same time. Temporary file beside it, fsync, rename.
 * @throws KjitsiError `file`
 */
export async function putFile(path: string, content: string, mode: number): Promise<void> {
  try {
    await replaceFile(path, encode(content), mode, undefined)
  } catch (error) {
    throw fileError(`cannot write ${path}`, error)
  }
}

/**
 * Sees to it that there is a folder for a file to be made in.
 * @throws KjitsiError `file`, as `writeIfChanged` would
 */
export async function checkFolderOf(path: string): Promise<void> {
  try {
    await access(dirname(path))
  } catch (error) {
    throw fileError(`cannot write ${path}`, error)
  }
}

/** The file behind a path's links, where there is none yet the place that the links point at. */
async function linkTarget(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    const isLink =
      systemCodeOf(error) === 'ENOENT' && (await lstat(path).catch(() => undefined))?.isSymbolicLink()
    return isLink ? linkTarget(resolve(dirname(path), await readlink(path))) : path
  }
}

/** @param old whose mode and owner the file gets; without it the mode is `mode`, and the owner who runs this */
async function replaceFile(
  path: string,
  bytes: Uint8Array,
  mode: number,
  old: Stats | undefined,
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID().slice(0, 8)}`)
  // Exclusively: a link that was put there is not followed. From here on only the open file is touched, no name.
  const file = await open(temporary, 'wx', 0o600)
  try {
    try {
      // Goes on until every byte is written: one write alone stores as much as fits on a full disk, and calls it done.
      await file.writeFile(bytes)
      const made = await file.stat()
      if (old && (old.uid !== made.uid || old.gid !== made.gid)) await file.chown(old.uid, old.gid)
      await file.chmod(old ? old.mode & 0o7777 : mode)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Well-formed UTF-8 (RFC 3629, section 4), or one byte that is not, in bytes read as Latin-1. */
const SEQUENCES =
  // eslint-disable-next-line no-control-regex
  /[\x00-\x7F]+|[\xC2-\xDF][\x80-\xBF]|(?:\xE0[\xA0-\xBF]|[\xE1-\xEC\xEE\xEF][\x80-\xBF]|\xED[\x80-\x9F])[\x80-\xBF]|(?:\xF0[\x90-\xBF]|[\xF1-\xF3][\x80-\xBF]|\xF4[\x80-\x8F])[\x80-\xBF]{2}|[\x80-\xFF]/g

function decode(bytes: Buffer): string {
  try {
    return UTF8.decode(bytes)
  } catch {
    return bytes.toString('latin1').replace(SEQUENCES, (sequence) => {
      const isStray = sequence.length === 1 && sequence > '\x7F'
      return isStray
        ? String.fromCharCode(0xdc00 + sequence.charCodeAt(0))
        : Buffer.from(sequence, 'latin1').toString()
    })
  }
}

function encode(text: string): Uint8Array {
  const parts = text.split(/([\uDC80-\uDCFF])/u)
  return Buffer.concat(
    parts.map((part, i) => (i % 2 === 0 ? Buffer.from(part) : Buffer.of(part.charCodeAt(0) & 0xff))),
  )
}

const FULL = 'make room; what was there before is untouched'
const RIGHTS = (path: string): string =>
  `run as a user who may read and write ${path} and make files in ${dirname(path)}`

const REASONS: Readonly<Record<string, readonly [reason: string, hint: (path: string) => string]>> = {
  EACCES: ['permission denied', RIGHTS],
  EPERM: ['permission denied', (path) => `run as the owner of ${path}, or as root: its owner has to stay`],
  EROFS: ['the file system is read-only', () => 'choose another place'],
  EISDIR: ['it is a folder', () => 'name a file'],
  ENOENT: ['no such file or folder', (path) => `make ${dirname(path)} first`],
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
  const [reason, hint] = REASONS[systemCodeOf(error) ?? ''] ?? [messageOf(error), undefined]
  const path = what.slice(what.indexOf('/'))
  return new KjitsiError('file', `${what}: ${reason}`, { hint: hint?.(path), cause: error })
}
