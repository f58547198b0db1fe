import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { tempFolder } from '../support/folder.ts'
import { type Ran, run } from '../support/run.ts'
import { type Proxy, startProxy } from '../support/proxy.ts'
import { claimsOf } from '../support/browserless-login.ts'
import {
  ADMIN_ENV,
  type TestRealm,
  giveRole,
  keycloak,
  makeRealm,
  makeServiceAccount,
  makeUser,
  tokensOf,
  type ClientRepresentation,
  fileRealm,
} from '../support/realm.ts'

const ORIGIN = 'https://meet.example.org'

async function setUp(
  realm: TestRealm,
  argv: readonly string[] = [],
  env: Record<string, string> = ADMIN_ENV,
): Promise<Ran> {
  return run(['setup-client', '--realm', realm.name, '--jitsi-url', ORIGIN, ...argv], { env })
}

/** The same, where it has to succeed. */
async function setUpWell(realm: TestRealm, ...argv: readonly string[]): Promise<Ran> {
  const ran = await setUp(realm, argv)
  expect(ran.exitCode, ran.stderr).toBe(0)
  return ran
}

async function clientOf(realm: TestRealm, clientId = 'jitsi'): Promise<ClientRepresentation | undefined> {
  const [client] = await realm.admin.clients.find({ clientId })
  return client
}

async function rolesOf(realm: TestRealm): Promise<readonly (string | undefined)[]> {
  const roles = await realm.admin.clients.listRoles({ id: (await clientOf(realm))?.id ?? '' })
  return roles.map(({ name }) => name)
}

/** Which requests came, without the parts that differ from run to run. */
function requests({ seen }: Proxy, realm: TestRealm): readonly string[] {
  return seen.map(({ method, path }) =>
    `${method} ${path}`
      .replaceAll(`/admin/realms/${realm.name}`, '')
      .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, 'UUID')
      .replace(/\?.*/, ''),
  )
}

/** Gives the service accounts of some clients a fine-grained permission to see and change one client. */
async function permit(realm: TestRealm, clientId: string, accounts: readonly string[]): Promise<void> {
  const { clients } = realm.admin
  const idOf = async (name: string): Promise<string> => (await clientOf(realm, name))?.id ?? ''
  const users = await Promise.all(
    accounts.map(async (name) => (await clients.getServiceAccountUser({ id: await idOf(name) })).id ?? ''),
  )
  const id = await idOf('admin-permissions')
  const policy = await clients.createPolicy({ id, type: 'user' }, { name: 'they', users })
  await clients.createPermission(
    { id, type: 'scope' },
    {
      name: 'one client',
      resourceType: 'Clients',
      resources: [await idOf(clientId)],
      scopes: ['view', 'manage'],
      policies: [policy.id ?? ''],
    },
  )
}

const LOGIN = 'POST /realms/master/protocol/openid-connect/token'

/** The findings of a --json run, by their codes. */
function findingsOf({ stdout }: Ran): readonly string[] {
  return (JSON.parse(stdout) as { findings: { code: string }[] }).findings.map(({ code }) => code)
}

