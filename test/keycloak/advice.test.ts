import { describe, expect, test } from 'vitest'
import { adviseClient, adviseRole, advisePlan } from '../../src/keycloak/advice.ts'
import type { Client, SessionLimits } from '../../src/keycloak/client.ts'
import type { ExistingMapper, Mapper } from '../../src/keycloak/mappers.ts'
import { planMappers } from '../../src/keycloak/plan-mappers.ts'
import { ALL_MAPPERS, DESIRED, client, existing } from '../support/jitsi-client.ts'

function hardcoded(claim: string, value: string): Mapper {
  return {
    name: claim,
    protocol: 'openid-connect',
    protocolMapper: 'oidc-hardcoded-claim-mapper',
    config: { 'claim.name': claim, 'claim.value': value, 'access.token.claim': 'true' },
  }
}

const ROOM = hardcoded('room', '*')
test.each(['owner', 'moderator', 'teacher', undefined])('the moderator role %s is fine', (moderatorRole) => {
  expect(adviseRole(moderatorRole)).toEqual([])
})

test('another moderator role makes nobody a moderator, which is said', () => {
  expect(adviseRole('chief').map(({ message }) => message)).toEqual([
    'the role chief makes nobody a moderator: the affiliations that do are owner, moderator, teacher',
  ])
})

const CLIENT = { url: 'https://auth.example.org', realm: 'r', client: 'jitsi' }
const HEAD = 'realm r, client jitsi: '

test.each<[what: string, want: readonly Mapper[], have: readonly ExistingMapper[], said: readonly string[]]>([
  ['no context', [ROOM], [], []],
  [
    'a context without a name',
    [hardcoded('context.group', 'g')],
    [],
    [
      `${HEAD}tokens have a context without context.user.name; Jitsi then shows no name, not even the token's own`,
    ],
  ],
  [
    'a context with a name of their own',
    [hardcoded('context.group', 'g')],
    [existing(hardcoded('context.user.name', 'x'))],
    [],
  ],
  ['a context with our name', [hardcoded('context.user.name', 'x'), hardcoded('context.group', 'g')], [], []],
  [
    'some features',
    [hardcoded('context.user.name', 'x')],
    [existing(hardcoded('context.features.lobby', 'true'))],
    [
      expect.stringMatching(
        /^realm r, client jitsi: tokens have some of Jitsi's features.*: branding, (?!.*lobby)/,
      ) as string,
    ],
  ],
  [
    'two of a claim',
    [ROOM],
    [existing({ ...ROOM, name: 'a' }), existing({ ...ROOM, name: 'b' })],
    [`${HEAD}several mappers are or write room: a, b; nothing was changed`],
  ],
  [
    'a name that is taken',
    [ROOM],
    [existing({ ...hardcoded('building.room', 'x'), name: 'room' })],
    [
      `${HEAD}the mapper named room writes the claim building.room, so the name is taken; nothing was changed`,
    ],
  ],
  [
    'a claim around ours',
    [hardcoded('context.user.name', 'x')],
    [existing({ ...hardcoded('context', '{}'), name: 'ctx' })],
    [
      `${HEAD}a claim around or inside context.user.name is written by ctx: with both, Keycloak drops one of the two or ` +
        'refuses every login; nothing was changed',
    ],
  ],
])('advice: %s', (_, want, have, said) => {
  expect(
    advisePlan(CLIENT, planMappers(want, have), have, undefined, []).map(({ message }) => message),
  ).toEqual(said)
})

const COMPETE = (role: string, others: string): string =>
  `${HEAD}somebody who has ${role} and one of these roles of the client may get that one as ` +
  `context.user.affiliation, and not moderate: ${others}`

const CASE = `${HEAD}the role owner is not among its roles, and Owner is: to Keycloak and Jitsi these are two, and who has the other does not moderate`

test.each<[role: string, roles: string[], said: string[]]>([
  ['owner', [], []],
  ['owner', ['Owner'], [CASE]],
  ['owner', ['owner', 'teacher', 'moderator'], []],
  // Which of two Keycloak takes was seen on a real one: test/real/setup-client.test.ts.
  ['owner', ['owner', 'guest', 'alpha', 'own', 'Owner'], []],
  ['owner', ['owner', 'zeta', 'bbb'], [COMPETE('owner', 'zeta')]],
  ['moderator', ['moderator', 'guest', 'alpha', 'Owner'], [COMPETE('moderator', 'alpha, Owner')]],
  ['teacher', ['teacher', 'admin'], []],
  // The 13th role of a person makes the table larger, and teacher comes later in it.
  [
    'teacher',
    ['teacher', 'admin', ...Array.from({ length: 11 }, (_, i) => `role-${i}`)],
    [expect.stringContaining('not moderate: admin, role-0') as string],
  ],
])('advice: the moderator role %s beside %j', (role, roles, said) => {
  expect(advisePlan(CLIENT, [], [], role, roles).map(({ message }) => message)).toEqual(said)
})

