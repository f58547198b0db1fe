// The folder of PEM files: what is there, what is to change, and the change itself.
import { lstat, readdir, rm, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { KjitsiError, systemCodeOf, withProgress } from '../errors.ts'
import { fileError, makeFolder, putFile, readNoLink } from '../files.ts'
import type { PublicPem } from './pem.ts'

/** What a folder holds of the files that Prosody may ask for. */
export interface Folder {
  /** Absolute. */
  readonly dir: string
  readonly exists: boolean
  /** Whether users other than its owner can read it; a web server mostly is one. True where it is not there yet. */
  readonly open: boolean
  /** Names of the form `<64 hex>.pem`, whatever they are. */
  readonly entries: ReadonlyMap<string, Entry>
  /** Temporary files of runs that were killed. */
  readonly leftovers: readonly string[]
}

export type Entry =
  | { readonly kind: 'file'; readonly content: string; readonly readable: boolean }
  /** A link, a folder, a pipe: nothing that kjitsi made. */
  | { readonly kind: 'other' }

export type Step =
  | { readonly action: 'create' | 'update' | 'keep'; readonly key: PublicPem }
  | { readonly action: 'remove'; readonly file: string }

const OUR_NAME = /^[0-9a-f]{64}\.pem$/
/** As `putFile` names them. */
const TEMPORARY = /^\.(?:[0-9a-f]{64}\.pem|\.kjitsi\.json)\.[0-9a-f]{8}$/
// A run that is under way has one for as long as it takes to write some kilobytes.
const LEFT_OVER_MS = 60_000
const FILE_MODE = 0o644
const FOLDER_MODE = 0o755
// A PEM of the largest key is under 3 kB. What is longer is not what is wanted, whatever it says.
const MAX_PEM_BYTES = 10_000

/**
 * Reads the folder; one that is not there is empty.
 * @throws KjitsiError `file`
 */
export async function readFolder(dir: string): Promise<Folder> {
  try {
    const about = await stat(dir)
    if (!about.isDirectory())
      throw new KjitsiError('file', `${dir} is a file, not a folder`, { hint: 'name a folder' })
    const entries = new Map<string, Entry>()
    const leftovers: string[] = []
    for (const name of await readdir(dir)) {
      if (TEMPORARY.test(name) && (await isLeftOver(join(dir, name)))) leftovers.push(name)
      const entry = OUR_NAME.test(name) ? await readEntry(join(dir, name)) : undefined
      if (entry) entries.set(name, entry)
    }
    return { dir, exists: true, open: (about.mode & 0o005) === 0o005, entries, leftovers }
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') {
      return { dir, exists: false, open: true, entries: new Map(), leftovers: [] }
    }
    throw error instanceof KjitsiError ? error : fileError(`cannot read ${dir}`, error)
  }
}

async function readEntry(path: string): Promise<Entry | undefined> {
  try {
    const found = await readNoLink(path, MAX_PEM_BYTES)
    if (found === 'other') return { kind: 'other' }
    // Undefined where it was removed since the folder was listed.
    return found && { kind: 'file', content: found.text ?? '', readable: (found.mode & 0o444) === 0o444 }
  } catch (error) {
    // What we cannot read, others cannot either: it is to be written anew.
    if (systemCodeOf(error) === 'EACCES') return { kind: 'file', content: '', readable: false }
    throw error
  }
}

async function isLeftOver(path: string): Promise<boolean> {
  const about = await lstat(path).catch(() => undefined)
  return about?.isFile() === true && about.mtimeMs < Date.now() - LEFT_OVER_MS
}

/**
 * What makes the folder hold these keys.
 * @throws KjitsiError `file` where a link or a folder has the name that a key needs: what is no file of ours is not ours
 * to replace
 */
export function planExport(keys: readonly PublicPem[], folder: Folder): readonly Step[] {
  return keys.map((key): Step => {
    const entry = folder.entries.get(key.file)
    if (entry === undefined) return { action: 'create', key }
    if (entry.kind === 'other') {
      throw new KjitsiError('file', `${join(folder.dir, key.file)} is no file but a link or a folder`, {
        hint: 'remove it; kjitsi writes through no link and replaces nothing that it did not write',
      })
    }
    return { action: entry.content === key.pem && entry.readable ? 'keep' : 'update', key }
  })
}

/**
 * Takes the steps one after the other. Ends between two files where `signal` says so.
 *
 * Each file is written beside its place and renamed: whoever owns the folder can put a link under a key's name at any
 * moment, and what it points at is neither written nor made readable.
 * @param done what was done before, to which is added each step once it is taken
 * @throws KjitsiError `file`, `interrupted`, naming what was done before the failure and what was not
 */
export async function applyExport(
  dir: string,
  steps: readonly Step[],
  signal: AbortSignal,
  done: Step[],
): Promise<void> {
  await makeFolder(dir, FOLDER_MODE)
  const changes = steps.filter(({ action }) => action !== 'keep')
  for (const [i, step] of changes.entries()) {
    try {
      signal.throwIfAborted()
      if (step.action === 'remove') await remove(join(dir, step.file))
      else await putFile(join(dir, step.key.file), step.key.pem, FILE_MODE)
    } catch (error) {
      throw exportStopped(error, done, changes.slice(i).map(nameOf))
    }
    done.push(step)
  }
}

/** A failure half-way, with the files that were written and removed before it. */
export function exportStopped(error: unknown, done: readonly Step[], notDone: readonly string[]): unknown {
  return error instanceof KjitsiError ? withProgress(error, { done: done.map(nameOf), notDone }) : error
}

function nameOf(step: Step): string {
  return `${step.action} ${step.action === 'remove' ? step.file : step.key.file}`
}

/** Removes what killed runs left; what cannot be removed stays, since it does no harm. */
export async function removeLeftovers({ dir, leftovers }: Folder): Promise<void> {
  for (const name of leftovers) await rm(join(dir, name), { force: true }).catch(() => undefined)
}

async function remove(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT') throw fileError(`cannot remove ${path}`, error)
  }
}
