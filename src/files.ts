// Writes a file whole or not at all, and only where its content changes.
import { readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import { KjitsiError, messageOf, systemCodeOf } from './errors.ts'

export type Written = 'created' | 'updated' | 'unchanged'

/** The text of a file, undefined where there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
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
    await writeFileAtomic(path, content, before === undefined ? { mode } : {})
  } catch (error) {
    throw fileError(`cannot write ${path}`, error)
  }
  return before === undefined ? 'created' : 'updated'
}

/** Whether a path is a folder; false where there is nothing. */
export async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch {
    return false
  }
}

const REASONS: Readonly<Record<string, readonly [reason: string, hint: (path: string) => string]>> = {
  EACCES: ['permission denied', (path) => `run as a user who may write in ${dirname(path)}`],
  EPERM: ['permission denied', (path) => `run as a user who may write in ${dirname(path)}`],
  EROFS: ['the file system is read-only', () => 'choose another place'],
  EISDIR: ['it is a folder', () => 'name a file'],
  ENOENT: ['no such file or folder', (path) => `make ${dirname(path)} first`],
  ENOTDIR: ['a part of the path is no folder', () => 'correct the path'],
  ENOSPC: ['the disk is full', () => 'make room; what was there before is untouched'],
  EDQUOT: ['the disk quota is used up', () => 'make room; what was there before is untouched'],
}

/** A failure of the file system as a sentence: `what` names act and path, its last word is the path. */
export function fileError(what: string, error: unknown): KjitsiError {
  const [reason, hint] = REASONS[systemCodeOf(error) ?? ''] ?? [messageOf(error), undefined]
  const path = what.slice(what.indexOf('/'))
  return new KjitsiError('file', `${what}: ${reason}`, { hint: hint?.(path), cause: error })
}
