// Writes the public keys of realms into a folder, one file a key, under the names that Prosody asks for.
import type { ChalkInstance } from 'chalk'
import { resolve } from 'node:path'
import { type Step, applyExport, planExport, readFolder } from '../certs/export.ts'
import { type Fetched, fetchAll } from '../certs/fetch.ts'
import { nameOfKey, shownKid, unite } from '../certs/pem.ts'
import { keySources } from '../certs/sources.ts'
import type { Run } from '../command.ts'
import { type ErrorCode, KjitsiError, worstOf } from '../errors.ts'
import { finding } from '../findings.ts'
import { type Output, table } from '../output.ts'

type Keys = 'url' | 'realm' | 'jwks' | 'prune' | 'dryRun' | 'check'

export const run: Run<Keys> = async (context) => {
  const { args, settings, output, http, io } = context
  const dryRun = settings.dryRun || settings.check
  // An unset variable in a script must not become the folder that the script happens to run in.
  if (!args[0]) throw new KjitsiError('usage', 'DIR is empty', { hint: 'name the folder for the PEM files' })
  const dir = resolve(io.cwd, args[0])

  const fetched = await fetchAll(http, await keySources(context))
  const failure = sayWhatFailed(fetched, output)
  const keys = unite(fetched.flatMap((one) => one.keys))
  const folder = await readFolder(dir)
  const { steps, stale } = planExport(keys, folder, settings.prune && failure === undefined)
  const changed = steps.some(({ action }) => action !== 'keep')
  if (changed && !dryRun) await applyExport(dir, steps, io.signal)

  if (settings.prune && failure !== undefined) output.find(finding('nothing-pruned', { dir }))
  else if (failure === undefined && stale.length > 0)
    output.find(finding('stale-keys', { dir, files: stale }))
  const removed = steps.filter((step) => step.action === 'remove').map(({ file }) => file)
  if (removed.length > 0) output.find(finding('pruned-still-trusted', { files: removed }))
  if (!folder.open) output.find(finding('folder-closed', { dir }))
  const leftOut = fetched.flatMap((one) => one.leftOut)
  for (const key of leftOut) output.note(`left out: ${nameOfKey(key)} of ${key.source}: ${key.reason}`)
  const payload = { dir, dryRun, changed, steps: steps.map(plainStep), leftOut }
  output.result('certs', payload, (paint) => table(rowsOf(steps, dryRun, paint)))
  if (!changed) output.note('no changes')
  return failure ?? (settings.check && changed ? 'drift' : undefined)
}

/**
 * Says what was found out about the sources, and which of them failed.
 * @returns the worst failure among several sources, undefined where there was none
 * @throws KjitsiError where no source gave a key
 */
function sayWhatFailed(fetched: readonly Fetched[], output: Output): ErrorCode | undefined {
  for (const found of fetched.flatMap(({ findings }) => findings)) output.find(found)
  const [first, ...others] = fetched.flatMap(({ error }) => error ?? [])
  if (first === undefined) return undefined
  if (fetched.length === 1) throw first
  const errors = [first, ...others]
  for (const { code, message, hint } of errors) {
    output.find(finding('source-failed', { failure: code, message, hint }))
  }
  const worst = worstOf([first.code, ...others.map(({ code }) => code)])
  if (errors.length < fetched.length) return worst
  throw new KjitsiError(worst, `none of the ${fetched.length} key sets gave a key, so nothing was written`)
}

const DONE = { create: 'created', update: 'updated', keep: 'unchanged', remove: 'removed' } as const

function plainStep(step: Step): object {
  if (step.action === 'remove') return step
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
