// A run of export-certs: once, or again and again. Files of keys go into a folder, under the names that Prosody asks for.
import type { ChalkInstance } from 'chalk'
import { join } from 'node:path'
import { shownDuration } from '../duration.ts'
import { type ErrorCode, KjitsiError } from '../errors.ts'
import type { Http } from '../http/http.ts'
import type { Output } from '../io.ts'
import { table } from '../table.ts'
import {
  type FolderPlan,
  type Step,
  applyExport,
  exportStopped,
  planFolder,
  readFolder,
  removeLeftovers,
} from './export.ts'
import { type Fetched, fetchAll, liveSource } from './fetch.ts'
import { finding } from './findings.ts'
import { nameOfKey, shownKid } from './key.ts'
import type { Sets } from './keyring.ts'
import { type Line, newsOf, onlyNews, sayLine } from './log.ts'
import { MANIFEST_FILE, readManifest, writeManifest } from './manifest.ts'
import { clock, keepKeys, untilGood } from './refresh.ts'
import { type KeySource, lastingNameOf, nameOfSource } from './sources.ts'

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
  const { dir, sources, prune, dryRun, http, output } = run
  // A folder that cannot be written to, or whose manifest cannot be read, is told before a server is asked.
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
  const { steps, lines } = await bring(run, new Map(sets))
  if (prune && silent.length > 0) output.find(finding('nothing-pruned', { dir, sources: silent }))
  for (const line of lines)
    if (typeof line === 'string') output.note(line)
    else output.find(line)
  const leftOut = fetched.flatMap((one) => one.leftOut)
  for (const key of leftOut) output.note(`left out: ${nameOfKey(key)} of ${key.source}: ${key.reason}`)
  if (failure && steps.length === 0 && fetched.every(({ keys }) => keys.length === 0)) throw failure
  if (fetched.length === 1) sayWhatFailed(fetched, output)
  const changed = steps.some(({ action }) => action !== 'keep')
  const payload = { dir, dryRun, changed, steps: steps.map(plainStep), leftOut }
  output.result('certs', payload, (paint) => table(rowsOf(steps, dryRun, paint)))
  if (!changed) output.note('no changes')
  const codes = fetched.flatMap(({ error }) => error?.code ?? [])
  return [...codes, ...(check && changed ? (['drift'] as const) : [])]
}

/**
 * Exports again and again, until it is told to stop; what has changed is told as a log.
 * @param interval between two readings of a source that answers, seconds
 */
export async function watchFolder(run: ExportRun, interval: number): Promise<void> {
  const { dir, sources, grace, http, output, signal } = run
  const say = (line: Line): void => {
    sayLine(output, line)
  }
  const sayNews = onlyNews(say)
  let sets: Sets = new Map()
  let turns = 0
  let written = 0
  let wake = (): void => undefined
  const write = async (): Promise<boolean> => {
    try {
      const { steps, lines } = await bring(run, sets)
      for (const step of steps) if (step.action !== 'keep') output.log('note', lineOf(step), plainStep(step))
      sayNews(lines)
      return true
    } catch (error) {
      if (!(error instanceof KjitsiError)) throw error
      const { code, message, hint } = error
      if (!signal.aborted) sayNews([finding('source-failed', { failure: code, message, hint })])
      return false
    }
  }
  output.log('note', `exporting to ${dir} every ${shownDuration(interval)}`)
  signal.addEventListener('abort', () => {
    wake()
  })
  keepKeys(
    sources.map((source) => liveSource(http, source, 0)),
    {
      refresh: interval,
      grace,
      signal,
      say,
      onTurn: (_, now) => {
        sets = now
        turns++
        wake()
      },
    },
  ).start()
  while (!signal.aborted) {
    if (written === turns) await new Promise<void>((resolve) => (wake = resolve))
    written = turns
    await untilGood(write, interval, signal)
  }
}

/** Brings the folder to what its sources publish; what is worth knowing about it comes as lines. */
async function bring(
  { dir, sources, prune, grace, dryRun, signal }: ExportRun,
  sets: Sets,
): Promise<{ readonly steps: readonly Step[]; readonly lines: readonly Line[] }> {
  const folder = await readFolder(dir)
  const before = await readManifest(dir)
  const names = new Map(sources.map((source) => [nameOfSource(source), lastingNameOf(source)]))
  const graceMs = prune ? grace * 1000 : Infinity
  const plan = planFolder(folder, before.manifest, names, sets, clock(), graceMs)
  const { steps } = plan
  if (!dryRun) {
    const done: Step[] = []
    if (steps.some(({ action }) => action !== 'keep')) await applyExport(dir, steps, signal, done)
    await writeManifest(dir, plan.manifest, before).catch((error: unknown) => {
      throw exportStopped(error, done, [`write ${MANIFEST_FILE}`])
    })
    await removeLeftovers(folder)
  }
  const clashes = newsOf(
    plan.changes.filter(({ change }) => change === 'clash'),
    grace,
  )
  const spoilt = before.isSpoilt ? [finding('manifest-spoilt', { file: join(dir, MANIFEST_FILE) })] : []
  const closed = folder.open ? [] : [finding('folder-closed', { dir })]
  return { steps, lines: [...clashes, ...spoilt, ...linesOf(plan, dir, prune, grace), ...closed] }
}

function linesOf(
  { steps, waiting, foreign, others }: FolderPlan,
  dir: string,
  prune: boolean,
  grace: number,
): readonly Line[] {
  const later = { dir, files: waiting }
  const waits = prune
    ? finding('pruned-later', { ...later, grace: shownDuration(grace) })
    : finding('stale-keys', later)
  const gone = steps.flatMap((step) => (step.action === 'remove' ? [step.file] : []))
  return [
    ...(waiting.length > 0 ? [waits] : []),
    ...(foreign.length > 0 ? [finding('foreign-keys', { dir, files: foreign })] : []),
    ...(others.files.length > 0 ? [finding('others-keys', { dir, ...others })] : []),
    ...(gone.length > 0 ? [finding('pruned-still-trusted', { files: gone })] : []),
  ]
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
  return `${DONE[step.action]} ${file}: key ${shownKid(kid ?? file)} of ${source}`
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
        : [
            step.key.file,
            shownKid(step.key.kid ?? step.key.file),
            step.key.alg ?? '-',
            String(step.key.bits),
            state(step),
          ],
    ),
  ]
}
