// Keeps a ring of keys fresh: reads each source from time to time, at once where a key is asked for that is not known,
// and again and again where it fails. One source that fails, or hangs, holds up no other.
import { KjitsiError, messageOf } from '../errors.ts'
import type { Finding } from '../finding.ts'
import { finding } from './findings.ts'
import { type Change, type Key, type Ring, emptyRing, expire, nextExpiry, turn } from './keyring.ts'
import { type Line, newsOf } from './news.ts'
import { type LeftOut, nameOfKey } from './pem.ts'

/**
 * What a source says: these are its keys; it has none that can be used, so what it gave before has left; or nothing, since
 * it cannot be asked, and what it gave last stays.
 */
export type Outcome = 'keys' | 'none' | 'unreachable'

/** What one reading gave. */
export interface Reading {
  readonly outcome: Outcome
  readonly keys: readonly Key[]
  readonly leftOut: readonly LeftOut[]
  readonly findings: readonly Finding[]
  /** Why there is no usable key. */
  readonly error?: KjitsiError
}

export interface Source {
  readonly name: string
  /** Shortest time between a reading and the next that somebody's question causes, seconds. */
  readonly cooldown: number
  /**
   * @param why because it is time to, or because a key is asked for that is not known
   * @throws only where the command is interrupted, or for a bug
   */
  readonly read: (why: 'due' | 'asked') => Promise<Reading>
}

export interface KeeperOptions {
  /** Time between two readings of a source that answers, seconds. */
  readonly refresh: number
  /** How long a key is served after it has left its source, seconds. */
  readonly grace: number
  readonly signal: AbortSignal
  readonly say: (line: Line) => void
  /** Told after each change of what is served. */
  readonly onChange: (ring: Ring) => void
  /** Milliseconds; never steps back, whatever becomes of the system's clock. */
  readonly now?: () => number
}

/** What is to be told about one source. */
export interface SourceState {
  readonly source: string
  /** Keys of its last good set; 0 before there is one. */
  readonly keys: number
  /** Since its last good set was read; undefined before there is one. */
  readonly ageSeconds: number | undefined
  /** Readings that failed, of all times. */
  readonly failures: number
  readonly failing: boolean
}

export interface Keeper {
  /** Reads each source for the first time, and goes on from there. */
  readonly start: () => void
  /**
   * Reads each source anew that may be asked again, for the sake of a key that is not known.
   * @returns settled once the key is there, or no source has it, or after five seconds; undefined where there is
   * nothing to wait for
   */
  readonly askFor: (file: string) => Promise<void> | undefined
  readonly states: () => readonly SourceState[]
  /** Starts no reading any more, and lets nobody wait. */
  readonly stop: () => void
}

/** Prosody gives up after 30 seconds. */
const LONGEST_WAIT_MS = 5000
// So that a flood of questions while a server hangs cannot use up the connections.
const MOST_WAITING = 100
const FIRST_RETRY_MS = 1000
const LAST_RETRY_MS = 30_000
const LONGEST_TIMER_MS = 2 ** 31 - 1

interface State {
  readonly source: Source
  running: Promise<void> | undefined
  timer: NodeJS.Timeout | undefined
  startedAt: number
  goodAt: number | undefined
  keys: number
  failures: number
  failuresInARow: number
  /** Outcome and kind of the failure that was told last; undefined while all is well. */
  told: string | undefined
  /** What was said about the last good set. */
  said: ReadonlySet<string>
}

