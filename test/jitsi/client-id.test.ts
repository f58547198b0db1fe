import { expect, test } from 'vitest'
import { clientId } from '../../src/jitsi/client-id.ts'

test.each(['jitsi', 'a b', "a'b", 'é', 'a{', 'a{}', '$x', '100%', 'https://meet.example.org', 'a#b'])(
  '%j is a client id',
  (typed) => {
    expect(clientId(typed)).toBe(typed)
  },
)

test.each([
  ['a,b', 'holds a comma'],
  ['a"b', 'holds a double quote'],
  ['a\\b', 'holds a backslash'],
  ['a\tb', 'holds a character that cannot be seen'],
  ['a\u2028b', 'holds a character that cannot be seen'],
  ['a ', 'begins or ends with a blank'],
  ['${HOME}', 'holds {…}, which Keycloak takes for a variable'],
  ['{x}', 'holds {…}'],
  ['{{x}}', 'holds {…}'],
  ['a%2C', 'holds % and two hexadecimal digits'],
])('the client id %j is refused', (typed, why) => {
  expect(() => clientId(typed)).toThrow(why)
  expect(() => clientId(typed)).toThrow('give Jitsi a client with another client id')
})
