import { decodeJwt } from 'jose'
import { describe, expect, test } from 'vitest'
import { FEATURES } from '../../src/jitsi/features.ts'
import { type Ran, run } from '../support/run.ts'
import { type Seen, startProxy } from '../support/proxy.ts'
import {
  ADMIN_ENV,
  type TestRealm,
  allowAttributes,
  keycloak,
  makeClient,
  makeRealm,
  makeServiceAccount,
  makeUser,
  tokensOf,
  giveRole,
  fileRealm,
} from '../support/realm.ts'

const HARDCODED = 'oidc-hardcoded-claim-mapper'

async function setUp(
  realm: TestRealm,
  argv: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<Ran> {
  return run(['setup-mappers', '--realm', realm.name, ...argv], { env: { ...ADMIN_ENV, ...env } })
}

/** The same, where it has to succeed. */
async function setUpWell(realm: TestRealm, ...argv: readonly string[]): Promise<Ran> {
  const ran = await setUp(realm, argv)
  expect(ran.exitCode, ran.stderr).toBe(0)
  return ran
}

interface Document {
  readonly changes: string
  readonly dryRun: boolean
  readonly realms: readonly {
    readonly realm: string
    readonly changes?: string
    readonly failure?: string
    readonly items: readonly { readonly action: string; readonly name: string }[]
  }[]
  readonly findings: readonly { readonly code: string; readonly message: string }[]
}

function documentOf({ stdout }: Ran): Document {
  return JSON.parse(stdout) as Document
}

function short({ realms }: Document): readonly string[] {
  return realms.flatMap(({ items }) => items.map(({ action, name }) => `${action} ${name}`))
}

async function mappersOf(
  realm: TestRealm,
): Promise<Readonly<Record<string, { type: string; config: Record<string, string> }>>> {
  const [client] = await realm.admin.clients.find({ clientId: 'jitsi' })
  return Object.fromEntries(
    (client?.protocolMappers ?? []).map(({ name = '', protocolMapper = '', config = {} }) => [
      name,
      { type: protocolMapper, config: config as Record<string, string> },
    ]),
  )
}

async function addMapper(
  realm: TestRealm,
  id: string,
  name: string,
  type: string,
  config: Record<string, string>,
): Promise<void> {
  await realm.admin.clients.addProtocolMapper(
    { id },
    { name, protocol: 'openid-connect', protocolMapper: type, config },
  )
}

async function claimsOf(realm: TestRealm, username = 'alice'): Promise<Record<string, unknown>> {
  return decodeJwt((await tokensOf(realm, username)).accessToken)
}

describe('the claims in a real token', () => {
  test('room and bnf, in the access token, the ID token, userinfo and introspection', async () => {
    await using realm = await fileRealm()
    await makeClient(realm)
    await makeUser(realm)
    // Who asks for a token's introspection has to be among its audiences.
    await setUpWell(realm, '--audience', 'introspector')
    const { accessToken, idToken } = await tokensOf(realm)
    const secret = await makeServiceAccount(realm, 'introspector', [])
    const at = (path: string): string =>
      `${keycloak.url}/realms/${realm.name}/protocol/openid-connect/${path}`
    const userinfo = await fetch(at('userinfo'), { headers: { authorization: `Bearer ${accessToken}` } })
    const introspection = await fetch(at('token/introspect'), {
      method: 'POST',
      body: new URLSearchParams({
        token: accessToken,
        client_id: secret.KEYCLOAK_CLIENT_ID,
        client_secret: secret.KEYCLOAK_CLIENT_SECRET,
      }),
    })
    for (const claims of [
      decodeJwt(accessToken),
      decodeJwt(idToken),
      await userinfo.json(),
      await introspection.json(),
    ]) {
      expect(claims).toMatchObject({ room: '*', bnf: 0 })
    }
  })

  test('all options together', async () => {
    await using realm = await makeRealm()
    await makeClient(realm)
    const alice = await makeUser(realm)
    await allowAttributes(realm)
    await realm.admin.users.update(
      { id: alice },
      {
        ...(await realm.admin.users.findOne({ id: alice })),
        attributes: { picture: ['https://example.org/a.png'], nick: ['Ali'] },
      },
    )
    const group = await realm.admin.groups.create({
      name: 'team',
      attributes: { room: ['standup'], team: ['blue'] },
    })
    await realm.admin.users.addToGroup({ id: alice, groupId: group.id })

    await setUpWell(
      realm,
      '--room-attribute',
      'room',
      '--bnf',
      '3000000000',
      '--nbf',
      '--audience',
      'meet',
      '--user-context',
      '--name-from',
      'attribute:nick',
      '--moderators',
      'role:owner',
      '--group-from',
      'attribute:team',
      '--feature',
      'all=true',
      '--feature',
      'recording=false',
      '--feature',
      'name-readonly=true',
    )
    await giveRole(realm, alice, 'jitsi', 'owner')

    const features = Object.fromEntries(
      [...FEATURES, 'name-readonly'].map((name) => [name, name !== 'recording']),
    )
    const claims = await claimsOf(realm)
    expect(claims).toMatchObject({ room: 'standup', bnf: 3_000_000_000, nbf: 0, aud: ['meet', 'account'] })
    expect(claims['context']).toEqual({
      user: {
        id: alice,
        name: 'Ali',
        email: 'alice@example.org',
        avatar: 'https://example.org/a.png',
        affiliation: 'owner',
      },
      group: 'blue',
      features,
    })
    const { aud } = decodeJwt((await tokensOf(realm)).idToken)
    expect(aud).toBe('jitsi')
  })

  test('an attribute of the user goes before one of a group, and who lacks both has no such claim', async () => {
    await using realm = await makeRealm()
    await makeClient(realm)
    const [alice, bob] = [await makeUser(realm), await makeUser(realm, 'bob')]
    await makeUser(realm, 'carol')
    await allowAttributes(realm)
    const group = await realm.admin.groups.create({
      name: 'g',
      attributes: { raum: ['of the group', 'second'] },
    })
    for (const id of [alice, bob]) await realm.admin.users.addToGroup({ id, groupId: group.id })
    await realm.admin.users.update(
      { id: bob },
      { ...(await realm.admin.users.findOne({ id: bob })), attributes: { raum: ["bob's"] } },
    )
    await setUpWell(realm, '--room-attribute', 'raum')
    const rooms = await Promise.all(
      ['alice', 'bob', 'carol'].map(async (name) => (await claimsOf(realm, name))['room']),
    )
    expect(rooms).toEqual(['of the group', "bob's", undefined])
  })

  test('where a claim is written around ours, Keycloak gives no token with both, so ours is not added', async () => {
    await using realm = await fileRealm()
    const id = await makeClient(realm)
    await makeUser(realm)
    const json = {
      'claim.name': 'context',
      'claim.value': '{"group":"g"}',
      'jsonType.label': 'JSON',
      'access.token.claim': 'true',
    }
    await addMapper(realm, id, 'context', HARDCODED, json)
    const ran = await setUp(realm, ['--user-context'])
    expect(ran).toMatchObject({ exitCode: 1 })
    expect(ran.stdout).toContain(`realm ${realm.name}, client jitsi: nothing done\n`)
    expect(ran.stderr).toContain(
      'a claim around or inside context.user.id is written by context: with both, Keycloak drops',
    )
    expect(Object.keys(await mappersOf(realm))).toEqual(['context'])
    // What would have become of it: Keycloak's order is not ours to choose, and no order gives both.
    await addMapper(realm, id, 'x', HARDCODED, {
      'claim.name': 'context.user.id',
      'claim.value': 'x',
      'access.token.claim': 'true',
    })
    const { context } = await claimsOf(realm).catch((): Record<string, unknown> => ({}))
    expect(context).not.toEqual({ group: 'g', user: { id: 'x' } })
  })
})

describe('the plan', () => {
  test('--dry-run and --check show what a run then does, which the next run finds done', async () => {
    await using realm = await fileRealm()
    const id = await makeClient(realm)
    await addMapper(realm, id, 'my room', HARDCODED, {
      'claim.name': 'room',
      'claim.value': 'x',
      'lightweight.claim': 'true',
    })
    await addMapper(realm, id, 'stranger', HARDCODED, { 'claim.name': 'stranger', 'claim.value': 'x' })
    const before = await mappersOf(realm)

    const dry = await setUp(realm, ['--dry-run'])
    expect(dry).toEqual({
      exitCode: 0,
      stdout: [
        `realm ${realm.name}, client jitsi:`,
        '  update  my room  claim.value: "x" → "*", jsonType.label: absent → "String", access.token.claim: absent → "true", ' +
          'id.token.claim: absent → "true", userinfo.token.claim: absent → "true", introspection.token.claim: absent → "true"',
        '  create  bnf      = 0',
        '',
      ].join('\n'),
      stderr: '',
    })
    expect(await setUp(realm, ['--check'])).toEqual({
      ...dry,
      exitCode: 3,
      stderr:
        `error: realm ${realm.name}, client jitsi: it differs from what these options set: update my room; create bnf\n` +
        '  → run it without --check to make these changes\n',
    })
    const checked = await setUp(realm, ['--check', '--json'])
    expect(documentOf(checked)).toMatchObject({ changes: 'planned', findings: [{ code: 'drift' }] })
    const planned = documentOf(await setUp(realm, ['--dry-run', '--json']))
    expect(await mappersOf(realm)).toEqual(before)

    const done = await setUp(realm, ['--json'])
    expect(planned).toMatchObject({ changes: 'planned', realms: [{ changes: 'planned' }] })
    const made = { dryRun: false, changes: 'made', realms: [{ ...planned.realms[0], changes: 'made' }] }
    expect(documentOf(done)).toEqual({ ...planned, ...made })
    const after = await mappersOf(realm)
    expect(after).toMatchObject({
      'my room': {
        type: HARDCODED,
        config: { 'claim.value': '*', 'lightweight.claim': 'true', 'id.token.claim': 'true' },
      },
      bnf: { type: HARDCODED, config: { 'claim.name': 'bnf', 'claim.value': '0' } },
      stranger: before['stranger'],
    })
    expect(Object.keys(after)).toHaveLength(3)

    const nothing = { exitCode: 0, stdout: `realm ${realm.name}, client jitsi: no changes\n`, stderr: '' }
    expect(await setUp(realm, ['--check'])).toEqual(nothing)
    expect(await setUp(realm)).toEqual(nothing)
  })

  test('says on stderr what it is going to do, and on stdout what it did', async () => {
    await using realm = await fileRealm()
    await makeClient(realm)
    expect(await setUp(realm, ['--moderators', 'role:owner', '--user-context'])).toEqual({
      exitCode: 0,
      stderr:
        `realm ${realm.name}, client jitsi: going to create role owner, room, bnf, context.user.id, context.user.name, ` +
        'context.user.email, context.user.avatar, context.user.affiliation\n',
      stdout: [
        `realm ${realm.name}, client jitsi:`,
        '  created  role owner',
        '  created  room                      = "*"',
        '  created  bnf                       = 0',
        "  created  context.user.id           from the user's id",
        "  created  context.user.name         from the user's username",
        "  created  context.user.email        from the user's email",
        '  created  context.user.avatar       from the attribute picture of the user or a group',
        '  created  context.user.affiliation  from the roles of client jitsi',
        '',
      ].join('\n'),
    })
  })

  test('a mapper of another type gets the new type whole, and can be removed like any other', async () => {
    await using realm = await fileRealm()
    await makeClient(realm)
    await setUpWell(realm, '--room-attribute', 'raum')
    await setUpWell(realm)
    const { room } = await mappersOf(realm)
    expect(room?.type).toBe(HARDCODED)
    expect(room?.config).not.toHaveProperty('user.attribute')
    expect(short(documentOf(await setUp(realm, ['--remove', '--json'])))).toEqual([
      'remove room',
      'remove bnf',
    ])
    expect(await mappersOf(realm)).toEqual({})
  })

  test("somebody's mapper of our name that writes another claim: said, and nothing changed", async () => {
    await using realm = await fileRealm()
    const id = await makeClient(realm)
    await addMapper(realm, id, 'room', HARDCODED, { 'claim.name': 'building.room', 'claim.value': '12' })
    const before = await mappersOf(realm)
    for (const argv of [[], ['--dry-run'], ['--check'], ['--room', 'team']]) {
      expect(await setUp(realm, argv)).toEqual({
        exitCode: 1,
        stdout: [
          `realm ${realm.name}, client jitsi: nothing done`,
          '  conflict  room  the one there writes the claim building.room',
          '  create    bnf   = 0',
          '',
        ].join('\n'),
        stderr:
          `error: realm ${realm.name}, client jitsi: the mapper named room writes the claim building.room, so the name is ` +
          'taken; nothing was changed\n' +
          '  → delete it, or create it anew under another name and then delete it, since Keycloak renames no mapper ' +
          '(Keycloak: Clients > jitsi > Client scopes > jitsi-dedicated)\n',
      })
    }
    expect((await setUp(realm, ['--remove'])).stdout).toContain(
      'kept  room  not ours: it writes the claim building.room\n',
    )
    expect(await mappersOf(realm)).toEqual(before)
  })

  test('two that write the claim: said, and nothing changed', async () => {
    await using realm = await fileRealm()
    const id = await makeClient(realm)
    for (const name of ['a', 'b'])
      await addMapper(realm, id, name, HARDCODED, { 'claim.name': 'room', 'claim.value': name })
    const before = await mappersOf(realm)
    for (const argv of [[], ['--dry-run'], ['--check']]) {
      const { exitCode, stderr } = await setUp(realm, argv)
      expect({ exitCode, stderr }).toEqual({
        exitCode: 1,
        stderr:
          `error: realm ${realm.name}, client jitsi: several mappers are or write room: a, b; nothing was changed\n` +
          '  → delete all but one of them (Keycloak: Clients > jitsi > Client scopes > jitsi-dedicated)\n',
      })
    }
    expect(await mappersOf(realm)).toEqual(before)
  })

  test('--remove takes what these options created, and keeps what somebody changed, the role and strangers', async () => {
    await using realm = await fileRealm()
    const id = await makeClient(realm)
    await addMapper(realm, id, 'stranger', HARDCODED, { 'claim.name': 'stranger', 'claim.value': 'x' })
    const options = ['--user-context', '--moderators', 'role:owner', '--audience', 'meet', '--nbf']
    await setUpWell(realm, ...options)
    await setUpWell(realm, '--bnf', '7')
    const removed = await setUpWell(realm, ...options, '--remove')
    expect(removed.stdout).toContain('  kept     role owner                a role is never removed\n')
    expect(removed.stdout).toContain(
      '  kept     bnf                       not as these options would create it: claim.value\n',
    )
    expect(removed.stdout).toContain('  removed  audience-meet             adds meet to aud\n')
    expect(Object.keys(await mappersOf(realm)).sort()).toEqual(['bnf', 'stranger'])
    expect(await realm.admin.clients.findRole({ id, roleName: 'owner' })).toMatchObject({ name: 'owner' })
    const again = await setUp(realm, [...options, '--remove', '--check'])
    expect(again).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('jitsi: no changes\n') as string,
    })
  })

  test('what is risky is said: a role that makes no moderator, other roles, a context without a name', async () => {
    await using realm = await fileRealm()
    const id = await makeClient(realm)
    await realm.admin.clients.createRole({ id, name: 'student' })
    const { findings } = documentOf(await setUp(realm, ['--moderators', 'role:chief', '--dry-run', '--json']))
    expect(findings.map(({ code }) => code)).toEqual([
      'affiliation-unknown',
      'name-unmapped',
      'roles-compete',
    ])
  })
})

