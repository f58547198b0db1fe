// The one way to open a file that people name, and to write one: whole or not at all, and only where its content changes.
import { randomUUID } from 'node:crypto'
import type { Stats } from 'node:fs'
import {
  type FileHandle,
  access,
  constants,
  lstat,
  mkdir,
  open,
  readlink,
  realpath,
  rename,
  rm,
  stat,
} from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { type ErrorCode, KjitsiError, messageOf, systemCodeOf } from './errors.ts'

export type Written = 'created' | 'updated' | 'unchanged'

/** How a file is opened, and what is said where it cannot be. */
export interface Opening {
  /** What it was named by, such as `--ca-file`: the error begins with it. */
  readonly name?: string
  /** Of the error; `file` unless given. */
  readonly code?: ErrorCode
  /** In place of the one that goes with the reason. */
  readonly hint?: string
  /** A longer file is refused; 1 MB unless given. */
  readonly maxBytes?: number
}

/** No `.env`, certificate or configuration comes near it, and none as long is to be parsed. */
const MAX_BYTES = 1_000_000

/**
 * Opens a regular file for reading; anything else is refused without being opened, since opening a named pipe waits for
 * a writer, and opening a device may do anything.
 * @param path absolute
 * @throws KjitsiError with the code of `opening`, and the system's own error as its cause
 */
export async function openFile(path: string, opening: Opening = {}): Promise<FileHandle> {
  try {
    return await openRegular(path)
  } catch (error) {
    throw readError(path, opening, error)
  }
}

/**
 * The bytes of a file, opened as `openFile` does.
 * @throws KjitsiError as `openFile`, and where it is too long
 */
export async function readBytes(path: string, opening: Opening = {}): Promise<Buffer> {
  const { maxBytes = MAX_BYTES } = opening
  try {
    const bytes = await readUpTo(path, maxBytes)
    if (bytes.length <= maxBytes) return bytes
    throw Object.assign(new Error(`it is longer than ${maxBytes} bytes`), { code: TOO_LONG })
  } catch (error) {
    throw readError(path, opening, error)
  }
}

/** The text of a file in UTF-8, read as `readBytes` does. */
export async function readText(path: string, opening: Opening = {}): Promise<string> {
  return (await readBytes(path, opening)).toString('utf8')
}

/**
 * The text of a file, undefined where there is none. Bytes that are no UTF-8 come as the lone surrogates U+DC80 to
 * U+DCFF, and `writeIfChanged` turns them back into the bytes they were.
 * @throws KjitsiError as `readBytes`
 */
export async function readIfThere(path: string, opening: Opening = {}): Promise<string | undefined> {
  try {
    return decode(await readBytes(path, opening))
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Puts `content` at `path`: temporary file beside it, fsync, rename. An existing file keeps its mode and owner, and a
 * link keeps pointing at the file that gets the content; a file that has the content already is not touched.
 * @param mode of a new file, such as 0o600
 * @param read what `content` was made from, as `readIfThere` gave it; where that is no longer there, nothing is written
 * @throws KjitsiError `file`, where something else than a regular file is there too
 */
export async function writeIfChanged(
  path: string,
  content: string,
  mode: number,
  read?: { readonly text: string | undefined },
): Promise<Written> {
  const bytes = encode(content)
  try {
    const before = await statRegular(path)
    if (before?.size === bytes.length && bytes.equals(await readUpTo(path, bytes.length))) return 'unchanged'
    const target = await linkTarget(path)
    // A rename asks for no right on the file that it replaces; who made it read-only meant it.
    if (before !== undefined) await access(target, constants.W_OK)
    await replaceFile(target, bytes, mode, await statRegular(target), async () => {
      if (read !== undefined && !(await isStill(target, read.text))) {
        throw Object.assign(new Error(), { code: CHANGED })
      }
    })
    return before === undefined ? 'created' : 'updated'
  } catch (error) {
    throw await writeError(path, error)
  }
}

/** Whether a file holds what `readIfThere` gave, undefined where there was none. */
async function isStill(path: string, text: string | undefined): Promise<boolean> {
  if ((await statRegular(path)) === undefined) return text === undefined
  if (text === undefined) return false
  const bytes = encode(text)
  return bytes.equals(await readUpTo(path, bytes.length))
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
    throw await writeError(path, error)
  }
}

/**
 * Sees to it that a file can be put at `path`, before anybody is asked for what goes into it: there is a regular file,
 * or none yet and a folder that takes one.
 * @throws KjitsiError `file`, as `writeIfChanged` would
 */
export async function checkTarget(path: string): Promise<void> {
  try {
    if ((await statRegular(path)) !== undefined) return
    await access(dirname(await linkTarget(path)), constants.W_OK | constants.X_OK)
  } catch (error) {
    throw await writeError(path, error)
  }
}

/**
 * Makes the folder and those above it that are missing, with `mode` whatever the umask; one that is there stays as it
 * is. One after the other, since Node's own recursive mkdir never ends where the system says that a folder to be made
 * is not there, as it does under /proc.
 * @throws KjitsiError `file`
 */
export async function makeFolder(dir: string, mode: number): Promise<void> {
  try {
    await makeMissing(dir, mode)
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT') throw fileError(`cannot make ${dir}`, error)
    throw new KjitsiError('file', `cannot make ${dir}: the file system there takes no new folder`, {
      hint: 'choose another place',
      cause: error,
    })
  }
}

async function makeMissing(dir: string, mode: number): Promise<void> {
  if (await isFolder(dir)) return
  await makeMissing(dirname(dir), mode)
  try {
    await mkdir(dir)
  } catch (error) {
    // Another process was first.
    if (await isFolder(dir)) return
    throw error
  }
  // Not by its name, under which somebody may have put a link since.
  const made = await open(dir, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    await made.chmod(mode)
  } finally {
    await made.close()
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await statIfThere(path))?.isDirectory() === true
}

async function openRegular(path: string): Promise<FileHandle> {
  await checkRegular(path, await stat(path))
  // What took its place meanwhile is seen once it is open; a named pipe then lets itself be opened at once.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    await checkRegular(path, await file.stat())
    return file
  } catch (error) {
    await file.close()
    throw error
  }
}

