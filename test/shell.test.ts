import { expect, test } from 'vitest'
import { aboutThisRun, kjitsiCommand, shellWord } from '../src/shell.ts'

test.each([
  ['meet', 'meet'],
  ['https://auth.example.org/auth', 'https://auth.example.org/auth'],
  ['team a', "'team a'"],
  ["o'neill", `'o'\\''neill'`],
  ['$HOME', "'$HOME'"],
  ['', "''"],
])('the word %j is %s', (word, written) => {
  expect(shellWord(word)).toBe(written)
})

const ABOUT = { url: 'https://auth.example.org', realm: 'team a', client: 'web' }

test('a command names the client of this run, as far as it is known', () => {
  expect(kjitsiCommand(['setup-mappers', '--user-context'], ABOUT)).toBe(
    "kjitsi setup-mappers --user-context --url https://auth.example.org --realm 'team a' --client web",
  )
  expect(kjitsiCommand(['setup-mappers'], {})).toBe('kjitsi setup-mappers')
})

test.each([
  [
    'kjitsi setup-mappers --nbf writes 0',
    "kjitsi setup-mappers --url https://auth.example.org --realm 'team a' --client web --nbf writes 0",
  ],
  [
    'kjitsi setup-mappers --audience jitsi, and kjitsi gen-env .env --accept-audience jitsi',
    "kjitsi setup-mappers --url https://auth.example.org --realm 'team a' --client web --audience web, and " +
      "kjitsi gen-env my.env --url https://auth.example.org --realm 'team a' --client web --accept-audience web",
  ],
  [
    'kjitsi export-certs DIR writes the keys',
    "kjitsi export-certs DIR --url https://auth.example.org --realm 'team a' writes the keys",
  ],
  [
    'kjitsi gen-env .env --url KEYCLOAK --realm REALM writes the issuer',
    "kjitsi gen-env my.env --url https://auth.example.org --realm 'team a' --client web writes the issuer",
  ],
  ['set the clocks right', 'set the clocks right'],
])('%s', (sentence, said) => {
  expect(aboutThisRun(sentence, ABOUT, 'my.env')).toBe(said)
})

test('of what is not known nothing is named', () => {
  const said = 'kjitsi gen-env .env --url KEYCLOAK --realm REALM; kjitsi setup-mappers --audience jitsi'
  expect(aboutThisRun(said, {})).toBe(said)
})
