// A run of export-certs: once, or again and again. Files of keys go into a folder, under the names that Prosody asks for.
import { shownDuration } from '../duration.ts'
import { type ErrorCode, KjitsiError } from '../errors.ts'
import { applyFiles } from '../files/apply.ts'
import { fileChanges } from '../files/plan.ts'
import { type FilesRun, runFiles } from '../files/run.ts'
import { fileLine, plainFile } from '../files/wording.ts'
import type { Http } from '../http/http.ts'
import type { Output } from '../io.ts'
import { type FolderPlan, planFolder } from './export.ts'
import { type Fetched, fetchAll, liveSource } from './fetch.ts'
import { certsFinding } from './findings.ts'
import { readFolder } from './folder.ts'
import { keyOfPem, nameOfKey } from './key.ts'
import type { Held, Sets } from './keyring.ts'
import { type Line, newsOf, onlyNews, sayLine } from './log.ts'
import { type LastRead, heldBy, readManifest } from './manifest.ts'
import { type Remembered, keepKeys } from './refresh.ts'
import { clock, untilGood } from './schedule.ts'
import { type KeySource, lastingNames } from './sources.ts'

export interface ExportRun {
  /** Absolute. */
  readonly dir: string
  readonly sources: readonly KeySource[]
  /** Remove files of keys that have left. */
  readonly prune: boolean
  /** How long a key that has left is kept, seconds. */
  readonly grace: number
  /** How long what a source gave last counts while it cannot be asked, seconds; of a watch. */
  readonly maxAge: number
  readonly http: Http
  readonly output: Output
  readonly signal: AbortSignal
}

/**
 * Brings the folder up to date. With --json: `{kind: 'certs', dir, leftOut, dryRun, changes, files}`, where a key's file
 * has `{action, path, kid, alg, bits, source}`.
 * @returns in how many ways it did not end well
 */
export async function exportFolder(
  run: ExportRun,
  how: Pick<FilesRun, 'dryRun' | 'check' | 'all'>,
): Promise<readonly ErrorCode[]> {
  const { dir, sources, prune, http, output, signal } = run
  // A folder or a manifest that cannot be read is told before a server is asked.
  await readFolder(dir)
  await readManifest(dir)
  const fetched = await fetchAll(http, sources)
  const failure = failureOfAll(fetched)
  const silent = fetched.flatMap(({ source, outcome }) => (outcome === 'unreachable' ? [source] : []))
  for (const found of fetched.flatMap(({ findings }) => findings)) output.find(found)
  if (fetched.length > 1) sayWhatFailed(fetched, output)
  if (failure && silent.length === fetched.length) throw failure
  const sets = fetched.map(
    ({ source, outcome, keys }) => [source, outcome === 'unreachable' ? undefined : keys] as const,
  )
  const { items, lines } = await planRound(run, new Map(sets))
  if (prune && silent.length > 0) output.find(certsFinding('nothing-pruned', { dir, sources: silent }))
  for (const line of lines) {
    if (typeof line === 'string') output.note(line)
    else output.find(line)
  }
  const leftOut = fetched.flatMap((one) => one.leftOut)
  for (const key of leftOut) {
    const say = key.encrypts ? output.detail : output.note
    say(`left out: ${nameOfKey(key)} of ${key.source}: ${key.reason}`)
  }
  if (failure && fileChanges(items).length === 0 && fetched.every(({ keys }) => keys.length === 0))
    throw failure
  if (fetched.length === 1) sayWhatFailed(fetched, output)
  const ended = await runFiles(items, { kind: 'certs', payload: { dir, leftOut }, ...how, output, signal })
  return [...fetched.flatMap(({ error }) => error?.code ?? []), ...ended]
}

/** A folder that follows a ring. */
export interface FolderSink {
  /** Has the folder brought to these sets, which it tries until it goes well. */
  readonly write: (sets: Sets, lastRead?: LastRead) => void
  /** Settled once it has ended by the run's signal; rejected by a bug. */
  readonly ended: Promise<void>
}

/**
 * Starts to follow; what has changed is told as a log.
 * @param longest between two tries, seconds
 */
export function startFolder(run: ExportRun, longest: number): FolderSink {
  const { output, signal } = run
  const sayNews = onlyNews((line) => {
    sayLine(output, line)
  })
  let latest: Parameters<FolderSink['write']> = [new Map()]
  let isNew = false
  let wake = (): void => undefined
  signal.addEventListener('abort', () => {
    wake()
  })
  const bring = async (): Promise<boolean> => {
    try {
      const { items, lines } = await planRound(run, ...latest)
      await applyFiles(items, signal, (item) => {
        output.log('note', fileLine(item, 'done'), plainFile(item))
      })
      sayNews(lines)
      return true
    } catch (error) {
      if (!(error instanceof KjitsiError)) throw error
      const { code, message, hint } = error
      if (!signal.aborted) sayNews([certsFinding('source-failed', { failure: code, message, hint })])
      return false
    }
  }
  const follow = async (): Promise<void> => {
    while (!signal.aborted) {
      if (!isNew) await new Promise<void>((resolve) => (wake = resolve))
      isNew = false
      await untilGood(bring, longest, signal)
    }
  }
  return {
    write(...now) {
      latest = now
      isNew = true
      wake()
    },
    ended: follow(),
  }
}