describe('requests', () => {
  const paths = (seen: readonly Seen[]): readonly string[] =>
    seen.map(
      ({ method, path }) =>
        `${method} ${
          path
            .replace(/\?.*|\/[0-9a-f-]{36}/g, '')
            .split('/')
            .at(-1) || 'clients'
        }`,
    )

  test('three on a fresh client and one to see what else was created meanwhile, two on the next run', async () => {
    await using realm = await fileRealm()
    await makeClient(realm)
    await using proxy = await startProxy(keycloak.url)
    await setUp(realm, [], { KEYCLOAK_URL: proxy.url })
    expect(paths(proxy.seen)).toEqual(['POST token', 'GET clients', 'POST add-models', 'GET clients'])
    await setUp(realm, [], { KEYCLOAK_URL: proxy.url })
    expect(paths(proxy.seen.slice(4))).toEqual(['POST token', 'GET clients'])
  })

  test('a role costs one to see and one to make; an update and a removal one each', async () => {
    await using realm = await fileRealm()
    await makeClient(realm)
    await setUpWell(realm, '--bnf', '1')
    await using proxy = await startProxy(keycloak.url)
    await setUp(realm, ['--moderators', 'role:owner'], { KEYCLOAK_URL: proxy.url })
    expect(paths(proxy.seen).slice(2)).toEqual([
      'GET roles',
      'POST roles',
      'POST add-models',
      'PUT models',
      'GET clients',
    ])
    await setUp(realm, ['--remove'], { KEYCLOAK_URL: proxy.url })
    expect(paths(proxy.seen).slice(9)).toEqual(['DELETE models', 'DELETE models'])
  })

  test('a ready access token needs no login', async () => {
    await using realm = await fileRealm()
    await makeClient(realm)
    await using proxy = await startProxy(keycloak.url)
    const token = (await realm.admin.getAccessToken()) ?? ''
    const env = { KEYCLOAK_URL: proxy.url, KEYCLOAK_REALM: realm.name, KEYCLOAK_ACCESS_TOKEN: token }
    expect(await run(['setup-mappers'], { env })).toMatchObject({ exitCode: 0 })
    expect(paths(proxy.seen)).toEqual(['GET clients', 'POST add-models', 'GET clients'])
  })

  test('a token that has run out is replaced by a new login', async () => {
    await using realm = await fileRealm()
    await makeClient(realm)
    const secret = await makeServiceAccount(realm, 'robot', ['manage-clients'])
    const [robot] = await realm.admin.clients.find({ clientId: 'robot' })
    await realm.admin.clients.update(
      { id: robot?.id ?? '' },
      { ...robot, attributes: { ...robot?.attributes, 'access.token.lifespan': '2' } },
    )
    await using proxy = await startProxy(keycloak.url)
    const env = { KEYCLOAK_URL: proxy.url, KEYCLOAK_REALM: realm.name, ...secret }
    expect(await run(['setup-mappers'], { env })).toMatchObject({ exitCode: 0 })
    expect(paths(proxy.seen)).toEqual([
      'POST token',
      'POST token',
      'GET clients',
      'POST token',
      'POST add-models',
      'POST token',
      'GET clients',
    ])
  })

  test('somebody else makes the same mapper at the same time: read and planned once more', async () => {
    await using realm = await fileRealm()
    const id = await makeClient(realm)
    await using proxy = await startProxy(keycloak.url, {
      async fault({ path }, nth) {
        const race = path.endsWith('add-models') && nth === 0
        if (race) await addMapper(realm, id, 'bnf', HARDCODED, { 'claim.name': 'bnf', 'claim.value': '9' })
        return undefined
      },
    })
    const ran = await setUp(realm, ['--moderators', 'role:owner', '--json'], { KEYCLOAK_URL: proxy.url })
    expect(short(documentOf(ran))).toEqual([
      'create room',
      'update bnf',
      'create context.user.affiliation',
      'create owner',
    ])
    expect(await mappersOf(realm)).toMatchObject({ bnf: { config: { 'claim.value': '0' } }, room: {} })
  })

  test('a race that is lost at each try is an error that says what was done, in the first try too', async () => {
    await using realm = await fileRealm()
    const id = await makeClient(realm)
    await using proxy = await startProxy(keycloak.url, {
      async fault({ path, body }) {
        if (path.endsWith('add-models')) {
          const [first] = JSON.parse(body) as { name: string }[]
          const name = first?.name ?? ''
          await addMapper(realm, id, name, HARDCODED, { 'claim.name': name, 'claim.value': '9' })
        }
        return undefined
      },
    })
    const argv = ['--nbf', '--moderators', 'role:owner']
    const { exitCode, stderr } = await setUp(realm, argv, { KEYCLOAK_URL: proxy.url })
    expect(exitCode).toBe(1)
    expect(stderr).toContain(
      'add-models: status 409: Protocol mapper name must be unique per protocol; done before it: create role owner; ' +
        'not done: create nbf, create context.user.affiliation, update room, update bnf',
    )
    expect(stderr).toContain('→ somebody else is changing it at the same time: run again')
  })

  test.each<[what: string, mapper: [name: string, claim: string], before: string, after: string[]]>([
    ['a mapper in the way of the second try', ['room', 'building.room'], 'create role owner', ['room']],
    [
      'a second writer, seen after ours was created',
      ['mine', 'room'],
      'create role owner, create room, create bnf, create context.user.affiliation',
      ['bnf', 'context.user.affiliation', 'mine', 'room'],
    ],
  ])('somebody else makes %s: what was done is said', async (_, [name, claim], before, after) => {
    await using realm = await fileRealm()
    const id = await makeClient(realm)
    await using proxy = await startProxy(keycloak.url, {
      async fault({ path }, nth) {
        const race = path.endsWith('add-models') && nth === 0
        if (race) await addMapper(realm, id, name, HARDCODED, { 'claim.name': claim, 'claim.value': 'x' })
        return undefined
      },
    })
    const { exitCode, stderr } = await setUp(realm, ['--moderators', 'role:owner'], {
      KEYCLOAK_URL: proxy.url,
    })
    expect(exitCode).toBe(1)
    expect(stderr).toContain(
      'somebody else changed its mappers at the same time, and not to the same end; ' +
        `done before it: ${before}\n  → run again: it says which mappers are in the way\n`,
    )
    expect(stderr).not.toContain('nothing was changed')
    expect(Object.keys(await mappersOf(realm)).sort()).toEqual(after)
  })

  test('a failure after the write says what was done', async () => {
    await using realm = await fileRealm()
    await makeClient(realm)
    await using proxy = await startProxy(keycloak.url, {
      fault: ({ path }, nth) => (path.includes('clients/?') && nth === 1 ? { status: 500 } : undefined),
    })
    const { exitCode, stderr } = await setUp(realm, [], { KEYCLOAK_URL: proxy.url })
    expect(exitCode).toBe(7)
    expect(stderr).toContain('status 500; done before it: create room, create bnf\n')
  })

  test('a failure halfway says what was done and what was not', async () => {
    await using realm = await fileRealm()
    await makeClient(realm)
    await setUpWell(realm, '--room', 'a', '--bnf', '1')
    await using proxy = await startProxy(keycloak.url, {
      fault: ({ method }, nth) => (method === 'PUT' && nth === 0 ? { status: 500 } : undefined),
    })
    const { exitCode, stderr } = await setUp(realm, ['--nbf'], { KEYCLOAK_URL: proxy.url })
    expect(exitCode).toBe(7)
    expect(stderr).toContain(
      'status 500; done before it: create nbf; perhaps done: update room; not done: update bnf\n',
    )
    expect(await mappersOf(realm)).toMatchObject({ nbf: {}, room: { config: { 'claim.value': 'a' } } })
  })
})

