import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Key, fileNameOf } from '../../src/certs/key.ts'
import {
  EMPTY_RING,
  type Ring,
  type Sets,
  type Turn,
  lastSets,
  nextExpiry,
  turn,
} from '../../src/certs/keyring.ts'

const GRACE = 1000
const key = (kid: string, pem = `pem of ${kid}`, source = 'r'): Key => ({
  kid,
  file: fileNameOf(kid),
  alg: 'RS256',
  bits: 2048,
  pem,
  source,
})
const [a, b] = [key('a'), key('b')]

const setsOf = (sets: Readonly<Record<string, readonly Key[] | undefined>>): Sets =>
  new Map(Object.entries(sets))

/** The ring once its sources publish these sets, in their order. */
function next(
  ring: Ring,
  sets: Readonly<Record<string, readonly Key[] | undefined>>,
  now = 0,
  grace = GRACE,
): Turn {
  return turn(ring, setsOf(sets), now, grace)
}

const kids = (ring: Ring): readonly (string | null)[] => [...ring.held.values()].map((one) => one.key.kid)
const told = ({ changes }: Turn): readonly string[] => changes.map(({ change }) => change)

describe('a key', () => {
  const { ring } = next(EMPTY_RING, { r: [a, b] })

  test('is held with the set that has it, and told as new', () => {
    expect(told(next(EMPTY_RING, { r: [a, b] }))).toEqual(['new', 'new'])
    expect(kids(ring)).toEqual(['a', 'b'])
  })

  test('that is still there is no change', () => {
    expect(next(ring, { r: [b, a] }, 5).changes).toEqual([])
  })

  test('that has left is held on, and told once', () => {
    const left = next(ring, { r: [a] }, 100)
    expect(told(left)).toEqual(['left'])
    expect(left.ring.held.get(b.file)).toEqual({ key: b, sources: new Map([['r', 100]]) })
    const again = next(left.ring, { r: [a] }, 200)
    expect(again.changes).toEqual([])
    expect(again.ring.held.get(b.file)?.sources.get('r')).toBe(100)
    expect(nextExpiry(again.ring, GRACE)).toBe(1100)
  })

  test.each([
    [1099, ['a', 'b'], []],
    [1100, ['a'], ['dropped']],
  ])('that left at 100 is, with a grace of 1000, at %i held: %j', (now, held, changes) => {
    const late = next(next(ring, { r: [a] }, 100).ring, { r: [a] }, now)
    expect(kids(late.ring)).toEqual(held)
    expect(told(late)).toEqual(changes)
  })

  test('that comes back is there to stay', () => {
    const back = next(next(ring, { r: [a] }, 100).ring, { r: [a, b] }, 500)
    expect(back.changes).toMatchObject([{ change: 'back', key: { kid: 'b' } }])
    expect(kids(next(back.ring, { r: [a, b] }, 1e9).ring)).toEqual(['a', 'b'])
    expect(nextExpiry(back.ring, GRACE)).toBe(Infinity)
  })

  test('goes at once where there is no grace', () => {
    const gone = next(ring, { r: [a] }, 100, 0)
    expect(told(gone)).toEqual(['left', 'dropped'])
    expect(kids(gone.ring)).toEqual(['a'])
  })

  test('that two sources publish stays with the one that still does', () => {
    const both = next(EMPTY_RING, { r: [a], s: [a] }).ring
    const one = next(both, { r: [b], s: [{ ...a, source: 's' }] })
    expect(one.changes).toMatchObject([{ change: 'new', key: { kid: 'b' } }])
    expect(one.ring.held.get(a.file)?.key).toMatchObject({ source: 's' })
  })

  test.each([
    ['its source is not known any more', { r: undefined }],
    ['nobody here reads its source', { s: [] }],
  ])('stays where %s, however long it has been gone', (_, sets) => {
    const gone = next(ring, { r: [] }, 0).ring
    expect(next(gone, sets, 1e9).ring).toEqual(gone)
  })
})

describe('what a source published last', () => {
  test('is known from the ring: what it still publishes, undefined where that is nothing', () => {
    const { ring } = next(next(EMPTY_RING, { r: [a, b], s: [b] }).ring, { r: [a], s: [] })
    expect(lastSets(ring, ['r', 's', 't'])).toEqual(setsOf({ r: [a], s: undefined, t: undefined }))
  })
})

describe('two keys under one kid', () => {
  const other = key('a', 'another pem', 's')

  test('the source that was named first wins, whichever answers first', () => {
    const early = next(next(EMPTY_RING, { r: undefined, s: [other] }).ring, { r: [a], s: [other] })
    expect(early.ring.held.get(a.file)?.key).toEqual(a)
    expect(told(early)).toEqual(['replaced', 'clash'])
    const late = next(next(EMPTY_RING, { r: [a], s: undefined }).ring, { r: [a], s: [other] })
    expect(late.ring.held.get(a.file)?.key).toEqual(a)
    expect(late.changes).toMatchObject([
      { change: 'clash', clash: { kept: { source: 'r' }, refused: { source: 's' } } },
    ])
  })

  test('it is told once', () => {
    const { ring } = next(EMPTY_RING, { r: [a], s: [other] })
    expect(told(next(ring, { r: [a], s: [other, b] }))).toEqual(['new'])
  })

  test('a key that is published wins over one that has left', () => {
    const left = next(next(EMPTY_RING, { r: [a, b], s: undefined }).ring, { r: [b], s: undefined }).ring
    const { ring, changes } = next(left, { r: [b], s: [other] }, 1)
    expect(ring.held.get(a.file)?.key).toEqual(other)
    expect(changes).toMatchObject([{ change: 'replaced', key: { source: 's' }, before: { source: 'r' } }])
  })

  test('within one set, the first wins', () => {
    const first = next(EMPTY_RING, { r: [a, other] })
    expect(first.ring.held.get(a.file)?.key).toEqual(a)
    expect(told(first)).toEqual(['new', 'clash'])
  })

  test('two kids that are one file are two such keys: Prosody would mix them up', () => {
    expect(told(next(EMPTY_RING, { r: [key('\uD800'), key('\uFFFD')] }))).toEqual(['new', 'clash'])
  })

  test('servers that read the same sets agree, in whatever order those came', () => {
    const names = ['r', 's', 't'] as const
    const sets = fc.record({ r: someKeys(), s: someKeys(), t: someKeys() })
    fc.assert(
      fc.property(sets, fc.shuffledSubarray([...names], { minLength: 3 }), (set, order) => {
        const read = (sequence: readonly (typeof names)[number][]): ReadonlyMap<string, string> => {
          let ring = EMPTY_RING
          const known: Record<string, readonly Key[] | undefined> = {
            r: undefined,
            s: undefined,
            t: undefined,
          }
          for (const name of sequence) {
            known[name] = set[name]
            ring = next(ring, known).ring
          }
          // One that has only just started knows nothing of keys that have left, and agrees about all others.
          const published = [...ring.held].filter(([, { sources }]) => [...sources.values()].includes(null))
          return new Map(published.map(([file, one]) => [file, one.key.pem]))
        }
        expect(read(order)).toEqual(read(names))
      }),
    )
  })
})

function someKeys(): fc.Arbitrary<readonly Key[]> {
  const one = fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('x', 'y'))
  return fc.array(
    one.map(([kid, pem]) => key(kid, pem)),
    { maxLength: 4 },
  )
}