describe('a realm without the client', () => {
  test('gets one with mappers and role, in as few requests as can be', async () => {
    await using realm = await fileRealm()
    await using proxy = await startProxy(keycloak.url)
    const env = { ...ADMIN_ENV, KEYCLOAK_URL: proxy.url }
    const ran = await setUp(realm, ['--moderators', 'role:owner'], env)
    expect(ran.exitCode, ran.stderr).toBe(0)
    // The realm is asked how long its sessions last, since they cut the lifespan of tokens.
    expect(requests(proxy, realm)).toEqual([
      LOGIN,
      'GET /clients/',
      'GET ',
      'POST /clients/',
      'POST /clients/UUID/roles',
    ])
    expect(await clientOf(realm)).toMatchObject({
      protocol: 'openid-connect',
      enabled: true,
      publicClient: true,
      standardFlowEnabled: true,
      implicitFlowEnabled: false,
      directAccessGrantsEnabled: false,
      serviceAccountsEnabled: false,
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
    })
    const names = (await clientOf(realm))?.protocolMappers?.map(({ name }) => name)
    expect(names?.sort()).toEqual(['audience-jitsi', 'bnf', 'context.user.affiliation', 'room'])
    expect(await rolesOf(realm)).toEqual(['owner'])
    expect(ran.stdout).toBe(
      [
        `realm ${realm.name}, client jitsi:`,
        '  created  client jitsi              public; authorization code with PKCE S256 alone; full scope off',
        '                                     redirect URI https://meet.example.org/static/sso.html',
        '                                     post-logout redirect URI https://meet.example.org/static/logout.html',
        '                                     web origin https://meet.example.org',
        '                                     access tokens RS256, for 10h; no refresh tokens',
        '  created  role owner',
        '  created  audience-jitsi            adds jitsi to aud',
        '  created  context.user.affiliation  from the roles of client jitsi',
        '  created  room                      = "*"',
        '  created  bnf                       = 0',
        '',
      ].join('\n'),
    )
    expect(ran.stderr).toContain(
      `realm ${realm.name}, client jitsi: going to create client jitsi, role owner, audience-jitsi, context.user.affiliation, room, bnf`,
    )
  })

  test('is only read by a second run: two requests, three with a role', async () => {
    await using realm = await fileRealm()
    await setUpWell(realm, '--moderators', 'role:owner')
    const before = await clientOf(realm)
    for (const [argv, expected] of [
      [[], [LOGIN, 'GET /clients/']],
      [
        ['--moderators', 'role:owner'],
        [LOGIN, 'GET /clients/', 'GET /clients/UUID/roles'],
      ],
    ] as const) {
      await using proxy = await startProxy(keycloak.url)
      const ran = await setUp(realm, argv, { ...ADMIN_ENV, KEYCLOAK_URL: proxy.url })
      expect(ran).toMatchObject({ exitCode: 0, stdout: `realm ${realm.name}, client jitsi: no changes\n` })
      expect(requests(proxy, realm)).toEqual(expected)
    }
    expect(await setUp(realm, ['--check'])).toMatchObject({ exitCode: 0 })
    expect(sorted(await clientOf(realm))).toEqual(sorted(before))
  })

  test('stays without by --dry-run and --check, which print what would be done', async () => {
    await using realm = await fileRealm()
    const dry = await setUp(realm, ['--dry-run', '--moderators', 'role:owner'])
    expect(dry.exitCode).toBe(0)
    expect(dry.stdout).toMatch(/^ {2}create {2}client jitsi .*\n(.*\n)* {2}create {2}role owner\n/m)
    expect(await setUp(realm, ['--check'])).toMatchObject({ exitCode: 3 })
    expect(await clientOf(realm)).toBeUndefined()
  })

  test('--json prints the plan that was carried out', async () => {
    await using realm = await fileRealm()
    const { stdout, stderr } = await setUpWell(
      realm,
      '--json',
      '--audience',
      'meet',
      '--token-lifespan',
      '1h',
    )
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toMatchObject({
      version: 1,
      kind: 'client',
      client: 'jitsi',
      dryRun: false,
      changes: 'made',
      realms: [
        {
          realm: realm.name,
          changes: 'made',
          conflict: false,
          items: [
            {
              action: 'create',
              kind: 'client',
              name: 'jitsi',
              client: { publicClient: true, attributes: { 'access.token.lifespan': '3600' } },
            },
            { action: 'create', kind: 'mapper', name: 'audience-meet' },
            { action: 'create', kind: 'mapper', name: 'room' },
            { action: 'create', kind: 'mapper', name: 'bnf' },
          ],
        },
      ],
      findings: [],
    })
  })

  test('gets every address that was given', async () => {
    await using realm = await fileRealm()
    await setUpWell(realm, '--jitsi-url', 'meet.example.com:8443', '--jitsi-url', `${ORIGIN}:443/`)
    const client = await clientOf(realm)
    expect(client?.redirectUris?.toSorted()).toEqual([
      'https://meet.example.com:8443/static/sso.html',
      'https://meet.example.org/static/sso.html',
    ])
    expect(client?.webOrigins?.toSorted()).toEqual([
      'https://meet.example.com:8443',
      'https://meet.example.org',
    ])
    expect(client).toMatchObject({
      attributes: {
        'post.logout.redirect.uris':
          'https://meet.example.org/static/logout.html##https://meet.example.com:8443/static/logout.html',
      },
    })
  })
})

/** A client without what Keycloak gives in another order each time. */
function sorted(client: ClientRepresentation | undefined): unknown {
  const inOrder = (value: unknown): string => JSON.stringify(value)
  return Object.fromEntries(
    Object.entries(client ?? {}).map(([name, value]: [string, unknown]) => [
      name,
      Array.isArray(value) ? value.toSorted((a, b) => (inOrder(a) < inOrder(b) ? -1 : 1)) : value,
    ]),
  )
}

