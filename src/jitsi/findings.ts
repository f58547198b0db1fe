// What is worth knowing about the settings that Jitsi gets, and about those beside them.
import { findingsOf, kind } from '../finding.ts'

export const jitsiFinding = findingsOf({
  'room-encoded': kind<{ room: string; claim: string }>({
    level: 'note',
    say: ({ room, claim }) => `the claim room is ${claim}, by which Prosody knows the room ${room}`,
  }),
  'keyserver-default': kind<{ keyserver: string }>({
    level: 'note',
    say: ({ keyserver }) =>
      `JWT_ASAP_KEYSERVER is ${keyserver}: inside Prosody's container, localhost is the container itself`,
    fix: () => 'give --keyserver the address at which that container reaches the keys',
  }),
  'keycloak-loopback': kind<{ url: string }>({
    level: 'warning',
    say: ({ url }) => `Keycloak is at ${url}: inside a container, that is the container itself`,
    fix: () => 'give --url the address at which a container reaches Keycloak',
  }),
  'env-created': kind<{ file: string }>({
    level: 'warning',
    say: ({ file }) =>
      `there is no ${file} to merge into: a new one has kjitsi's settings only, and docker-jitsi-meet's own starts from env.example`,
    fix: () => 'if it was meant to be there, correct the path; for a new Jitsi, copy env.example to it first',
  }),
  'issuer-http': kind<{ issuer: string }>({
    level: 'warning',
    say: ({ issuer }) =>
      `the issuer ${issuer} is not https: Jitsi's web login reaches Keycloak by https only`,
    fix: () => "set Keycloak's hostname to its public https address, and run this again",
  }),
  'issuer-host': kind<{ issuer: string; url: string }>({
    level: 'warning',
    say: ({ issuer, url }) =>
      `Keycloak at ${url} says that its issuer is ${issuer}, another host: tokens must come from exactly that issuer`,
    fix: () => "right where people log in there; otherwise correct --url, or set Keycloak's hostname",
  }),
  wildcard: kind<{ key: string; value: string }>({
    level: 'warning',
    say: ({ key, value }) =>
      value.split(',').includes('*')
        ? `${key} has the item *: Prosody accepts any, also those of tokens that were made for something else`
        : `${key}=${value}: Prosody has no wildcards within an item, and compares the * as it stands`,
    fix: ({ key }) => `name what ${key} is to accept`,
  }),
  'allow-empty': kind<{ value: string; file: string }>({
    level: 'warning',
    say: ({ value, file }) =>
      `JWT_ALLOW_EMPTY=${value} in ${file} lets people without a token in where hosts go: anybody can become a moderator`,
    fix: () => 'take that line out; ENABLE_GUESTS=1 is what lets guests in',
  }),
  'domain-verification': kind<{ value: string; file: string }>({
    level: 'warning',
    say: ({ value, file }) =>
      `JWT_ENABLE_DOMAIN_VERIFICATION=${value} in ${file} wants the tenant in "sub", where Keycloak has the user's id: ` +
      'nobody can join a room, guests neither',
    fix: () => 'take that line out',
  }),
  'app-secret-unused': kind<{ file: string }>({
    level: 'warning',
    say: ({ file }) =>
      `JWT_APP_SECRET in ${file} no longer counts: with a key server, Prosody refuses tokens that are signed with a secret`,
    fix: () => 'take that line out, once nothing signs tokens with it any more',
  }),
  'auth-type-overridden': kind<{ key: string; value: string; file: string }>({
    level: 'warning',
    say: ({ key, value, file }) => `${key}=${value} in ${file} takes the place of AUTH_TYPE=jwt`,
    fix: () => 'take that line out',
  }),
  'lobby-off': kind<{ value: string; file: string }>({
    level: 'warning',
    say: ({ value, file }) =>
      `ENABLE_LOBBY=${value} in ${file} takes away the lobby, in which muc_wait_for_host lets guests wait for a host: ` +
      'Prosody does not load it then, and guests open rooms',
    fix: () => 'take that line out',
  }),
  'logout-blocked': kind<{ directive: string; missing: readonly string[]; file: string }>({
    level: 'warning',
    say: ({ directive, missing, file }) =>
      `CSP_HEADER in ${file} does not allow ${missing.join(' and ')} in a frame (${directive}): the logout hangs`,
    fix: ({ directive, missing }) =>
      directive === 'frame-src'
        ? `add ${missing.join(' ')} to frame-src there`
        : `add a frame-src with ${missing.join(' ')} there, and what ${directive} allows besides`,
  }),
  'keyserver-redirected': kind<{ keyserver: string; value: string; file: string }>({
    level: 'warning',
    say: ({ keyserver, value, file }) =>
      `ENABLE_HTTP_REDIRECT=${value} in ${file} answers ${keyserver} (JWT_ASAP_KEYSERVER) with a redirect (301), which Prosody does not ` +
      'follow: it gets no key, and nobody can log in',
    fix: () => "give --keyserver Jitsi's https address, or set ENABLE_HTTP_REDIRECT=0",
  }),
  'guests-let-in': kind<{ value: string; file: string }>({
    level: 'warning',
    say: ({ value, file }) =>
      `ENABLE_GUESTS was ${value} in ${file} and is 1 now: people without a token may come in`,
    fix: () => '--no-guests keeps them out',
  }),
  'role-kept': kind<{ file: string }>({
    level: 'note',
    say: ({ file }) =>
      `--moderators was not given: holders of a role moderate (role:NAME), as ${file} has it already`,
    fix: () => '--moderators everyone has everybody moderate who has logged in',
  }),
  'first-kept': kind<{ file: string }>({
    level: 'warning',
    say: ({ file }) =>
      `--moderators was not given, and ENABLE_AUTO_OWNER is on in ${file}: whoever comes first moderates (first), and when ` +
      'that one leaves somebody else, who may be a guest',
    fix: () => '--moderators everyone, or role:NAME, has only people moderate who have logged in',
  }),
  'assigned-twice': kind<{ key: string; lines: readonly number[]; file: string }>({
    level: 'note',
    say: ({ key, lines, file }) =>
      `${file} assigns ${key} on lines ${lines.join(' and ')}: all of them get the value`,
    fix: () => 'keep one of them',
  }),
})
