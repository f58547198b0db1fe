// The plan that makes a folder of PEM files hold what it is to hold.
import { type FileItem, type Target, planFile, planFileRemoval } from '../files/plan.ts'
import type { Folder } from './folder.ts'
import { type Key, shownKid } from './key.ts'
import { type KeyChange, type Sets, goneSince, isDecided, lastSets, turn } from './keyring.ts'
import {
  type LastRead,
  type Manifest,
  type ReadManifest,
  UNKNOWN,
  heldBy,
  manifestOf,
  planManifest,
} from './manifest.ts'

const FILE_MODE = 0o644

export interface FolderPlan {
  readonly items: readonly FileItem[]
  /** The manifest once they are done. */
  readonly manifest: Manifest
  /** Files of keys that are removed. */
  readonly gone: readonly string[]
  readonly changes: readonly KeyChange[]
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
 * @param lastRead by name, of those that cannot be asked
 * @throws KjitsiError `file` as `planExport`
 */
export function planFolder(
  folder: Folder,
  before: ReadManifest,
  sources: ReadonlyMap<string, string>,
  sets: Sets,
  now: number,
  graceMs: number,
  lastRead: LastRead = new Map(),
): FolderPlan {
  const files = new Map(
    [...folder.targets].flatMap(([file, { there, text = '' }]) => (there === 'file' ? [[file, text]] : [])),
  )
  const ring = { held: heldBy(before.manifest, sources, files, now), clashes: [] }
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
  const own = new Set(sources.values())
  const othersTimes = [...before.lastRead].filter(([lasting]) => !own.has(lasting))
  const ownTimes = [...lastRead].map(([name, time]) => [sources.get(name) ?? name, time] as const)
  return {
    items: [
      ...planExport(folder, [...published.values()], gone),
      ...planManifest(manifest, new Map([...othersTimes, ...ownTimes]), before),
    ],
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
    ...gone.flatMap(targetOf).map((target) => planFileRemoval(target, 'a key that has left its key set')),
    ...leftovers.map((target) => planFileRemoval(target, 'left by a run that was killed')),
  ]
}

function fileOf({ pem: text, file, kid, alg, bits, source }: Key): Parameters<typeof planFile>[1] {
  const what = `key ${shownKid(kid ?? file)} of ${source}, ${alg ?? 'no alg'}`
  // One key in place of another differs in every line.
  return { what, text, mode: FILE_MODE, mask: () => '', facts: { kid, alg, bits, source } }
}
