// The table of who moderates what; config.test.ts has what the `.env` makes of it.
import { describe, expect, test } from 'vitest'
import {
  type ModeratedBy,
  type ModerationSet,
  type Moderators,
  moderatedByOf,
  moderationOf,
  moderatorRoleOf,
  readModerators,
} from '../../src/jitsi/moderation.ts'

describe('readModerators', () => {
  test.each<[string, Moderators]>([
    ['everyone', 'everyone'],
    ['first', 'first'],
    ['role:owner', { role: 'owner' }],
    ['role:a:b c', { role: 'a:b c' }],
  ])('%s', (text, moderators) => {
    expect(readModerators(text)).toEqual(moderators)
  })

  test.each([['role:'], ['owner'], ['Everyone'], ['role'], ['nobody']])('%j is refused', (text) => {
    expect(() => readModerators(text)).toThrow('is none of role:NAME, everyone and first')
  })
})

const ROLE = { role: 'owner' }
const WAIT = ['persistent_lobby']

test.each<[ModeratedBy, boolean, boolean, boolean, string[], string[]]>([
  // who, guests; Jicofo makes the first an owner, hosts are owners, modules of the host and of the rooms
  ['role', true, false, false, WAIT, ['muc_wait_for_host', 'token_affiliation']],
  ['role', false, false, false, [], ['token_affiliation']],
  ['everyone', true, false, true, WAIT, ['muc_wait_for_host']],
  ['everyone', false, false, true, WAIT, ['muc_wait_for_host']],
  ['first', true, true, false, WAIT, ['muc_wait_for_host']],
  ['first', false, true, false, [], []],
])('%s with guests %s', (who, guests, autoOwner, hostsAreOwners, modules, mucModules) => {
  const { mucModulesNot, ...rest } = moderationOf(who, guests)
  expect(rest).toEqual({ autoOwner, hostsAreOwners, modules, mucModules })
  expect(mucModulesNot).toEqual(who === 'role' ? [] : ['token_affiliation'])
})

describe('what a Jitsi has been told', () => {
  test.each<[ModeratedBy, boolean]>([
    ['role', true],
    ['role', false],
    ['everyone', true],
    ['everyone', false],
    ['first', true],
    ['first', false],
  ])('%s with guests %s is known again', (who, guests) => {
    expect(moderatedByOf(moderationOf(who, guests))).toBe(who)
  })

  test.each<[Partial<ModerationSet>, ModeratedBy | undefined]>([
    // Nobody has set anything: Jicofo's switch is on, but nobody asked for it.
    [{}, undefined],
    [{ mucModules: ['token_affiliation'], hostsAreOwners: false }, undefined],
    [{ autoOwner: true }, 'first'],
    [{ autoOwner: true, mucModules: ['token_affiliation'] }, 'first'],
    [{ autoOwner: false }, undefined],
    [{ autoOwner: false, mucModules: ['mine', 'token_affiliation'] }, 'role'],
    [{ autoOwner: false, mucModules: ['muc_wait_for_host'] }, 'everyone'],
    // Holders of a role and everybody: neither of the two.
    [{ autoOwner: false, mucModules: ['muc_wait_for_host', 'token_affiliation'] }, undefined],
    [{ autoOwner: false, mucModules: ['muc_wait_for_host'], hostsAreOwners: false }, undefined],
  ])('%j: %s', (set, who) => {
    const unset = { autoOwner: undefined, hostsAreOwners: undefined, mucModules: [] }
    expect(moderatedByOf({ ...unset, ...set })).toBe(who)
  })
})

test.each<[Moderators | undefined, string | undefined]>([
  [undefined, undefined],
  [ROLE, 'owner'],
  ['everyone', undefined],
  ['first', undefined],
])('the client role of the moderators: %j', (moderators, role) => {
  expect(moderatorRoleOf(moderators)).toBe(role)
})
