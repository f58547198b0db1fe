import { describe, expect, test } from 'vitest'
import type { Client } from '../../src/keycloak/client.ts'
import { desiredClient } from '../../src/keycloak/desired-client.ts'
import type { Item } from '../../src/keycloak/plan.ts'
import { planClient, planClientRemoval } from '../../src/keycloak/plan-client.ts'
import { ALL_MAPPERS, OPTIONS, ORIGIN, DESIRED, client, existing } from '../support/jitsi-client.ts'

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
    expect(planClient('meet', DESIRED, undefined)).toEqual({
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
        frontchannelLogout: false,
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
    expect(planClient('meet', DESIRED, client())).toEqual({ action: 'keep', kind: 'client', name: 'jitsi' })
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
    [
      'pushed authorization requests only',
      client({}, { 'require.pushed.authorization.requests': 'true' }),
      ['require.pushed.authorization.requests true → false (loosens)'],
    ],
    [
      'signed request objects only',
      client({}, { 'request.object.required': 'request or request_uri' }),
      ['request.object.required request or request_uri → not required (loosens)'],
    ],
    [
      'no request object needed',
      client({}, { 'request.object.required': 'not required', 'require.pushed.authorization.requests': '' }),
      ['keep'],
    ],
    [
      'encrypted ID tokens',
      client(
        {},
        { 'id.token.encrypted.response.alg': 'RSA-OAEP', 'id.token.encrypted.response.enc': 'A256GCM' },
      ),
      ['id.token.encrypted.response.alg RSA-OAEP →  (loosens)'],
    ],
    [
      'tokens bound to a certificate',
      client({}, { 'tls.client.certificate.bound.access.tokens': 'true' }),
      ['tls.client.certificate.bound.access.tokens true → false (loosens)'],
    ],
    [
      'a logout page of its own',
      client({ frontchannelLogout: true }, { 'frontchannel.logout.url': 'https://other.example.org/bye' }),
      ['frontchannelLogout true → false'],
    ],
    ['front-channel logout without an address', client({ frontchannelLogout: true }), ['keep']],
    [
      'an address of no use',
      client({}, { 'frontchannel.logout.url': 'https://other.example.org/bye' }),
      ['keep'],
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
    expect(short(planClient('meet', DESIRED, have))).toEqual(plan)
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
    expect(planClient('meet', DESIRED, have)).toMatchObject({ action: 'update' })
    expect((planClient('meet', DESIRED, have) as { client: unknown }).client).toEqual({
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
    const item = planClient('meet', DESIRED, client({}, { 'post.logout.redirect.uris': have }))
    expect(item).toMatchObject({ client: { attributes: { 'post.logout.redirect.uris': list } } })
  })

  test('several addresses, and only those that are missing', () => {
    const desired = desiredClient([ORIGIN, 'https://b.example.org', 'https://c.example.org:8443'], OPTIONS)
    const have = client({ webOrigins: [ORIGIN, 'https://b.example.org'] })
    expect(short(planClient('meet', desired, have))).toEqual([
      'redirectUris + https://b.example.org/static/sso.html https://c.example.org:8443/static/sso.html (loosens)',
      'webOrigins + https://c.example.org:8443 (loosens)',
      'post.logout.redirect.uris + https://b.example.org/static/logout.html https://c.example.org:8443/static/logout.html (loosens)',
    ])
  })

  test('full scope stays where it is not to be changed', () => {
    const desired = { ...DESIRED, fullScopeChange: false }
    expect(short(planClient('meet', desired, client({ fullScopeAllowed: true })))).toEqual(['keep'])
    expect(planClient('meet', desired, undefined)).toMatchObject({ client: { fullScopeAllowed: false } })
  })

  test('a confidential client is refused, with the way out', () => {
    expect(() => planClient('meet', DESIRED, client({ publicClient: false }))).toThrow(
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
    const item = planClient('meet', { ...DESIRED, makePublic: true }, have)
    expect(short(item)).toEqual(['publicClient false → true (loosens)'])
    expect(item).toMatchObject({
      client: { clientId: 'jitsi', publicClient: true, serviceAccountsEnabled: true },
    })
  })

  test('--make-public deletes no authorization settings, as Keycloak would', () => {
    const have = client({ publicClient: false, authorizationServicesEnabled: true })
    expect(() => planClient('meet', { ...DESIRED, makePublic: true }, have)).toThrow(
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
    [
      'what setup-client itself has mended',
      client({}, { 'request.object.required': 'not required', 'id.token.encrypted.response.alg': '' }),
      [],
      undefined,
    ],
    ['none there', undefined, [], 'not there'],
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
        { mappers: [...ALL_MAPPERS.map(existing), existing({ ...DESIRED.audienceMapper, name: 'mine' })] },
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
    expect(planClientRemoval(DESIRED, have, roles)).toEqual({
      kind: 'client',
      name: 'jitsi',
      ...(why === undefined ? { action: 'remove' } : { action: 'keep', why }),
    })
  })
})

test('several addresses come back in any order', () => {
  const origins = [ORIGIN, 'https://b.example.org']
  const { settings } = desiredClient(origins, OPTIONS)
  expect(planClientRemoval(desiredClient(origins.toReversed(), OPTIONS), client(settings), [])).toMatchObject(
    {
      action: 'remove',
    },
  )
})

test('the mappers are the audience, and that of moderators where they have a role', () => {
  const names = ({ audienceMapper, moderatorMappers }: typeof DESIRED): object => ({
    audience: audienceMapper.name,
    moderators: moderatorMappers.map(({ name }) => name),
  })
  expect(names(DESIRED)).toEqual({ audience: 'audience-jitsi', moderators: [] })
  expect(
    names(desiredClient([ORIGIN], { ...OPTIONS, tokenAudience: 'meet', moderatorRole: 'owner' })),
  ).toEqual({
    audience: 'audience-meet',
    moderators: ['context.user.affiliation'],
  })
})
