// What kjitsi can find wrong or worth knowing, once: code, level and arguments as data, the sentence and its mend here.

import { kjitsiCommand } from './shell.ts'
import { shownDuration } from './values.ts'

export type Level = 'error' | 'warning' | 'note'

interface Kind<A> {
  readonly level: Level
  readonly say: (args: A) => string
  /** What mends it; a command where there is one. */
  readonly fix?: (args: A) => string | undefined
}

const kind = <A>(k: Kind<A>): Kind<A> => k

const FINDINGS = {
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
  'modules-missing': kind<{ host: string; modules: readonly string[]; file: string }>({
    level: 'warning',
    say: ({ host, modules, file }) =>
      `${file} does not name ${modules.join(', ')} in the section of ${host}: tokens, guests or moderators are not what was asked for`,
    fix: ({ modules }) => `add ${modules.map((name) => `"${name}"`).join('; ')} to modules_enabled there`,
  }),
  'module-unwanted': kind<{ host: string; module: string; file: string }>({
    level: 'warning',
    say: ({ host, module, file }) =>
      `${file} names ${module} in the section of ${host}: others moderate as well than was asked for`,
    fix: ({ module }) => `take "${module}" out of modules_enabled there`,
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

  'private-key-published': kind<{ source: string; key: string; members: readonly string[] }>({
    level: 'error',
    say: ({ source, key, members }) =>
      `${source} publishes private parts of ${key} (${members.join(', ')}): whoever read them can sign tokens with it`,
    fix: () =>
      'take that key out of use at once, and publish public keys only; kjitsi wrote none of those parts',
  }),
  'source-failed': kind<{ failure: string; message: string; hint: string | undefined }>({
    level: 'error',
    say: ({ message }) => message,
    fix: ({ hint }) => hint,
  }),
  'nothing-pruned': kind<{ dir: string; sources: readonly string[] }>({
    level: 'warning',
    say: ({ dir, sources }) =>
      `no key of ${sources.join(', ')} was removed from ${dir}: what could not be read keeps its keys`,
  }),
  'manifest-spoilt': kind<{ file: string }>({
    level: 'warning',
    say: ({ file }) =>
      `${file} is not the list of the files that kjitsi wrote: it begins anew, and of what was there before nothing is removed`,
    fix: () => 'restore it from a backup, or remove by hand the keys that are no longer in use',
  }),
  'foreign-keys': kind<{ dir: string; files: readonly string[] }>({
    level: 'note',
    say: ({ dir, files }) =>
      files.length === 1
        ? `${dir} holds ${files.join()}, not made by kjitsi: it stays`
        : `${dir} holds ${files.length} files <64 hex>.pem not made by kjitsi, such as ${files.slice(0, 1).join()}: they stay`,
    fix: () => 'remove by hand what is no longer in use: Prosody trusts every key in this folder',
  }),
  'others-keys': kind<{ dir: string; files: readonly string[]; sources: readonly string[] }>({
    level: 'note',
    say: ({ dir, files, sources }) =>
      `${dir} holds ${files.length} ${files.length === 1 ? 'key' : 'keys'} of sources that are not read here, and stay` +
      (sources.length === 0 ? '' : `: ${sources.join(', ')}`),
    fix: () => 'remove by hand those that nothing reads any more: Prosody trusts every key in this folder',
  }),
  'stale-keys': kind<{ dir: string; files: readonly string[] }>({
    level: 'note',
    say: ({ dir, files }) =>
      `${dir} holds ${files.length} more ${files.length === 1 ? 'key that has' : 'keys that have'} left these key sets`,
    fix: () => '--prune removes them',
  }),
  'pruned-later': kind<{ dir: string; files: readonly string[]; grace: string }>({
    level: 'note',
    say: ({ dir, files, grace }) =>
      `${dir} holds ${files.length} more ${files.length === 1 ? 'key that has' : 'keys that have'} left these key sets; ` +
      `a key is removed when it has been gone for ${grace}`,
  }),
  'pruned-still-trusted': kind<{ files: readonly string[] }>({
    level: 'warning',
    say: () => 'Prosody goes on trusting a key that it has fetched before, until it restarts',
    fix: () => 'restart Prosody where a removed key must not be accepted any more',
  }),
  'kid-clash': kind<{ kid: string; kept: string; refused: string }>({
    level: 'warning',
    say: ({ kid, kept, refused }) =>
      kept === refused
        ? `${kept} publishes two different keys under the kid ${kid}: the first of them is served`
        : `${refused} publishes another key than ${kept} under the kid ${kid}: that of ${kept}, which was named first, is served`,
    fix: () =>
      'Prosody finds a key by its kid alone: rotate one of the two, or give each realm a key server and a Jitsi of its own',
  }),
  'key-replaced': kind<{ key: string; source: string; before: string }>({
    level: 'warning',
    say: ({ key, source, before }) =>
      `${key} is now another one under the same kid, that of ${source}${before === source ? '' : ` in place of ${before}`}`,
    fix: () => 'restart Prosody: it keeps the one that it has fetched before',
  }),
  'key-dropped': kind<{ key: string; source: string; grace: string }>({
    level: 'note',
    say: ({ key, source, grace }) =>
      `${key} left ${source} ${grace === '0s' ? 'just now' : `${grace} ago`} and is no longer served; ` +
      'a Prosody that has fetched it keeps it until it restarts',
    fix: () => 'restart Prosody where it must not be accepted any more',
  }),
  'keys-kept': kind<SourceArgs & { served: number | null }>({
    level: 'warning',
    say: ({ source, message, served }) => {
      const reason = reasonOf(source, message)
      if (served === null) return `${source} has given no key yet, and is asked again: ${reason}`
      const still =
        served === 0
          ? 'none of its keys is served any more'
          : `what it gave last is still served (${served} ${served === 1 ? 'key' : 'keys'})`
      return `${source} is asked again, and ${still}: ${reason}`
    },
    fix: ({ hint }) => hint,
  }),
  'keys-none': kind<SourceArgs>({
    level: 'warning',
    say: ({ source, message }) =>
      `${source} publishes no key that can be used, and is asked again: ${reasonOf(source, message)}`,
    fix: ({ hint }) => hint,
  }),
  'folder-closed': kind<{ dir: string }>({
    level: 'note',
    say: ({ dir }) =>
      `${dir} can be read by its owner or group only: a web server of another user answers 403`,
    fix: ({ dir }) => `chmod 755 ${dir}`,
  }),
  'realm-failed': kind<{ realm: string; failure: string; message: string; hint: string | undefined }>({
    level: 'error',
    say: ({ realm, message }) => `realm ${realm}: ${message}`,
    fix: ({ hint }) => hint,
  }),
  'affiliation-unknown': kind<{ role: string; known: string }>({
    level: 'warning',
    say: ({ role, known }) =>
      `the role ${role} makes nobody a moderator: the affiliations that do are ${known}`,
    fix: () => 'give --moderators role:owner',
  }),
  'roles-compete': kind<ClientArgs & { role: string; others: string }>({
    level: 'warning',
    say: ({ realm, client, role, others }) =>
      `realm ${realm}, client ${client}: somebody who has ${role} and one of these roles of the client may get that one as ` +
      `context.user.affiliation, and not moderate: ${others}`,
    fix: ({ role }) =>
      `give people who have ${role} none of them, or make these roles anew under other names`,
  }),
  'name-unmapped': kind<ClientArgs>({
    level: 'warning',
    say: ({ realm, client }) =>
      `realm ${realm}, client ${client}: tokens have a context without context.user.name; Jitsi then shows no name, ` +
      "not even the token's own",
    fix: (about) => kjitsiCommand(['setup-mappers', '--user-context'], about),
  }),
  'features-partial': kind<ClientArgs & { off: string }>({
    level: 'warning',
    say: ({ realm, client, off }) =>
      `realm ${realm}, client ${client}: tokens have some of Jitsi's features, and Jitsi turns off those that are not ` +
      `named: ${off}`,
    fix: (about) =>
      `${kjitsiCommand(['setup-mappers', '--feature', 'all=true'], about)} turns all of them on; a --feature NAME=false after it is an exception`,
  }),
  'client-disabled': kind<ClientArgs>({
    level: 'warning',
    say: ({ realm, client }) =>
      `realm ${realm}, client ${client}: it is disabled, so nobody can log in with it`,
    fix: ({ client }) => `enable it (Keycloak: Clients > ${client}, the switch at the top)`,
  }),
  'redirect-wildcard': kind<ClientArgs & { uris: string }>({
    level: 'warning',
    say: ({ realm, client, uris }) =>
      `realm ${realm}, client ${client}: these redirect URIs have wildcards: ${uris}; whoever controls a page at a matching ` +
      'address can get tokens of people who follow a link of theirs',
    fix: ({ client }) =>
      `replace them by exact addresses (Keycloak: Clients > ${client} > Settings > Valid redirect URIs)`,
  }),
  'origin-wildcard': kind<ClientArgs>({
    level: 'warning',
    say: ({ realm, client }) =>
      `realm ${realm}, client ${client}: with the web origin *, a page of any site may ask for tokens of this client and read them`,
    fix: ({ client }) =>
      `remove it, and name the origins that need it (Keycloak: Clients > ${client} > Settings > Web origins)`,
  }),
  'consent-required': kind<ClientArgs>({
    level: 'warning',
    say: ({ realm, client }) =>
      `realm ${realm}, client ${client}: Keycloak asks each person for consent before the first login ends`,
    fix: ({ client }) =>
      `turn it off where nobody needs it (Keycloak: Clients > ${client} > Settings > Consent required)`,
  }),
  'basic-scope-missing': kind<ClientArgs>({
    level: 'warning',
    say: ({ realm, client }) =>
      `realm ${realm}, client ${client}: the client scope basic is no default scope of it, and since Keycloak 25 that scope ` +
      'writes the claim sub: Jitsi refuses tokens without it (sub claim is missing)',
    fix: ({ client }) =>
      `add basic as a default scope (Keycloak: Clients > ${client} > Client scopes > Add client scope)`,
  }),
  'claims-foreign': kind<ClientArgs & { mappers: string }>({
    level: 'warning',
    say: ({ realm, client, mappers }) =>
      `realm ${realm}, client ${client}: mappers that kjitsi did not create write claims from which Jitsi takes rooms and ` +
      `rights: ${mappers}`,
    fix: (about) =>
      `delete those that are not meant (Keycloak: Clients > ${about.client} > Client scopes > ${about.client}-dedicated); ` +
      `${kjitsiCommand(['setup-mappers'], about)} creates kjitsi's own`,
  }),
  'service-account-lost': kind<ClientArgs>({
    level: 'warning',
    say: ({ realm, client }) =>
      `realm ${realm}, client ${client}: a public client has no secret, so its service account can no longer log in`,
    fix: () => 'give what used it a client of its own',
  }),
  'full-scope-stays': kind<ClientArgs & { audience: string }>({
    level: 'warning',
    say: ({ realm, client, audience }) =>
      `realm ${realm}, client ${client}: full scope stays on, so ${audience} is not put into aud, which would be a list for ` +
      'everybody: aud is "account", and a list for people with roles of other clients, whom Jitsi refuses',
    fix: () => 'give Jitsi a client of its own, or leave out --no-full-scope-change',
  }),
  'audience-list': kind<ClientArgs & { audience: string; mappers: string }>({
    level: 'warning',
    say: ({ realm, client, audience, mappers }) =>
      `realm ${realm}, client ${client}: besides ${audience}, aud gets what these mappers add: ${mappers}; Jitsi refuses an aud ` +
      'that is a list',
    fix: ({ client }) =>
      `delete them (Keycloak: Clients > ${client} > Client scopes > ${client}-dedicated), or give Jitsi a client of its own`,
  }),
  'room-unmapped': kind<ClientArgs>({
    level: 'warning',
    say: ({ realm, client }) =>
      `realm ${realm}, client ${client}: none of its mappers writes the claim room, without which Jitsi lets nobody join`,
    fix: (about) => kjitsiCommand(['setup-mappers'], about),
  }),
  'lifespan-cut': kind<ClientArgs & { lifespan: number; most: number; session: string }>({
    level: 'warning',
    say: ({ realm, client, lifespan, most, session }) =>
      `realm ${realm}, client ${client}: no token lasts ${shownDuration(lifespan)}, since a session ends after ` +
      `${shownDuration(most)} (${session} Session Max)`,
    fix: () => 'raise it (Keycloak: Realm settings > Sessions), or give a shorter --token-lifespan',
  }),
  'session-max-unseen': kind<ClientArgs & { lifespan: number }>({
    level: 'note',
    say: ({ realm, client, lifespan }) =>
      `realm ${realm}, client ${client}: this account may not see how long sessions last (view-realm), so whether tokens last ` +
      `${shownDuration(lifespan)} was not checked; Keycloak's own SSO Session Max is 10h`,
  }),
  'mapper-same-claim': kind<ClientArgs & { name: string; mappers: string }>({
    level: 'error',
    say: ({ realm, client, name, mappers }) =>
      `realm ${realm}, client ${client}: several mappers are or write ${name}: ${mappers}; nothing was changed`,
    fix: ({ client }) =>
      `delete all but one of them (Keycloak: Clients > ${client} > Client scopes > ${client}-dedicated)`,
  }),
  'mapper-taken-name': kind<ClientArgs & { name: string; does: string }>({
    level: 'error',
    say: ({ realm, client, name, does }) =>
      `realm ${realm}, client ${client}: the mapper named ${name} ${does}, so the name is taken; nothing was changed`,
    fix: ({ client }) =>
      `delete it, or create it anew under another name and then delete it, since Keycloak renames no mapper (Keycloak: ` +
      `Clients > ${client} > Client scopes > ${client}-dedicated)`,
  }),
  'mapper-nested-claim': kind<ClientArgs & { name: string; mappers: string }>({
    level: 'error',
    say: ({ realm, client, name, mappers }) =>
      `realm ${realm}, client ${client}: a claim around or inside ${name} is written by ${mappers}: with both, Keycloak ` +
      'drops one of the two or refuses every login; nothing was changed',
    fix: ({ client }) => `delete it (Keycloak: Clients > ${client} > Client scopes > ${client}-dedicated)`,
  }),

  'auth-off': kind<object>({
    level: 'error',
    say: () => 'ENABLE_AUTH is off: Prosody asks nobody for a token, and lets everybody into every room',
    fix: () => 'kjitsi gen-env .env sets it to 1',
  }),
  'rooms-open': kind<{ domain: string; mucDomain: string }>({
    level: 'error',
    say: ({ domain, mucDomain }) =>
      `XMPP_MUC_DOMAIN (${mucDomain}) is not letters and digits, a dot and XMPP_DOMAIN (${domain}): Prosody then checks no ` +
      'join, and any token that may log in opens every room',
    fix: ({ domain }) => `set XMPP_MUC_DOMAIN=muc.${domain}, or neither of the two`,
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
  'token-name': kind<{ inContext: boolean }>({
    level: 'warning',
    say: ({ inContext }) =>
      inContext
        ? 'the token has a context without context.user.name: Jitsi then shows no name, not even one beside context'
        : 'the token names nobody: there is neither context.user.name nor name',
    fix: () => 'kjitsi setup-mappers --user-context',
  }),
  'token-name-outside': kind<object>({
    level: 'note',
    say: () =>
      'name and email stand outside of context: Jitsi reads them with config.tokenGetUserInfoOutOfContext = true only',
    fix: () => 'set that in custom-config.js, or kjitsi setup-mappers --user-context',
  }),
  'token-email': kind<object>({
    level: 'note',
    say: () =>
      'the token has no email that Jitsi reads: the profile goes on offering a login to people who are logged in',
    fix: () => 'kjitsi setup-mappers --user-context',
  }),
  'token-features': kind<{ missing: readonly string[] }>({
    level: 'warning',
    say: ({ missing }) =>
      `context.features is there, and what it does not name is off: ${missing.join(', ')}`,
    fix: () => 'kjitsi setup-mappers --feature NAME=true for each of them, or map no feature at all',
  }),
}

/** A source of keys, and why it gave none. */
interface SourceArgs {
  source: string
  message: string
  hint: string | undefined
}

/** A failure's message without the name of the source, which stands before it already. */
function reasonOf(source: string, message: string): string {
  return message.startsWith(`${source}: `) ? message.slice(source.length + 2) : message
}

/** A client, its realm and its Keycloak. */
export interface ClientArgs {
  readonly url: string
  readonly realm: string
  readonly client: string
}

export type FindingCode = keyof typeof FINDINGS
type ArgsOf<C extends FindingCode> = (typeof FINDINGS)[C] extends Kind<infer A> ? A : never

export interface Finding {
  readonly code: FindingCode
  readonly level: Level
  readonly args: Readonly<Record<string, unknown>>
}

export function finding<C extends FindingCode>(code: C, args: ArgsOf<C>): Finding {
  return { code, level: FINDINGS[code].level, args: args as Readonly<Record<string, unknown>> }
}

export function sentenceOf(found: Finding): string {
  return (FINDINGS[found.code] as Kind<unknown>).say(found.args)
}

export function fixOf(found: Finding): string | undefined {
  return (FINDINGS[found.code] as Kind<unknown>).fix?.(found.args)
}

/** A finding with its sentence and fix, for scripts. */
export function plainFinding(found: Finding): Readonly<Record<string, unknown>> {
  const fix = fixOf(found)
  return { ...found, message: sentenceOf(found), ...(fix === undefined ? {} : { fix }) }
}