describe('adviseClient', () => {
  const limitsOf = (ssoSessionMaxLifespan: number, clientSessionMaxLifespan: number): SessionLimits => ({
    ssoSessionMaxLifespan,
    clientSessionMaxLifespan,
  })
  const WHERE = { url: 'https://auth.example.org', realm: 'meet', client: 'jitsi' }
  const codes = (
    have: Client | undefined,
    options: { desired?: Partial<typeof DESIRED>; mappers?: readonly Mapper[]; limits?: SessionLimits } = {},
  ): readonly string[] =>
    adviseClient(
      WHERE,
      { ...DESIRED, ...options.desired },
      have,
      options.mappers ?? ALL_MAPPERS,
      options.limits,
    ).map(({ code }) => code)

  const audience = (name: string, config: Record<string, string>): Mapper => ({
    name,
    protocol: 'openid-connect',
    protocolMapper: 'oidc-audience-mapper',
    config: { 'access.token.claim': 'true', ...config },
  })
  const hardcodedAud: Mapper = {
    name: 'aud',
    protocol: 'openid-connect',
    protocolMapper: 'oidc-hardcoded-claim-mapper',
    config: { 'claim.name': 'aud', 'access.token.claim': 'true' },
  }

  const MODERATOR = existing(hardcoded('context.user.affiliation', 'owner'))

  test.each<[what: string, found: readonly string[], expected: readonly string[]]>([
    ['nothing to say', codes(client()), []],
    ['nothing to say of a new one', codes(undefined), []],
    ['disabled', codes(client({}, {}, { rest: { enabled: false } })), ['client-disabled']],
    [
      'its service account',
      codes(client({ publicClient: false, serviceAccountsEnabled: true }), { desired: { makePublic: true } }),
      ['service-account-lost'],
    ],
    [
      'full scope stays',
      codes(client({ fullScopeAllowed: true }), { desired: { fullScopeChange: false } }),
      ['full-scope-stays'],
    ],
    ['full scope goes', codes(client({ fullScopeAllowed: true })), []],
    [
      'another audience',
      codes(client(), { mappers: [...ALL_MAPPERS, audience('b', { 'included.custom.audience': 'b' })] }),
      ['audience-list'],
    ],
    [
      "another client's audience",
      codes(client(), { mappers: [...ALL_MAPPERS, audience('b', { 'included.client.audience': 'b' })] }),
      ['audience-list'],
    ],
    [
      'the same audience twice',
      codes(client(), { mappers: [...ALL_MAPPERS, audience('b', { 'included.client.audience': 'jitsi' })] }),
      [],
    ],
    [
      'another audience of the ID token',
      codes(client(), {
        mappers: [
          ...ALL_MAPPERS,
          audience('b', { 'included.custom.audience': 'b', 'access.token.claim': 'false' }),
        ],
      }),
      [],
    ],
    ['a hardcoded aud', codes(client(), { mappers: [...ALL_MAPPERS, hardcodedAud] }), ['audience-list']],
    ['no room', codes(client(), { mappers: [DESIRED.audienceMapper] }), ['room-unmapped']],
    ['a redirect URI for all', codes(client({ redirectUris: ['*'] })), ['redirect-wildcard']],
    [
      'one for a whole site',
      codes(client({ redirectUris: ['https://a.example.org/*'] })),
      ['redirect-wildcard'],
    ],
    ['a web origin for all', codes(client({ webOrigins: ['*'] })), ['origin-wildcard']],
    ["the redirect URIs' origins", codes(client({ webOrigins: ['+'] })), []],
    ['consent', codes(client({}, {}, { rest: { consentRequired: true } })), ['consent-required']],
    ['scopes with basic', codes(client({}, {}, { rest: { defaultClientScopes: ['acr', 'basic'] } })), []],
    [
      'scopes without basic',
      codes(client({}, {}, { rest: { defaultClientScopes: ['acr'] } })),
      ['basic-scope-missing'],
    ],
    [
      'sub from a mapper of its own',
      codes(
        client({}, {}, { rest: { defaultClientScopes: [] }, mappers: [existing(hardcoded('sub', '*'))] }),
      ),
      [],
    ],
    ['a context as kjitsi writes it', codes(client({}, {}, { mappers: [MODERATOR] })), []],
    [
      'a moderator by another mapper',
      codes(client({}, {}, { mappers: [{ ...MODERATOR, name: 'mods' }] })),
      ['claims-foreign'],
    ],
    [
      'the same in the ID token alone',
      codes(
        client(
          {},
          {},
          {
            mappers: [
              {
                ...MODERATOR,
                name: 'mods',
                config: { ...MODERATOR.config, 'access.token.claim': 'false' },
              },
            ],
          },
        ),
      ),
      [],
    ],
    [
      'a context as a whole',
      codes(client({}, {}, { mappers: [existing(hardcoded('context', '{}'))] })),
      ['claims-foreign'],
    ],
    [
      'a claim that is none of ours',
      codes(client({}, {}, { mappers: [existing({ ...hardcoded('rooms', 'x'), name: 'theirs' })] })),
      [],
    ],
    ['sessions as long as tokens', codes(undefined, { limits: limitsOf(36_000, 0) }), []],
    ['shorter sessions', codes(undefined, { limits: limitsOf(35_999, 0) }), ['lifespan-cut']],
    ["shorter clients' sessions", codes(undefined, { limits: limitsOf(99_999, 60) }), ['lifespan-cut']],
    [
      "shorter sessions of this client's own",
      codes(client({}, { 'client.session.max.lifespan': '60' }), { limits: limitsOf(99_999, 99_999) }),
      ['lifespan-cut'],
    ],
    [
      "longer sessions of this client's own than of others",
      codes(client({}, { 'client.session.max.lifespan': '50000' }), { limits: limitsOf(99_999, 60) }),
      [],
    ],
    ['sessions unseen', codes(undefined, { limits: {} }), ['session-max-unseen']],
    [
      'sessions unseen, but those of the client are too short',
      codes(client({}, { 'client.session.max.lifespan': '60' }), { limits: {} }),
      ['lifespan-cut'],
    ],
  ])('%s', (_, found, expected) => {
    expect(found).toEqual(expected)
  })

  test('a lifespan that is cut is said in hours and with the setting that cuts it', () => {
    const [found] = adviseClient(WHERE, DESIRED, undefined, ALL_MAPPERS, limitsOf(7200, 0))
    expect(found?.message).toBe(
      'realm meet, client jitsi: no token lasts 10h, since a session ends after 2h (SSO Session Max)',
    )
  })
})
