// The folder of PEM files: what is there, what is to change, and the change itself.
import { lstat, readdir, realpath, rm, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { KjitsiError, systemCodeOf, withProgress } from '../errors.ts'
import { fileError, makeFolder, putFile, readNoLink } from '../files.ts'
import { type Key, MAX_PEM_BYTES, isKeyFile } from './key.ts'
import { type Change, type Sets, goneSince, isDecided, lastSets, turn } from './keyring.ts'
import { MANIFEST_FILE, type Manifest, UNKNOWN, heldBy, manifestOf } from './manifest.ts'

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
  | {
      readonly kind: 'file'
      readonly content: string
      /** Why nothing of it was read, if so. */
      readonly unread?: string
      readonly readable: boolean
      /** Tells whether the file is still the same one. */
      readonly mark: string
    }
  /** A link, a folder, a pipe: nothing that kjitsi made. */
  | { readonly kind: 'other' }

export type Step =
  | { readonly action: 'create' | 'update' | 'keep'; readonly key: Key }
  | { readonly action: 'remove'; readonly file: string }

/** As `putFile` names them. */
const TEMPORARY = /^\.(.+)\.[0-9a-f]{8}$/
// A run that is under way has one for as long as it takes to write some kilobytes.
const LEFT_OVER_MS = 60_000
const FILE_MODE = 0o644
const FOLDER_MODE = 0o755

/**
 * Reads the folder; one that is not there is empty.
 * @param follow whether a key may be a link, as in a volume of Kubernetes; where we write, none is
 * @param before what was there at an earlier reading: a file that has changed neither in size nor in time is not read again
 * @throws KjitsiError `file`
 */
export async function readFolder(dir: string, follow = false, before?: Folder): Promise<Folder> {
  try {
    const about = await stat(dir)
    if (!about.isDirectory())
      throw new KjitsiError('file', `${dir} is a file, not a folder`, { hint: 'name a folder' })
    const entries = new Map<string, Entry>()
    const leftovers: string[] = []
    for (const name of (await readdir(dir)).sort()) {
      if (isTemporary(name) && (await isLeftOver(join(dir, name)))) leftovers.push(name)
      if (!isKeyFile(name)) continue
      const entry = await readEntry(join(dir, name), follow, before?.entries.get(name))
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

async function readEntry(
  path: string,
  follow: boolean,
  before: Entry | undefined,
): Promise<Entry | undefined> {
  try {
    const target = follow ? await realpath(path) : path
    const { mtimeMs, ctimeMs, size, ino } = await lstat(target)
    const mark = `${mtimeMs} ${ctimeMs} ${size} ${ino}`
    if (before?.kind === 'file' && before.mark === mark) return before
    const found = await readNoLink(target, MAX_PEM_BYTES)
    if (found === 'other') return { kind: 'other' }
    // Undefined where it was removed since the folder was listed.
    if (found === undefined) return undefined
    const { text, mode } = found
    const unread = text === undefined ? { unread: `it is longer than ${MAX_PEM_BYTES} bytes` } : {}
    return { kind: 'file', content: text ?? '', readable: (mode & 0o444) === 0o444, mark, ...unread }
  } catch (error) {
    const code = systemCodeOf(error)
    if (code === 'ENOENT') return follow ? { kind: 'other' } : undefined
    // What we cannot read, others cannot either: it is to be written anew.
    if (code === 'EACCES') {
      return { kind: 'file', content: '', readable: false, mark: '', unread: 'permission denied' }
    }
    throw error
  }
}

function isTemporary(name: string): boolean {
  const [, target = ''] = TEMPORARY.exec(name) ?? []
  return isKeyFile(target) || target === MANIFEST_FILE
}

async function isLeftOver(path: string): Promise<boolean> {
  const about = await lstat(path).catch(() => undefined)
  return about?.isFile() === true && about.mtimeMs < Date.now() - LEFT_OVER_MS
}

export interface FolderPlan {
  readonly steps: readonly Step[]
  /** The manifest once they are taken. */
  readonly manifest: Manifest
  readonly changes: readonly Change[]
  /** Files of keys that have left, but not for long enough. */
  readonly waiting: readonly string[]
  /** Files that kjitsi did not make, or no longer knows. */
  readonly foreign: readonly string[]
  /** Files that kjitsi made for sources which are not read here, and those sources. */
  readonly others: { readonly files: readonly string[]; readonly sources: readonly string[] }
}

/**
 * What brings the folder to the ring that its sources make of it.
 * @param sources the lasting name of each, by name, in the order in which they were named
 * @param sets undefined for a source that cannot be asked: its keys stay as the manifest has them
 * @param now milliseconds since 1970
 * @param graceMs how long a key has to be gone; Infinity where nothing is to be removed
 * @throws KjitsiError `file` as `planExport`
 */
export function planFolder(
  folder: Folder,
  before: Manifest,
  sources: ReadonlyMap<string, string>,
  sets: Sets,
  now: number,
  graceMs: number,
): FolderPlan {
  const names = new Map<string, string[]>()
  for (const [name, lasting] of sources) names.set(lasting, [...(names.get(lasting) ?? []), name])
  const files = new Map(
    [...folder.entries].flatMap(([file, entry]) => (entry.kind === 'file' ? [[file, entry.content]] : [])),
  )
  const ring = { held: heldBy(before, names, files, now), clashes: [] }
  const current = new Map(
    [...lastSets(ring, [...sources.keys()])].map(([name, set]) => [name, sets.get(name) ?? set]),
  )
  if ([...sources.keys()].every((name) => sets.get(name))) current.set(UNKNOWN, [])
  const { ring: after, changes } = turn(ring, current, now, graceMs)

  const published = new Map<string, Key>()
  for (const key of [...sets.values()].flatMap((keys = []) => keys)) {
    const isHeld = after.held.get(key.file)?.key.pem === key.pem
    if (isHeld && !published.has(key.file)) published.set(key.file, key)
  }
  const writes = planExport([...published.values()], folder)
  const gone = changes.flatMap((one) =>
    one.change === 'dropped' && files.has(one.key.file) ? [one.key.file] : [],
  )
  const held = new Map(
    [...after.held].filter(
      ([file, one]) => files.has(file) || goneSince(one) === Infinity || !isDecided(one, current),
    ),
  )
  const there = [...held].filter(([file]) => files.has(file))
  const others = there.filter(([, one]) => [...one.sources.keys()].every((name) => !current.has(name)))
  return {
    steps: [...writes, ...gone.sort().map((file): Step => ({ action: 'remove', file }))],
    manifest: manifestOf(held, sources),
    changes,
    waiting: there
      .flatMap(([file, one]) => (isDecided(one, current) && goneSince(one) < Infinity ? [file] : []))
      .sort(),
    foreign: [...files.keys()].filter((file) => !held.has(file) && !gone.includes(file)),
    others: {
      files: others.map(([file]) => file).sort(),
      sources: [...new Set(others.flatMap(([, one]) => [...one.sources.keys()]))]
        .filter((name) => name !== UNKNOWN)
        .sort(),
    },
  }
}

/**
 * What makes the folder hold these keys.
 * @throws KjitsiError `file` where a link or a folder has the name that a key needs: what is no file of ours is not ours
 * to replace
 */
export function planExport(keys: readonly Key[], folder: Folder): readonly Step[] {
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
