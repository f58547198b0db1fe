// Reads what is at a path that a plan is to be made for, with all that a run would fail on.
import type { Stats } from 'node:fs'
import { access, constants, lstat, open, readlink, realpath } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { dirname, resolve } from 'node:path'
import { KjitsiError, systemCodeOf } from '../errors.ts'
import { decode } from './bytes.ts'
import type { Target } from './plan.ts'
import { isFolder, readBytes, statRegular } from './read.ts'
import { fileError, systemError } from './reasons.ts'

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, W_OK, X_OK } = constants

/**
 * A file that people name, through links.
 * @param path absolute
 * @throws KjitsiError `file` where neither a regular file is there nor one can be made
 */
export async function readTarget(path: string): Promise<Target> {
  try {
    const about = await statRegular(path)
    const real = await linkTarget(path)
    if (about === undefined) {
      await access(dirname(real), W_OK | X_OK)
      return { path, own: false, there: 'nothing', text: undefined, mode: undefined, blocked: undefined }
    }
    const blocked = await checkReplaceable(real, about).then(
      () => undefined,
      (error: unknown) => writeError(path, error),
    )
    const text = decode(await readBytes(path))
    return { path, own: false, there: 'file', text, mode: about.mode & 0o7777, blocked }
  } catch (error) {
    throw error instanceof KjitsiError ? error : await writeError(path, error)
  }
}

/**
 * What has a name of ours, through no link. What cannot be read, or is longer than `maxBytes`, is empty: it is not what
 * is wanted, whatever it says.
 * @param path absolute
 * @throws KjitsiError `file`
 */
export async function readOwnTarget(path: string, maxBytes: number): Promise<Target> {
  const blocked = await whyNotPut(path)
  const file = (text: string, mode: number): Target => ({
    ...{ path, own: true, there: 'file', text, mode: mode & 0o7777, blocked },
  })
  const nothing = { path, own: true, there: 'nothing', text: undefined, mode: undefined, blocked } as const
  const other = {
    ...nothing,
    there: 'other',
    blocked: new KjitsiError('file', `${path} is no file but a link or a folder`, {
      hint: 'remove it; kjitsi writes through no link and replaces nothing that it did not write',
    }),
  } as const
  try {
    // Nothing but a file is opened: to open a pipe or a device can wait, or do something.
    const named = await lstat(path)
    if (!named.isFile()) return other
    const opened = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch((error: unknown) => {
      if (systemCodeOf(error) === 'EACCES') return undefined
      throw error
    })
    if (opened === undefined) return file('', named.mode)
    try {
      const about = await opened.stat()
      if (!about.isFile()) return other
      const { bytesRead, buffer } = await opened.read(Buffer.alloc(Math.min(about.size, maxBytes) + 1), 0)
      return file(bytesRead > maxBytes ? '' : decode(buffer.subarray(0, bytesRead)), about.mode)
    } finally {
      await opened.close()
    }
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return nothing
    if (systemCodeOf(error) === 'ELOOP') return other
    throw fileError(`cannot read ${path}`, error)
  }
}

/** What keeps a file from being put at a path, for which a folder is made that is missing. */
async function whyNotPut(path: string): Promise<KjitsiError | undefined> {
  const dir = dirname(path)
  try {
    await checkFolder(dir)
    return undefined
  } catch (error) {
    const hasFolder = await isFolder(dir).catch(() => false)
    return fileError(hasFolder ? `cannot write ${path}` : `cannot make ${dir}`, error)
  }
}

/**
 * Sees to it that files can be made in a folder, or it with those above it.
 * @throws Error the system's own
 */
async function checkFolder(dir: string): Promise<void> {
  if (await isFolder(dir)) return access(dir, W_OK | X_OK)
  const something = await lstat(dir).catch(() => undefined)
  if (something !== undefined) throw systemError('EEXIST')
  return checkFolder(dirname(dir))
}

/** @throws Error the system's own, as a rename that keeps the owner would */
async function checkReplaceable(path: string, about: Stats): Promise<void> {
  // A rename asks for no right on the file that it replaces; who made it read-only meant it.
  await access(path, W_OK)
  await access(dirname(path), W_OK | X_OK)
  const uid = ownId()
  if (uid !== undefined && uid !== 0 && uid !== about.uid) throw systemError('EPERM')
  if (await isMount(path)) throw systemError('EBUSY')
}

/** Undefined where the system knows no user of this process, as in a container. */
function ownId(): number | undefined {
  try {
    return userInfo().uid
  } catch {
    return undefined
  }
}

/** Whether a file is mounted by itself, as into a container; only Linux says so. */
async function isMount(path: string): Promise<boolean> {
  const mounts = await readBytes('/proc/self/mountinfo', { maxBytes: Infinity }).catch(() => undefined)
  // proc_pid_mountinfo(5): the fifth field; blanks and backslashes are in octal.
  const escaped = path.replace(/[ \t\n\\]/g, (one) => `\\${one.charCodeAt(0).toString(8).padStart(3, '0')}`)
  return (
    mounts
      ?.toString()
      .split('\n')
      .some((line) => line.split(' ')[4] === escaped) === true
  )
}

/** The file behind a path's links, where there is none yet the place that the links point at. */
export async function linkTarget(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    const isLink =
      systemCodeOf(error) === 'ENOENT' && (await lstat(path).catch(() => undefined))?.isSymbolicLink()
    return isLink ? linkTarget(resolve(dirname(path), await readlink(path))) : path
  }
}

/** A failure to write: the system says ENOENT also where it means more than a missing folder. */
export async function writeError(path: string, error: unknown): Promise<KjitsiError> {
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
