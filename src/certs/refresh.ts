// THE loop: keeps a ring of keys fresh. It reads each source from time to time, at once where a key is asked for that is not
// known, and again and again where it fails. One source that fails, or hangs, holds up no other.
import { KjitsiError, messageOf } from '../errors.ts'
import { nameOfKey } from './key.ts'
import {
  EMPTY_RING,
  type Ring,
  type Sets,
  type Turn,
  lastSets,
  nextExpiry,
  turn,
  whyTooMany,
} from './keyring.ts'
import { type Line, onlyNews } from './log.ts'
import { type Known, type LiveSource, failed, learn } from './reading.ts'
import { clock, repeat } from './schedule.ts'

/** What outlives a run. */
export interface Remembered {
  readonly ring: Ring
  /** By source that could not be asked in the end: when it was read last, milliseconds since 1970. */
  readonly lastRead: ReadonlyMap<string, number>
}

export interface KeeperOptions {
  /** Time between two readings of a source that answers, seconds, give or take a tenth: not all are to ask at once. */
  readonly refresh: number
  /** How long a key is held after it has left its source, seconds. */
  readonly grace: number
  /** How long what a source gave last counts while it cannot be asked, seconds. */
  readonly maxAge: number
  /** Ends it: no reading is started any more, and nobody waits. */
  readonly signal: AbortSignal
  readonly say: (line: Line) => void
  /** What is known of an earlier time. */
  readonly remembered?: Remembered | undefined
  /** Told after each reading, when the grace of a key is over, and at the start of what is remembered. */
  readonly onTurn: (turn: Turn, sets: Sets, lastRead: Remembered['lastRead']) => void
  /** Milliseconds since 1970; never steps back, whatever becomes of the system's clock. */
  readonly now?: () => number
}

/** What is to be told about one source. */
export interface SourceState {
  readonly source: string
  /** Keys of its last good set; 0 before there is one. */
  readonly keys: number
  /** Since its last good set was read, or since the start where there is none yet. */
  readonly ageSeconds: number
  /** The age at which its keys begin to leave. */
  readonly maxAgeSeconds: number
  /** Whether it has said what its keys are, or that it has none. */
  readonly hasAnswered: boolean
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
}

/** Prosody gives up after 30 seconds. */
const LONGEST_WAIT_MS = 5000
// So that a flood of questions while a server hangs cannot use up the connections.
const MOST_WAITING = 100
/** How long a source waits for those that were named before it, and might have other keys under its kids. */
const HEAD_START_MS = 10_000
const LONGEST_TIMER_MS = 2 ** 31 - 1

interface State {
  readonly source: LiveSource
  readonly sayNews: (lines: readonly Line[]) => void
  known: Known
  running: Promise<boolean> | undefined
  /** When somebody's question last had it read. */
  askedAt: number
}