describe('a client that is there', () => {
  const THEIRS: ClientRepresentation = {
    clientId: 'jitsi',
    name: 'Meetings',
    publicClient: true,
    implicitFlowEnabled: true,
    directAccessGrantsEnabled: true,
    fullScopeAllowed: true,
    frontchannelLogout: true,
    redirectUris: ['https://portal.example.org/*'],
    webOrigins: ['+'],
    attributes: {
      'access.token.lifespan': '60',
      'access.token.header.type.rfc9068': 'true',
      'client.use.lightweight.access.token.enabled': 'true',
      login_theme: 'keycloak',
      'backchannel.logout.url': 'https://portal.example.org/out',
    },
    protocolMappers: [
      {
        name: 'room',
        protocol: 'openid-connect',
        protocolMapper: 'oidc-usermodel-attribute-mapper',
        config: { 'claim.name': 'room', 'user.attribute': 'room', 'access.token.claim': 'true' },
      },
    ],
  }

  test('is changed in what the login needs, and in nothing else', async () => {
    await using realm = await fileRealm()
    await realm.admin.clients.create(THEIRS)
    const before = await clientOf(realm)
    await using proxy = await startProxy(keycloak.url)
    const ran = await setUp(realm, [], { ...ADMIN_ENV, KEYCLOAK_URL: proxy.url })
    expect(ran.exitCode, ran.stderr).toBe(0)
    const writes = requests(proxy, realm).filter((line) => !line.startsWith('GET'))
    expect(writes).toEqual([LOGIN, 'PUT /clients/UUID', 'POST /clients/UUID/protocol-mappers/add-models'])
    const after = await clientOf(realm)
    const audience = after?.protocolMappers?.find(({ name }) => name === 'audience-jitsi')
    expect(audience?.config).toMatchObject({
      'included.custom.audience': 'jitsi',
      'access.token.claim': 'true',
    })
    expect(sorted(after)).toEqual(
      sorted({
        ...before,
        implicitFlowEnabled: false,
        directAccessGrantsEnabled: false,
        fullScopeAllowed: false,
        redirectUris: ['https://portal.example.org/*', 'https://meet.example.org/static/sso.html'],
        webOrigins: ['+', 'https://meet.example.org'],
        attributes: {
          ...(before?.attributes as object),
          'access.token.lifespan': '36000',
          'access.token.header.type.rfc9068': 'false',
          'client.use.lightweight.access.token.enabled': 'false',
          'pkce.code.challenge.method': 'S256',
          'post.logout.redirect.uris': '+##https://meet.example.org/static/logout.html',
          'use.refresh.tokens': 'false',
          'access.token.signed.response.alg': 'RS256',
        },
        protocolMappers: [...(before?.protocolMappers ?? []), ...(audience ? [audience] : [])],
      }),
    )
    expect(ran.stdout.split('\n')).toEqual([
      `realm ${realm.name}, client jitsi:`,
      '  updated  client jitsi    implicitFlowEnabled: true → false (tightens)',
      '                           directAccessGrantsEnabled: true → false (tightens)',
      '                           fullScopeAllowed: true → false (tightens)',
      '                           redirectUris + "https://meet.example.org/static/sso.html" (loosens)',
      '                           webOrigins + "https://meet.example.org" (loosens)',
      '                           pkce.code.challenge.method: absent → "S256" (tightens)',
      '                           post.logout.redirect.uris + "https://meet.example.org/static/logout.html" (loosens)',
      '                           access.token.lifespan: "60" → "36000" (loosens)',
      '                           use.refresh.tokens: absent → "false" (tightens)',
      '                           access.token.signed.response.alg: absent → "RS256"',
      '                           access.token.header.type.rfc9068: "true" → "false"',
      '                           client.use.lightweight.access.token.enabled: "true" → "false"',
      '  created  audience-jitsi  adds jitsi to aud',
      '',
    ])
    expect(await setUp(realm, ['--check'])).toMatchObject({ exitCode: 0 })
  })

  test('that anybody could misuse is a warning for each way, in no more requests', async () => {
    await using realm = await fileRealm()
    await realm.admin.clients.create({
      clientId: 'jitsi',
      publicClient: true,
      consentRequired: true,
      redirectUris: ['*'],
      webOrigins: ['*'],
      protocolMappers: [
        {
          name: 'rooms',
          protocol: 'openid-connect',
          protocolMapper: 'oidc-usermodel-attribute-mapper',
          config: { 'claim.name': 'room', 'user.attribute': 'room', 'access.token.claim': 'true' },
        },
      ],
    })
    await setUpWell(realm)
    await using proxy = await startProxy(keycloak.url)
    const ran = await setUp(realm, ['--check', '--json'], { ...ADMIN_ENV, KEYCLOAK_URL: proxy.url })
    expect(ran.exitCode, ran.stderr).toBe(0)
    expect(findingsOf(ran)).toEqual([
      'redirect-wildcard',
      'origin-wildcard',
      'consent-required',
      'claims-foreign',
    ])
    expect(ran.stdout).toContain('rooms (room)')
    expect(requests(proxy, realm)).toEqual([LOGIN, 'GET /clients/'])

    // With --strict each of them is a failure, with --check and alone, and with --quiet nothing else is said.
    for (const argv of [['--check', '--strict'], ['--strict']]) {
      const strict = await setUp(realm, [...argv, '--quiet'])
      expect(strict).toMatchObject({ exitCode: 3, stdout: '' })
      expect(strict.stderr.match(/^error: realm/gm)).toHaveLength(4)
    }
    expect(await setUp(realm, ['--quiet'])).toEqual({ exitCode: 0, stdout: '', stderr: '' })
  })

  test('that setup-mappers has changed is left as it is', async () => {
    await using realm = await fileRealm()
    await setUpWell(realm)
    const mappers = ['setup-mappers', '--realm', realm.name, '--room', 'team-a', '--user-context']
    expect(await run(mappers, { env: ADMIN_ENV })).toMatchObject({ exitCode: 0 })
    expect(await setUpWell(realm)).toMatchObject({
      stdout: `realm ${realm.name}, client jitsi: no changes\n`,
      stderr: '',
    })
  })

  test('without a room claim is a warning that names the command', async () => {
    await using realm = await fileRealm()
    await realm.admin.clients.create({ clientId: 'jitsi', publicClient: true })
    const { stderr } = await setUpWell(realm)
    expect(stderr).toContain(
      'none of its mappers writes the claim room, without which Jitsi lets nobody join\n' +
        `  → kjitsi setup-mappers --url ${keycloak.url} --realm ${realm.name} --client jitsi\n`,
    )
  })

  test('that is confidential is refused, and made public when told to', async () => {
    await using realm = await fileRealm()
    await makeServiceAccount(realm, 'jitsi', [])
    const before = await clientOf(realm)
    const refused = await setUp(realm)
    expect(refused.exitCode).toBe(2)
    expect(refused.stderr).toContain(
      `error: realm ${realm.name}, client jitsi: it is confidential, and Jitsi's login is a page in the browser, which can keep no secret\n` +
        '  → --make-public makes it public',
    )
    expect(sorted(await clientOf(realm))).toEqual(sorted(before))

    const ran = await setUpWell(realm, '--make-public')
    expect(ran.stdout).toContain('publicClient: false → true (loosens)')
    expect(ran.stderr).toContain('a public client has no secret, so its service account can no longer log in')
    // Its account is not deleted: the way back is open.
    expect(await clientOf(realm)).toMatchObject({ publicClient: true, serviceAccountsEnabled: true })
    const user = await realm.admin.clients.getServiceAccountUser({ id: before?.id ?? '' })
    expect(user.username).toBe('service-account-jitsi')
  })

  test('with authorization settings is never made public, since Keycloak would delete them', async () => {
    await using realm = await fileRealm()
    const authorized = { serviceAccountsEnabled: true, authorizationServicesEnabled: true }
    await realm.admin.clients.create({ clientId: 'jitsi', publicClient: false, ...authorized })
    const ran = await setUp(realm, ['--make-public'])
    expect(ran.exitCode).toBe(2)
    expect(ran.stderr).toContain('Keycloak would delete its authorization settings were it made public')
    expect(await clientOf(realm)).toMatchObject({ publicClient: false, authorizationServicesEnabled: true })
  })

  test('keeps full scope with --no-full-scope-change, and then gets no second audience', async () => {
    await using realm = await fileRealm()
    await realm.admin.clients.create(THEIRS)
    const ran = await setUpWell(realm, '--no-full-scope-change', '--json')
    expect(findingsOf(ran)).toEqual(['redirect-wildcard', 'full-scope-stays'])
    const client = await clientOf(realm)
    expect(client).toMatchObject({ fullScopeAllowed: true, implicitFlowEnabled: false })
    expect(client?.protocolMappers?.map(({ name }) => name)).toEqual(['room'])
    expect(await setUp(realm, ['--no-full-scope-change', '--check'])).toMatchObject({ exitCode: 0 })
    // Without the option, the same client is changed.
    expect(await setUp(realm, ['--check'])).toMatchObject({ exitCode: 3 })
  })

  test('is not touched at all where a mapper is in conflict', async () => {
    await using realm = await fileRealm()
    const audience = { protocol: 'openid-connect', protocolMapper: 'oidc-audience-mapper' }
    const config = { 'included.custom.audience': 'jitsi', 'access.token.claim': 'true' }
    await realm.admin.clients.create({
      ...THEIRS,
      protocolMappers: ['one', 'two'].map((name) => ({ ...audience, name, config })),
    })
    const before = await clientOf(realm)
    const ran = await setUp(realm, ['--moderators', 'role:owner'])
    expect(ran.exitCode).toBe(1)
    expect(ran.stderr).toMatch(
      /several mappers are or write audience-jitsi: (one, two|two, one); nothing was changed/,
    )
    expect(ran.stdout).toContain('client jitsi: nothing done')
    expect(sorted(await clientOf(realm))).toEqual(sorted(before))
    expect(await rolesOf(realm)).toEqual([])
  })

  test('of another kind is refused', async () => {
    await using realm = await fileRealm()
    await realm.admin.clients.create({ clientId: 'jitsi', protocol: 'saml' })
    expect(await setUp(realm)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('it speaks saml, and Jitsi needs one of openid-connect') as string,
    })
  })
})

