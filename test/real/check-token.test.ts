import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { tempFolder } from '../support/folder.ts'
import { type Ran, run } from '../support/run.ts'
import {
  ADMIN_ENV,
  type TestRealm,
  clientOf,
  giveRole,
  keycloak,
  makeClient,
  makeServiceAccount,
  makeUser,
  tokensOf,
  fileRealm,
  makeRealm,
} from '../support/realm.ts'

const CLAIM = {
  protocol: 'openid-connect',
  protocolMapper: 'oidc-hardcoded-claim-mapper',
} as const

/** A realm with a client whose tokens have a room. */
async function realmWithRoom(make = fileRealm): Promise<TestRealm & { readonly clientUuid: string }> {
  const realm = await make()
  const clientUuid = await makeClient(realm)
  await realm.admin.clients.addProtocolMapper(
    { id: clientUuid },
    {
      ...CLAIM,
      name: 'room',
      config: {
        'claim.name': 'room',
        'claim.value': '*',
        'jsonType.label': 'String',
        'access.token.claim': 'true',
        'id.token.claim': 'true',
      },
    },
  )
  await makeUser(realm)
  return { ...realm, clientUuid }
}

function issuerOf({ name }: TestRealm): string {
  return `${keycloak.url}/realms/${name}`
}

/** Asks by the realm's own key set, with the token on stdin. */
async function check(realm: TestRealm, token: string, more: readonly string[] = []): Promise<Ran> {
  const issuer = issuerOf(realm)
  const keys = `${issuer}/protocol/openid-connect/certs`
  const audiences = ['--accept-audience', 'account', '--accept-audience', 'jitsi']
  const argv = [
    'check-token',
    '-',
    '--issuer',
    issuer,
    ...audiences,
    '--jwks',
    keys,
    '--join',
    'team-a',
    '--json',
    ...more,
  ]
  return run(argv, { stdin: token })
}

function said({ stdout }: Ran): string {
  const { accepted, auth, join, answered } = JSON.parse(stdout) as {
    accepted: boolean
    answered: boolean
    auth: { text: string | null }
    join: { text: string | null } | null
  }
  if (!answered) return 'no answer'
  return accepted ? 'accepted' : (auth.text ?? join?.text ?? '')
}

async function setClient(realm: TestRealm, clientUuid: string, more: object): Promise<void> {
  await realm.admin.clients.update({ id: clientUuid }, { clientId: 'jitsi', ...more })
}

