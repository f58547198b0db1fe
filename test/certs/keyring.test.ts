import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Key, type Ring, emptyRing, expire, nextExpiry, turn } from '../../src/certs/keyring.ts'
import { fileNameOf } from '../../src/certs/pem.ts'

const GRACE = 1000
const key = (kid: string, pem = `pem of ${kid}`): Key => ({ kid, file: fileNameOf(kid), pem })
const [a, b] = [key('a'), key('b')]

/** A ring whose sources have given these sets, one after the other, all at the time 0. */
function ringOf(names: readonly string[], ...sets: readonly (readonly [string, readonly Key[]])[]): Ring {
  return sets.reduce((ring, [source, keys]) => turn(ring, source, keys, 0, GRACE).ring, emptyRing(names))
}

const kids = (ring: Ring): readonly (string | null)[] => [...ring.served.values()].map(({ kid }) => kid)

describe('a key', () => {
  const ring = ringOf(['r'], ['r', [a, b]])

  test('is served with the set that has it, and told as new', () => {
    const { changes } = turn(emptyRing(['r']), 'r', [a, b], 0, GRACE)
    expect(changes.map((one) => one.change)).toEqual(['new', 'new'])
    expect(kids(ring)).toEqual(['a', 'b'])
  })

  test('that is still there is no change', () => {
    expect(turn(ring, 'r', [b, a], 5, GRACE).changes).toEqual([])
  })

  test('that has left is served on, and told once', () => {
    const left = turn(ring, 'r', [a], 100, GRACE)
    expect(left.changes.map(({ change }) => change)).toEqual(['left'])
    expect(left.ring.served.get(b.file)).toMatchObject({ pem: b.pem, goneAt: 100 })
    const again = turn(left.ring, 'r', [a], 200, GRACE)
    expect(again.changes).toEqual([])
    expect(again.ring.served.get(b.file)?.goneAt).toBe(100)
    expect(nextExpiry(again.ring, GRACE)).toBe(1100)
  })

  test.each([
    [1099, ['a', 'b'], []],
    [1100, ['a'], ['dropped']],
  ])('that left at 100 is, with a grace of 1000, at %i served: %j', (now, served, changes) => {
    const late = expire(turn(ring, 'r', [a], 100, GRACE).ring, now, GRACE)
    expect(kids(late.ring)).toEqual(served)
    expect(late.changes.map(({ change }) => change)).toEqual(changes)
  })

  test('that comes back is there to stay', () => {
    const back = turn(turn(ring, 'r', [a], 100, GRACE).ring, 'r', [a, b], 500, GRACE)
    expect(back.changes).toMatchObject([{ change: 'back', key: { kid: 'b' } }])
    expect(kids(expire(back.ring, 1e9, GRACE).ring)).toEqual(['a', 'b'])
    expect(nextExpiry(back.ring, GRACE)).toBe(Infinity)
  })

  test('goes at once where there is no grace', () => {
    const gone = turn(ring, 'r', [a], 100, 0)
    expect(gone.changes.map(({ change }) => change)).toEqual(['left', 'dropped'])
    expect(kids(gone.ring)).toEqual(['a'])
  })

  test('that two sources publish stays with the one that still does', () => {
    const both = ringOf(['r', 's'], ['r', [a]], ['s', [a]])
    const { ring: one, changes } = turn(both, 'r', [b], 0, GRACE)
    expect(changes).toMatchObject([{ change: 'new', key: { kid: 'b' } }])
    expect(one.served.get(a.file)).toMatchObject({ source: 's' })
  })
})

describe('two keys under one kid', () => {
  const other = key('a', 'another pem')

  test('the source that was named first wins, whichever answers first', () => {
    const early = turn(ringOf(['r', 's'], ['s', [other]]), 'r', [a], 0, GRACE)
    expect(early.ring.served.get(a.file)).toMatchObject({ pem: a.pem, source: 'r' })
    expect(early.changes.map(({ change }) => change)).toEqual(['replaced', 'clash'])
    const late = turn(ringOf(['r', 's'], ['r', [a]]), 's', [other], 0, GRACE)
    expect(late.ring.served).toEqual(early.ring.served)
    expect(late.changes).toMatchObject([
      { change: 'clash', clash: { kept: { source: 'r' }, refused: { source: 's' } } },
    ])
  })

  test('it is told once', () => {
    const { ring } = turn(ringOf(['r', 's'], ['r', [a]]), 's', [other], 0, GRACE)
    expect(turn(ring, 's', [other, b], 0, GRACE).changes.map(({ change }) => change)).toEqual(['new'])
  })

  test('a key that is published wins over one that has left', () => {
    const left = turn(ringOf(['r', 's'], ['r', [a, b]]), 'r', [b], 0, GRACE).ring
    const { ring, changes } = turn(left, 's', [other], 1, GRACE)
    expect(ring.served.get(a.file)).toMatchObject({ pem: other.pem, source: 's' })
    expect(changes).toMatchObject([{ change: 'replaced', key: { source: 's' }, before: { source: 'r' } }])
  })

  test('within one set, the first wins', () => {
    const { ring, changes } = turn(emptyRing(['r']), 'r', [a, other], 0, GRACE)
    expect(ring.served.get(a.file)).toMatchObject({ pem: a.pem })
    expect(changes.map(({ change }) => change)).toEqual(['new', 'clash'])
  })

  test('servers that read the same sets agree, in whatever order those came', () => {
    const names = ['r', 's', 't'] as const
    const sets = fc.record({
      r: someKeys(),
      s: someKeys(),
      t: someKeys(),
    })
    fc.assert(
      fc.property(sets, fc.shuffledSubarray([...names], { minLength: 3 }), (set, order) => {
        const inOrder = ringOf(names, ...names.map((name) => [name, set[name]] as const))
        const shuffled = ringOf(names, ...order.map((name) => [name, set[name]] as const))
        // One that has only just started knows nothing of keys that have left, and agrees about all others.
        const published = new Map([...shuffled.served].filter(([, { goneAt }]) => goneAt === undefined))
        expect(published).toEqual(
          new Map([...inOrder.served].filter(([, { goneAt }]) => goneAt === undefined)),
        )
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