describe('--remove', () => {
  test('deletes a client that is exactly what would be created', async () => {
    await using realm = await fileRealm()
    await setUpWell(realm)
    expect(await setUp(realm, ['--remove', '--check'])).toMatchObject({ exitCode: 3 })
    expect(await clientOf(realm)).toBeDefined()
    expect(await setUpWell(realm, '--remove')).toMatchObject({
      stdout: `realm ${realm.name}, client jitsi:\n  removed  client jitsi\n`,
    })
    expect(await clientOf(realm)).toBeUndefined()
    expect(await setUpWell(realm, '--remove')).toMatchObject({
      stdout: `realm ${realm.name}, client jitsi: no changes\n  kept  client jitsi  not there\n`,
    })
  })

  test('keeps one that has roles, since people may hold them', async () => {
    await using realm = await fileRealm()
    await setUpWell(realm, '--moderators', 'role:owner')
    const { stdout } = await setUpWell(realm, '--moderators', 'role:owner', '--remove')
    expect(stdout).toContain('kept  client jitsi  people may hold its roles: delete owner first')
    const id = (await clientOf(realm))?.id ?? ''
    await realm.admin.clients.delRole({ id, roleName: 'owner' })
    await setUpWell(realm, '--moderators', 'role:owner', '--remove')
    expect(await clientOf(realm)).toBeUndefined()
  })

  test('keeps one to which somebody has given a role', async () => {
    await using realm = await fileRealm()
    await setUpWell(realm)
    await realm.admin.clients.createRole({ id: (await clientOf(realm))?.id ?? '', name: 'theirs' })
    const { stdout } = await setUpWell(realm, '--remove')
    expect(stdout).toContain('kept  client jitsi  people may hold its roles: delete theirs first')
    expect(await clientOf(realm)).toBeDefined()
  })

  test.each([
    [
      'another address',
      ['--jitsi-url', 'https://other.example.org'],
      'redirectUris, webOrigins, post.logout.redirect.uris',
    ],
    ['another lifespan', ['--token-lifespan', '1h'], 'access.token.lifespan'],
    ['another audience', ['--audience', 'meet'], 'mapper audience-jitsi'],
  ])('keeps one with %s than these options would create', async (_, argv, what) => {
    await using realm = await fileRealm()
    await setUpWell(realm)
    const { stdout } = await setUpWell(realm, ...argv, '--remove')
    expect(stdout).toContain(`kept  client jitsi  not as these options would create it: ${what}\n`)
    expect(await clientOf(realm)).toBeDefined()
  })
})

