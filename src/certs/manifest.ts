// Which files of a folder kjitsi wrote, for which sources, and since when each of them publishes the key no more: only these
// are pruned, and only by a run that reads their sources. Kept in one small file beside the keys, written only where it
// changes.
import { join } from 'node:path'
import { z } from 'zod'
import { KjitsiError } from '../errors.ts'
import { type FileItem, type Target, planFile } from '../files/plan.ts'
import { readOwnTarget } from '../files/target.ts'
import type { PublicPem } from './pem.ts'
import type { Outcome } from './refresh.ts'

/** A file that kjitsi wrote. */
export interface Made {
  /** Null where an earlier version noted the file, which knew no kid. */
  readonly kid: string | null
  /** By source: since when it publishes the key no more, milliseconds since 1970; null while it does. */
  readonly sources: ReadonlyMap<string, number | null>
}

/** By name of the file. */
export type Manifest = ReadonlyMap<string, Made>

/** What one source said in this run. */
export interface SourceKeys {
  /** As `lastingNameOf` gives it. */
  readonly source: string
  readonly outcome: Outcome
  readonly keys: readonly Pick<PublicPem, 'file' | 'kid'>[]
}

export interface Upkeep {
  /** The manifest after this run. */
  readonly manifest: Manifest
  /** Files of keys that have been gone for long enough. */
  readonly gone: readonly string[]
  /** Files of keys that are gone, but not for long enough; with no grace given, all that are gone. */
  readonly waiting: readonly string[]
  /** Files that kjitsi did not make, or no longer knows. */
  readonly foreign: readonly string[]
  /** Files that kjitsi made for sources which this run does not read, and those sources. */
  readonly others: { readonly files: readonly string[]; readonly sources: readonly string[] }
}

export const MANIFEST_FILE = '.kjitsi.json'
const MAX_BYTES = 10_000_000
/** In place of the source of a file that version 1 noted; it noted those only that `--prune` was to remove. */
const UNKNOWN = ''

const TIME = z.iso.datetime()
const FIRST = z.object({ version: z.literal(1), gone: z.record(z.string(), TIME) })
const SECOND = z.object({
  version: z.literal(2),
  files: z.record(
    z.string(),
    z.object({ kid: z.string().nullable(), sources: z.record(z.string(), TIME.nullable()) }),
  ),
})

/**
 * The manifest after this run, and what is to become of the files that are there.
 * @param there names of the files `<64 hex>.pem`, those of this run's keys included
 * @param now milliseconds since 1970
 * @param grace how long a key has to be gone, seconds; undefined where nothing is to be removed
 */
export function upkeep(
  before: Manifest,
  readings: readonly SourceKeys[],
  there: ReadonlySet<string>,
  now: number,
  grace: number | undefined,
): Upkeep {
  const manifest = new Map(before)
  const published = new Map<string, Set<string>>()
  for (const { source, keys } of readings) {
    const files = published.get(source) ?? new Set()
    published.set(source, files)
    for (const { file, kid } of keys) {
      files.add(file)
      manifest.set(file, { kid, sources: new Map(manifest.get(file)?.sources).set(source, null) })
    }
  }
  const silent = new Set(
    readings.filter(({ outcome }) => outcome === 'unreachable').map(({ source }) => source),
  )
  const own = new Set([...published.keys()].filter((source) => !silent.has(source)))
  for (const [file, made] of manifest) {
    const left = [...made.sources].filter(
      ([name]) => own.has(name) && published.get(name)?.has(file) !== true,
    )
    // A time that is still to come was written before the clock was set back: then it begins anew.
    const times = left.map(([name, since]) => [name, Math.min(since ?? now, now)] as const)
    if (left.length > 0) manifest.set(file, { ...made, sources: new Map([...made.sources, ...times]) })
  }

  if (silent.size === 0) own.add(UNKNOWN)
  const gone: string[] = []
  const waiting: string[] = []
  const others: string[] = []
  for (const [file, { sources }] of manifest) {
    const names = [...sources.keys()]
    if (names.some((name) => silent.has(name))) continue
    if (!names.some((name) => own.has(name))) {
      if (there.has(file)) others.push(file)
      continue
    }
    const times = [...sources.values()].filter((time) => time !== null)
    if (times.length < names.length) continue
    if (!there.has(file)) manifest.delete(file)
    else if (grace !== undefined && now - Math.max(...times) >= grace * 1000) {
      manifest.delete(file)
      gone.push(file)
    } else waiting.push(file)
  }
  const foreign = [...there].filter((file) => !manifest.has(file) && !gone.includes(file))
  const otherSources = new Set(others.flatMap((file) => [...(manifest.get(file)?.sources.keys() ?? [])]))
  return {
    manifest,
    gone: gone.sort(),
    waiting: waiting.sort(),
    foreign: foreign.sort(),
    others: { files: others.sort(), sources: [...otherSources].filter((name) => name !== UNKNOWN).sort() },
  }
}

/** A manifest with the file that it was read from. */
export interface ReadManifest {
  readonly manifest: Manifest
  readonly target: Target
  /** What is there is no manifest: nothing is known about any file. */
  readonly isSpoilt: boolean
}

/** @throws KjitsiError `file` where it cannot be read, or is no file: it is read through no link */
export async function readManifest(dir: string): Promise<ReadManifest> {
  const path = join(dir, MANIFEST_FILE)
  const target = await readOwnTarget(path, MAX_BYTES)
  if (target.there === 'other') {
    throw new KjitsiError('file', `cannot read ${path}: it is no regular file, or a link`, {
      hint: 'remove it; kjitsi keeps its list of the files that it wrote there, and follows no link',
    })
  }
  const manifest = target.text === undefined ? new Map<string, Made>() : parse(target.text)
  return { manifest: manifest ?? new Map(), target, isSpoilt: manifest === undefined }
}

function parse(text: string): Manifest | undefined {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return undefined
  }
  const first = FIRST.safeParse(json)
  if (first.success) {
    const made = Object.entries(first.data.gone).map(([file, time]): [string, Made] => [
      file,
      { kid: null, sources: new Map([[UNKNOWN, Date.parse(time)]]) },
    ])
    return new Map(made)
  }
  const second = SECOND.safeParse(json)
  if (!second.success) return undefined
  return new Map(
    Object.entries(second.data.files).map(([file, { kid, sources }]) => {
      const times = Object.entries(sources).map(
        ([name, time]) => [name, time === null ? null : Date.parse(time)] as const,
      )
      return [file, { kid, sources: new Map(times) }]
    }),
  )
}

/**
 * What becomes of the file: nothing where there is nothing to say.
 * @throws KjitsiError `file` where it would change and cannot be written
 */
export function planManifest(manifest: Manifest, { target }: ReadManifest): readonly FileItem[] {
  if (manifest.size === 0 && target.text === undefined) return []
  const files = [...manifest].sort(byName).map(([file, { kid, sources }]) => {
    const times = [...sources].sort(byName).map(([name, time]) => {
      return [name, time === null ? null : new Date(time).toISOString()] as const
    })
    return [file, { kid, sources: Object.fromEntries(times) }] as const
  })
  const text = `${JSON.stringify({ version: 2, files: Object.fromEntries(files) }, null, 2)}\n`
  const what = 'the list of the files that kjitsi wrote'
  return [planFile(target, { what, text, mode: 0o644, mask: () => '' })]
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1
}
