// THE scheduler: what is tried until it goes well, and what is done again and again.
import pRetry, { AbortError } from 'p-retry'

const LAST_RETRY_MS = 30_000

/**
 * Milliseconds since 1970, of a clock that never steps back: one that is set while we run, as after the start of a machine,
 * counts for nothing.
 */
export function clock(): number {
  return performance.timeOrigin + performance.now()
}

/**
 * Runs a task until it goes well, or `signal` says so: less and less soon, and all who fail at once not at the same time.
 * @param task whether it went well
 * @param longest between two tries, seconds
 */
export async function untilGood(
  task: () => Promise<boolean>,
  longest: number,
  signal: AbortSignal,
): Promise<void> {
  const attempt = async (): Promise<void> => {
    const isGood = await task().catch((error: unknown) => {
      throw new AbortError(error instanceof Error ? error : String(error))
    })
    if (!isGood) throw new Error('to be tried again')
  }
  const maxTimeout = Math.min(LAST_RETRY_MS, longest * 1000)
  await pRetry(attempt, { retries: Infinity, maxTimeout, randomize: true, signal }).catch(
    (error: unknown) => {
      if (!signal.aborted) throw error
    },
  )
}

/** Runs a task until it goes well, and after a pause (seconds, give or take a tenth) again, until `signal` says so. */
export async function repeat(
  task: () => Promise<boolean>,
  pause: number,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await untilGood(task, pause, signal)
    await sleep(pause * 1000 * (0.9 + 0.2 * Math.random()), signal)
  }
}

async function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, milliseconds)
    signal.addEventListener('abort', done)
  })
}
