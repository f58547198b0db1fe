// Which files of a folder kjitsi wrote, for which sources, and since when each of them publishes the key no more: a ring as it
// outlives a run. Only these files are pruned, and only by a run that reads their sources. Kept in one small file beside the
// keys, written only where it changes.
import { join } from 'node:path'
import { z } from 'zod'
import { KjitsiError } from '../errors.ts'
import { type FileItem, type Target, planFile } from '../files/plan.ts'
import { readOwnTarget } from '../files/target.ts'
import type { Held } from './keyring.ts'

/** A file that kjitsi wrote. */
export interface Made {
  /** Null where an earlier version noted the file, which knew no kid. */
  readonly kid: string | null
  /** By source, as `lastingNameOf` gives it: since when it publishes the key no more; null while it does. */
  readonly sources: ReadonlyMap<string, number | null>
}

/** By name of the file. */
export type Manifest = ReadonlyMap<string, Made>

/** By source that could not be asked in the end: when it was read last, milliseconds since 1970. */
export type LastRead = ReadonlyMap<string, number>

export const MANIFEST_FILE = '.kjitsi.json'
const MAX_BYTES = 10_000_000
/** In place of the source of a file that version 1 noted; it noted those only that `--prune` was to remove. */
export const UNKNOWN = ''

const TIME = z.iso.datetime()
const FIRST = z.object({ version: z.literal(1), gone: z.record(z.string(), TIME) })
const SECOND = z.object({
  version: z.literal(2),
  files: z.record(
    z.string(),
    z.object({ kid: z.string().nullable(), sources: z.record(z.string(), TIME.nullable()) }),
  ),
  lastRead: z.record(z.string(), TIME).optional(),
})

/**
 * The keys of a manifest, as a ring holds them.
 * @param lastingNames of the sources of this run, by what it calls them
 * @param contents by name of the file; empty where there is none
 * @param now milliseconds since 1970. A time that is still to come was written before the clock was set back: it begins anew
 */
export function heldBy(
  manifest: Manifest,
  lastingNames: ReadonlyMap<string, string>,
  contents: ReadonlyMap<string, string>,
  now: number,
): ReadonlyMap<string, Held> {
  const namesOf = (lasting: string): readonly string[] => {
    const names = [...lastingNames].flatMap(([name, one]) => (one === lasting ? [name] : []))
    return names.length > 0 ? names : [lasting]
  }
  const held = [...manifest].map(([file, { kid, sources }]) => {
    const times = [...sources].flatMap(([lasting, since]) =>
      namesOf(lasting).map((name) => [name, since === null ? null : Math.min(since, now)] as const),
    )
    const key = {
      kid,
      file,
      alg: null,
      bits: 0,
      pem: contents.get(file) ?? '',
      source: times[0]?.[0] ?? UNKNOWN,
    }
    return [file, { key, sources: new Map(times) }] as const
  })
  return new Map(held)
}

/** The other way round. */
export function manifestOf(
  held: ReadonlyMap<string, Held>,
  lastingNames: ReadonlyMap<string, string>,
): Manifest {
  const made = [...held].map(([file, { key, sources }]) => {
    const times = new Map<string, number | null>()
    for (const [name, since] of sources) {
      const lasting = lastingNames.get(name) ?? name
      const other = times.get(lasting)
      times.set(lasting, since === null || other === null ? null : Math.max(since, other ?? since))
    }
    return [file, { kid: key.kid, sources: times }] as const
  })
  return new Map(made)
}

/** A manifest with the file that it was read from. */
export interface ReadManifest {
  readonly manifest: Manifest
  readonly lastRead: LastRead
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
  const parsed = target.text === undefined ? NOTHING : parse(target.text)
  return { ...(parsed ?? NOTHING), target, isSpoilt: parsed === undefined }
}

const NOTHING = { manifest: new Map<string, Made>(), lastRead: new Map<string, number>() }

function parse(text: string): Pick<ReadManifest, 'manifest' | 'lastRead'> | undefined {
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
    return { manifest: new Map(made), lastRead: new Map() }
  }
  const second = SECOND.safeParse(json)
  if (!second.success) return undefined
  const { files, lastRead = {} } = second.data
  const made = Object.entries(files).map(([file, { kid, sources }]): [string, Made] => {
    const times = Object.entries(sources).map(
      ([name, time]) => [name, time === null ? null : Date.parse(time)] as const,
    )
    return [file, { kid, sources: new Map(times) }]
  })
  const times = Object.entries(lastRead).map(([name, time]) => [name, Date.parse(time)] as const)
  return { manifest: new Map(made), lastRead: new Map(times) }
}

/**
 * What becomes of the file: nothing where there is nothing to say.
 * @throws KjitsiError `file` where it would change and cannot be written
 */
export function planManifest(
  manifest: Manifest,
  lastRead: LastRead,
  { target }: Pick<ReadManifest, 'target'>,
): readonly FileItem[] {
  if (manifest.size === 0 && target.text === undefined) return []
  const files = [...manifest]
    .sort(byName)
    .map(([file, { kid, sources }]) => [file, { kid, sources: timesOf(sources) }] as const)
  const all = {
    version: 2,
    files: Object.fromEntries(files),
    ...(lastRead.size > 0 && { lastRead: timesOf(lastRead) }),
  }
  const what = 'the list of the files that kjitsi wrote'
  return [planFile(target, { what, text: `${JSON.stringify(all, null, 2)}\n`, mode: 0o644, mask: () => '' })]
}

function timesOf(times: ReadonlyMap<string, number | null>): Readonly<Record<string, string | null>> {
  const shown = [...times].sort(byName).map(([name, time]) => {
    return [name, time === null ? null : new Date(time).toISOString()] as const
  })
  return Object.fromEntries(shown)
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1
}
