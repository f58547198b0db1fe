import { describe, expect, test } from 'vitest'
import { adviseClient } from '../../src/keycloak/advise-client.ts'
import type { Client, SessionLimits } from '../../src/keycloak/client.ts'
import { type ClientOptions, type ClientSettings, clientWish } from '../../src/keycloak/desired-client.ts'
import type { ExistingMapper, Mapper } from '../../src/keycloak/mappers.ts'
import { type Item } from '../../src/keycloak/plan.ts'
import { planClient, planClientRemoval } from '../../src/keycloak/plan-client.ts'

const ORIGIN = 'https://meet.example.org'
const OPTIONS: ClientOptions = {
  client: 'jitsi',
  tokenAudience: undefined,
  moderatorRole: undefined,
  tokenLifespan: 36_000,
  makePublic: false,
  fullScopeChange: true,
}
const WISH = clientWish([ORIGIN], OPTIONS)
const ALL_MAPPERS = [WISH.audienceMapper, ...WISH.firstMappers]

function existing(mapper: Mapper): ExistingMapper {
  return { id: `id-${mapper.name}`, ...mapper }
}

/** The client as setup-client leaves it, but for some settings and attributes. */
function client(
  settings: Partial<ClientSettings> = {},
  attributes: Record<string, string | undefined> = {},
  more: Partial<Client> = {},
): Client {
  const all = Object.entries({ ...WISH.settings.attributes, ...settings.attributes, ...attributes })
  const given = all.filter((entry): entry is [string, string] => entry[1] !== undefined)
  return {
    clientId: 'jitsi',
    clientUuid: 'uuid',
    canManage: true,
    mappers: ALL_MAPPERS.map(existing),
    settings: { ...WISH.settings, ...settings, attributes: Object.fromEntries(given) },
    // As Keycloak gives them for a new client.
    rest: {
      enabled: true,
      clientAuthenticatorType: 'client-secret',
      notBefore: 0,
      nodeReRegistrationTimeout: -1,
    },
    ...more,
  }
}

/** An update in short: `field from → to (effect)`. */
function short(item: Item): readonly string[] {
  if (item.action !== 'update') return [item.action]
  return item.changes.map(({ field, from, to, added, effect }) => {
    const change = added ? `+ ${added.join(' ')}` : `${from ?? 'absent'} → ${to ?? 'absent'}`
    return `${field} ${change}${effect ? ` (${effect})` : ''}`
  })
}