describe('tokens of a real realm', () => {
  test("an ordinary user's is accepted, and so is the ID token", async () => {
    await using realm = await realmWithRoom()
    const { accessToken, idToken } = await tokensOf(realm)
    for (const token of [accessToken, idToken]) {
      const ran = await check(realm, token)
      expect([said(ran), ran.exitCode]).toEqual(['accepted', 0])
    }
    // The ID token is for the client alone, the access token for "account".
    const onlyAccount = ['--accept-audience', 'account']
    const argv = (token: string): readonly string[] => [
      'check-token',
      token,
      '--issuer',
      issuerOf(realm),
      ...onlyAccount,
    ]
    const keys = ['--jwks', `${issuerOf(realm)}/protocol/openid-connect/certs`]
    expect((await run([...argv(accessToken), ...keys])).exitCode).toBe(0)
    const ran = await run([...argv(idToken), ...keys])
    expect(ran.stdout).toMatch(
      /^Jitsi refuses this token: invalid 'aud' claim\. Found "jitsi", accepted \["account"\]/,
    )
  })

  test("a realm admin's has a list of audiences, which equals none", async () => {
    await using realm = await realmWithRoom()
    const [user] = await realm.admin.users.find({ username: 'alice' })
    await giveRole(realm, user?.id ?? '', 'realm-management', 'realm-admin')
    const ran = await check(realm, (await tokensOf(realm)).accessToken)
    expect([said(ran), ran.exitCode]).toEqual(["invalid 'aud' claim", 3])
  })

  test('without a room mapper, without an audience, lightweight, at+jwt', async () => {
    await using realm = await realmWithRoom()
    const [mapper] = await realm.admin.clients.listProtocolMappers({ id: realm.clientUuid })
    await setClient(realm, realm.clientUuid, {
      attributes: { 'client.use.lightweight.access.token.enabled': 'true' },
    })
    expect(said(await check(realm, (await tokensOf(realm)).accessToken))).toBe("'aud' claim is missing")
    await setClient(realm, realm.clientUuid, {
      attributes: {
        'client.use.lightweight.access.token.enabled': 'false',
        'access.token.header.type.rfc9068': 'true',
      },
    })
    expect(said(await check(realm, (await tokensOf(realm)).accessToken))).toBe('Invalid typ')
    await setClient(realm, realm.clientUuid, {
      attributes: { 'access.token.header.type.rfc9068': 'false' },
      fullScopeAllowed: false,
    })
    expect(said(await check(realm, (await tokensOf(realm)).accessToken))).toBe("'aud' claim is missing")
    await setClient(realm, realm.clientUuid, { fullScopeAllowed: true })
    await realm.admin.clients.delProtocolMapper({ id: realm.clientUuid, mapperId: mapper?.id ?? '' })
    expect(said(await check(realm, (await tokensOf(realm)).accessToken))).toBe('room claim is missing')
  })

  test.each([
    ['RS512', [], 'Invalid or incorrect alg'],
    ['RS512', ['--sign-type', 'RS512'], 'accepted'],
    ['PS256', [], "'kid' claim only support with RS family"],
    ['ES256', [], "'kid' claim only support with RS family"],
  ])('of a client that signs with %s, asked with %j', async (alg, more, expected) => {
    await using realm = await realmWithRoom(makeRealm)
    await setClient(realm, realm.clientUuid, { attributes: { 'access.token.signed.response.alg': alg } })
    expect(said(await check(realm, (await tokensOf(realm)).accessToken, more))).toBe(expected)
  })

  test('one of another realm, one that was changed, and one whose time is up', async () => {
    await using realm = await realmWithRoom()
    await using other = await realmWithRoom(makeRealm)
    const { accessToken } = await tokensOf(realm)
    // The key set has no such kid, and there is no key server to fall back to.
    expect(said(await check(other, accessToken))).toBe('no answer')
    const at = accessToken.lastIndexOf('.') + 20
    const changed =
      accessToken.slice(0, at) + (accessToken[at] === 'A' ? 'B' : 'A') + accessToken.slice(at + 1)
    expect(said(await check(realm, changed))).toBe('Invalid signature')
    const later = String(Math.floor(Date.now() / 1000) + 3600)
    expect(said(await check(realm, accessToken, ['--at', later]))).toMatch(
      /^Not acceptable by exp \(33\d\d\.0 sec since expired, valid for:300\.0 sec\)$/,
    )
  })

  test("by Jitsi's .env and the folder that export-certs writes", async () => {
    await using realm = await realmWithRoom()
    const dir = tempFolder()
    const exported = await run(['export-certs', 'certs', '--url', keycloak.url, '--realm', realm.name], {
      cwd: dir,
    })
    expect(exported.exitCode).toBe(0)
    const lines = [
      'ENABLE_AUTH=1',
      'AUTH_TYPE=jwt',
      'JWT_APP_ID=jitsi',
      `JWT_ACCEPTED_ISSUERS=${issuerOf(realm)}`,
      'JWT_ACCEPTED_AUDIENCES=account,jitsi',
      'JWT_ASAP_KEYSERVER=https://keys.example.org/certs',
    ]
    await writeFile(join(dir, 'jitsi.env'), lines.join('\n') + '\n')
    const { accessToken } = await tokensOf(realm)
    const argv = ['check-token', '-', '--jitsi-env', 'jitsi.env', '--certs', 'certs', '--join', 'Team A']
    const ran = await run(argv, { cwd: dir, stdin: accessToken })
    expect(ran.stdout).toMatch(
      /^Jitsi accepts this token for room Team A until (\d{4}-\d\d-\d\d )?\d\d:\d\d \(in [45] min\)/,
    )
    expect(ran.exitCode).toBe(0)
  })
})

