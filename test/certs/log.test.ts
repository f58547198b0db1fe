import { expect, test } from 'vitest'
import { certsFinding } from '../../src/certs/findings.ts'
import type { Key } from '../../src/certs/key.ts'
import type { KeyChange } from '../../src/certs/keyring.ts'
import { type Line, newsOf, onlyNews } from '../../src/certs/log.ts'

const FILE = `${'0'.repeat(64)}.pem`
const served = (kid: string | null, source = 'realm meet'): Key => ({
  kid,
  file: FILE,
  alg: null,
  bits: 2048,
  pem: 'pem',
  source,
})
const key = served('k')

function said(changes: readonly KeyChange[], grace: number): readonly string[] {
  return newsOf(changes, grace).map((line) => (typeof line === 'string' ? line : line.message))
}

test.each<readonly [KeyChange, number, string]>([
  [{ change: 'new', key }, 60, `realm meet: key k is served as ${FILE}`],
  [{ change: 'new', key: served(null, '/certs') }, 60, `/certs: key ${FILE} is served as ${FILE}`],
  [{ change: 'new', key: served('a\nb') }, 60, `realm meet: key "a\\nb" is served as ${FILE}`],
  [{ change: 'back', key }, 60, 'realm meet: key k is back'],
  [{ change: 'left', key }, 86_400, 'realm meet: key k has left, and is served for 24h more'],
  [{ change: 'left', key }, 0, 'realm meet: key k has left'],
  [
    { change: 'dropped', key },
    86_400,
    'key k left realm meet 24h ago and is no longer served; a Prosody that has fetched it keeps it until it restarts',
  ],
  [
    { change: 'dropped', key },
    0,
    'key k left realm meet just now and is no longer served; a Prosody that has fetched it keeps it until it restarts',
  ],
  [
    { change: 'replaced', key, before: served('k', 'realm old') },
    0,
    'key k is now another one under the same kid, that of realm meet in place of realm old',
  ],
  [
    { change: 'clash', clash: { kept: key, refused: served('k', 'realm other') } },
    0,
    'realm other publishes another key than realm meet under the kid k: that of realm meet, which was named first, is taken',
  ],
  [
    { change: 'clash', clash: { kept: key, refused: key } },
    0,
    'realm meet publishes two different keys under the kid k: the first of them is taken',
  ],
])('%j', (change, grace, sentence) => {
  expect(said([change], grace)).toEqual([sentence])
})

test.each([
  [5, 5],
  [6, 1],
])('%i changes of one kind make %i lines', (count, lines) => {
  const changes = Array.from({ length: count }, (_, i): KeyChange => ({
    change: 'new',
    key: served(`k${i}`),
  }))
  expect(said(changes, 60)).toHaveLength(lines)
})

test.each<readonly [Exclude<KeyChange['change'], 'replaced' | 'clash'>, string]>([
  ['new', 'realm meet: 6 keys more are served'],
  ['back', 'realm meet: 6 keys are back'],
  ['left', 'realm meet: 6 keys have left, and are served for 1m more'],
  [
    'dropped',
    '6 keys left realm meet and are no longer served; a Prosody that has fetched them keeps them until it restarts',
  ],
])('many that are %s', (change, sentence) => {
  expect(
    said(
      Array.from({ length: 6 }, (): KeyChange => ({ change, key })),
      60,
    ),
  ).toEqual([sentence])
})

test('only what was not said the last time is said', () => {
  const lines: Line[] = []
  const say = onlyNews((line) => lines.push(line))
  const closed = certsFinding('folder-closed', { dir: '/certs' })
  const said = (...list: readonly Line[]): readonly Line[] => {
    lines.length = 0
    say(list)
    return [...lines]
  }
  expect(said('left out: x', closed)).toEqual(['left out: x', closed])
  expect(said('left out: x', closed)).toEqual([])
  expect(said('left out: x', certsFinding('folder-closed', { dir: '/other' }))).toHaveLength(1)
  expect(said()).toEqual([])
  expect(said(closed)).toEqual([closed])
})