/** What keeps the keys of `sources`, from `start` until `signal` says so. */
export function keepKeys(sources: readonly LiveSource[], options: KeeperOptions): Keeper {
  const { refresh, grace, maxAge, signal, say, remembered, onTurn, now = clock } = options
  const graceMs = grace * 1000
  const begin = now()
  let ring = remembered?.ring ?? EMPTY_RING
  const sets = lastSets(
    ring,
    sources.map(({ name }) => name),
  )
  let timer: NodeJS.Timeout | undefined
  const waiting = new Set<() => void>()
  const states = sources.map((source): State => {
    const lastRead = remembered?.lastRead.get(source.name)
    // One whose keys have all left since it could not be asked any more has none.
    const set = sets.get(source.name) ?? (lastRead === undefined ? undefined : [])
    // A time that is still to come was written before the clock was set back.
    const goodAt = Math.min(lastRead ?? begin, begin)
    const outcome = lastRead === undefined ? undefined : 'unreachable'
    return {
      source,
      sayNews: onlyNews(say),
      known: {
        set,
        goodAt,
        isHeard: set !== undefined,
        failures: 0,
        outcome,
        code: undefined,
        isWarned: false,
      },
      running: undefined,
      askedAt: -Infinity,
    }
  })

  /** Who is waited for at the start: those that were named after it are not looked at yet. */
  const awaited = (): number => {
    const first = states.findIndex(({ known }) => !known.isHeard)
    return first === -1 || now() - begin >= HEAD_START_MS ? states.length : first
  }

  const setsNow = (): Map<string, Known['set']> => {
    const first = awaited()
    return new Map(states.map(({ source, known }, i) => [source.name, i < first ? known.set : undefined]))
  }

  const settle = (): void => {
    const sets = setsNow()
    const turned = turn(ring, sets, now(), graceMs)
    ring = turned.ring
    const silent = states.filter(
      ({ known: { outcome, set } }) => outcome === 'unreachable' && set !== undefined,
    )
    onTurn(turned, sets, new Map(silent.map(({ source, known }) => [source.name, known.goodAt])))
    setTimer()
  }

  const setTimer = (): void => {
    clearTimeout(timer)
    const headStart = awaited() < states.length - 1 ? begin + HEAD_START_MS : Infinity
    const next = Math.min(nextExpiry(ring, graceMs), headStart) - now()
    if (next < Infinity) timer = setTimeout(settle, Math.min(Math.max(next, 1), LONGEST_TIMER_MS))
  }

  const read = (state: State, why: 'due' | 'asked'): Promise<boolean> => {
    state.running ??= readOnce(state, why).finally(() => (state.running = undefined))
    return state.running
  }

  const readOnce = async (state: State, why: 'due' | 'asked'): Promise<boolean> => {
    if (why === 'asked') state.askedAt = now()
    const { name } = state.source
    const given = await state.source.read(why).catch((error: unknown) => {
      const known = error instanceof KjitsiError ? error : new KjitsiError('unexpected', messageOf(error))
      return failed('unreachable', known)
    })
    if (signal.aborted) return true
    const tooMany =
      given.outcome === 'keys' ? whyTooMany(ring, setsNow(), name, given.keys, now(), graceMs) : undefined
    const reading = tooMany === undefined ? given : failed('unreachable', tooMany)
    const held = [...ring.held.values()].filter(({ key }) => key.source === name).length
    const { known, lines } = learn(name, state.known, reading, { now: now(), maxAge, held })
    lines.forEach(say)
    state.known = known
    settle()
    if (reading.outcome !== 'keys') return false
    const leftOut = reading.leftOut.map((key) => `${name}: ${nameOfKey(key)} is left out: ${key.reason}`)
    state.sayNews([...leftOut, ...reading.findings])
    return true
  }

  const waitFor = (reads: readonly Promise<boolean>[], isThere: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(longest)
        waiting.delete(done)
        resolve()
      }
      const longest = setTimeout(done, LONGEST_WAIT_MS)
      waiting.add(done)
      const found = reads.map((one) => one.then(() => (isThere() ? undefined : Promise.reject(new Error()))))
      Promise.any(found).then(done, done)
    })

  const stop = (): void => {
    clearTimeout(timer)
    for (const done of [...waiting]) done()
  }
  signal.addEventListener('abort', stop, { once: true })

  return {
    start() {
      if (remembered === undefined) setTimer()
      else settle()
      for (const state of states) void repeat(() => read(state, 'due'), refresh, signal)
    },
    askFor(file) {
      const time = now()
      const isDue = ({ running, askedAt, source }: State): boolean =>
        running !== undefined || time - askedAt >= source.cooldown * 1000
      const reads = states.filter(isDue).map((state) => read(state, 'asked'))
      if (reads.length === 0 || waiting.size >= MOST_WAITING || signal.aborted) return undefined
      return waitFor(reads, () => ring.held.has(file))
    },
    states: () =>
      states.map(({ source, known: { set, goodAt, failures, outcome } }) => ({
        source: source.name,
        keys: set?.length ?? 0,
        ageSeconds: (now() - goodAt) / 1000,
        maxAgeSeconds: maxAge,
        hasAnswered: set !== undefined,
        failures,
        failing: outcome !== undefined && outcome !== 'keys',
      })),
  }
}
