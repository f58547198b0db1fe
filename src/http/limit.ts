// Ends what takes too long.
import { setMaxListeners } from 'node:events'
import { shownDuration } from '../duration.ts'

/** The longest that a timer of Node can wait, milliseconds; a longer one ends at once. */
const LONGEST = 2 ** 31 - 1

/** Seconds as a timer takes them. */
export function timerOf(seconds: number): number {
  return Math.min(seconds * 1000, LONGEST)
}

/**
 * A signal that is aborted by another one, or once `seconds` are over with a TimeoutError.
 *
 * Node 20's `AbortSignal.any([signal, AbortSignal.timeout(…)])` would say the same, but the garbage collector takes the
 * timeout away while it runs, and the request then waits for ever.
 */
export function limited(signal: AbortSignal, seconds: number): AbortSignal {
  const controller = new AbortController()
  const end = (): void => {
    clearTimeout(timer)
    controller.abort(signal.reason)
  }
  const timer = setTimeout(() => {
    signal.removeEventListener('abort', end)
    controller.abort(
      new DOMException(`no answer within ${shownDuration(seconds)} (--timeout)`, 'TimeoutError'),
    )
  }, timerOf(seconds)).unref()
  // One listener for each request of the last seconds is no leak, which Node would warn of.
  setMaxListeners(0, signal)
  if (signal.aborted) end()
  else signal.addEventListener('abort', end, { once: true })
  return controller.signal
}