describe('planClient', () => {
  test('a client that is not there is created whole', () => {
    expect(planClient('meet', WISH, undefined)).toEqual({
      action: 'create',
      kind: 'client',
      name: 'jitsi',
      client: {
        clientId: 'jitsi',
        protocol: 'openid-connect',
        publicClient: true,
        standardFlowEnabled: true,
        implicitFlowEnabled: false,
        directAccessGrantsEnabled: false,
        serviceAccountsEnabled: false,
        authorizationServicesEnabled: false,
        fullScopeAllowed: false,
        redirectUris: ['https://meet.example.org/static/sso.html'],
        webOrigins: ['https://meet.example.org'],
        attributes: {
          'pkce.code.challenge.method': 'S256',
          'post.logout.redirect.uris': 'https://meet.example.org/static/logout.html',
          'access.token.lifespan': '36000',
          'use.refresh.tokens': 'false',
          'access.token.signed.response.alg': 'RS256',
        },
      },
    })
  })

  test('one that is as wanted is kept', () => {
    expect(planClient('meet', WISH, client())).toEqual({ action: 'keep', kind: 'client', name: 'jitsi' })
  })

  test.each<[what: string, have: Client, plan: readonly string[]]>([
    [
      'no standard flow',
      client({ standardFlowEnabled: false }),
      ['standardFlowEnabled false → true (loosens)'],
    ],
    ['implicit flow', client({ implicitFlowEnabled: true }), ['implicitFlowEnabled true → false (tightens)']],
    [
      'direct grants',
      client({ directAccessGrantsEnabled: true }),
      ['directAccessGrantsEnabled true → false (tightens)'],
    ],
    ['full scope', client({ fullScopeAllowed: true }), ['fullScopeAllowed true → false (tightens)']],
    [
      'another redirect URI',
      client({ redirectUris: ['https://other.example.org/*'] }),
      ['redirectUris + https://meet.example.org/static/sso.html (loosens)'],
    ],
    [
      'another origin',
      client({ webOrigins: ['https://meet.example.org/', '+'] }),
      ['webOrigins + https://meet.example.org (loosens)'],
    ],
    [
      'no PKCE',
      client({}, { 'pkce.code.challenge.method': undefined }),
      ['pkce.code.challenge.method absent → S256 (tightens)'],
    ],
    [
      'refresh tokens, which are on where nothing is said',
      client({}, { 'use.refresh.tokens': undefined }),
      ['use.refresh.tokens absent → false (tightens)'],
    ],
    [
      'another algorithm',
      client({}, { 'access.token.signed.response.alg': 'ES256' }),
      ['access.token.signed.response.alg ES256 → RS256'],
    ],
    [
      'a shorter lifespan',
      client({}, { 'access.token.lifespan': '60' }),
      ['access.token.lifespan 60 → 36000 (loosens)'],
    ],
    [
      'a longer lifespan',
      client({}, { 'access.token.lifespan': '86400' }),
      ['access.token.lifespan 86400 → 36000 (tightens)'],
    ],
    [
      "the realm's lifespan",
      client({}, { 'access.token.lifespan': undefined }),
      ['access.token.lifespan absent → 36000 (loosens)'],
    ],
    [
      'another post-logout URI',
      client({}, { 'post.logout.redirect.uris': 'https://other.example.org/bye' }),
      ['post.logout.redirect.uris + https://meet.example.org/static/logout.html (loosens)'],
    ],
    [
      'no logout to anywhere',
      client({}, { 'post.logout.redirect.uris': '-' }),
      ['post.logout.redirect.uris - → https://meet.example.org/static/logout.html (loosens)'],
    ],
    [
      'at+jwt',
      client({}, { 'access.token.header.type.rfc9068': 'true' }),
      ['access.token.header.type.rfc9068 true → false'],
    ],
    [
      'lightweight tokens',
      client({}, { 'client.use.lightweight.access.token.enabled': 'true' }),
      ['client.use.lightweight.access.token.enabled true → false'],
    ],
    [
      'DPoP',
      client({}, { 'dpop.bound.access.tokens': 'true' }),
      ['dpop.bound.access.tokens true → false (loosens)'],
    ],
    [
      'a question before the logout',
      client({}, { 'logout.confirmation.enabled': 'true' }),
      ['logout.confirmation.enabled true → false'],
    ],
    ['what is off already', client({}, { 'dpop.bound.access.tokens': 'false' }), ['keep']],
    [
      'others besides',
      client(
        {
          redirectUris: ['https://other.example.org/*', `${ORIGIN}/static/sso.html`],
          webOrigins: ['*', ORIGIN],
        },
        { 'post.logout.redirect.uris': `+##${ORIGIN}/static/logout.html`, login_theme: 'mine' },
      ),
      ['keep'],
    ],
  ])('%s', (_, have, plan) => {
    expect(short(planClient('meet', WISH, have))).toEqual(plan)
  })

  test('only what changes is sent, lists with what they had', () => {
    const have = client(
      {
        redirectUris: ['https://other.example.org/*'],
        implicitFlowEnabled: true,
        serviceAccountsEnabled: true,
      },
      { 'access.token.lifespan': '60', login_theme: 'mine' },
    )
    expect(planClient('meet', WISH, have)).toMatchObject({ action: 'update' })
    expect((planClient('meet', WISH, have) as { client: unknown }).client).toEqual({
      clientId: 'jitsi',
      serviceAccountsEnabled: true,
      implicitFlowEnabled: false,
      redirectUris: ['https://other.example.org/*', 'https://meet.example.org/static/sso.html'],
      attributes: { 'access.token.lifespan': '36000' },
    })
  })

  test.each([
    // Without the list, logouts may end at the redirect URIs; with one, no longer.
    [undefined, '+##https://meet.example.org/static/logout.html'],
    ['', '+##https://meet.example.org/static/logout.html'],
    ['+', '+##https://meet.example.org/static/logout.html'],
    ['-', 'https://meet.example.org/static/logout.html'],
    ['-##https://a.example.org/bye', 'https://meet.example.org/static/logout.html'],
    // Elsewhere than at the head it means nothing to Keycloak.
    [
      'https://a.example.org/bye##-',
      'https://a.example.org/bye##-##https://meet.example.org/static/logout.html',
    ],
    [
      'https://a.example.org/bye##+',
      'https://a.example.org/bye##+##https://meet.example.org/static/logout.html',
    ],
  ])('the post-logout URIs %j become %j', (have, list) => {
    const item = planClient('meet', WISH, client({}, { 'post.logout.redirect.uris': have }))
    expect(item).toMatchObject({ client: { attributes: { 'post.logout.redirect.uris': list } } })
  })

  test('several addresses, and only those that are missing', () => {
    const wish = clientWish([ORIGIN, 'https://b.example.org', 'https://c.example.org:8443'], OPTIONS)
    const have = client({ webOrigins: [ORIGIN, 'https://b.example.org'] })
    expect(short(planClient('meet', wish, have))).toEqual([
      'redirectUris + https://b.example.org/static/sso.html https://c.example.org:8443/static/sso.html (loosens)',
      'webOrigins + https://c.example.org:8443 (loosens)',
      'post.logout.redirect.uris + https://b.example.org/static/logout.html https://c.example.org:8443/static/logout.html (loosens)',
    ])
  })

  test('full scope stays where it is not to be changed', () => {
    const wish = { ...WISH, fullScopeChange: false }
    expect(short(planClient('meet', wish, client({ fullScopeAllowed: true })))).toEqual(['keep'])
    expect(planClient('meet', wish, undefined)).toMatchObject({ client: { fullScopeAllowed: false } })
  })

  test('a confidential client is refused, with the way out', () => {
    expect(() => planClient('meet', WISH, client({ publicClient: false }))).toThrow(
      expect.objectContaining({
        code: 'usage',
        message:
          "realm meet, client jitsi: it is confidential, and Jitsi's login is a page in the browser, which can keep no secret",
        hint: expect.stringContaining('--make-public makes it public') as string,
      }) as Error,
    )
  })

  test('--make-public makes it public, and keeps its service account', () => {
    const have = client({ publicClient: false, serviceAccountsEnabled: true })
    const item = planClient('meet', { ...WISH, makePublic: true }, have)
    expect(short(item)).toEqual(['publicClient false → true (loosens)'])
    expect(item).toMatchObject({
      client: { clientId: 'jitsi', publicClient: true, serviceAccountsEnabled: true },
    })
  })

  test('--make-public deletes no authorization settings, as Keycloak would', () => {
    const have = client({ publicClient: false, authorizationServicesEnabled: true })
    expect(() => planClient('meet', { ...WISH, makePublic: true }, have)).toThrow(
      'it is confidential, and Keycloak would delete its authorization settings were it made public',
    )
  })
})