/**
 * Exports again and again, until it is told to stop.
 * @param interval between two readings of a source that answers, seconds
 */
export async function watchFolder(run: ExportRun, interval: number): Promise<void> {
  const { dir, sources, grace, maxAge, http, output, signal } = run
  output.log('note', `exporting to ${dir} every ${shownDuration(interval)}`)
  const folder = startFolder(run, interval)
  keepKeys(
    sources.map((source) => liveSource(http, source, 0)),
    {
      refresh: interval,
      grace,
      maxAge,
      signal,
      say: (line) => {
        sayLine(output, line)
      },
      onTurn: (_, sets) => {
        folder.write(sets)
      },
    },
  ).start()
  await folder.ended
}

/**
 * What a folder keeps of these sources; what is no usable key is not in it.
 * @throws KjitsiError `file`
 */
export async function readKept(dir: string, sources: readonly KeySource[]): Promise<Remembered> {
  const { targets } = await readFolder(dir)
  const { manifest, lastRead } = await readManifest(dir)
  const texts = new Map([...targets].map(([file, { text = '' }]) => [file, text]))
  const lasting = lastingNames(sources)
  const held = new Map<string, Held>()
  for (const [file, one] of heldBy(manifest, lasting, texts, clock())) {
    const own = new Map([...one.sources].filter(([name]) => lasting.has(name)))
    const [source] = own.keys()
    if (source === undefined) continue
    const key = keyOfPem(one.key.pem, file, source, one.key.kid)
    if (typeof key !== 'string') held.set(file, { key, sources: own })
  }
  const times = [...lasting].flatMap(([name, one]): [string, number][] => {
    const time = lastRead.get(one)
    return time === undefined ? [] : [[name, time]]
  })
  return { ring: { held, clashes: [] }, lastRead: new Map(times) }
}

/** What brings the folder to what its sources publish, and what is worth knowing about it. */
async function planRound(
  { dir, sources, prune, grace }: ExportRun,
  sets: Sets,
  lastRead?: LastRead,
): Promise<{ readonly items: FolderPlan['items']; readonly lines: readonly Line[] }> {
  const files = [...sets.values()].flatMap((keys = []) => keys.map(({ file }) => file))
  const folder = await readFolder(dir, files)
  const before = await readManifest(dir)
  const graceMs = prune ? grace * 1000 : Infinity
  const plan = planFolder(folder, before, lastingNames(sources), sets, clock(), graceMs, lastRead)
  const { items, changes, gone, waiting, foreign, others } = plan
  const clashes = changes.filter(({ change }) => change === 'clash')
  const later = { dir, files: waiting }
  const waits = prune
    ? certsFinding('pruned-later', { ...later, grace: shownDuration(grace) })
    : certsFinding('stale-keys', later)
  return {
    items,
    lines: [
      ...newsOf(clashes, grace),
      ...(before.isSpoilt ? [certsFinding('manifest-spoilt', { file: before.target.path })] : []),
      ...(waiting.length > 0 ? [waits] : []),
      ...(foreign.length > 0 ? [certsFinding('foreign-keys', { dir, files: foreign })] : []),
      ...(others.files.length > 0 ? [certsFinding('others-keys', { dir, ...others })] : []),
      ...(gone.length > 0 ? [certsFinding('pruned-still-trusted', { files: gone })] : []),
      ...(folder.open ? [] : [certsFinding('folder-closed', { dir })]),
    ],
  }
}

/** What to end with where no source gave a key and nothing was done: the failure that says most of what to mend. */
function failureOfAll(fetched: readonly Fetched[]): KjitsiError | undefined {
  const errors = fetched.flatMap(({ error }) => error ?? [])
  const [first] = errors
  if (first === undefined || fetched.length === 1) return first
  const codes = errors.map(({ code }) => code)
  const code = (['unreachable', 'not-found'] as const).find((one) => codes.includes(one)) ?? first.code
  return new KjitsiError(code, `none of the ${fetched.length} key sets gave a key, so nothing was written`)
}

function sayWhatFailed(fetched: readonly Fetched[], output: Output): void {
  for (const { code, message, hint } of fetched.flatMap(({ error }) => error ?? [])) {
    output.find(certsFinding('source-failed', { failure: code, message, hint }))
  }
}
