// THE loop: keeps a ring of keys fresh. It reads each source from time to time, at once where a key is asked for that is not
// known, and again and again where it fails. One source that fails, or hangs, holds up no other.
import pRetry, { AbortError } from 'p-retry'
import { KjitsiError, messageOf } from '../errors.ts'
import type { Finding } from '../finding.ts'
import { shownDuration } from '../duration.ts'
import { finding } from './findings.ts'
import { type Key, type LeftOut, nameOfKey } from './key.ts'
import {
  EMPTY_RING,
  type Ring,
  type Sets,
  type Turn,
  goneSince,
  lastSets,
  nextExpiry,
  turn,
} from './keyring.ts'
import { type Line, onlyNews } from './log.ts'

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
  readonly ring?: Ring
  /** Told at the start, after each reading, and when the grace of a key is over. */
  readonly onTurn: (turn: Turn, sets: Sets) => void
  /** Milliseconds; never steps back, whatever becomes of the system's clock. */
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
const LAST_RETRY_MS = 30_000
/** How long a source waits for those that were named before it, and might have other keys under its kids. */
const HEAD_START_MS = 10_000
// What nobody has is a mistake or an attack; of so many, one source can neither fill the memory nor the folder.
const MAX_KEYS = 10_000
const MAX_IN_GRACE = 1000
const LONGEST_TIMER_MS = 2 ** 31 - 1

interface State {
  readonly source: LiveSource
  readonly sayNews: (lines: readonly Line[]) => void
  running: Promise<boolean> | undefined
  /** When somebody's question last had it read. */
  askedAt: number
  /** Its last good set. */
  set: readonly Key[] | undefined
  goodAt: number | undefined
  failures: number
  isFailing: boolean
  /** Outcome and kind of the failure that was told last; undefined while all is well. */
  told: string | undefined
  /** Whether it was told that its keys are going to leave. */
  isWarned: boolean
}

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