test.each([
  ['Team A', 'team%20a', 'Team A'],
  ['café', 'caf%c3%a9', 'Café'],
  ['acme/R&D', '[acme]rd', 'https://meet.example.org/acme/r&d'],
])('setup-mappers --room %s writes %s, which opens %s and not another room', async (room, claim, joined) => {
  await using realm = await fileRealm()
  await makeClient(realm)
  await makeUser(realm)
  const made = await run(['setup-mappers', '--realm', realm.name, '--room', room], { env: ADMIN_ENV })
  expect(made.stderr).toContain(`note: the claim room is ${claim}, by which Prosody knows the room ${room}\n`)
  expect(made.exitCode).toBe(0)
  const { accessToken } = await tokensOf(realm)
  expect(said(await check(realm, accessToken, ['--join', joined]))).toBe('accepted')
  expect(said(await check(realm, accessToken))).toBe('Room does not match the room from token')
})

describe('the token of a person who does not log in (--user)', () => {
  const flags = (realm: TestRealm, more: readonly string[] = []): readonly string[] => [
    'check-token',
    ...['--user', 'alice', '--realm', realm.name, '--issuer', issuerOf(realm), '--join', 'team-a'],
    ...['--keyserver', 'https://keys.example.org/certs', '--accept-audience', 'account', ...more],
  ]
  const ask = (realm: TestRealm, more: readonly string[] = [], env: object = {}): Promise<Ran> =>
    run(flags(realm, more), { env: { ...ADMIN_ENV, ...env } })
  /** Asks as somebody with these roles of realm-management alone. */
  const askAs = async (realm: TestRealm, roles: readonly string[]): Promise<Ran> => {
    const account = await makeServiceAccount(realm, 'ci', roles)
    return run(flags(realm), { env: { KEYCLOAK_URL: keycloak.url, ...account } })
  }

  test('is judged by what it would hold, and its signature is not looked at', async () => {
    await using realm = await realmWithRoom()
    const ran = await ask(realm)
    expect([ran.exitCode, ran.stderr]).toEqual([0, expect.not.stringContaining('error')])
    expect(ran.stdout).toMatch(
      /^Jitsi accepts this person's token for room team-a until .*\nsignature: not looked at, this token was never signed\n/,
    )
    expect(ran.stdout).toMatch(/- +login: signature +not looked at, this token was never signed\n/)
    const { accepted, rules } = JSON.parse((await ask(realm, ['--json'])).stdout) as {
      accepted: boolean
      rules: readonly { code: string; is: string; why?: string; found?: string }[]
    }
    expect(accepted).toBe(true)
    const unsigned = { is: 'skipped', why: 'not looked at, this token was never signed' }
    for (const code of ['kid-missing', 'key-missing', 'signature-invalid', 'signature'])
      expect(rules.find((rule) => rule.code === code)).toMatchObject(unsigned)
    expect(rules.find(({ code }) => code === 'alg')).toMatchObject({ is: 'passed', found: '"RS256"' })
    // Nobody has logged in, and nothing is there that could be used.
    expect(await realm.admin.clients.listSessions({ id: realm.clientUuid, first: 0, max: 9 })).toEqual([])
  })

  test('holds what her roles, the client and the scope make of it', async () => {
    await using realm = await realmWithRoom()
    const refusal = async (...more: readonly string[]): Promise<string> =>
      said(await ask(realm, ['--json', ...more]))
    const client = { id: realm.clientUuid }
    await realm.admin.clients.createRole({ ...client, name: 'owner' })
    const [alice] = await realm.admin.users.find({ username: 'alice' })
    await run(['setup-mappers', '--realm', realm.name, '--moderators', 'role:owner'], { env: ADMIN_ENV })
    expect(await refusal()).toBe('accepted')
    await giveRole(realm, alice?.id ?? '', 'realm-management', 'realm-admin')
    const list = await ask(realm)
    expect([list.exitCode, list.stdout]).toEqual([
      3,
      expect.stringMatching(/^Jitsi refuses this person's token: invalid 'aud' claim\. Found \["/),
    ])
    const attributes = (more: object): Promise<void> =>
      setClient(realm, realm.clientUuid, { fullScopeAllowed: false, attributes: more })
    await attributes({})
    expect(await refusal()).toBe("'aud' claim is missing")
    await attributes({ 'access.token.header.type.rfc9068': 'true' })
    expect(await refusal()).toBe('Invalid typ')
    await attributes({
      'access.token.header.type.rfc9068': 'false',
      'access.token.signed.response.alg': 'ES256',
    })
    expect(await refusal()).toBe("'kid' claim only support with RS family")
    await attributes({ 'access.token.signed.response.alg': 'RS512' })
    expect(await refusal('--sign-type', 'RS512')).toBe("'aud' claim is missing")
  })

  test('of a scope that is asked for', async () => {
    await using realm = await realmWithRoom()
    const { id } = await realm.admin.clientScopes.create({
      name: 'meetings',
      protocol: 'openid-connect',
    })
    const audience = { 'included.custom.audience': 'meetings', 'access.token.claim': 'true' }
    await realm.admin.clientScopes.addProtocolMapper(
      { id },
      { name: 'aud', protocol: 'openid-connect', protocolMapper: 'oidc-audience-mapper', config: audience },
    )
    await realm.admin.clients.addOptionalClientScope({ id: realm.clientUuid, clientScopeId: id })
    expect(said(await ask(realm, ['--json']))).toBe('accepted')
    expect(said(await ask(realm, ['--json', '--scope', 'openid meetings']))).toBe("invalid 'aud' claim")
  })

  test('of somebody who is disabled is a warning', async () => {
    await using realm = await realmWithRoom()
    const [alice] = await realm.admin.users.find({ username: 'alice' })
    await realm.admin.users.update({ id: alice?.id ?? '' }, { ...alice, enabled: false })
    const ran = await ask(realm, ['--strict'])
    expect(ran.stderr).toContain(`realm ${realm.name}: user alice is disabled, and cannot log in`)
    expect(ran.exitCode).toBe(3)
  })

  test('view-clients and view-users are enough, and the one that is missing is named', async () => {
    await using realm = await realmWithRoom()
    expect((await askAs(realm, ['view-clients', 'view-users'])).exitCode).toBe(0)
    await realm.admin.clients.del({ id: (await clientOf(realm, 'ci')).id })
    const { exitCode, stderr } = await askAs(realm, ['view-clients'])
    expect(stderr).toContain(
      `the service account of client ci lacks the right to see users in realm ${realm.name} (status 403)`,
    )
    expect(stderr).toContain('give the account the role view-users of client realm-management')
    expect(exitCode).toBe(5)
  })

  test.each<[string, readonly string[], number, RegExp]>([
    [
      'no such user',
      ['--user', 'bob'],
      6,
      /user bob of realm \S+ was not found or is not visible to user admin/,
    ],
    ['no such client', ['--client', 'nobody'], 6, /client nobody of realm \S+ was not found/],
    [
      'several realms',
      ['--realm', 'other'],
      2,
      /--user is of one realm, and there are several: \S+, other\n.*--realm/,
    ],
  ])('%s', async (_, more, code, sentence) => {
    await using realm = await realmWithRoom()
    const { exitCode, stderr } = await ask(realm, more)
    expect(stderr).toMatch(sentence)
    expect(exitCode).toBe(code)
  })

  test('the internal id of a client', async () => {
    await using realm = await realmWithRoom()
    const { exitCode, stderr } = await ask(realm, ['--client', realm.clientUuid])
    expect(stderr).toContain('is the internal id of a client, and its client id is jitsi')
    expect(exitCode).toBe(6)
  })

  test('what is missing for the login is named as this command has it', async () => {
    const env = { KEYCLOAK_URL: keycloak.url, KEYCLOAK_REALM: 'meet' }
    const argv = ['check-token', '--user', 'alice', '--issuer', 'https://a.example/realms/b', '--certs', '.']
    const { exitCode, stderr } = await run(argv, { env, cwd: tempFolder() })
    expect(stderr).toContain('an administrator, of realm master by default: --admin or KEYCLOAK_USER, and')
    expect(exitCode).toBe(2)
  })
})