describe('the rights of the account', () => {
  const envOf = (realm: TestRealm, account: object): Record<string, string> => ({
    KEYCLOAK_URL: keycloak.url,
    KEYCLOAK_REALM: realm.name,
    ...account,
  })

  test('manage-clients does everything; how long sessions last it may not see', async () => {
    await using realm = await fileRealm()
    const env = envOf(realm, await makeServiceAccount(realm, 'robot', ['manage-clients']))
    const created = await setUp(realm, ['--json', '--moderators', 'role:owner', '--audience', 'meet'], env)
    expect(created.exitCode, created.stderr).toBe(0)
    expect(findingsOf(created)).toEqual(['session-max-unseen', 'name-unmapped'])
    // Update, then no change, then removal.
    const updated = await setUp(
      realm,
      ['--jitsi-url', 'https://b.example.org', '--token-lifespan', '2h'],
      env,
    )
    expect(updated.exitCode, updated.stderr).toBe(0)
    expect(updated.stdout).toContain('updated  client jitsi')
    const other = ['--client', 'other']
    expect(await setUp(realm, other, env)).toMatchObject({ exitCode: 0 })
    expect(await setUp(realm, [...other, '--check'], env)).toMatchObject({ exitCode: 0 })
    expect(await setUp(realm, [...other, '--remove'], env)).toMatchObject({ exitCode: 0 })
    expect(await clientOf(realm, 'other')).toBeUndefined()
  })

  test('view-clients sees what is to be done, and is told what it lacks', async () => {
    await using realm = await fileRealm()
    const env = envOf(realm, await makeServiceAccount(realm, 'robot', ['view-clients']))
    expect(await setUp(realm, ['--check'], env)).toMatchObject({ exitCode: 3 })
    // Nobody can see beforehand that a client may not be created.
    const create = await setUp(realm, [], env)
    expect(create.exitCode).toBe(5)
    expect(create.stderr).toContain('lacks the right to change clients')
    expect(create.stderr).toContain('give the account the role manage-clients of client realm-management')
    expect(create.stderr).toContain('nothing was changed')
    await realm.admin.clients.create({ clientId: 'jitsi', publicClient: true })
    const update = await setUp(realm, [], env)
    expect(update.exitCode).toBe(5)
    expect(update.stderr).toContain('may see client jitsi, but not change it')
  })

  test('query-clients sees no client, and may not make one', async () => {
    await using realm = await fileRealm()
    await setUpWell(realm)
    const env = envOf(realm, await makeServiceAccount(realm, 'robot', ['query-clients']))
    const ran = await setUp(realm, [], env)
    expect(ran.exitCode).toBe(5)
    expect(ran.stderr).toContain('role manage-clients')
  })

  test('query-clients does not take a client that it cannot see for removed', async () => {
    await using realm = await fileRealm()
    await setUpWell(realm)
    const env = envOf(realm, await makeServiceAccount(realm, 'robot', ['query-clients']))
    for (const argv of [['--remove'], ['--remove', '--check']]) {
      expect(await setUp(realm, argv, env)).toEqual({
        exitCode: 6,
        stdout: '',
        stderr:
          `error: client jitsi of realm ${realm.name} was not found or is not visible: the service account of client robot ` +
          'does not see the client account either; nothing was removed\n  → give the account the role view-clients of client ' +
          `realm-management in realm ${realm.name} (an account in realm master: of client ${realm.name}-realm)\n`,
      })
    }
    expect(await clientOf(realm)).toBeDefined()
    const viewer = envOf(realm, await makeServiceAccount(realm, 'viewer', ['view-clients']))
    expect(await setUp(realm, ['--remove', '--client', 'none'], viewer)).toMatchObject({ exitCode: 0 })
  })

  test('a permission on one client needs query-clients besides, and then does everything to it', async () => {
    await using realm = await makeRealm()
    await realm.admin.realms.update({ realm: realm.name }, { adminPermissionsEnabled: true })
    await realm.admin.clients.create({ clientId: 'jitsi', publicClient: true })
    const accounts = [
      await makeServiceAccount(realm, 'robot', []),
      await makeServiceAccount(realm, 'asker', ['query-clients']),
    ]
    await permit(realm, 'jitsi', ['robot', 'asker'])
    const [without, asking] = accounts.map((account) => envOf(realm, account))
    const refused = await setUp(realm, [], without)
    expect(refused.exitCode).toBe(5)
    expect(refused.stderr).toContain(
      '; one that has a permission on this client alone needs query-clients instead\n',
    )
    const done = await setUp(realm, ['--moderators', 'role:owner'], asking)
    expect(done.exitCode, done.stderr).toBe(0)
    expect(await setUp(realm, ['--check'], asking)).toMatchObject({ exitCode: 0 })
  })
})