describe('planClientRemoval', () => {
  test.each<[what: string, have: Client | undefined, roles: readonly string[], why: string | undefined]>([
    ['exactly as it would be created', client(), [], undefined],
    [
      'what Keycloak adds by itself',
      client({}, { realm_client: 'false', 'backchannel.logout.session.required': 'true' }),
      [],
      undefined,
    ],
    ['none there', undefined, [], 'not there, or not visible to this account'],
    ['with a role', client(), ['owner'], 'people may hold its roles: delete owner first'],
    [
      'another redirect URI',
      client({ redirectUris: [`${ORIGIN}/static/sso.html`, 'https://x.example.org/*'] }),
      [],
      'not as these options would create it: redirectUris',
    ],
    [
      'another flow',
      client({ implicitFlowEnabled: true }),
      [],
      'not as these options would create it: implicitFlowEnabled',
    ],
    [
      'another lifespan',
      client({}, { 'access.token.lifespan': '60' }),
      [],
      'not as these options would create it: access.token.lifespan',
    ],
    [
      'an attribute besides',
      client({}, { login_theme: 'mine' }),
      [],
      'not as these options would create it: login_theme',
    ],
    [
      'a name, and switched off',
      client({}, {}, { rest: { enabled: false, name: 'Jitsi' } }),
      [],
      'not as these options would create it: enabled, name',
    ],
    [
      'a mapper besides',
      client(
        {},
        {},
        { mappers: [...ALL_MAPPERS.map(existing), existing({ ...WISH.audienceMapper, name: 'mine' })] },
      ),
      [],
      'not as these options would create it: mapper mine',
    ],
    [
      'a mapper that was changed',
      client(
        {},
        {},
        {
          mappers: ALL_MAPPERS.map((mapper) =>
            existing(
              mapper.name === 'room'
                ? { ...mapper, config: { ...mapper.config, 'claim.value': 'team' } }
                : mapper,
            ),
          ),
        },
      ),
      [],
      'not as these options would create it: mapper room',
    ],
    // Somebody took it away: there is nothing in it that is not ours.
    ['a mapper less', client({}, {}, { mappers: [] }), [], undefined],
  ])('%s', (_, have, roles, why) => {
    expect(planClientRemoval(WISH, have, roles)).toEqual({
      kind: 'client',
      name: 'jitsi',
      ...(why === undefined ? { action: 'remove' } : { action: 'keep', why }),
    })
  })
})

