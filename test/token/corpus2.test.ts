import { describe, expect, test } from 'vitest'
import { roomOf } from '../../src/token/room.ts'
import { type Case, answersOf, askedOf, readCorpus, verdictOn } from './corpus.ts'

const CORPUS = readCorpus('corpus2')

/** What is said, or that it is left open where that is right too. */
function said(one: Case): object {
  const verdict = verdictOn(CORPUS, one)
  if (!verdict.determined && one.tags.includes('may be undetermined')) return answersOf(one)
  return { ...answersOf(verdict), ...(!verdict.determined && { determined: false }) }
}

const GROUPS = ['group:2-asking', 'group:3-starting', 'group:5-rooms', 'group:6-mix']

describe('says what a real Prosody said', () => {
  test.each(GROUPS)('%s', (group) => {
    const cases = CORPUS.cases.filter(({ tags }) => tags[0] === group)
    expect(cases.length).toBeGreaterThan(100)
    for (const one of cases) expect({ id: one.id, ...said(one) }).toEqual({ id: one.id, ...answersOf(one) })
  })
})

test('finds the room that Prosody checks', () => {
  for (const { room, roomJid, settings } of CORPUS.cases) {
    const { prosody } = askedOf(CORPUS, settings)
    const found = roomOf(room, prosody.tenants)
    if ('node' in found && prosody.login !== 'none')
      expect(`${found.node}@${prosody.mucDomain}`).toBe(roomJid)
  }
})
