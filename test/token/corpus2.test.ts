import { describe, expect, test } from 'vitest'
import { roomOf } from '../../src/jitsi/room.ts'
import { type Case, answersOf, askedOf, readCorpus, verdictOn } from '../support/corpus.ts'

const CORPUS = readCorpus('corpus2')

/** What is said, or that it is left open where that is right too. */
function said(one: Case): object {
  const verdict = verdictOn(CORPUS, one)
  if (!verdict.determined && one.tags.includes('may be undetermined')) return answersOf(one)
  return { ...answersOf(verdict), ...(!verdict.determined && { determined: false }) }
}

describe('says what a real Prosody said', () => {
  test.each([...new Set(CORPUS.cases.map(({ tags }) => tags[0]))])('%s', (group) => {
    const cases = CORPUS.cases.filter(({ tags }) => tags[0] === group)
    expect(cases.length).toBeGreaterThan(100)
    for (const one of cases) expect({ id: one.id, ...said(one) }).toEqual({ id: one.id, ...answersOf(one) })
  })
})

test("989 of 996 times, and leaves the rest undetermined: Lua of people's own, and tokens that are not well-formed", () => {
  const undetermined = CORPUS.cases.filter((one) => !verdictOn(CORPUS, one).determined)
  expect(undetermined.map(({ id }) => id)).toEqual([
    'g3-003',
    'g3-011',
    'g3-054',
    'g3-055',
    'g3-076',
    'g6-077',
    'g6-136',
  ])
})

test('finds the room that Prosody checks', () => {
  for (const { room, roomJid, settings } of CORPUS.cases) {
    const { prosody } = askedOf(CORPUS, settings)
    const found = roomOf(room, prosody.tenants)
    if ('node' in found && prosody.login !== 'none')
      expect(`${found.node}@${prosody.mucDomain}`).toBe(roomJid)
  }
})
