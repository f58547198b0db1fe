// Since when the keys in a folder are in no key set any more, so that `--prune --grace` removes a file only after that
// long. Kept in one small file beside the keys; it is written only when a key leaves, comes back or goes.
import { join } from 'node:path'
import { z } from 'zod'
import { KjitsiError } from '../errors.ts'
import { readIfThere, writeIfChanged } from '../files.ts'
import type { Plan } from './export.ts'

/** Milliseconds since 1970, by file name. */
export type Gone = ReadonlyMap<string, number>

export interface PatientPlan extends Plan {
  readonly gone: Gone
  /** Files that are to go, but not yet. */
  readonly waiting: readonly string[]
}

export const STATE_FILE = '.kjitsi.json'
/** A key that waits takes about 110 bytes in it. */
const READING = { maxBytes: 10_000_000 }
const FILE = z.object({ version: z.literal(1), gone: z.record(z.string(), z.iso.datetime()) })

/**
 * A plan that removes only what has been gone for `grace` seconds.
 * @param plan one that removes whatever is in no key set
 * @param before as it was read
 * @param now milliseconds since 1970
 */
export function withGrace(plan: Plan, before: Gone, now: number, grace: number): PatientPlan {
  const removed = plan.steps.flatMap((step) => (step.action === 'remove' ? [step.file] : []))
  // A time that is still to come was written before the clock was set back: then it begins anew.
  const since = (file: string): number => Math.min(before.get(file) ?? now, now)
  const waiting = removed.filter((file) => now - since(file) < grace * 1000)
  const kept = new Set(waiting)
  return {
    ...plan,
    steps: plan.steps.filter((step) => step.action !== 'remove' || !kept.has(step.file)),
    gone: new Map(waiting.map((file) => [file, since(file)])),
    waiting,
  }
}

/** What was written last; nothing where the file is lost or spoilt: then keys stay longer, which does no harm. */
export async function readGone(dir: string): Promise<Gone> {
  try {
    const { gone } = FILE.parse(JSON.parse((await readIfThere(join(dir, STATE_FILE), READING)) ?? ''))
    return new Map(Object.entries(gone).map(([file, time]) => [file, Date.parse(time)]))
  } catch (error) {
    if (error instanceof KjitsiError) throw error
    return new Map()
  }
}

/** @throws KjitsiError `file` */
export async function writeGone(dir: string, gone: Gone): Promise<void> {
  const path = join(dir, STATE_FILE)
  if (gone.size === 0 && (await readIfThere(path, READING)) === undefined) return
  const times = Object.fromEntries([...gone].map(([file, time]) => [file, new Date(time).toISOString()]))
  await writeIfChanged(path, `${JSON.stringify({ version: 1, gone: times }, null, 2)}\n`, 0o644)
}
