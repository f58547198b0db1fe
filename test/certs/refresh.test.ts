import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Key, fileNameOf } from '../../src/certs/key.ts'
import { EMPTY_RING, type Ring } from '../../src/certs/keyring.ts'
import { type Line, newsOf } from '../../src/certs/log.ts'
import { type LiveSource, type Reading } from '../../src/certs/reading.ts'
import { type Keeper, type Remembered, keepKeys } from '../../src/certs/refresh.ts'
import { untilGood } from '../../src/certs/schedule.ts'
import { KjitsiError } from '../../src/errors.ts'
import { certsFinding } from '../../src/certs/findings.ts'

const key = (kid: string): Key => ({
  kid,
  file: fileNameOf(kid),
  alg: 'RS256',
  bits: 2048,
  pem: `pem of ${kid}`,
  source: 'realm meet',
})
const good = (...kids: readonly string[]): Reading => ({
  outcome: 'keys',
  keys: kids.map(key),
  leftOut: [],
  findings: [],
})
const bad = (
  message = 'connection refused',
  code: 'unreachable' | 'keys' | 'not-found' = 'unreachable',
): Reading => ({
  ...good(),
  outcome: 'unreachable',
  error: new KjitsiError(code, message),
})
const none: Reading = {
  ...good(),
  outcome: 'none',
  error: new KjitsiError('keys', 'realm meet: the key set is empty'),
}
const [A, B] = [fileNameOf('a'), fileNameOf('b')]

/** A source that a test lets answer what it will, at once or when the test says so. */
interface Scripted extends LiveSource {
  answer: Reading | Promise<Reading>
  /** Why each reading was, in order. */
  readonly reads: string[]
}

function scripted(answer: Scripted['answer'], name = 'realm meet'): Scripted {
  const source: Scripted = {
    name,
    cooldown: 30,
    answer,
    reads: [],
    read: (why) => {
      source.reads.push(why)
      return Promise.resolve(source.answer)
    },
  }
  return source
}

interface Kept {
  readonly keeper: Keeper
  readonly said: readonly string[]
  readonly served: () => readonly (string | null)[]
  readonly ring: () => Ring | undefined
  readonly remembered: () => Remembered | undefined
}

let controller: AbortController

const keep = (...sources: readonly LiveSource[]): Promise<Kept> => keepFrom(undefined, ...sources)

async function keepFrom(before: Remembered | undefined, ...sources: readonly LiveSource[]): Promise<Kept> {
  const said: string[] = []
  let ring: Ring | undefined
  let remembered: Remembered | undefined
  controller = new AbortController()
  const say = (line: Line): unknown => said.push(typeof line === 'string' ? line : line.message)
  const keeper = keepKeys(sources, {
    refresh: 300,
    grace: 3500,
    maxAge: 10_000,
    signal: controller.signal,
    say,
    remembered: before,
    onTurn: (turn, _, lastRead) => {
      ring = turn.ring
      remembered = { ring, lastRead }
      newsOf(turn.changes, 3500).forEach(say)
    },
  })
  keeper.start()
  await seconds(0)
  return {
    keeper,
    said,
    served: () => [...(ring?.held.values() ?? [])].map((one) => one.key.kid),
    ring: () => ring,
    remembered: () => remembered,
  }
}

const seconds = (count: number): Promise<unknown> => vi.advanceTimersByTimeAsync(count * 1000)

const never = (): Promise<Reading> => new Promise(() => undefined)

/** Whether a question is still open. */
async function isWaiting(question: Promise<void> | undefined): Promise<boolean> {
  if (question === undefined) return false
  return Promise.race([question.then(() => false), Promise.resolve().then(() => true)])
}

