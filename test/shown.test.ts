import { describe, expect, test } from 'vitest'
import { quoted, shownAddress, shownValue, withoutSecrets, withoutTokens } from '../src/shown.ts'

const JWT = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl'

test.each([
  ['https://a.example/keys', 'https://a.example/keys'],
  ['https://a.example:8443/realms/a&b', 'https://a.example:8443/realms/a&b'],
  ['https://admin:hunter2@a.example/x', 'https://(masked)@a.example/x'],
  ['https://admin@a.example', 'https://(masked)@a.example'],
  ['https://admin:hun/ter?2#@a.example/x', 'https://(masked)@a.example/x'],
  ['https://admin:hunter2 secret@a.example', 'https://(masked)@a.example'],
  ['admin:hunter2@a.example', '(masked)@a.example'],
  ['admin:hun,ter@2@a.example', '(masked)@a.example'],
  ['https://a.example/keys?apikey=x', 'https://a.example/keys?apikey=(masked)'],
  [
    'https://a.example/keys?apikey=x=y&z=1&w#f',
    'https://a.example/keys?apikey=(masked)&z=(masked)&(masked)#(masked)',
  ],
  ['https://a.example/keys?mail=a@b', 'https://a.example/keys?mail=(masked)'],
  ['https://a.example/keys?hunter2', 'https://a.example/keys?(masked)'],
  ['https://a.example/keys?hunter2=', 'https://a.example/keys?(masked)'],
  [`https://a.example/${JWT}/keys`, 'https://a.example/(masked)/keys'],
  ['no address', 'no address'],
  ['', ''],
])('the address %j is shown as %j', (address, shown) => {
  expect(shownAddress(address)).toBe(shown)
})

test.each([
  ['alice@example.org', 'alice@example.org'],
  ['https://u:hunter2@a.example', 'https://(masked)@a.example'],
  [JWT, '(masked)'],
])('the value %j is shown as %j', (value, shown) => {
  expect(shownValue(value)).toBe(shown)
})

test.each([
  [`a ${JWT} b`, 'a (masked) b'],
  [JWT.slice(0, 30), '(masked)'],
  [`${JWT.split('.').slice(0, 2).join('.')}.`, '(masked)'],
  ['keyJournal.text-of-it', 'keyJournal.text-of-it'],
  ['a key.pem', 'a key.pem'],
])('%j without tokens is %j', (text, shown) => {
  expect(withoutTokens(text)).toBe(shown)
})

describe('a secret', () => {
  const SECRET = 'hunter2/s?cret+w rd'
  const base64 = Buffer.from(SECRET).toString('base64')

  test.each([
    [SECRET, `you sent ${SECRET}`, 'you sent (masked)'],
    [SECRET, `password=${encodeURIComponent(SECRET)}&x`, 'password=(masked)&x'],
    [SECRET, `password=${new URLSearchParams([['', SECRET]]).toString().slice(1)}&x`, 'password=(masked)&x'],
    [SECRET, `Basic ${base64}.`, `Basic (masked)${/=*$/.exec(base64)?.[0] ?? ''}.`],
    // Blotted out of our own sentence, a word would be told.
    ['realm', 'there is no realm x', 'there is no realm x'],
    ['admin ', 'user admin in realm master', 'user admin in realm master'],
    ['Keycloak', 'Keycloak refused it', 'Keycloak refused it'],
    ['manage-clients', 'the role manage-clients', 'the role manage-clients'],
    ['realm', `Basic ${Buffer.from('realm').toString('base64url')}`, 'Basic (masked)'],
    ['Keycloak1', 'you sent Keycloak1', 'you sent (masked)'],
    ['qwertzuiopasdfghjklyx', 'you sent qwertzuiopasdfghjklyx', 'you sent (masked)'],
  ])('%j in %j', (secret, text, shown) => {
    expect(withoutSecrets(text, [secret])).toBe(shown)
  })

  test.each([
    ['realm', 'no such realm', '(masked)'],
    ['realm', 'password=realm&user=x', '(masked)'],
    ['realm', 'Realms are many', 'Realms are many'],
    ['pa ss', 'password=pa+ss', '(masked)'],
    // What is nobody's word is blotted out where it stands.
    ['hunter22', 'you sent hunter22', 'you sent hunter22'],
    ['admin', 'the admin API', 'the admin API'],
    ['', 'anything', 'anything'],
  ])('%j: a server says %j', (secret, text, shown) => {
    expect(quoted(text, [secret])).toBe(shown)
  })
})
