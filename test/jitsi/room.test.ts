import { expect, test } from 'vitest'
import { adviseRoom, roomClaim, roomOf } from '../../src/jitsi/room.ts'

test.each([
  ['Team A', 'team%20a'],
  ['team%20a', 'team%20a'],
  ['50%', '50%25'],
  ['Café', 'caf%c3%a9'],
  ['Cafe\u0301', 'caf%c3%a9'],
  ['ﬁnance', 'finance'],
  ['x!y(z)*~', 'xyz~'],
  ['R&D', 'rd'],
  ['R%26D', 'r%26d'],
  ["it's", 'its'],
  ['[draft]', 'draft'],
  ['Ops:Daily', 'opsdaily'],
  ['"a" <b>', '%22a%22%20%3cb%3e'],
  ['team-a?jwt=x#config.y=1', 'team-a'],
  ['https://meet.example.org/Team A', 'team%20a'],
  ['https://meet.example.org:8443/acme/R&D#config.x=1', '[acme]rd'],
  ['acme/Team A', '[acme]team%20a'],
  ['/ACME/team-a', '[acme]team-a'],
])('%j is the room %s', (typed, node) => {
  expect(roomOf(typed, true)).toEqual({ node })
})

test.each([
  ['', 'no name that a room can have'],
  ['acme/', 'no name that a room can have'],
  ['\ud800', 'no name that a room can have'],
  ['it%27s', 'an apostrophe, which no JID can hold'],
  ['&', 'no name that a room can have'],
  ['https://', 'no address'],
  ['a/b/c', 'more than one slash in the room'],
  ['my.tenant/a', 'a tenant with other characters than letters, digits, - and _'],
  ['é'.repeat(200), 'a name of more than 1023 bytes'],
])('%j is left to a browser', (typed, doubt) => {
  expect(roomOf(typed, true)).toEqual({ doubt })
})

test('there are no tenants with ENABLE_SUBDOMAINS off', () => {
  expect(roomOf('acme/team-a', false)).toHaveProperty('doubt')
})

test.each([
  ['*', '*'],
  ['team', 'team'],
  ['team%20a', 'team%20a'],
  ['[acme]team%20a', '[acme]team%20a'],
])('the claim room %s is written as it was typed', (typed, claim) => {
  expect([roomClaim(typed), adviseRoom(typed)]).toEqual([claim, undefined])
})

test.each([
  ['Team A', 'team%20a'],
  ['café', 'caf%c3%a9'],
  ['R&D', 'rd'],
  ['Acme/Team A', '[acme]team%20a'],
  ['[Acme]Team A', '[acme]team%20a'],
  ['https://meet.example.org/Team A', 'team%20a'],
])('the claim room of %s is written as %s, and that is said', (typed, claim) => {
  expect([roomClaim(typed), roomClaim(claim)]).toEqual([claim, claim])
  expect(adviseRoom(typed)).toMatchObject({
    level: 'note',
    message: `the claim room is ${claim}, by which Prosody knows the room ${typed}`,
  })
})

test.each(['&', 'a/b/c', 'it%27s'])('%s opens no room', (typed) => {
  expect(() => roomClaim(typed)).toThrow(/^opens no room: it has /)
})
