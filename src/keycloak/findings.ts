// What is worth knowing about a client, its mappers and roles.
import { shownDuration } from '../duration.ts'
import { type Kind, findingsOf, kind } from '../finding.ts'
import { kjitsiCommand } from '../shell.ts'

/** A row about one client, which its sentence begins with: a warning unless it says otherwise. */
const ofClient = <A>(
  row: Partial<Kind<ClientArgs & A>> & Pick<Kind<ClientArgs & A>, 'say'>,
): Kind<ClientArgs & A> => ({
  level: 'warning',
  ...row,
  say: (about) => `realm ${about.realm}, client ${about.client}: ${row.say(about)}`,
})

/** Which of Keycloak's pages. */
const page = (client: string, place: string): string => `(Keycloak: Clients > ${client} > ${place})`
const mappersPage = (client: string): string => page(client, `Client scopes > ${client}-dedicated`)

export const keycloakFinding = findingsOf({
  'address-shortened': kind<{ address: string; left: string }>({
    level: 'note',
    say: ({ address, left }) =>
      `the address of Keycloak is ${address}; ${left || 'what begins with ? or #'} is not part of it, and was left out`,
    fix: ({ left }) =>
      /^\/+realms\/./i.test(left) ? 'a realm is given by --realm or KEYCLOAK_REALM' : undefined,
  }),
  'realm-failed': kind<{ realm: string; failure: string; message: string; hint: string | undefined }>({
    level: 'error',
    say: ({ realm, message }) => `realm ${realm}: ${message}`,
    fix: ({ hint }) => hint,
  }),
  drift: ofClient<{ changes: string }>({
    level: 'error',
    say: ({ changes }) => `it differs from what these options set: ${changes}`,
    fix: () => 'run it without --check to make these changes',
  }),
  'affiliation-unknown': kind<{ role: string; known: string }>({
    level: 'warning',
    say: ({ role, known }) =>
      `the role ${role} makes nobody a moderator: the affiliations that do are ${known}`,
    fix: () => 'give --moderators role:owner',
  }),
  'role-case': ofClient<{ role: string; alike: string }>({
    say: ({ role, alike }) =>
      `the role ${role} is not among its roles, and ${alike} is: to Keycloak and Jitsi these ` +
      'are two, and who has the other does not moderate',
    fix: ({ role, alike }) => `give people ${role} in place of ${alike}, or correct --moderators`,
  }),
  'roles-compete': ofClient<{ role: string; others: string }>({
    say: ({ role, others }) =>
      `somebody who has ${role} and one of these roles of the client may get that one as ` +
      `context.user.affiliation, and not moderate: ${others}`,
    fix: ({ role }) =>
      `give people who have ${role} none of them, or make these roles anew under other names`,
  }),
  'name-unmapped': ofClient<object>({
    say: () =>
      "tokens have a context without context.user.name; Jitsi then shows no name, not even the token's own",
    fix: (about) => kjitsiCommand(['setup-mappers', '--user-context'], about),
  }),
  'features-partial': ofClient<{ off: string }>({
    say: ({ off }) =>
      `tokens have some of Jitsi's features, and Jitsi turns off those that are not named: ${off}`,
    fix: (about) =>
      `${kjitsiCommand(['setup-mappers', '--feature', 'all=true'], about)} turns all of them on; a --feature NAME=false after it is an exception`,
  }),
  'client-disabled': ofClient<object>({
    say: () => `it is disabled, so nobody can log in with it`,
    fix: ({ client }) => `enable it (Keycloak: Clients > ${client}, the switch at the top)`,
  }),
  'redirect-wildcard': ofClient<{ uris: string }>({
    say: ({ uris }) =>
      `these redirect URIs have wildcards: ${uris}; whoever controls a page at a matching ` +
      'address can get tokens of people who follow a link of theirs',
    fix: ({ client }) => `replace them by exact addresses ${page(client, 'Settings > Valid redirect URIs')}`,
  }),
  'origin-wildcard': ofClient<object>({
    say: () => `with the web origin *, a page of any site may ask for tokens of this client and read them`,
    fix: ({ client }) =>
      `remove it, and name the origins that need it ${page(client, 'Settings > Web origins')}`,
  }),
  'consent-required': ofClient<object>({
    say: () => `Keycloak asks each person for consent before the first login ends`,
    fix: ({ client }) => `turn it off where nobody needs it ${page(client, 'Settings > Consent required')}`,
  }),
  'basic-scope-missing': ofClient<object>({
    say: () =>
      `the client scope basic is no default scope of it, and since Keycloak 25 that scope ` +
      'writes the claim sub: Jitsi refuses tokens without it (sub claim is missing)',
    fix: ({ client }) => `add basic as a default scope ${page(client, 'Client scopes > Add client scope')}`,
  }),
  'claims-foreign': ofClient<{ mappers: string }>({
    say: ({ mappers }) =>
      `mappers that kjitsi did not create write claims from which Jitsi takes rooms and ` +
      `rights: ${mappers}`,
    fix: (about) =>
      `delete those that are not meant ${mappersPage(about.client)}; ` +
      `${kjitsiCommand(['setup-mappers'], about)} creates kjitsi's own`,
  }),
  'service-account-lost': ofClient<object>({
    say: () => `a public client has no secret, so its service account can no longer log in`,
    fix: () => 'give what used it a client of its own',
  }),
  'full-scope-stays': ofClient<{ audience: string }>({
    say: ({ audience }) =>
      `full scope stays on, so ${audience} is not put into aud, which would be a list for ` +
      'everybody: aud is "account", and a list for people with roles of other clients, whom Jitsi refuses',
    fix: () => 'give Jitsi a client of its own, or leave out --no-full-scope-change',
  }),
  'audience-list': ofClient<{ audience: string; mappers: string }>({
    say: ({ audience, mappers }) =>
      `besides ${audience}, aud gets what these mappers add: ${mappers}; Jitsi refuses an aud ` +
      'that is a list',
    fix: ({ client }) => `delete them ${mappersPage(client)}, or give Jitsi a client of its own`,
  }),
  'room-unmapped': ofClient<object>({
    say: () => `none of its mappers writes the claim room, without which Jitsi lets nobody join`,
    fix: (about) => kjitsiCommand(['setup-mappers'], about),
  }),
  'user-disabled': kind<{ realm: string; user: string }>({
    level: 'warning',
    say: ({ realm, user }) => `realm ${realm}: user ${user} is disabled, and cannot log in`,
    fix: ({ user }) => `enable the user (Keycloak: Users > ${user}, the switch at the top)`,
  }),
  'lifespan-cut': ofClient<{ lifespan: number; most: number; session: string }>({
    say: ({ lifespan, most, session }) =>
      `no token lasts ${shownDuration(lifespan)}, since a session ends after ` +
      `${shownDuration(most)} (${session} Session Max)`,
    fix: () => 'raise it (Keycloak: Realm settings > Sessions), or give a shorter --token-lifespan',
  }),
  'session-max-unseen': ofClient<{ lifespan: number }>({
    level: 'note',
    say: ({ lifespan }) =>
      `this account may not see how long sessions last (view-realm), so whether tokens last ` +
      `${shownDuration(lifespan)} was not checked; Keycloak's own SSO Session Max is 10h`,
  }),
  'mapper-same-claim': ofClient<{ name: string; mappers: string }>({
    level: 'error',
    say: ({ name, mappers }) => `several mappers are or write ${name}: ${mappers}; nothing was changed`,
    fix: ({ client }) => `delete all but one of them ${mappersPage(client)}`,
  }),
  'mapper-taken-name': ofClient<{ name: string; does: string }>({
    level: 'error',
    say: ({ name, does }) => `the mapper named ${name} ${does}, so the name is taken; nothing was changed`,
    fix: ({ client }) =>
      'delete it, or create it anew under another name and then delete it, since Keycloak renames no mapper ' +
      mappersPage(client),
  }),
  'mapper-nested-claim': ofClient<{ name: string; mappers: string }>({
    level: 'error',
    say: ({ name, mappers }) =>
      `a claim around or inside ${name} is written by ${mappers}: with both, Keycloak ` +
      'drops one of the two or refuses every login; nothing was changed',
    fix: ({ client }) => `delete it ${mappersPage(client)}`,
  }),
})

/** A client, its realm and its Keycloak. */
export interface ClientArgs {
  readonly url: string
  readonly realm: string
  readonly client: string
}