describe('a moderator with another role of the client', () => {
  test.each([
    ['owner', 'alpha', 'owner'],
    ['owner', 'guest', 'owner'],
    ['owner', 'zeta', undefined],
    ['moderator', 'alpha', undefined],
    ['moderator', 'guest', 'moderator'],
    ['moderator', 'Owner', 'Owner'],
  ])('has %s and %s: %s is what Keycloak gives, or one of the two', async (role, other, affiliation) => {
    await using realm = await fileRealm()
    await setUpWell(realm, '--moderators', `role:${role}`)
    const client = await clientOf(realm)
    const id = client?.id ?? ''
    await realm.admin.clients.createRole({ id, name: other })
    await realm.admin.clients.update({ id }, { ...client, directAccessGrantsEnabled: true })
    const alice = await makeUser(realm)
    for (const name of [other, role]) await giveRole(realm, alice, 'jitsi', name)
    const { accessToken } = await tokensOf(realm)
    const { context } = claimsOf(accessToken) as { context: { user: { affiliation: string } } }
    expect(affiliation === undefined ? [role, other] : [affiliation]).toContain(context.user.affiliation)
    const ran = await setUp(realm, ['--moderators', `role:${role}`, '--json'])
    expect(findingsOf(ran).includes('roles-compete')).toBe(affiliation !== role)
  })
})