test('several addresses come back in any order', () => {
  const origins = [ORIGIN, 'https://b.example.org']
  const { settings } = clientWish(origins, OPTIONS)
  expect(planClientRemoval(clientWish(origins.toReversed(), OPTIONS), client(settings), [])).toMatchObject({
    action: 'remove',
  })
})

describe('adviseClient', () => {
  const WHERE = { url: 'https://auth.example.org', realm: 'meet', client: 'jitsi' }
  const codes = (
    have: Client | undefined,
    options: { wish?: Partial<typeof WISH>; mappers?: readonly Mapper[]; limits?: SessionLimits } = {},
  ): readonly string[] =>
    adviseClient(
      WHERE,
      { ...WISH, ...options.wish },
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

  test.each<[what: string, found: readonly string[], expected: readonly string[]]>([
    ['nothing to say', codes(client()), []],
    ['nothing to say of a new one', codes(undefined), []],
    ['disabled', codes(client({}, {}, { rest: { enabled: false } })), ['client-disabled']],
    [
      'its service account',
      codes(client({ publicClient: false, serviceAccountsEnabled: true }), { wish: { makePublic: true } }),
      ['service-account-lost'],
    ],
    [
      'full scope stays',
      codes(client({ fullScopeAllowed: true }), { wish: { fullScopeChange: false } }),
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
    ['no room', codes(client(), { mappers: [WISH.audienceMapper] }), ['room-unmapped']],
    ['sessions as long as tokens', codes(undefined, { limits: { sso: 36_000, client: 0 } }), []],
    ['shorter sessions', codes(undefined, { limits: { sso: 35_999, client: 0 } }), ['lifespan-cut']],
    [
      "shorter clients' sessions",
      codes(undefined, { limits: { sso: 99_999, client: 60 } }),
      ['lifespan-cut'],
    ],
    [
      "shorter sessions of this client's own",
      codes(client({}, { 'client.session.max.lifespan': '60' }), { limits: { sso: 99_999, client: 99_999 } }),
      ['lifespan-cut'],
    ],
    [
      "longer sessions of this client's own than of others",
      codes(client({}, { 'client.session.max.lifespan': '50000' }), { limits: { sso: 99_999, client: 60 } }),
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
    const [found] = adviseClient(WHERE, WISH, undefined, ALL_MAPPERS, { sso: 7200, client: 0 })
    expect(found?.message).toBe(
      'realm meet, client jitsi: no token lasts 10h, since a session ends after 2h (SSO Session Max)',
    )
  })
})

test('the mappers are the audience, that of moderators where they have a role, and what setup-mappers makes by default', () => {
  const names = ({ audienceMapper, moderatorMappers, firstMappers }: typeof WISH): object => ({
    audience: audienceMapper.name,
    moderators: moderatorMappers.map(({ name }) => name),
    first: firstMappers.map(({ name }) => name),
  })
  expect(names(WISH)).toEqual({ audience: 'audience-jitsi', moderators: [], first: ['room', 'bnf'] })
  expect(names(clientWish([ORIGIN], { ...OPTIONS, tokenAudience: 'meet', moderatorRole: 'owner' }))).toEqual({
    audience: 'audience-meet',
    moderators: ['context.user.affiliation'],
    first: ['room', 'bnf'],
  })
})
