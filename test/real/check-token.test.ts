import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { tempFolder } from '../support/folder.ts'
import { type Ran, run } from '../support/run.ts'
import {
  type TestRealm,
  giveRole,
  keycloak,
  makeClient,
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