/** What keeps the keys of `sources`, from `start` until `signal` says so. */
export function keepKeys(sources: readonly LiveSource[], options: KeeperOptions): Keeper {
  const { refresh, grace, maxAge, signal, say, onTurn, now = clock } = options
  const graceMs = grace * 1000
  let begin = now()
  let ring = options.ring ?? EMPTY_RING
  const known = lastSets(
    ring,
    sources.map(({ name }) => name),
  )
  let expiry: NodeJS.Timeout | undefined
  let headStart: NodeJS.Timeout | undefined
  const waiting = new Set<() => void>()
  const states = sources.map((source): State => ({
    source,
    sayNews: onlyNews(say),
    running: undefined,
    askedAt: -Infinity,
    set: known.get(source.name),
    goodAt: undefined,
    failures: 0,
    isFailing: false,
    told: undefined,
    isWarned: false,
  }))

  /** The sets that count now: those before which none is waited for. */
  const setsNow = (): Map<string, readonly Key[] | undefined> => {
    const isOver = now() - begin >= HEAD_START_MS
    const awaited = isOver ? -1 : states.findIndex(({ set }) => set === undefined)
    return new Map(
      states.map(({ source, set }, i) => [source.name, awaited === -1 || i < awaited ? set : undefined]),
    )
  }

  const settle = (): void => {
    const sets = setsNow()
    const turned = turn(ring, sets, now(), graceMs)
    ring = turned.ring
    onTurn(turned, sets)
    clearTimeout(expiry)
    const next = nextExpiry(ring, graceMs) - now()
    if (next === Infinity) return
    expiry = setTimeout(settle, Math.min(Math.max(next, 1), LONGEST_TIMER_MS))
  }

  const read = (state: State, why: 'due' | 'asked'): Promise<boolean> => {
    state.running ??= readOnce(state, why).finally(() => (state.running = undefined))
    return state.running
  }

  const readOnce = async (state: State, why: 'due' | 'asked'): Promise<boolean> => {
    if (why === 'asked') state.askedAt = now()
    const reading = await state.source
      .read(why)
      .catch((error: unknown) => ({ outcome: 'unreachable' as const, error }))
    if (signal.aborted) return true
    const tooMany = reading.outcome === 'keys' ? whyTooMany(state.source.name, reading.keys) : undefined
    state.isFailing = reading.outcome !== 'keys' || tooMany !== undefined
    if (tooMany !== undefined) fail(state, 'unreachable', tooMany)
    else if (reading.outcome === 'keys') succeed(state, reading)
    else fail(state, reading.outcome, reading.error)
    return !state.isFailing
  }

  const whyTooMany = (name: string, keys: readonly Key[]): KjitsiError | undefined => {
    const count = `${name}: ${keys.length} keys`
    if (keys.length > MAX_KEYS) {
      return new KjitsiError('keys', `${count}: more than ${MAX_KEYS} of one source are not taken`)
    }
    const { held } = turn(ring, setsNow().set(name, keys), now(), graceMs).ring
    const left = [...held.values()].filter((one) => one.sources.has(name) && goneSince(one) < Infinity)
    if (left.length <= MAX_IN_GRACE) return undefined
    const most = `${left.length} others would have left and be in their grace; ${MAX_IN_GRACE} is the most`
    return new KjitsiError('keys', `${count}, with which ${most}`, {
      hint: 'a key set that changes like this is none of Keycloak: look who answers at its address',
    })
  }

  const succeed = (state: State, { keys, leftOut, findings }: Reading): void => {
    const { name } = state.source
    if (state.told !== undefined) say(`${name}: answers again`)
    state.told = undefined
    state.isWarned = false
    state.goodAt = now()
    state.set = keys
    settle()
    state.sayNews([
      ...leftOut.map((key) => `${name}: ${nameOfKey(key)} is left out: ${key.reason}`),
      ...findings,
    ])
  }

  const fail = (state: State, outcome: 'none' | 'unreachable', error: unknown): void => {
    state.failures++
    const { name } = state.source
    const { code, hint } =
      error instanceof KjitsiError ? error : { code: 'unexpected' as const, hint: undefined }
    const kind = `${outcome} ${code}`
    if (state.told !== kind) {
      state.told = kind
      const args = { source: name, message: messageOf(error), hint }
      const own = [...ring.held.values()].filter(({ key }) => key.source === name)
      const kept = state.set === undefined ? null : own.length
      say(
        outcome === 'none'
          ? finding('keys-none', args)
          : finding('keys-kept', { ...args, kept, limit: shownDuration(maxAge) }),
      )
    }
    if (outcome === 'none') state.set = []
    else if (state.set !== undefined && state.set.length > 0) grow(state)
    settle()
  }

  /** What a source that cannot be asked gave last counts for so long, which is told when half of that is over. */
  const grow = (state: State): void => {
    const age = (now() - (state.goodAt ?? begin)) / 1000
    const source = state.source.name
    if (age >= maxAge) {
      state.set = []
      say(finding('keys-expired', { source, limit: shownDuration(maxAge) }))
    } else if (age >= maxAge / 2 && !state.isWarned) {
      state.isWarned = true
      const [since, left] = [age, maxAge - age].map((seconds) => shownDuration(Math.ceil(seconds / 60) * 60))
      say(finding('keys-expire', { source, since, left }))
    }
  }

  const waitFor = (reads: readonly Promise<boolean>[], isThere: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        waiting.delete(done)
        resolve()
      }
      const timer = setTimeout(done, LONGEST_WAIT_MS)
      waiting.add(done)
      let open = reads.length
      for (const one of reads) {
        void one.then(() => {
          open--
          if (open === 0 || isThere()) done()
        })
      }
    })

  const stop = (): void => {
    clearTimeout(expiry)
    clearTimeout(headStart)
    for (const done of [...waiting]) done()
  }
  signal.addEventListener('abort', stop, { once: true })

  return {
    start() {
      begin = now()
      if (options.ring !== undefined) settle()
      if (states.length > 1) headStart = setTimeout(settle, HEAD_START_MS)
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
      states.map(({ source, set, goodAt, failures, isFailing }) => ({
        source: source.name,
        keys: set?.length ?? 0,
        ageSeconds: (now() - (goodAt ?? begin)) / 1000,
        maxAgeSeconds: maxAge,
        hasAnswered: set !== undefined,
        failures,
        failing: isFailing,
      })),
  }
}
