// Folders and files, made whole or not at all.
import { randomUUID } from 'node:crypto'
import type { Stats } from 'node:fs'
import { constants, mkdir, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { KjitsiError, systemCodeOf } from '../errors.ts'
import { isFolder } from './read.ts'
import { fileError } from './reasons.ts'

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

/** The name that a file has until it takes the place of the one that is named in it. */
export const TEMPORARY = /^\.(.+)\.[0-9a-f]{8}$/

/**
 * Puts bytes in place of what has the name `path`, through no link: temporary file beside it, fsync, rename.
 * @param old whose mode and owner the file gets; without it the mode is `mode`, and the owner who runs this
 * @param check throws where the file must not be replaced; the last thing before that is done
 * @throws Error the system's own
 */
export async function replaceFile(
  path: string,
  bytes: Uint8Array,
  mode: number,
  old?: Stats,
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
