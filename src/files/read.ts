// The one way to open a file that people name.
import type { Stats } from 'node:fs'
import { type FileHandle, constants, lstat, open, realpath, stat } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { type ErrorCode, KjitsiError, systemCodeOf } from '../errors.ts'
import { decode } from './bytes.ts'
import { NOT_REGULAR, FILE_TOO_LONG, fileError, systemError } from './reasons.ts'

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
    throw systemError(FILE_TOO_LONG, `it is longer than ${maxBytes} bytes`)
  } catch (error) {
    throw readError(path, opening, error)
  }
}

/** The text of a file in UTF-8, read as `readBytes` does. */
export async function readText(path: string, opening: Opening = {}): Promise<string> {
  return (await readBytes(path, opening)).toString('utf8')
}

/**
 * The text of a file that nobody named, read as `readBytes` does; empty where there is none that could be meant: another
 * user's file and a folder, as Python's virtual environments have, are not.
 */
export async function readUnnamed(path: string, opening: Opening = {}): Promise<string> {
  return readText(path, opening).catch((error: unknown) => {
    if (['ENOENT', 'EISDIR', 'ENOTDIR', 'EACCES'].includes(systemCodeOf(error) ?? '')) return ''
    throw error
  })
}

/**
 * The text of a file as `decode` gives it, undefined where there is none.
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
export async function readUpTo(path: string, maxBytes: number): Promise<Buffer> {
  const file = await openRegular(path)
  return buffer(file.createReadStream({ end: maxBytes }))
}

/** What is known of a regular file, undefined where there is nothing. */
export async function statRegular(path: string): Promise<Stats | undefined> {
  const about = await statIfThere(path)
  if (about !== undefined) await checkRegular(path, about)
  return about
}

export async function isFolder(path: string): Promise<boolean> {
  return (await statIfThere(path))?.isDirectory() === true
}

async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

async function checkRegular(path: string, about: Stats): Promise<void> {
  if (about.isFile()) return
  if (about.isDirectory()) throw systemError('EISDIR')
  const kind = about.isFIFO() ? 'a named pipe' : about.isSocket() ? 'a socket' : 'a device'
  const isLink = (await lstat(path)).isSymbolicLink()
  const place = isLink ? await realpath(path).catch(() => undefined) : undefined
  throw systemError(NOT_REGULAR, place === undefined ? `it is ${kind}` : `it is a link to ${place}, ${kind}`)
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
