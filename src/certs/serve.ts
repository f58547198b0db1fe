// The key server as a whole: sources, kept fresh, answered from. Runs until it is told to stop.
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { setFlagsFromString } from 'node:v8'
import { type Site, type Page, answererOf, pagesOf } from './handler.ts'
import { type Line, newsOf } from './log.ts'
import { type Keeper, type LiveSource, keepKeys } from './refresh.ts'
import { type Place, startServer } from './server.ts'

export interface KeyServerOptions {
  readonly sources: readonly LiveSource[]
  readonly place: Place
  /** Of the keys, such as `/certs`. */
  readonly path: string
  /** Seconds. */
  readonly refresh: number
  /** Seconds. */
  readonly grace: number
  /** Ends the server. */
  readonly signal: AbortSignal
  readonly say: (line: Line) => void
  /** Told once, with the address of the keys. */
  readonly onListening: (address: string) => void
  readonly onAnswer?: ((request: IncomingMessage, status: number) => void) | undefined
}

/**
 * Listens, reads the sources, answers; ends in good order with `signal`.
 * @throws KjitsiError `server` where it cannot listen
 */
export async function runKeyServer(options: KeyServerOptions): Promise<void> {
  const { path, refresh, grace, signal, onAnswer } = options
  keepMemorySmall()
  const counts: number[] = []
  let pages: ReadonlyMap<string, Page> = new Map()
  const keeper = keepKeys(options.sources, {
    refresh,
    grace,
    signal,
    say: options.say,
    onTurn: ({ ring: { held }, changes }) => {
      for (const line of newsOf(changes, grace)) options.say(line)
      if (changes.length === 0) return
      const keys = [...held.values()].map(({ key }) => key)
      pages = pagesOf(keys, path, refresh, pages)
    },
  })
  const site: Site = {
    path,
    pages: () => pages,
    askFor: keeper.askFor,
    states: keeper.states,
    metrics: lazyMetrics(keeper, counts, () => pages.size),
    counts,
    onAnswer,
    isClosing: () => signal.aborted,
  }
  const server = await startServer(options.place, answererOf(site), counts)
  options.onListening(`${server.url}${path}`)
  keeper.start()
  if (!signal.aborted) await once(signal, 'abort')
  await server.close()
}

/**
 * What a request leaves behind is garbage at once, and what stays is small: V8 is to collect the one rather than to make
 * room for it. Measured: 35 MB less, at no cost in time. Node 20 to 26 know both flags; one that is unknown to a later
 * V8 costs a line on stderr.
 */
function keepMemorySmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--heap-growing-percent=20')
}

/** prom-client is loaded with the first question. */
function lazyMetrics(keeper: Keeper, counts: readonly number[], served: () => number): Site['metrics'] {
  let made: ReturnType<typeof make> | undefined
  const make = async () =>
    (await import('./metrics.ts')).createMetrics(() => ({
      counts,
      states: keeper.states(),
      served: served(),
    }))
  return async () => {
    const { contentType, text } = await (made ??= make())
    return { contentType, text: await text() }
  }
}
