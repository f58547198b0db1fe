// The folder of PEM files: what is there, and the plan that makes it hold what it is to hold.
import { lstat, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { KjitsiError, systemCodeOf } from '../errors.ts'
import { type FileItem, type Target, planFile, planRemoval } from '../files/plan.ts'
import { fileError } from '../files/reasons.ts'
import { readOwnTarget } from '../files/target.ts'
import { TEMPORARY } from '../files/write.ts'
import { type Key, MAX_PEM_BYTES, isKeyFile, shownKid } from './key.ts'
import { type Change, type Sets, goneSince, isDecided, lastSets, turn } from './keyring.ts'
import {
  MANIFEST_FILE,
  type Manifest,
  type ReadManifest,
  UNKNOWN,
  heldBy,
  manifestOf,
  planManifest,
} from './manifest.ts'

/** What a folder holds of the files that Prosody may ask for. */
export interface Folder {
  /** Whether users other than its owner can read it; a web server mostly is one. True where it is not there yet. */
  readonly open: boolean
  /** By names of the form `<64 hex>.pem`, whatever they are; those that were asked for, there or not. */
  readonly targets: ReadonlyMap<string, Target>
  /** Temporary files of runs that were killed. */
  readonly leftovers: readonly Target[]
}

// A run that is under way has one for as long as it takes to write some kilobytes.
const LEFT_OVER_MS = 60_000
const FILE_MODE = 0o644

/**
 * Reads the folder; one that is not there is empty.
 * @param dir absolute
 * @param files names of files that are going to be written
 * @throws KjitsiError `file`
 */
export async function readFolder(dir: string, files: readonly string[] = []): Promise<Folder> {
  const { open, names } = await listFolder(dir)
  const targets = new Map<string, Target>()
  for (const name of new Set([...files, ...names.filter((one) => isKeyFile(one))])) {
    targets.set(name, await readOwnTarget(join(dir, name), MAX_PEM_BYTES))
  }
  const leftovers: Target[] = []
  for (const path of names.filter(isTemporary).map((name) => join(dir, name))) {
    if (await isLeftOver(path)) leftovers.push(await readOwnTarget(path, MAX_PEM_BYTES))
  }
  return { open, targets, leftovers }
}

async function listFolder(
  dir: string,
): Promise<{ readonly open: boolean; readonly names: readonly string[] }> {
  try {
    const about = await stat(dir)
    if (!about.isDirectory())
      throw new KjitsiError('file', `${dir} is a file, not a folder`, { hint: 'name a folder' })
    return { open: (about.mode & 0o005) === 0o005, names: await readdir(dir) }
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return { open: true, names: [] }
    throw error instanceof KjitsiError ? error : fileError(`cannot read ${dir}`, error)
  }
}

function isTemporary(name: string): boolean {
  const [, of = ''] = TEMPORARY.exec(name) ?? []
  return of === MANIFEST_FILE || isKeyFile(of)
}

async function isLeftOver(path: string): Promise<boolean> {
  const about = await lstat(path).catch(() => undefined)
  return about?.isFile() === true && about.mtimeMs < Date.now() - LEFT_OVER_MS
}

export interface FolderPlan {
  readonly items: readonly FileItem[]
  /** The manifest once they are done. */
  readonly manifest: Manifest
  /** Files of keys that are removed. */
  readonly gone: readonly string[]
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
 * @param folder read for the files of `sets`
 * @param sources the lasting name of each, by name, in the order in which they were named
 * @param sets undefined for a source that cannot be asked: its keys stay as the manifest has them
 * @param now milliseconds since 1970
 * @param graceMs how long a key has to be gone; Infinity where nothing is to be removed
 * @throws KjitsiError `file` as `planExport`
 */
export function planFolder(
  folder: Folder,
  before: ReadManifest,
  sources: ReadonlyMap<string, string>,
  sets: Sets,
  now: number,
  graceMs: number,
): FolderPlan {
  const names = new Map<string, string[]>()
  for (const [name, lasting] of sources) names.set(lasting, [...(names.get(lasting) ?? []), name])
  const files = new Map(
    [...folder.targets].flatMap(([file, { there, text = '' }]) => (there === 'file' ? [[file, text]] : [])),
  )
  const ring = { held: heldBy(before.manifest, names, files, now), clashes: [] }
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
  const gone = changes
    .flatMap((one) => (one.change === 'dropped' && files.has(one.key.file) ? [one.key.file] : []))
    .sort()
  const held = new Map(
    [...after.held].filter(
      ([file, one]) => files.has(file) || goneSince(one) === Infinity || !isDecided(one, current),
    ),
  )
  const there = [...held].filter(([file]) => files.has(file))
  const others = there.filter(([, one]) => [...one.sources.keys()].every((name) => !current.has(name)))
  const manifest = manifestOf(held, sources)
  return {
    items: [...planExport(folder, [...published.values()], gone), ...planManifest(manifest, before)],
    manifest,
    gone,
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
 * What makes the folder hold these keys, and no file of those that are gone.
 * @param folder read for the files of the keys
 * @param gone names of files
 * @throws KjitsiError `file` where a link or a folder has the name that a key needs: what is no file of ours is not ours
 * to replace; and where the folder takes no file
 */
export function planExport(
  { targets, leftovers }: Folder,
  keys: readonly Key[],
  gone: readonly string[] = [],
): readonly FileItem[] {
  const targetOf = (file: string): readonly Target[] => [targets.get(file) ?? []].flat()
  return [
    ...keys.flatMap((key) => targetOf(key.file).map((target) => planFile(target, fileOf(key)))),
    ...gone.flatMap(targetOf).map((target) => planRemoval(target, 'a key that has left its key set')),
    ...leftovers.map((target) => planRemoval(target, 'left by a run that was killed')),
  ]
}

function fileOf({ pem: text, file, kid, alg, bits, source }: Key): Parameters<typeof planFile>[1] {
  const what = `key ${shownKid(kid ?? file)} of ${source}, ${alg ?? 'no alg'}`
  // One key in place of another differs in every line.
  return { what, text, mode: FILE_MODE, mask: () => '', facts: { kid, alg, bits, source } }
}
