import { expect, test } from 'vitest'
import { roomOf } from '../../src/token/room.ts'

test.each([
  ['Team A', 'team%20a'],
  ['team%20a', 'team%20a'],
  ['50%', '50%25'],
  ['Café', 'caf%c3%a9'],
  ['Cafe\u0301', 'caf%c3%a9'],
  ['ﬁnance', 'finance'],
  ['x!y(z)*~', 'x!y(z)*~'],
  ['acme/Team A', '[acme]team%20a'],
  ['/ACME/team-a', '[acme]team-a'],
])('%j is the room %s', (typed, node) => {
  expect(roomOf(typed, true)).toEqual({ node })
})

test.each([
  ['', 'no name that a room can have'],
  ['acme/', 'no name that a room can have'],
  ['\ud800', 'no name that a room can have'],
  ["it's", 'an apostrophe, which no JID can hold'],
  ['a/b/c', 'more than one slash in the room'],
  ['my.tenant/a', 'a tenant with other characters than letters, digits, - and _'],
  ['é'.repeat(200), 'a name of more than 1023 bytes'],
])('%j is left to a browser', (typed, doubt) => {
  expect(roomOf(typed, true)).toEqual({ doubt })
})

test('there are no tenants with ENABLE_SUBDOMAINS off', () => {
  expect(roomOf('acme/team-a', false)).toHaveProperty('doubt')
})