describe('several realms', () => {
  test('one login for all; a failure stops no other; a summary; the worst exit code', async () => {
    await using noClient = await makeRealm()
    await using done = await makeRealm()
    await using fresh = await makeRealm()
    for (const realm of [done, fresh]) await makeClient(realm)
    await setUpWell(done)

    await using proxy = await startProxy(keycloak.url)
    const names = ['missing', noClient.name, done.name, fresh.name, done.name]
    const ran = await run(['setup-mappers', ...names.flatMap((name) => ['--realm', name])], {
      env: { ...ADMIN_ENV, KEYCLOAK_URL: proxy.url },
    })
    expect(ran).toEqual({
      exitCode: 6,
      stdout: [
        '4 realms: 1 without changes, 1 changed, 2 failed',
        `realm ${fresh.name}, client jitsi:`,
        '  created  room  = "*"',
        '  created  bnf   = 0',
        'realm missing, client jitsi: failed',
        `realm ${noClient.name}, client jitsi: failed`,
        '',
      ].join('\n'),
      stderr: expect.stringMatching(
        new RegExp(
          `^realm ${fresh.name}, client jitsi: going to create room, bnf\n` +
            'error: realm missing: GET .*: there is no realm missing on .*\n.*\n' +
            `error: realm ${noClient.name}: client jitsi of realm ${noClient.name} was not found or is not visible to this account\n.*\n$`,
        ),
      ) as string,
    })
    expect(proxy.seen.filter(({ path }) => path.endsWith('/token'))).toHaveLength(1)
    expect(Object.keys(await mappersOf(fresh)).sort()).toEqual(['bnf', 'room'])

    const both = ['--realm', done.name, '--realm', 'missing']
    const json = await run(['setup-mappers', '--json', '--check', ...both], { env: ADMIN_ENV })
    expect(json.exitCode).toBe(6)
    expect(documentOf(json)).toMatchObject({
      changes: 'none',
      realms: [
        { realm: done.name, changes: 'none', conflict: false },
        { realm: 'missing', failure: 'not-found' },
      ],
      findings: [{ code: 'realm-failed', message: expect.stringMatching(/^realm missing: GET /) as string }],
    })
  })

  test('a service account logs in at each realm, unless another realm to log in at is named', async () => {
    await using one = await makeRealm()
    await using two = await makeRealm()
    for (const realm of [one, two]) await makeClient(realm)
    const env = {
      ...(await makeServiceAccount(one, 'robot', ['manage-clients'])),
      KEYCLOAK_URL: keycloak.url,
    }
    await makeServiceAccount(two, 'robot', ['manage-clients'])
    const both = ['setup-mappers', '--realm', one.name, '--realm', two.name]
    expect(await run(both, { env })).toMatchObject({ exitCode: 0 })
    const ran = await run([...both, '--auth-realm', one.name], { env })
    expect(ran).toMatchObject({
      exitCode: 5,
      stdout: `2 realms: 1 without changes, 1 failed\nrealm ${two.name}, client jitsi: failed\n`,
    })
  })
})