describe('how long sessions last', () => {
  test.each([
    [
      'the person',
      { ssoSessionMaxLifespan: 7200 },
      'no token lasts 10h, since a session ends after 2h (SSO Session Max)',
    ],
    [
      'a client',
      { clientSessionMaxLifespan: 5400 },
      'no token lasts 10h, since a session ends after 90m (Client Session Max)',
    ],
  ])('is a warning where the session of %s cuts the tokens', async (_, limits, sentence) => {
    await using realm = await makeRealm()
    await realm.admin.realms.update({ realm: realm.name }, limits)
    const { stderr } = await setUpWell(realm, '--dry-run')
    expect(stderr).toContain(`warning: realm ${realm.name}, client jitsi: ${sentence}\n`)
    expect(await setUpWell(realm, '--dry-run', '--token-lifespan', '1h')).toMatchObject({ stderr: '' })
  })
})

describe('what comes in between', () => {
  test('somebody else makes the client at the same time: it is read and planned once more', async () => {
    await using realm = await fileRealm()
    await using proxy = await startProxy(keycloak.url, {
      fault: async ({ method, path }, nth) => {
        if (method !== 'POST' || !path.endsWith('/clients/') || nth > 0) return undefined
        await realm.admin.clients.create({
          clientId: 'jitsi',
          publicClient: true,
          attributes: { login_theme: 'theirs' },
        })
        return undefined
      },
    })
    const ran = await setUp(realm, ['--moderators', 'role:owner'], { ...ADMIN_ENV, KEYCLOAK_URL: proxy.url })
    expect(ran.exitCode, ran.stderr).toBe(0)
    expect(ran.stdout).toMatch(/updated {2}client jitsi/)
    expect(await clientOf(realm)).toMatchObject({
      publicClient: true,
      attributes: { login_theme: 'theirs', 'pkce.code.challenge.method': 'S256' },
    })
    expect(await rolesOf(realm)).toEqual(['owner'])
  })

  test('somebody else makes the role: what was done before stays in the report', async () => {
    await using realm = await fileRealm()
    await using proxy = await startProxy(keycloak.url, {
      fault: async ({ method, path }, nth) => {
        if (method !== 'POST' || !path.endsWith('/roles') || nth > 0) return undefined
        await realm.admin.clients.createRole({ id: (await clientOf(realm))?.id ?? '', name: 'owner' })
        return undefined
      },
    })
    const ran = await setUp(realm, ['--moderators', 'role:owner', '--all'], {
      ...ADMIN_ENV,
      KEYCLOAK_URL: proxy.url,
    })
    expect(ran.exitCode, ran.stderr).toBe(0)
    const verbs = ran.stdout
      .split('\n')
      .flatMap((line) => /^ {2}(\w+) +((?:client |role )?\S+)/.exec(line)?.slice(1, 3).join(' ') ?? [])
    expect(verbs).toEqual([
      'kept role owner',
      'created client jitsi',
      'created audience-jitsi',
      'created context.user.affiliation',
      'created room',
      'created bnf',
    ])
  })

  test.each([
    [
      'the client',
      (path: string) => path.endsWith('/clients/'),
      'perhaps done: create client jitsi, create audience-jitsi, create room, create bnf; not done: create role owner',
      [],
    ],
    [
      'the role',
      (path: string) => path.endsWith('/roles'),
      'done before it: create client jitsi, create audience-jitsi, create room, create bnf; perhaps done: create role owner',
      ['jitsi'],
    ],
  ])(
    'Keycloak goes away at %s: it is said how far it came, and the next run goes on',
    async (_, isIt, story, left) => {
      await using realm = await fileRealm()
      await using proxy = await startProxy(keycloak.url, {
        fault: ({ method, path }) => (method === 'POST' && isIt(path) ? { status: 500 } : undefined),
      })
      const argv = ['--moderators', 'role:owner']
      const ran = await setUp(realm, argv, { ...ADMIN_ENV, KEYCLOAK_URL: proxy.url })
      expect(ran.exitCode).toBe(7)
      expect(ran.stderr.replace('create context.user.affiliation, ', '')).toContain(story)
      expect((await realm.admin.clients.find({ clientId: 'jitsi' })).map(({ clientId }) => clientId)).toEqual(
        left,
      )
      await setUpWell(realm, ...argv)
      expect(await setUp(realm, [...argv, '--check'])).toMatchObject({ exitCode: 0 })
      expect(await rolesOf(realm)).toEqual(['owner'])
    },
  )
})

