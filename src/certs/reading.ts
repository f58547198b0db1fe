// One source of keys: what a reading of it gives, and what is known of it after that. Times are milliseconds, and handed in.
import { shownDuration } from '../duration.ts'
import type { ErrorCode, KjitsiError } from '../errors.ts'
import type { Finding } from '../finding.ts'
import { certsFinding } from './findings.ts'
import type { Key, LeftOut } from './key.ts'
import type { Line } from './log.ts'

/**
 * What a source says: these are its keys; it has none that can be used, so what it gave before has left; or nothing, since
 * it cannot be asked, and what it gave last stays.
 */
export type Outcome = 'keys' | 'none' | 'unreachable'

/** What one reading gave, and why there is no usable key. */
export type Reading = {
  readonly keys: readonly Key[]
  readonly leftOut: readonly LeftOut[]
  readonly findings: readonly Finding[]
} & (
  | { readonly outcome: 'keys'; readonly error?: undefined }
  | { readonly outcome: Exclude<Outcome, 'keys'>; readonly error: KjitsiError }
)

/** A reading without a key. */
export function failed(outcome: Exclude<Outcome, 'keys'>, error: KjitsiError): Reading {
  return { outcome, keys: [], leftOut: [], findings: [], error }
}

/** A source that is read again and again. */
export interface LiveSource {
  readonly name: string
  /** Shortest time between two readings that somebody's question causes, seconds. */
  readonly cooldown: number
  /**
   * @param why because it is time to, or because a key is asked for that is not known
   * @throws only where the command is interrupted, or for a bug
   */
  readonly read: (why: 'due' | 'asked') => Promise<Reading>
}

/** What is known of a source. */
export interface Known {
  /** Its last good set; undefined before there is one. */
  readonly set: readonly Key[] | undefined
  /** When that was read; the start, where there is none yet. */
  readonly goodAt: number
  /** Whether its first word is there, for which those that were named after it wait. */
  readonly isHeard: boolean
  /** Readings that failed, of all times. */
  readonly failures: number
  /** Of the last reading. */
  readonly outcome: Outcome | undefined
  readonly code: ErrorCode | undefined
  /** Whether it was told that its keys are going to leave. */
  readonly isWarned: boolean
}

/**
 * What is known after a reading, and what is to be said of it. What a source that cannot be asked gave last counts for
 * `maxAge` seconds, which is told when half of that is over.
 * @param held how many keys of this source are held
 */
export function learn(
  source: string,
  before: Known,
  { outcome, keys, error }: Reading,
  { now, maxAge, held }: { readonly now: number; readonly maxAge: number; readonly held: number },
): { readonly known: Known; readonly lines: readonly Line[] } {
  if (outcome === 'keys') {
    const isBack = before.outcome !== undefined && before.outcome !== 'keys'
    const lines = isBack ? [`${source}: answers again`] : []
    const { failures } = before
    const known = {
      set: keys,
      goodAt: now,
      isHeard: true,
      failures,
      outcome,
      code: undefined,
      isWarned: false,
    }
    return { known, lines }
  }
  const { code, message, hint } = error
  const args = { source, message, hint }
  const limit = shownDuration(maxAge)
  const lines: Line[] = []
  if (before.outcome !== outcome || before.code !== code) {
    const kept = before.set === undefined ? null : held
    lines.push(
      outcome === 'none'
        ? certsFinding('keys-none', args)
        : certsFinding('keys-kept', { ...args, kept, limit }),
    )
  }
  const known: Known = {
    ...before,
    // That there is no such realm is a word too: it does not become right by waiting.
    isHeard: before.isHeard || outcome === 'none' || code === 'not-found',
    failures: before.failures + 1,
    outcome,
    code,
  }
  if (outcome === 'none') return { known: { ...known, set: [] }, lines }
  const age = (now - before.goodAt) / 1000
  if (before.set === undefined || before.set.length === 0 || age < maxAge / 2) return { known, lines }
  if (age >= maxAge) {
    return {
      known: { ...known, set: [] },
      lines: [...lines, certsFinding('keys-expired', { source, limit })],
    }
  }
  if (!before.isWarned) {
    const [since, left] = [age, maxAge - age].map((seconds) => shownDuration(Math.ceil(seconds / 60) * 60))
    lines.push(certsFinding('keys-expire', { source, since, left }))
  }
  return { known: { ...known, isWarned: true }, lines }
}