/** The first bytes of a file; one more than `maxBytes` tells that it is longer, however long it is. */
async function readUpTo(path: string, maxBytes: number): Promise<Buffer> {
  const file = await openRegular(path)
  return buffer(file.createReadStream({ end: maxBytes }))
}

async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** What is known of a regular file, undefined where there is nothing. */
async function statRegular(path: string): Promise<Stats | undefined> {
  const about = await statIfThere(path)
  if (about !== undefined) await checkRegular(path, about)
  return about
}

/** Codes of our own beside the system's. */
const NOT_REGULAR = 'NOT_REGULAR'
const TOO_LONG = 'TOO_LONG'
const CHANGED = 'CHANGED'

async function checkRegular(path: string, about: Stats): Promise<void> {
  if (about.isFile()) return
  if (about.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' })
  const kind = about.isFIFO() ? 'a named pipe' : about.isSocket() ? 'a socket' : 'a device'
  const isLink = (await lstat(path)).isSymbolicLink()
  const place = isLink ? await realpath(path).catch(() => undefined) : undefined
  const reason = place === undefined ? `it is ${kind}` : `it is a link to ${place}, ${kind}`
  throw Object.assign(new Error(reason), { code: NOT_REGULAR })
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

/**
 * @param old whose mode and owner the file gets; without it the mode is `mode`, and the owner who runs this
 * @param check throws where the file must not be replaced; the last thing before that is done
 */
async function replaceFile(
  path: string,
  bytes: Uint8Array,
  mode: number,
  old: Stats | undefined,
  check?: () => Promise<void>,
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
    await check?.()
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

function encode(text: string): Buffer {
  const parts = text.split(/([\uDC80-\uDCFF])/u)
  return Buffer.concat(
    parts.map((part, i) => (i % 2 === 0 ? Buffer.from(part) : Buffer.of(part.charCodeAt(0) & 0xff))),
  )
}

const FULL = 'make room; what was there before is untouched'
const RIGHTS = (path: string): string =>
  `run as a user who may read and write ${path} and make files in ${dirname(path)}`

const REASONS: Readonly<
  Record<string, readonly [reason: string | undefined, hint: (path: string) => string]>
> = {
  [NOT_REGULAR]: [undefined, () => 'name a regular file'],
  [TOO_LONG]: [undefined, () => 'name the right file'],
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

/** A failure to write: the system says ENOENT also where it means more than a missing folder. */
async function writeError(path: string, error: unknown): Promise<KjitsiError> {
  const ofFile = fileError(`cannot write ${path}`, error)
  if (systemCodeOf(error) !== 'ENOENT') return ofFile
  const target = await linkTarget(path).catch(() => path)
  const folder = dirname(target)
  const hasFolder = await isFolder(folder).catch(() => false)
  if (!hasFolder && target === path) return ofFile
  const [reason, hint] = hasFolder
    ? ['the file system there takes no new file', 'choose another place']
    : [`it is a link to ${target}, and there is no such folder`, `make ${folder} first, or correct the link`]
  return new KjitsiError('file', `cannot write ${path}: ${reason}`, { hint, cause: error })
}

/** What mends a file that is to be read, and that nobody has to write. */
const READ_HINTS: Readonly<Record<string, (path: string) => string>> = {
  EACCES: (path) => `run as a user who may read ${path}`,
  ENOENT: () => 'correct the path',
}

function readError(path: string, { name, code = 'file', hint }: Opening, error: unknown): KjitsiError {
  const ofFile = fileError(`${name === undefined ? '' : `${name}: `}cannot read ${path}`, error)
  const mend = hint ?? READ_HINTS[systemCodeOf(error) ?? '']?.(path) ?? ofFile.hint
  return new KjitsiError(code, ofFile.message, { hint: mend, cause: error })
}
