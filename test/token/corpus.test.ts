import { describe, expect, test } from 'vitest'
import { roomOf } from '../../src/jitsi/room.ts'
import { CORPUS, answersOf, askedOf, verdictOn } from '../support/corpus.ts'

describe('says what a real Prosody said', () => {
  test.each(CORPUS.installations.map(({ id }) => id))('in the installation %s', (settings) => {
    const cases = CORPUS.cases.filter((one) => one.settings === settings)
    expect(cases.length).toBeGreaterThan(4)
    for (const one of cases) {
      const verdict = verdictOn(CORPUS, one)
      if (verdict.determined)
        expect({ id: one.id, ...answersOf(verdict) }).toEqual({ id: one.id, ...answersOf(one) })
    }
  })

  test('701 of 709 times, and leaves the rest undetermined: Lua patterns, and a NUL byte in the payload', () => {
    const undetermined = CORPUS.cases.filter((one) => !verdictOn(CORPUS, one).determined)
    expect(undetermined.map(({ id }) => id)).toEqual([
      'd0013',
      'd0048',
      'd0203',
      'd0207',
      'd0217',
      'd0322',
      'd0458',
      'd0461',
    ])
    const patterns = undetermined.filter(({ tags }) =>
      tags.some((tag) => tag.startsWith('context.room.regex')),
    )
    expect(undetermined.length - patterns.length).toBe(1)
    for (const one of patterns) {
      expect(verdictOn(CORPUS, one).auth).toEqual(one.auth)
      expect(verdictOn(CORPUS, one).decided?.rule.code).toBe('room-pattern')
    }
  })
})

test('finds the room that Prosody checks', () => {
  for (const { room, roomJid, settings } of CORPUS.cases) {
    const { prosody } = askedOf(CORPUS, settings)
    expect(roomOf(room, prosody.tenants)).toEqual({ node: roomJid.slice(0, -`@${prosody.mucDomain}`.length) })
  }
})

test('the first rule that fails is the one that Prosody logs', () => {
  const refused = CORPUS.cases
    .map((one) => ({ one, verdict: verdictOn(CORPUS, one) }))
    .filter(({ one }) => one.auth.text !== null)
  expect(refused.length).toBe(313)
  for (const { one, verdict } of refused) {
    if (!verdict.determined) continue
    const { decided } = verdict
    expect(one.auth.text).toContain(decided?.rule.reason)
    expect(verdict.rules.find(({ outcome }) => outcome.is === 'refused')).toBe(decided)
  }
})