/** What keeps the keys of `sources`, from `start` to `stop`. */
export function keepKeys(sources: readonly Source[], options: KeeperOptions): Keeper {
  const { refresh, grace, signal, say, onChange, now = () => performance.now() } = options
  const graceMs = grace * 1000
  let ring = emptyRing(sources.map(({ name }) => name))
  let expiry: NodeJS.Timeout | undefined
  let waiting = 0
  let stopped = false
  const stopWaiting = new Set<() => void>()
  const states = sources.map((source): State => ({
    source,
    running: undefined,
    timer: undefined,
    startedAt: -Infinity,
    goodAt: undefined,
    keys: 0,
    failures: 0,
    failuresInARow: 0,
    told: undefined,
    said: new Set(),
  }))

  const take = (turned: { readonly ring: Ring; readonly changes: readonly Change[] }): void => {
    ring = turned.ring
    if (turned.changes.length > 0) onChange(ring)
    for (const line of newsOf(turned.changes, grace)) say(line)
    clearTimeout(expiry)
    const next = nextExpiry(ring, graceMs) - now()
    if (next === Infinity || stopped) return
    const inTime = Math.min(Math.max(next, 1), LONGEST_TIMER_MS)
    expiry = setTimeout(() => {
      take(expire(ring, now(), graceMs))
    }, inTime)
  }

  const read = (state: State, why: 'due' | 'asked'): Promise<void> => {
    state.running ??= readOnce(state, why).finally(() => (state.running = undefined))
    return state.running
  }

  const readOnce = async (state: State, why: 'due' | 'asked'): Promise<void> => {
    clearTimeout(state.timer)
    state.startedAt = now()
    const reading = await state.source
      .read(why)
      .catch((error: unknown) => ({ outcome: 'unreachable' as const, error }))
    if (signal.aborted || stopped) return
    if (reading.outcome === 'keys') succeed(state, reading)
    else fail(state, reading.outcome, reading.error)
    const pause = state.failuresInARow === 0 ? refresh * 1000 : retryAfter(state.failuresInARow, refresh)
    state.timer = setTimeout(() => void read(state, 'due'), pause)
  }

  const succeed = (state: State, { keys, leftOut, findings }: Reading): void => {
    if (state.told !== undefined) say(`${state.source.name}: answers again`)
    state.told = undefined
    state.failuresInARow = 0
    state.goodAt = now()
    state.keys = keys.length
    take(turn(ring, state.source.name, keys, now(), graceMs))
    const lines: readonly Line[] = [
      ...leftOut.map((key) => `${state.source.name}: ${nameOfKey(key)} is left out: ${key.reason}`),
      ...findings,
    ]
    const before = state.said
    state.said = new Set(lines.map((line) => JSON.stringify(line)))
    for (const line of lines) if (!before.has(JSON.stringify(line))) say(line)
  }

  const fail = (state: State, outcome: 'none' | 'unreachable', error: unknown): void => {
    state.failures++
    state.failuresInARow++
    const { name } = state.source
    const { code, hint } =
      error instanceof KjitsiError ? error : { code: 'unexpected' as const, hint: undefined }
    const kind = `${outcome} ${code}`
    if (state.told !== kind) {
      state.told = kind
      const args = { source: name, message: messageOf(error), hint }
      const own = [...ring.served.values()].filter(({ source }) => source === name)
      const served = state.goodAt === undefined ? null : own.length
      say(outcome === 'none' ? finding('keys-none', args) : finding('keys-kept', { ...args, served }))
    }
    if (outcome === 'none') take(turn(ring, name, [], now(), graceMs))
  }

  return {
    start() {
      for (const state of states) void read(state, 'due')
    },
    askFor(file) {
      const time = now()
      let reads: Promise<void>[] | undefined
      for (const state of states) {
        if (state.running === undefined && time - state.startedAt < state.source.cooldown * 1000) continue
        reads ??= []
        reads.push(read(state, 'asked'))
      }
      if (reads === undefined || waiting >= MOST_WAITING || stopped) return undefined
      return waitFor(reads, () => ring.served.has(file))
    },
    states: () =>
      states.map(({ source, keys, goodAt, failures, failuresInARow }) => ({
        source: source.name,
        keys,
        ageSeconds: goodAt === undefined ? undefined : (now() - goodAt) / 1000,
        failures,
        failing: failuresInARow > 0,
      })),
    stop() {
      stopped = true
      for (const state of states) clearTimeout(state.timer)
      clearTimeout(expiry)
      for (const done of [...stopWaiting]) done()
    },
  }

  function waitFor(reads: readonly Promise<void>[], isThere: () => boolean): Promise<void> {
    waiting++
    return new Promise((resolve) => {
      const done = (): void => {
        if (!stopWaiting.delete(done)) return
        clearTimeout(timer)
        waiting--
        resolve()
      }
      const timer = setTimeout(done, LONGEST_WAIT_MS)
      stopWaiting.add(done)
      let open = reads.length
      const settled = (): void => {
        open--
        if (open === 0 || isThere()) done()
      }
      for (const one of reads) void one.then(settled)
    })
  }
}

/** Twice as long after each failure; never longer than the time between two good readings. */
function retryAfter(failuresInARow: number, refresh: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** (failuresInARow - 1), LAST_RETRY_MS, refresh * 1000)
}
