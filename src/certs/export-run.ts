// A run of export-certs: once, or again and again. Files of keys go into a folder, under the names that Prosody asks for.
import { shownDuration } from '../duration.ts'
import { type ErrorCode, KjitsiError } from '../errors.ts'
import { applyFiles } from '../files/apply.ts'
import { type FileItem, fileChanges } from '../files/plan.ts'
import { type FilesRun, runFiles } from '../files/run.ts'
import { fileLine, plainFile } from '../files/wording.ts'
import type { Http } from '../http/http.ts'
import type { Output } from '../io.ts'
import { planExport, readFolder } from './export.ts'
import { type Fetched, fetchAll } from './fetch.ts'
import { finding } from './findings.ts'
import { planManifest, readManifest, upkeep } from './manifest.ts'
import { type LeftOut, nameOfKey, unite } from './pem.ts'
import { type KeySource, lastingNameOf } from './sources.ts'
import { newsOutput, watch } from './watch.ts'

export interface ExportRun {
  /** Absolute. */
  readonly dir: string
  readonly sources: readonly KeySource[]
  /** Remove files of keys that have left. */
  readonly prune: boolean
  /** How long a key that has left is kept, seconds. */
  readonly grace: number
  readonly http: Http
  readonly output: Output
  readonly signal: AbortSignal
}

/**
 * Brings the folder up to date. With --json: `{kind: 'certs', dir, dryRun, changed, files, leftOut}`, where a key's file
 * has `{action, path, kid, alg, bits, source}`.
 * @returns in how many ways it did not end well
 */
export async function exportFolder(
  run: ExportRun,
  how: Pick<FilesRun, 'dryRun' | 'check' | 'all'>,
): Promise<readonly ErrorCode[]> {
  const { dir, output, signal } = run
  const { items, leftOut, codes } = await planRound(run)
  const ended = await runFiles(items, { kind: 'certs', payload: { dir, leftOut }, ...how, output, signal })
  return [...codes, ...ended]
}

interface Round {
  readonly items: readonly FileItem[]
  readonly leftOut: readonly LeftOut[]
  /** In how many ways it did not end well: the code of each source that gave no key. */
  readonly codes: readonly ErrorCode[]
}

/** Milliseconds since 1970. A clock that is set while we run, as after the start of a machine, counts for nothing. */
function clock(): number {
  return performance.timeOrigin + performance.now()
}

/** What brings the folder up to date; says what is worth knowing. */
async function planRound({ dir, sources, prune, grace, http, output }: ExportRun): Promise<Round> {
  // A folder or a manifest that cannot be read is told before a server is asked.
  await readFolder(dir)
  await readManifest(dir)
  const fetched = await fetchAll(http, sources)
  const failure = failureOfAll(fetched)
  for (const found of fetched.flatMap(({ findings }) => findings)) output.find(found)
  if (fetched.length > 1) sayWhatFailed(fetched, output)
  if (failure && fetched.every(({ outcome }) => outcome === 'unreachable')) throw failure
  const keys = unite(fetched.flatMap((one) => one.keys))
  const keyFiles = keys.map(({ file }) => file)

  // As late as can be: another run may have written to it meanwhile.
  const folder = await readFolder(dir, keyFiles)
  const before = await readManifest(dir)
  const files = [...folder.targets].flatMap(([file, { there }]) => (there === 'file' ? [file] : []))
  const readings = sources.flatMap((source, i) => {
    const one = fetched[i]
    return one === undefined ? [] : [{ source: lastingNameOf(source), outcome: one.outcome, keys: one.keys }]
  })
  const { manifest, gone, waiting, foreign, others } = upkeep(
    before.manifest,
    readings,
    new Set([...files, ...keyFiles]),
    clock(),
    prune ? grace : undefined,
  )
  const items = [...planExport(folder, keys, gone), ...planManifest(manifest, before)]

  const silent = fetched.flatMap(({ source, outcome }) => (outcome === 'unreachable' ? [source] : []))
  if (prune && silent.length > 0) output.find(finding('nothing-pruned', { dir, sources: silent }))
  if (before.isSpoilt) output.find(finding('manifest-spoilt', { file: before.target.path }))
  if (waiting.length > 0) {
    const about = { dir, files: waiting }
    output.find(
      prune
        ? finding('pruned-later', { ...about, grace: shownDuration(grace) })
        : finding('stale-keys', about),
    )
  }
  if (foreign.length > 0) output.find(finding('foreign-keys', { dir, files: foreign }))
  if (others.files.length > 0) output.find(finding('others-keys', { dir, ...others }))
  if (gone.length > 0) output.find(finding('pruned-still-trusted', { files: gone }))
  if (!folder.open) output.find(finding('folder-closed', { dir }))
  const leftOut = fetched.flatMap((one) => one.leftOut)
  for (const key of leftOut) output.note(`left out: ${nameOfKey(key)} of ${key.source}: ${key.reason}`)
  if (failure && keys.length === 0 && fileChanges(items).length === 0) throw failure
  if (fetched.length === 1) sayWhatFailed(fetched, output)
  return { items, leftOut, codes: fetched.flatMap(({ error }) => error?.code ?? []) }
}

/**
 * Exports again and again, until it is told to stop; what has changed is told as a log.
 * @param interval between two rounds that went well, seconds
 */
export async function watchFolder(run: ExportRun, interval: number): Promise<void> {
  const { dir, output, signal } = run
  const { news, endRound } = newsOutput(output)
  let wasGood = true
  const round = async (): Promise<boolean> => {
    const { items, codes } = await planRound({ ...run, output: news })
    await applyFiles(items, signal, (item) => {
      output.log('note', fileLine(item, 'done'), plainFile(item))
    })
    return codes.length === 0
  }
  output.log('note', `exporting to ${dir} every ${shownDuration(interval)}`)
  await watch(round, {
    interval,
    signal,
    onEnd: (isGood, error) => {
      if (error) news.log('error', error.message, { fix: error.hint, code: error.code })
      if (isGood && !wasGood) output.log('note', 'every key set was read again')
      wasGood = isGood
      endRound()
    },
  })
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
    output.find(finding('source-failed', { failure: code, message, hint }))
  }
}
