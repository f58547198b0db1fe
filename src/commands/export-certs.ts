// Writes the public keys of realms into a folder, one file a key, under the names that Prosody asks for.
import type { ChalkInstance } from 'chalk'
import { join, resolve } from 'node:path'
import {
  type Step,
  applyExport,
  exportStopped,
  planExport,
  readFolder,
  removeLeftovers,
} from '../certs/export.ts'
import { type Fetched, fetchAll } from '../certs/fetch.ts'
import { MANIFEST_FILE, readManifest, upkeep, writeManifest } from '../certs/manifest.ts'
import { type LeftOut, nameOfKey, shownKid, unite } from '../certs/pem.ts'
import { type KeySource, keySources, lastingNameOf } from '../certs/sources.ts'
import { newsOutput, watch } from '../certs/watch.ts'
import type { Context, Run } from '../command.ts'
import { type ErrorCode, KjitsiError, worstOf } from '../errors.ts'
import { finding } from '../findings.ts'
import { type Output, table } from '../output.ts'
import { SETTINGS } from '../settings.ts'
import { shownDuration } from '../values.ts'

type SourceKeys = 'url' | 'realm' | 'jwks' | 'allowKeysFrom'
type Keys = SourceKeys | 'prune' | 'grace' | 'watch' | 'interval' | 'log' | 'dryRun' | 'check'

const DAY = 86_400

export const run: Run<Keys> = async (context) => {
  const { args, settings, output, io } = context
  // An unset variable in a script must not become the folder that the script happens to run in.
  if (!args[0]) throw new KjitsiError('usage', 'DIR is empty', { hint: 'name the folder for the PEM files' })
  const dir = resolve(io.cwd, args[0])
  if (settings.watch) return watchFolder(context, dir)
  const { steps, leftOut, changed, dryRun, failure } = await exportOnce(
    context,
    dir,
    await keySources(context),
  )
  const payload = { dir, dryRun, changed, steps: steps.map(plainStep), leftOut }
  output.result('certs', payload, (paint) => table(rowsOf(steps, dryRun, paint)))
  if (!changed) output.note('no changes')
  return failure ?? (settings.check && changed ? 'drift' : undefined)
}

interface Round {
  readonly steps: readonly Step[]
  readonly leftOut: readonly LeftOut[]
  readonly changed: boolean
  readonly dryRun: boolean
  readonly failure: ErrorCode | undefined
}

/** Milliseconds since 1970. A clock that is set while we run, as after the start of a machine, counts for nothing. */
function clock(): number {
  return performance.timeOrigin + performance.now()
}

/** Brings the folder up to date, and says what is worth knowing. */
async function exportOnce(
  { settings, http, io, output }: Context<Keys>,
  dir: string,
  sources: readonly KeySource[],
  onApplied: (steps: readonly Step[]) => void = () => undefined,
): Promise<Round> {
  const dryRun = settings.dryRun || settings.check
  const grace = settings.grace ?? (settings.watch ? DAY : 0)
  // A folder that cannot be written to, or whose manifest cannot be read, is told before a server is asked.
  const folder = await readFolder(dir)
  await readManifest(dir)
  const fetched = await fetchAll(http, sources)
  const failure = failureOf(fetched)
  for (const found of fetched.flatMap(({ findings }) => findings)) output.find(found)
  if (fetched.length > 1) sayWhatFailed(fetched, output)
  if (failure && fetched.every(({ outcome }) => outcome === 'unreachable')) throw failure.ofAll
  const keys = unite(fetched.flatMap((one) => one.keys))
  const writes = planExport(keys, folder)
  const done: Step[] = []
  if (writes.some(({ action }) => action !== 'keep') && !dryRun) {
    await applyExport(dir, writes, io.signal, done)
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
    settings.prune ? grace : undefined,
  )
  const removals = gone.map((file): Step => ({ action: 'remove', file }))
  if (!dryRun) {
    if (removals.length > 0) await applyExport(dir, removals, io.signal, done)
    await writeManifest(dir, manifest, before).catch((error: unknown) => {
      throw exportStopped(error, done, [`write ${MANIFEST_FILE}`])
    })
    await removeLeftovers(folder)
  }
  const steps = [...writes, ...removals]
  onApplied(steps)

  const silent = fetched.flatMap(({ source, outcome }) => (outcome === 'unreachable' ? [source] : []))
  if (settings.prune && silent.length > 0) output.find(finding('nothing-pruned', { dir, sources: silent }))
  if (before.isSpoilt) output.find(finding('manifest-spoilt', { file: join(dir, MANIFEST_FILE) }))
  if (waiting.length > 0) {
    const about = { dir, files: waiting }
    output.find(
      settings.prune
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
  if (failure && keys.length === 0 && steps.length === 0) throw failure.ofAll
  if (fetched.length === 1) sayWhatFailed(fetched, output)
  const changed = steps.some(({ action }) => action !== 'keep')
  return { steps, leftOut, changed, dryRun, failure: failure?.worst }
}

/** Exports again and again, until it is told to stop; what has changed is told as a log. */
async function watchFolder(context: Context<Keys>, dir: string): Promise<undefined> {
  const { settings, output, io } = context
  const others = (['json', 'dryRun', 'check'] as const).filter((key) => settings[key])
  if (others.length > 0) {
    const flags = others.map((key) => SETTINGS[key].flag).join(', ')
    throw new KjitsiError('usage', `--watch does not go with ${flags}`, {
      hint: '--log json has each line on stderr as a JSON document',
    })
  }
  const sources = await keySources(context)
  const { news, endRound } = newsOutput(output)
  let wasGood = true
  const round = async (): Promise<boolean> => {
    const { failure } = await exportOnce({ ...context, output: news }, dir, sources, (steps) => {
      for (const step of steps) if (step.action !== 'keep') output.log('note', lineOf(step), plainStep(step))
    })
    return failure === undefined
  }
  output.log('note', `exporting to ${dir} every ${shownDuration(settings.interval)}`)
  await watch(round, {
    interval: settings.interval,
    signal: io.signal,
    onEnd: (isGood, error) => {
      if (error) news.log('error', error.message, { fix: error.hint, code: error.code })
      if (isGood && !wasGood) output.log('note', 'every key set was read again')
      wasGood = isGood
      endRound()
    },
  })
  return undefined
}

/**
 * What came of the sources that gave no key, undefined where each gave some.
 * @returns `worst` of them, and what to end with where no source gave a key and nothing was done
 */
function failureOf(
  fetched: readonly Fetched[],
): { readonly worst: ErrorCode; readonly ofAll: KjitsiError } | undefined {
  const [first, ...others] = fetched.flatMap(({ error }) => error ?? [])
  if (first === undefined) return undefined
  const worst = worstOf([first.code, ...others.map(({ code }) => code)])
  const message = `none of the ${fetched.length} key sets gave a key, so nothing was written`
  return { worst, ofAll: fetched.length === 1 ? first : new KjitsiError(worst, message) }
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
