// The folder of PEM files: what is there, what is to change, and the change itself.
import { chmod, lstat, readdir, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { KjitsiError, systemCodeOf } from '../errors.ts'
import { fileError, makeFolder, readText, writeIfChanged } from '../files.ts'
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
}

export type Entry =
  | { readonly kind: 'file'; readonly content: string; readonly readable: boolean }
  /** A link, a folder, a pipe: nothing that kjitsi made. */
  | { readonly kind: 'other' }

export type Step =
  | { readonly action: 'create' | 'update' | 'keep'; readonly key: PublicPem }
  | { readonly action: 'remove'; readonly file: string }

export interface Plan {
  readonly steps: readonly Step[]
  /** Files of keys that none of the sets has, and that stay. */
  readonly stale: readonly string[]
}

const OUR_NAME = /^[0-9a-f]{64}\.pem$/
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
    for (const name of await readdir(dir)) {
      const entry = OUR_NAME.test(name) ? await readEntry(join(dir, name)) : undefined
      if (entry) entries.set(name, entry)
    }
    return { dir, exists: true, open: (about.mode & 0o005) === 0o005, entries }
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return { dir, exists: false, open: true, entries: new Map() }
    throw error instanceof KjitsiError ? error : fileError(`cannot read ${dir}`, error)
  }
}

async function readEntry(path: string): Promise<Entry | undefined> {
  try {
    const about = await lstat(path)
    if (!about.isFile()) return { kind: 'other' }
    const readable = (about.mode & 0o444) === 0o444
    return {
      kind: 'file',
      content: about.size > MAX_PEM_BYTES ? '' : await readText(path, { maxBytes: MAX_PEM_BYTES }),
      readable,
    }
  } catch (error) {
    // Removed since the folder was listed.
    if (systemCodeOf(error) === 'ENOENT') return undefined
    // What we cannot read, others cannot either: it is to be written anew.
    if (systemCodeOf(error) === 'EACCES') return { kind: 'file', content: '', readable: false }
    throw error instanceof KjitsiError ? error : fileError(`cannot read ${path}`, error)
  }
}

/**
 * What makes the folder hold exactly these keys.
 * @param prune also removes files of keys that are not among them
 * @throws KjitsiError `file` where a link or a folder has the name that a key needs: written through a link, a key
 * would land in a place that nobody named, and what is no file of ours is not ours to replace
 */
export function planExport(keys: readonly PublicPem[], folder: Folder, prune: boolean): Plan {
  const steps = keys.map((key): Step => {
    const entry = folder.entries.get(key.file)
    if (entry === undefined) return { action: 'create', key }
    if (entry.kind === 'other') {
      throw new KjitsiError('file', `${join(folder.dir, key.file)} is no file but a link or a folder`, {
        hint: 'remove it; kjitsi writes through no link and replaces nothing that it did not write',
      })
    }
    return { action: entry.content === key.pem && entry.readable ? 'keep' : 'update', key }
  })
  const wanted = new Set(keys.map(({ file }) => file))
  const unwanted = [...folder.entries].filter(([name, { kind }]) => kind === 'file' && !wanted.has(name))
  const files = unwanted.map(([name]) => name).sort()
  return prune
    ? { steps: [...steps, ...files.map((file): Step => ({ action: 'remove', file }))], stale: [] }
    : { steps, stale: files }
}

/**
 * Takes the steps one after the other, new keys before old ones go. Ends between two files where `signal` says so.
 * @throws KjitsiError `file`, `interrupted`; the files before that one are done
 */
export async function applyExport(dir: string, steps: Iterable<Step>, signal: AbortSignal): Promise<void> {
  await makeFolder(dir, FOLDER_MODE)
  for (const step of steps) {
    signal.throwIfAborted()
    if (step.action === 'remove') await remove(join(dir, step.file))
    else if (step.action !== 'keep') await writePem(join(dir, step.key.file), step.key.pem)
  }
}

async function writePem(path: string, pem: string): Promise<void> {
  await writeIfChanged(path, pem, FILE_MODE)
  try {
    // A file that was there keeps its mode when it is written.
    await chmod(path, FILE_MODE)
  } catch (error) {
    throw fileError(`cannot make readable for all ${path}`, error)
  }
}

async function remove(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT') throw fileError(`cannot remove ${path}`, error)
  }
}
