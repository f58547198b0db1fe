// A run of export-certs: once, or again and again. Files of keys go into a folder, under the names that Prosody asks for.
import type { ChalkInstance } from 'chalk'
import { join } from 'node:path'
import { shownDuration } from '../duration.ts'
import { type ErrorCode, KjitsiError } from '../errors.ts'
import type { Http } from '../http/http.ts'
import type { Output } from '../io.ts'
import { table } from '../table.ts'
import { type Step, applyExport, exportStopped, planExport, readFolder, removeLeftovers } from './export.ts'
import { type Fetched, fetchAll } from './fetch.ts'
import { finding } from './findings.ts'
import { MANIFEST_FILE, readManifest, upkeep, writeManifest } from './manifest.ts'
import { type LeftOut, nameOfKey, shownKid, unite } from './pem.ts'
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
  readonly dryRun: boolean
  readonly http: Http
  readonly output: Output
  readonly signal: AbortSignal
}

/**
 * Brings the folder up to date. With --json: `{kind: 'certs', dir, dryRun, changed, steps: [{action, file, kid, alg, bits,
 * source}], leftOut}`.
 * @param check what a dry run would change is a failure
 * @returns in how many ways it did not end well
 */
export async function exportFolder(run: ExportRun, check: boolean): Promise<readonly ErrorCode[]> {
  const { dir, dryRun, output } = run
  const { steps, leftOut, changed, codes } = await exportOnce(run)
  const payload = { dir, dryRun, changed, steps: steps.map(plainStep), leftOut }
  output.result('certs', payload, (paint) => table(rowsOf(steps, dryRun, paint)))
  if (!changed) output.note('no changes')
  return [...codes, ...(check && changed ? (['drift'] as const) : [])]
}

interface Round {
  readonly steps: readonly Step[]
  readonly leftOut: readonly LeftOut[]
  readonly changed: boolean
  /** In how many ways it did not end well: the code of each source that gave no key. */
  readonly codes: readonly ErrorCode[]
}

/** Milliseconds since 1970. A clock that is set while we run, as after the start of a machine, counts for nothing. */
function clock(): number {
  return performance.timeOrigin + performance.now()
}

/** Brings the folder up to date, and says what is worth knowing. */
async function exportOnce(
  { dir, sources, prune, grace, dryRun, http, output, signal }: ExportRun,
  onApplied: (steps: readonly Step[]) => void = () => undefined,
): Promise<Round> {
  // A folder that cannot be written to, or whose manifest cannot be read, is told before a server is asked.
  const folder = await readFolder(dir)
  await readManifest(dir)
  const fetched = await fetchAll(http, sources)
  const failure = failureOfAll(fetched)
  for (const found of fetched.flatMap(({ findings }) => findings)) output.find(found)
  if (fetched.length > 1) sayWhatFailed(fetched, output)
  if (failure && fetched.every(({ outcome }) => outcome === 'unreachable')) throw failure
  const keys = unite(fetched.flatMap((one) => one.keys))
  const writes = planExport(keys, folder)
  const done: Step[] = []
  if (writes.some(({ action }) => action !== 'keep') && !dryRun) {
    await applyExport(dir, writes, signal, done)
  }

  // As late as can be: another run may have written to it meanwhile.
  const before = await readManifest(dir)
  const files = [...folder.entries].flatMap(([file, { kind }]) => (kind === 'file' ? [file] : []))
  const readings = sources.flatMap((source, i) => {
    const one = fetched[i]
    return one === undefined ? [] : [{ source: lastingNameOf(source), outcome: one.outcome, keys: one.keys }]
  })
  const { manifest, gone, waiting, foreign, others } = upkeep(
    before.manifest,
    readings,
    new Set([...files, ...keys.map(({ file }) => file)]),
    clock(),
    prune ? grace : undefined,
  )
  const removals = gone.map((file): Step => ({ action: 'remove', file }))
  if (!dryRun) {
    if (removals.length > 0) await applyExport(dir, removals, signal, done)
    await writeManifest(dir, manifest, before).catch((error: unknown) => {
      throw exportStopped(error, done, [`write ${MANIFEST_FILE}`])
    })
    await removeLeftovers(folder)
  }
  const steps = [...writes, ...removals]
  onApplied(steps)

  const silent = fetched.flatMap(({ source, outcome }) => (outcome === 'unreachable' ? [source] : []))
  if (prune && silent.length > 0) output.find(finding('nothing-pruned', { dir, sources: silent }))
  if (before.isSpoilt) output.find(finding('manifest-spoilt', { file: join(dir, MANIFEST_FILE) }))
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
  if (failure && keys.length === 0 && steps.length === 0) throw failure
  if (fetched.length === 1) sayWhatFailed(fetched, output)
  const changed = steps.some(({ action }) => action !== 'keep')
  return { steps, leftOut, changed, codes: fetched.flatMap(({ error }) => error?.code ?? []) }
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
    const { codes } = await exportOnce({ ...run, output: news }, (steps) => {
      for (const step of steps) if (step.action !== 'keep') output.log('note', lineOf(step), plainStep(step))
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

const DONE = { create: 'created', update: 'updated', keep: 'unchanged', remove: 'removed' } as const

function lineOf(step: Step): string {
  if (step.action === 'remove') return `removed ${step.file}`
  const { file, kid, source } = step.key
  return `${DONE[step.action]} ${file}: key ${shownKid(kid)} of ${source}`
}

function plainStep(step: Step): Readonly<Record<string, unknown>> {
  if (step.action === 'remove') return { ...step }
  const { file, kid, alg, bits, source } = step.key
  return { action: step.action, file, kid, alg, bits, source }
}

function rowsOf(
  steps: readonly Step[],
  dryRun: boolean,
  paint: ChalkInstance,
): readonly (readonly string[])[] {
  const colours = { create: paint.green, update: paint.yellow, keep: paint.dim, remove: paint.red }
  const state = ({ action }: Step): string =>
    colours[action](dryRun && action !== 'keep' ? `to ${action}` : DONE[action])
  return [
    ['file', 'kid', 'alg', 'bits', ''],
    ...steps.map((step) =>
      step.action === 'remove'
        ? [step.file, '', '', '', state(step)]
        : [step.key.file, shownKid(step.key.kid), step.key.alg ?? '-', String(step.key.bits), state(step)],
    ),
  ]
}