describe('the address of Jitsi', () => {
  async function inFolder(text: string, argv: readonly string[], realm: string): Promise<Ran> {
    const cwd = tempFolder()
    await writeFile(join(cwd, '.env'), text)
    await writeFile(join(cwd, 'jitsi.env'), 'PUBLIC_URL=https://named.example.org')
    return run(['setup-client', '--realm', realm, '--dry-run', ...argv], { env: ADMIN_ENV, cwd })
  }

  test.each([
    ['of ./.env', [], 'https://meet.example.org:8443/static/sso.html'],
    ['of --jitsi-env', ['--jitsi-env', 'jitsi.env'], 'https://named.example.org/static/sso.html'],
    [
      'of --jitsi-url before both',
      ['--jitsi-url', 'a.example.org', '--jitsi-env', 'jitsi.env'],
      'https://a.example.org/static/sso.html',
    ],
  ])('%s', async (_, argv, uri) => {
    await using realm = await fileRealm()
    const text = 'HTTPS_PORT=8443\nPUBLIC_URL=https://meet.example.org:${HTTPS_PORT}\n'
    const { stdout, stderr } = await inFolder(text, argv, realm.name)
    expect(stdout, stderr).toContain(`redirect URI ${uri}\n`)
    expect(stdout.match(/redirect URI/g)).toHaveLength(2)
  })

  test('is missing with everything else that is missing', async () => {
    const ran = await run(['setup-client'])
    expect(ran.exitCode).toBe(2)
    expect(ran.stderr).toContain('4 settings are missing:')
    expect(ran.stderr).toContain(
      "the address of Jitsi: --jitsi-url or KJITSI_JITSI_URL, or PUBLIC_URL in Jitsi's .env (--jitsi-env or KJITSI_JITSI_ENV; default ./.env)",
    )
  })

  test('alone missing, it can be given in three ways', async () => {
    expect(await run(['setup-client', '--realm', 'meet'], { env: ADMIN_ENV })).toEqual({
      exitCode: 2,
      stdout: '',
      stderr:
        'error: a setting is missing: the address of Jitsi: --jitsi-url or KJITSI_JITSI_URL, or PUBLIC_URL in ' +
        "Jitsi's .env (--jitsi-env or KJITSI_JITSI_ENV; default ./.env)\n",
    })
  })

  test('is https, before anything is asked', async () => {
    const ran = await run(['setup-client', '--jitsi-url', 'http://meet.example.org'], { env: ADMIN_ENV })
    expect(ran.exitCode).toBe(2)
    expect(ran.stderr).toContain('--jitsi-url "http://meet.example.org" is not https')
  })
})

test('several realms: a failure in one stops no other', async () => {
  await using good = await makeRealm()
  await using bad = await makeRealm()
  await bad.admin.clients.create({ clientId: 'jitsi', publicClient: false })
  const ran = await setUp(good, ['--realm', bad.name])
  expect(ran.exitCode).toBe(2)
  expect(ran.stdout).toContain('2 realms: 1 changed, 1 failed')
  expect(ran.stderr).toContain(`realm ${bad.name}: realm ${bad.name}, client jitsi: it is confidential`)
  expect(await clientOf(good)).toMatchObject({ publicClient: true })
})