beforeEach(() => {
  vi.useFakeTimers()
  // The middle of what a pause may be; less than half a second more for a second try.
  vi.spyOn(Math, 'random').mockReturnValue(0.5)
})
afterEach(async () => {
  controller.abort()
  await seconds(0)
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

describe('a source that answers', () => {
  test.each([
    ['the shortest pause', 0, 270],
    ['the one between', 0.5, 300],
    ['the longest', 1, 330],
  ])('is read at every interval, give or take a tenth: %s', async (_, random, pause) => {
    vi.spyOn(Math, 'random').mockReturnValue(random)
    const source = scripted(good('a'))
    await keep(source)
    expect(source.reads).toHaveLength(1)
    await seconds(pause - 1)
    expect(source.reads).toHaveLength(1)
    await seconds(1)
    expect(source.reads).toEqual(['due', 'due'])
  })

  test('has its age and its keys told', async () => {
    const { keeper } = await keep(scripted(good('a', 'b')))
    await seconds(60)
    expect(keeper.states()).toEqual([
      {
        source: 'realm meet',
        keys: 2,
        ageSeconds: 60,
        maxAgeSeconds: 10_000,
        hasAnswered: true,
        failures: 0,
        failing: false,
      },
    ])
  })

  test('has what it leaves out, and what is wrong, told once', async () => {
    const source = scripted({
      ...good('a'),
      leftOut: [{ kid: 'e', position: 2, source: 'realm meet', reason: 'alg ES256' }],
      findings: [
        certsFinding('private-key-published', { source: 'realm meet', key: 'key a', members: ['d'] }),
      ],
    })
    const { said } = await keep(source)
    await seconds(600)
    expect(source.reads).toHaveLength(3)
    expect(said).toEqual([
      `realm meet: key a is served as ${A}`,
      'realm meet: key e is left out: alg ES256',
      expect.stringContaining('realm meet publishes private parts of key a (d)'),
    ])
  })
})

describe('a key that is not known', () => {
  test('has the source read at once, and is there afterwards', async () => {
    const source = scripted(good('a'))
    const { keeper, served } = await keep(source)
    source.answer = good('a', 'b')
    await seconds(30)
    await keeper.askFor(B)
    expect(source.reads).toEqual(['due', 'asked'])
    expect(served()).toEqual(['a', 'b'])
  })

  test('costs one reading in a cooldown, however many ask', async () => {
    const source = scripted(good('a'))
    const { keeper } = await keep(source)
    await seconds(1)
    const flood = Array.from({ length: 10_000 }, (_, i) => keeper.askFor(fileNameOf(String(i))))
    await seconds(0)
    expect(source.reads).toEqual(['due', 'asked'])
    expect(flood.filter((one) => one !== undefined)).toHaveLength(100)
    for (const second of Array.from({ length: 30 }, (_, i) => i)) {
      expect(keeper.askFor(B), `second ${second}`).toBeUndefined()
      await seconds(1)
    }
    expect(keeper.askFor(B)).toBeDefined()
    await seconds(0)
    expect(source.reads).toHaveLength(3)
  })

  test('is waited for by all in the one reading that is under way', async () => {
    let resolve: ((reading: Reading) => void) | undefined
    const promise = new Promise<Reading>((settle) => (resolve = settle))
    const source = scripted(promise)
    const { keeper } = await keep(source)
    const questions = [keeper.askFor(A), keeper.askFor(A), keeper.askFor(B)]
    for (const question of questions) expect(await isWaiting(question)).toBe(true)
    resolve?.(good('a'))
    for (const question of questions) await question
    expect(source.reads).toEqual(['due'])
  })

  test('is waited for five seconds at most', async () => {
    const { keeper } = await keep(scripted(never()))
    const question = keeper.askFor(A)
    await seconds(4)
    expect(await isWaiting(question)).toBe(true)
    await seconds(1)
    expect(await isWaiting(question)).toBe(false)
  })

  test('comes from the source that has it, though another hangs', async () => {
    const hanging = scripted(never(), 'realm hanging')
    const source = scripted(good('a'))
    const { keeper, served } = await keep(hanging, source)
    await seconds(10)
    expect(served()).toEqual(['a'])
    source.answer = good('a', 'b')
    await seconds(30)
    const question = keeper.askFor(B)
    await seconds(0)
    expect(await isWaiting(question)).toBe(false)
    expect(served()).toEqual(['a', 'b'])
  })

  test('lets nobody wait once the server is stopped', async () => {
    const { keeper } = await keep(scripted(never()))
    const question = keeper.askFor(A)
    controller.abort()
    await question
    expect(keeper.askFor(A)).toBeUndefined()
  })
})

describe('a source that fails', () => {
  test.each([
    ['at the earliest', 0, [1, 3, 7, 15, 31, 61, 91, 121]],
    ['half a pause later', 0.5, [2, 5, 11, 23, 47, 77, 107]],
  ])('is asked again soon, then less and less soon, until it answers: %s', async (_, random, tries) => {
    vi.spyOn(Math, 'random').mockReturnValue(random)
    const source = scripted(bad())
    const { keeper, said } = await keep(source)
    const times: number[] = []
    for (let second = 1; second <= 121; second++) {
      const before = source.reads.length
      await seconds(1)
      if (source.reads.length > before) times.push(second)
    }
    expect(times).toEqual(tries)
    expect(said).toHaveLength(1)
    expect(said[0]).toContain('has given no key yet')
    expect(keeper.states()).toMatchObject([
      { ageSeconds: 121, hasAnswered: false, failures: tries.length + 1, failing: true },
    ])
    source.answer = good('a')
    await seconds(30)
    expect(said.slice(1)).toEqual(['realm meet: answers again', `realm meet: key a is served as ${A}`])
  })

  test.each([
    ['cannot be reached', bad()],
    ['gives what is no key set', bad('jwks.json is not JSON', 'keys')],
  ])('and %s: what it gave last stays, and its age grows', async (_, answer) => {
    const source = scripted(good('a'))
    const { keeper, said, served } = await keep(source)
    source.answer = answer
    await seconds(7200)
    expect(served()).toEqual(['a'])
    expect(keeper.states()).toMatchObject([{ keys: 1, ageSeconds: 7200, failing: true }])
    expect(said).toHaveLength(3)
    expect(said[1]).toContain('what it gave last stays (1 key)')
  })

  test('and says that it has no key: what it gave leaves, and is served for the grace', async () => {
    const source = scripted(good('a'))
    const { keeper, said, served } = await keep(source)
    source.answer = none
    await seconds(300 + 3499)
    expect(served()).toEqual(['a'])
    expect(keeper.states()).toMatchObject([{ ageSeconds: 300 + 3499, failing: true }])
    await seconds(1)
    expect(served()).toEqual([])
    expect(said.slice(1)).toEqual([
      'realm meet publishes no key that can be used, and is asked again: the key set is empty',
      'realm meet: key a has left, and is served for 3500s more',
      expect.stringContaining('a left realm meet 3500s ago and is no longer served'),
    ])
    source.answer = bad()
    await seconds(60)
    expect(said.slice(4)).toEqual([expect.stringContaining('none of its keys is left: connection refused')])
    source.answer = good('a')
    await seconds(60)
    expect(served()).toEqual(['a'])
  })

  test('after it said that it has no key: the grace goes on', async () => {
    const source = scripted(good('a'))
    const { said, served } = await keep(source)
    source.answer = none
    await seconds(300)
    source.answer = bad()
    await seconds(3499)
    expect(served()).toEqual(['a'])
    expect(said.at(-1)).toContain('what it gave last stays (1 key), for 10000s at most: connection refused')
    await seconds(1)
    expect(served()).toEqual([])
  })

  test('and says so from the start: nothing has left', async () => {
    const { said, keeper } = await keep(scripted(none))
    await seconds(60)
    expect(said).toEqual([
      'realm meet publishes no key that can be used, and is asked again: the key set is empty',
    ])
    expect(keeper.states()).toMatchObject([{ keys: 0, ageSeconds: 60, hasAnswered: true, failing: true }])
  })

  test('and says that it has none, beside another that publishes the same key: that one stays', async () => {
    const source = scripted(good('a'))
    const { served } = await keep(source, scripted(good('a'), 'realm other'))
    source.answer = none
    await seconds(7200)
    expect(served()).toEqual(['a'])
  })

  test('is told again where it fails in another way', async () => {
    const source = scripted(bad())
    const { said } = await keep(source)
    source.answer = bad('there is no key', 'keys')
    await seconds(60)
    expect(said).toHaveLength(2)
  })

  test('takes no other down, not even by a bug', async () => {
    const broken: LiveSource = {
      ...scripted(bad()),
      name: 'x',
      read: () => Promise.reject(new TypeError('a bug')),
    }
    const { served, said } = await keep(broken, scripted(good('a')))
    await seconds(10)
    expect(served()).toEqual(['a'])
    expect(said[0]).toContain('x has given no key yet, and is asked again: a bug')
  })
})

describe('a key that has left', () => {
  test('is dropped when its grace is over, to the second', async () => {
    const source = scripted(good('a', 'b'))
    const { said, served } = await keep(source)
    source.answer = good('a')
    await seconds(300)
    await seconds(3499)
    expect(served()).toEqual(['a', 'b'])
    await seconds(1)
    expect(served()).toEqual(['a'])
    expect(said.slice(2)).toEqual([
      'realm meet: key b has left, and is served for 3500s more',
      expect.stringContaining('a Prosody that has fetched it keeps it until it restarts'),
    ])
  })

  test('and the clock that is set back or forward by a year: nothing of it is noticed', async () => {
    const source = scripted(good('a', 'b'))
    const { keeper, served } = await keep(source)
    source.answer = good('a')
    vi.setSystemTime(new Date(Date.now() - 365 * 86_400_000))
    await seconds(300)
    expect(source.reads).toHaveLength(2)
    expect(keeper.states()).toMatchObject([{ ageSeconds: 0 }])
    vi.setSystemTime(new Date(Date.now() + 2 * 365 * 86_400_000))
    await seconds(3499)
    expect(served()).toEqual(['a', 'b'])
    await seconds(1)
    expect(served()).toEqual(['a'])
  })
})

describe('two sources, one kid', () => {
  const other = (name: string): Reading => ({
    ...good('a'),
    keys: [{ ...key('a'), pem: 'another pem', source: name }],
  })
  const sourceOf = (kept: Kept): string | undefined => kept.ring()?.held.get(A)?.key.source

  test('the keys of the second wait until the first has answered', async () => {
    let answer: ((reading: Reading) => void) | undefined
    const first = scripted(new Promise((resolve) => (answer = resolve)))
    const kept = await keep(first, scripted(other('realm second'), 'realm second'))
    await seconds(9)
    expect(kept.served()).toEqual([])
    answer?.(good('a'))
    await seconds(0)
    expect(sourceOf(kept)).toBe('realm meet')
    expect(kept.said.filter((line) => line.includes('is now another one'))).toEqual([])
  })

  test('they wait ten seconds at most, though the first cannot be asked', async () => {
    const kept = await keep(scripted(bad()), scripted(other('realm second'), 'realm second'))
    await seconds(9)
    expect(kept.served()).toEqual([])
    await seconds(1)
    expect(sourceOf(kept)).toBe('realm second')
  })

  test('they do not wait for a first that says that it has none', async () => {
    const kept = await keep(scripted(none), scripted(other('realm second'), 'realm second'))
    expect(sourceOf(kept)).toBe('realm second')
  })

  test('they do not wait for a first that is not there, which waiting does not mend', async () => {
    const missing = scripted(bad('there is no realm meet', 'not-found'))
    const kept = await keep(missing, scripted(other('realm second'), 'realm second'))
    expect(sourceOf(kept)).toBe('realm second')
    expect(kept.keeper.states()).toMatchObject([{ hasAnswered: false, failing: true }, { hasAnswered: true }])
  })
})

describe('a source that cannot be asked for long', () => {
  test('is told half-way, and once its time is over its keys leave', async () => {
    const source = scripted(good('a'))
    const { keeper, said, served } = await keep(source)
    source.answer = bad()
    await seconds(300)
    expect(said.at(-1)).toContain('what it gave last stays (1 key), for 10000s at most: connection refused')
    await seconds(5030 - 300)
    expect(said.at(-1)).toBe('realm meet could not be read for 84m: its keys leave in 83m')
    expect(keeper.states()).toMatchObject([{ ageSeconds: 5030, maxAgeSeconds: 10_000 }])
    await seconds(5000)
    expect(said.slice(-2)).toEqual([
      'realm meet could not be read for 10000s: what it gave last counts no more',
      'realm meet: key a has left, and is served for 3500s more',
    ])
    expect(keeper.states()).toMatchObject([{ keys: 0, hasAnswered: true, failing: true }])
    await seconds(3500)
    expect(served()).toEqual([])
    source.answer = good('a')
    await seconds(60)
    expect(served()).toEqual(['a'])
  })
})

describe('a source that cannot be asked, and a restart:', () => {
  const silent = bad()

  test('its time goes on', async () => {
    const source = scripted(good('a'))
    const first = await keep(source)
    source.answer = silent
    await seconds(6000)
    controller.abort()
    const { said, keeper } = await keepFrom(first.remembered(), source)
    expect(keeper.states()).toMatchObject([{ keys: 1, ageSeconds: 6000, failing: true }])
    await seconds(4100)
    expect(said).toContain('realm meet could not be read for 10000s: what it gave last counts no more')
  })

  test('where its time was over before, its keys go on leaving', async () => {
    const source = scripted(good('a'))
    const first = await keep(source)
    source.answer = silent
    await seconds(10_100)
    controller.abort()
    const { served } = await keepFrom(first.remembered(), source)
    expect(served()).toEqual(['a'])
    await seconds(3500)
    expect(served()).toEqual([])
  })

  test('one that answered to the end is given its time anew, and so is one of a time to come', async () => {
    const source = scripted(good('a'))
    const { remembered } = await keep(source)
    controller.abort()
    const { ring, lastRead: none } = remembered() ?? { ring: EMPTY_RING }
    expect(none).toEqual(new Map())
    source.answer = silent
    await seconds(6000)
    for (const lastRead of [new Map<string, number>(), new Map([['realm meet', Date.now() + 1e10]])]) {
      const { keeper } = await keepFrom({ ring, lastRead }, source)
      expect(keeper.states()).toMatchObject([{ keys: 1, ageSeconds: 0 }])
      controller.abort()
    }
  })
})

describe('a source that publishes', () => {
  const many = (count: number, from = 0): Reading =>
    good(...Array.from({ length: count }, (_, i) => `k${i + from}`))

  test('more keys than anybody has: the set is refused, and the last good one stays', async () => {
    const source = scripted(good('a'))
    const { said, served } = await keep(source)
    source.answer = many(10_001)
    await seconds(300)
    expect(served()).toEqual(['a'])
    expect(said.at(-1)).toContain('10001 keys: more than 10000 of one source are not taken')
  })

  test('other keys at each reading: beyond so many that have left, the next set is refused', async () => {
    const source = scripted(many(900))
    const { said, served } = await keep(source)
    for (let reading = 1; reading < 10; reading++) {
      source.answer = many(900, reading * 900)
      await seconds(300)
    }
    expect(served()).toHaveLength(1800)
    expect(said.at(-1)).toContain(
      '900 keys, with which 1800 others would have left and be in their grace; 1000 is the most',
    )
    await seconds(3500)
    expect(served().length).toBeLessThanOrEqual(1900)
  })
})

describe('what is tried until it goes well', () => {
  beforeEach(() => {
    controller = new AbortController()
  })

  test('is not tried again where it ends with a bug', async () => {
    const task = vi.fn(() => Promise.reject(new Error('a bug')))
    await expect(untilGood(task, 300, controller.signal)).rejects.toThrow('a bug')
    expect(task).toHaveBeenCalledOnce()
  })

  test('ends at once where it is told to stop, also while it waits', async () => {
    const task = vi.fn(() => Promise.resolve(false))
    const ended = untilGood(task, 300, controller.signal)
    await seconds(0)
    controller.abort()
    await expect(ended).resolves.toBeUndefined()
    expect(task).toHaveBeenCalledOnce()
  })
})
