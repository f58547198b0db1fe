// What makes `export-certs --watch` of `export-certs`: the same round again and again, and only news are told.
import { setTimeout as delay } from 'node:timers/promises'
import { KjitsiError } from '../errors.ts'
import type { Finding } from '../finding.ts'
import type { Output } from '../io.ts'

export interface WatchOptions {
  /** Between two rounds that went well, seconds, give or take a tenth: not all watchers are to ask at once. */
  readonly interval: number
  /** Ends the watch, also while it waits. */
  readonly signal: AbortSignal
  /** Told how each round ended, with what it threw if anything. */
  readonly onEnd: (isGood: boolean, error: KjitsiError | undefined) => void
  readonly random?: () => number
  readonly sleep?: (milliseconds: number, signal: AbortSignal) => Promise<unknown>
}

const FIRST_RETRY_MS = 5000

/**
 * Runs rounds until `signal` says so. One that fails is tried again soon, then less and less soon, until a good one.
 * @param round whether all went well; a KjitsiError that it throws is told, another error ends the watch
 */
export async function watch(round: () => Promise<boolean>, options: WatchOptions): Promise<void> {
  const { interval, signal, onEnd, random = Math.random } = options
  const { sleep = (milliseconds: number) => delay(milliseconds, undefined, { signal }) } = options
  const isOver = (): boolean => signal.aborted
  let failures = 0
  while (!isOver()) {
    let failure: KjitsiError | undefined
    let isGood = false
    try {
      isGood = await round()
    } catch (error) {
      if (isOver()) return
      if (!(error instanceof KjitsiError)) throw error
      failure = error
    }
    failures = isGood ? 0 : failures + 1
    onEnd(isGood, failure)
    const pause = interval * 1000 * (0.9 + 0.2 * random())
    try {
      await sleep(isGood ? pause : Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), pause), signal)
    } catch (error) {
      if (!isOver()) throw error
    }
  }
}

/** An output that says as a log what is new: what was said in the round before is not said again. */
export function newsOutput(output: Output): { readonly news: Output; readonly endRound: () => void } {
  let before = new Set<string>()
  let current = new Set<string>()
  const isNew = (what: unknown): boolean => {
    const name = JSON.stringify(what)
    current.add(name)
    return !before.has(name)
  }
  const find = (found: Finding): void => {
    const fields = { fix: found.fix, code: found.code, args: found.args }
    if (isNew(found)) output.log(found.level, found.message, fields)
  }
  return {
    news: {
      ...output,
      find,
      note: (text) => {
        if (isNew(text)) output.log('note', text)
      },
      log: (level, text, fields) => {
        if (isNew([level, text])) output.log(level, text, fields)
      },
    },
    endRound: () => {
      before = current
      current = new Set()
    },
  }
}
