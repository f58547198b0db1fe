// The key server as a whole: sources, kept fresh, answered from. Runs until it is told to stop.
import { once } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { KjitsiError } from '../errors.ts'
import type { FolderSink } from './export-run.ts'
import { certsFinding } from './findings.ts'
import { type Site, type Page, answererOf, pagesOf } from './handler.ts'
import { type Line, newsOf, onlyNews } from './log.ts'
import type { LiveSource } from './reading.ts'
import { type Keeper, type Remembered, keepKeys } from './refresh.ts'
import { repeat } from './schedule.ts'
import type { Numbers } from './metrics.ts'
import { type KeyServer, type Place, startServer } from './server.ts'

/** How often the TLS files are looked at. */
const TLS_SECONDS = 60

export interface KeyServerOptions {
  readonly sources: readonly LiveSource[]
  readonly place: Place
  /** Port of the pages for those who look after the server, on the same host; with the keys unless given. */
  readonly adminPort: number | undefined
  /** How long to go on after `signal`, while it is said not to be ready, seconds. */
  readonly drain: number
  readonly readyWith: Site['readyWith']
  /** A folder that keeps the keys beyond a restart, and what it holds. */
  readonly kept?: { readonly remembered: Remembered; readonly folder: FolderSink } | undefined
  /** Of the keys, such as `/certs`. */
  readonly path: string
  /** Seconds. */
  readonly refresh: number
  /** Seconds. */
  readonly grace: number
  /** Seconds. */
  readonly maxAge: number
  /** Ends the server. */
  readonly signal: AbortSignal
  readonly say: (line: Line) => void
  /** Told once, with the address of the keys and that of the pages for those who look after the server. */
  readonly onListening: (address: string, admin: string) => void
  /** Has the TLS files read again at once. */
  readonly onReload?: ((reload: () => void) => void) | undefined
  readonly onAnswer?: Site['onAnswer'] | undefined
}

/**
 * Listens, reads the sources, answers; ends in good order with `signal`.
 * @throws KjitsiError `server` where it cannot listen
 */
export async function runKeyServer(options: KeyServerOptions): Promise<void> {
  const { path, refresh, grace, signal, kept, onAnswer } = options
  keepMemorySmall()
  const counts = new Map<number, number>()
  const count = (status: number): unknown => counts.set(status, (counts.get(status) ?? 0) + 1)
  let pages: ReadonlyMap<string, Page> = new Map()
  const keeper = keepKeys(options.sources, {
    refresh,
    grace,
    maxAge: options.maxAge,
    signal,
    say: options.say,
    remembered: kept?.remembered,
    onTurn: ({ ring: { held }, changes }, sets, lastRead) => {
      kept?.folder.write(sets, lastRead)
      for (const line of newsOf(changes, grace)) options.say(line)
      const keys = [...held.values()].map(({ key }) => key)
      pages = pagesOf(keys, path, refresh)
    },
  })
  const site: Site = {
    part: options.adminPort === undefined ? 'both' : 'keys',
    readyWith: options.readyWith,
    path,
    pages: () => pages,
    askFor: keeper.askFor,
    states: keeper.states,
    metrics: lazyMetrics(keeper, counts, () => pages.size),
    onAnswer: (status, request) => {
      count(status)
      onAnswer?.(status, request)
    },
    isClosing: () => signal.aborted,
  }
  const server = await startServer(options.place, answererOf(site), count)
  const adminPlace = { host: options.place.host, port: options.adminPort ?? 0 }
  const admin =
    options.adminPort === undefined
      ? undefined
      : await startServer(adminPlace, answererOf({ ...site, part: 'admin' }), count).catch(
          async (error: unknown) => {
            await server.close()
            throw error
          },
        )
  // Before it says that it is there: whoever reads that may send the signal.
  const reload = reloader(server, options.say)
  if (options.place.tls !== undefined) options.onReload?.(() => void reload())
  options.onListening(`${server.url}${path}`, admin?.url ?? server.url)
  keeper.start()
  if (options.place.tls !== undefined) void repeat(reload, TLS_SECONDS, signal)
  if (!signal.aborted) await once(signal, 'abort')
  await new Promise((resolve) => setTimeout(resolve, options.drain * 1000))
  await Promise.all([server.close(), admin?.close(), kept?.folder.ended])
}

/** Takes TLS files that were renewed; tells once of those that will not do. */
function reloader(server: KeyServer, say: (line: Line) => void): () => Promise<boolean> {
  const sayNews = onlyNews(say)
  return async () => {
    try {
      if (await server.reload()) say('the TLS files were read again')
      sayNews([])
      return true
    } catch (error) {
      if (!(error instanceof KjitsiError)) throw error
      sayNews([certsFinding('tls-kept', { message: error.message, hint: error.hint })])
      return false
    }
  }
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
function lazyMetrics(keeper: Keeper, counts: Numbers['counts'], served: () => number): Site['metrics'] {
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
