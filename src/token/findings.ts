// What is worth knowing about a token and the settings that it was judged by.
import { findingsOf, kind } from '../finding.ts'
import { type About, aboutThisRun, kjitsiCommand } from '../shell.ts'

export const tokenFinding = findingsOf({
  'auth-off': kind<{ file: string | undefined }>({
    level: 'error',
    say: () => 'ENABLE_AUTH is off: Prosody asks nobody for a token, and lets everybody into every room',
    fix: ({ file }) => `${aboutThisRun('kjitsi gen-env .env', {}, file)} sets it to 1`,
  }),
  'rooms-open': kind<{ domain: string; mucDomain: string }>({
    level: 'error',
    say: ({ domain, mucDomain }) =>
      `XMPP_MUC_DOMAIN (${mucDomain}) is not letters and digits, a dot and XMPP_DOMAIN (${domain}): Prosody then checks no ` +
      'join, and any token that may log in opens every room',
    fix: ({ domain }) => `set XMPP_MUC_DOMAIN=muc.${domain}, or neither of the two`,
  }),
  'rooms-unchecked': kind<{ module: string }>({
    level: 'error',
    say: ({ module }) =>
      `JWT_TOKEN_AUTH_MODULE (${module}) checks no join: any token that may log in opens every room`,
    fix: () => 'take JWT_TOKEN_AUTH_MODULE out of .env',
  }),
  'settings-undetermined': kind<{ what: string }>({
    level: 'error',
    say: ({ what }) => `only Prosody itself can tell what these settings come to: ${what}`,
    fix: () => 'take that out to ask about the rest',
  }),
  'keys-unused': kind<{ flag: string; setting: string }>({
    level: 'warning',
    say: ({ flag, setting }) =>
      `${flag} is not used: these settings have no ${setting}, so Prosody does not ask for what it holds`,
    fix: ({ setting }) =>
      setting === 'cache_keys_url'
        ? 'kjitsi gen-env .env --keys both sets it, or leave the flag out'
        : 'kjitsi gen-env .env --keyserver ADDRESS sets it, or leave the flag out',
  }),
  'keyserver-slash': kind<{ keyserver: string }>({
    level: 'warning',
    say: ({ keyserver }) =>
      `JWT_ASAP_KEYSERVER (${keyserver}) ends with a slash: Prosody asks for //<sha256(kid)>.pem, which many servers do not have`,
    fix: () => 'take the slash away',
  }),
  'token-large': kind<{ length: number }>({
    level: 'warning',
    say: ({ length }) =>
      `the token has ${length} characters: nginx takes 8 kB in an address, Prosody 10 kB in all, and docker's limit of 10 kB/s makes ` +
      'each login slow',
    fix: () => 'put fewer roles and groups into it: Full scope allowed off for the client',
  }),
  'token-short-lived': kind<{ seconds: number }>({
    level: 'warning',
    say: ({ seconds }) =>
      `the token is valid for ${seconds} s: a connection that breaks after that cannot come back without a new login`,
    fix: () => "set the client's access.token.lifespan to the length of a meeting",
  }),
  'token-endless': kind<{ why: string }>({
    level: 'warning',
    say: ({ why }) => `the token never expires: ${why}`,
    fix: () => 'take a token with exp in seconds, as Keycloak makes it',
  }),
  'token-name': kind<About & { inContext: boolean }>({
    level: 'warning',
    say: ({ inContext }) =>
      inContext
        ? 'the token has a context without context.user.name: Jitsi then shows no name, not even one beside context'
        : 'the token names nobody: there is neither context.user.name nor name',
    fix: (about) => kjitsiCommand(['setup-mappers', '--user-context'], about),
  }),
  'token-name-outside': kind<About>({
    level: 'note',
    say: () =>
      'name and email stand outside of context: Jitsi reads them with config.tokenGetUserInfoOutOfContext = true only',
    fix: (about) =>
      `set that in custom-config.js, or ${kjitsiCommand(['setup-mappers', '--user-context'], about)}`,
  }),
  'token-email': kind<About>({
    level: 'note',
    say: () =>
      'the token has no email that Jitsi reads: the profile goes on offering a login to people who are logged in',
    fix: (about) => kjitsiCommand(['setup-mappers', '--user-context'], about),
  }),
  'token-features': kind<About & { missing: readonly string[] }>({
    level: 'warning',
    say: ({ missing }) =>
      `context.features is there, and what it does not name is off: ${missing.join(', ')}`,
    fix: (about) =>
      `${kjitsiCommand(['setup-mappers', '--feature', 'all=true'], about)} turns all of them on; a --feature NAME=false after it is an exception`,
  }),
})
