import { execFile } from 'node:child_process'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { fileNameOf } from '../../src/certs/key.ts'
import { MANIFEST_FILE } from '../../src/certs/manifest.ts'
import { makeAuthority } from '../support/authority.ts'
import { tempFolder } from '../support/folder.ts'
import { run, spawnKjitsi } from '../support/run.ts'
import { startProxy } from '../support/proxy.ts'
import { type TestRealm, keycloak, makeClient, makeRealm, makeUser, tokensOf } from '../support/realm.ts'

const openssl = (...argv: readonly string[]): Promise<{ stdout: string }> =>
  promisify(execFile)('openssl', argv)

interface Certs {
  readonly files: readonly { action: string; path: string; kid?: string; alg: string; source: string }[]
  readonly leftOut: readonly { kid: string; reason: string }[]
  readonly findings: readonly { code: string; message: string }[]
}

/** Exports into `dir`, and gives what was done besides writing the list; the exit code has to be `exitCode`. */
async function exportCerts(dir: string, argv: readonly string[], exitCode = 0): Promise<Certs> {
  const ran = await run(['export-certs', dir, ...argv, '--json'], { env: { KEYCLOAK_URL: keycloak.url } })
  expect(ran.exitCode, ran.stdout).toBe(exitCode)
  const { files, ...rest } = JSON.parse(ran.stdout) as Certs
  expect(files.at(-1)?.path).toBe(join(dir, MANIFEST_FILE))
  return { ...rest, files: files.slice(0, -1) }
}

/** Adds a key provider to the realm. */
async function addKeys(
  realm: TestRealm,
  providerId: string,
  config: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { id } = await realm.admin.components.create({
    name: `${providerId} ${Object.values(config).join(' ')}`,
    providerId,
    providerType: 'org.keycloak.keys.KeyProvider',
    config: Object.fromEntries(Object.entries(config).map(([name, value]) => [name, [value]])),
  })
  return id
}

function headerOf(token: string): { readonly kid: string; readonly alg: string } {
  const [header = ''] = token.split('.')
  return JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string; alg: string }
}

/** Whether openssl finds that the token was signed by the key in this file. */
async function verifies(dir: string, pemFile: string, token: string): Promise<boolean> {
  const [header = '', payload = '', signature = ''] = token.split('.')
  await writeFile(join(dir, 'signed'), `${header}.${payload}`)
  await writeFile(join(dir, 'signature'), Buffer.from(signature, 'base64url'))
  const argv = [
    'dgst',
    '-sha256',
    '-verify',
    pemFile,
    '-signature',
    join(dir, 'signature'),
    join(dir, 'signed'),
  ]
  return openssl(...argv).then(
    ({ stdout }) => stdout.trim() === 'Verified OK',
    () => false,
  )
}

test("a real token's signature is verified by openssl with the file of its kid", async () => {
  await using realm = await makeRealm()
  await makeClient(realm)
  await makeUser(realm)
  const { accessToken } = await tokensOf(realm)
  const { kid, alg } = headerOf(accessToken)
  const [dir, work] = [tempFolder(), tempFolder()]

  const pem = join(dir, fileNameOf(kid))
  const { files } = await exportCerts(dir, ['--realm', realm.name])
  expect(files).toMatchObject([
    { action: 'create', path: pem, mode: '0644', kid, alg, bits: 2048, source: `realm ${realm.name}` },
  ])
  expect(await verifies(work, pem, accessToken)).toBe(true)
  const forged = accessToken.replace(/\.(.)/, (_, first: string) => (first === 'a' ? '.b' : '.a'))
  expect(await verifies(work, pem, forged)).toBe(false)
  const { stdout } = await openssl('pkey', '-pubin', '-in', pem, '-noout', '-text')
  expect(stdout).toContain('Public-Key: (2048 bit)')
})

test('keys that Jitsi cannot use are left out and named', async () => {
  // With all the keys that Keycloak gives to a new realm.
  await using realm = await makeRealm('kjitsi', { components: {} })
  await addKeys(realm, 'ecdsa-generated', { ecdsaEllipticCurveKey: 'P-256' })
  await addKeys(realm, 'rsa-generated', { algorithm: 'PS256' })
  await addKeys(realm, 'rsa-generated', { algorithm: 'RS256', keySize: '1024' })
  await addKeys(realm, 'rsa-generated', { algorithm: 'RS512', keySize: '4096' })
  const { files, leftOut } = await exportCerts(tempFolder(), ['--realm', realm.name])
  expect(files.map(({ alg }) => alg).sort()).toEqual(['RS256', 'RS512'])
  expect(leftOut.map(({ reason }) => reason).sort()).toEqual([
    '1024 bits: too short to be safe, 2048 is the least',
    'alg PS256: Jitsi takes RS256, RS384 and RS512 only',
    'kty EC (ES256): Jitsi takes RSA keys only',
    'use enc: it does not sign tokens',
  ])
  const published = (await realm.admin.realms.getKeys({ realm: realm.name })).keys?.map(({ kid }) => kid)
  for (const { kid } of leftOut) expect(published).toContain(kid)
})

test('after a rotation the new key is there beside the old, until the old is gone and pruned', async () => {
  await using realm = await makeRealm()
  await makeClient(realm)
  await makeUser(realm)
  const [dir, work] = [tempFolder(), tempFolder()]
  const argv = ['--realm', realm.name]
  const old = headerOf((await tokensOf(realm)).accessToken).kid
  await exportCerts(dir, argv)

  await addKeys(realm, 'rsa-generated', { priority: '200', algorithm: 'RS256' })
  const { accessToken } = await tokensOf(realm)
  const { kid } = headerOf(accessToken)
  const rotated = await exportCerts(dir, argv)
  expect(new Map(rotated.files.map((file) => [file.kid, file.action]))).toEqual(
    new Map([
      [kid, 'create'],
      [old, 'keep'],
    ]),
  )
  expect(await verifies(work, join(dir, fileNameOf(kid)), accessToken)).toBe(true)

  const { keys = [] } = await realm.admin.realms.getKeys({ realm: realm.name })
  const provider = keys.find((key) => key.kid === old)?.providerId
  await realm.admin.components.del({ id: provider ?? '' })
  expect(await exportCerts(dir, argv)).toMatchObject({ findings: [{ code: 'stale-keys' }] })
  expect(await exportCerts(dir, [...argv, '--prune'])).toMatchObject({
    files: [
      { action: 'keep', kid },
      { action: 'remove', path: join(dir, fileNameOf(old)) },
    ],
    findings: [{ code: 'pruned-still-trusted' }],
  })
  expect((await readdir(dir)).sort()).toEqual(['.kjitsi.json', fileNameOf(kid)].sort())
})

test('several realms share a folder; one that does not exist stops no other, and what kjitsi did not write stays', async () => {
  await using one = await makeRealm()
  await using two = await makeRealm()
  const dir = tempFolder()
  const gone = join(dir, `${'0'.repeat(64)}.pem`)
  await writeFile(gone, 'old')
  const argv = ['--realm', one.name, '--realm', 'nope', '--realm', two.name, '--prune']
  const { files, findings } = await exportCerts(dir, argv, 6)
  expect(files.map(({ action, source }) => `${action} ${source}`)).toEqual([
    `create realm ${one.name}`,
    `create realm ${two.name}`,
  ])
  expect(findings.map(({ code }) => code)).toEqual(['source-failed', 'nothing-pruned', 'foreign-keys'])
  expect(findings[0]?.message).toContain('realm nope: GET ')
  expect(await readdir(dir)).toHaveLength(4)
})

test('a realm that does not exist', async () => {
  const dir = tempFolder()
  const env = { KEYCLOAK_URL: keycloak.url, KEYCLOAK_REALM: 'nope' }
  const { exitCode, stdout, stderr } = await run(['export-certs', join(dir, 'certs')], { env })
  expect(stderr).toContain(`there is no realm nope on ${keycloak.url}`)
  expect({ exitCode, stdout }).toEqual({ exitCode: 6, stdout: '' })
  expect(await readdir(dir)).toEqual([])
})

test('keys on another host are fetched with consent only', async () => {
  await using realm = await makeRealm()
  const dir = tempFolder()
  const frontendUrl = keycloak.url.replace('127.0.0.1', 'localhost')
  await realm.admin.realms.update({ realm: realm.name }, { attributes: { frontendUrl } })
  const { host } = new URL(frontendUrl)
  const refused = await run(['export-certs', dir, '--realm', realm.name, '--url', keycloak.url])
  expect(refused.stderr).toContain(
    `error: realm ${realm.name}: the Keycloak at ${keycloak.url} says that its keys are at ` +
      `${frontendUrl}/realms/${realm.name}/protocol/openid-connect/certs, another host; they are not fetched`,
  )
  expect(refused.stderr).toContain(`--allow-keys-from ${host} (or KJITSI_ALLOW_KEYS_FROM) allows it`)
  expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
  expect(await readdir(dir)).toEqual([])
  const { files } = await exportCerts(dir, ['--realm', realm.name, '--allow-keys-from', host])
  expect(files).toHaveLength(1)

  await realm.admin.realms.update(
    { realm: realm.name },
    { attributes: { frontendUrl: 'http://nowhere.invalid' } },
  )
  const argv = ['export-certs', dir, '--realm', realm.name, '--url', keycloak.url]
  argv.push('--allow-keys-from', 'nowhere.invalid')
  const { exitCode, stderr } = await run(argv)
  expect(stderr).toContain(`realm ${realm.name}: GET http://nowhere.invalid/realms/${realm.name}/`)
  expect(stderr).toContain(
    `or give --jwks: it was ${keycloak.url} (its hostname setting) that named this address`,
  )
  expect(exitCode).toBe(7)
})

test('an https Keycloak that names its keys by http, as behind a proxy without headers, is refused', async () => {
  await using realm = await makeRealm()
  const dir = tempFolder()
  await using authority = await makeAuthority()
  await using proxy = await startProxy(keycloak.url, { tls: authority.server })
  const { host } = new URL(keycloak.url)
  const { exitCode, stderr } = await spawnKjitsi([
    ...['export-certs', dir, '--url', proxy.url, '--realm', realm.name, '--ca-file', authority.caFile],
    ...['--allow-keys-from', host],
  ])
  expect(stderr).toContain(`says that its keys are at ${keycloak.url}/realms/${realm.name}/`)
  expect(stderr).toMatch(/not https.*\n.*KC_PROXY_HEADERS=xforwarded/)
  expect(exitCode).toBe(1)
  expect(await readdir(dir)).toEqual([])
})

describe('addresses in place of realms', () => {
  test("a realm's discovery document is told from its key set", async () => {
    await using realm = await makeRealm()
    const dir = tempFolder()
    const base = `${keycloak.url}/realms/${realm.name}`
    const wrong = await run(['export-certs', dir, '--jwks', `${base}/.well-known/openid-configuration`])
    expect(wrong.stderr).toContain('is a discovery document, not a key set')
    expect(wrong.stderr).toContain(`its key set is at ${base}/protocol/openid-connect/certs`)
    expect(wrong.exitCode).toBe(7)
    const { files } = await exportCerts(dir, ['--jwks', `${base}/protocol/openid-connect/certs`])
    expect(files).toHaveLength(1)
  })

  test('one behind an unknown certificate authority is refused, and taken with --ca-file', async () => {
    await using realm = await makeRealm()
    const dir = tempFolder()
    await using authority = await makeAuthority()
    await using proxy = await startProxy(keycloak.url, { tls: authority.server })
    const argv = [
      'export-certs',
      dir,
      '--jwks',
      `${proxy.url}/realms/${realm.name}/protocol/openid-connect/certs`,
    ]

    const refused = await spawnKjitsi(argv)
    expect(refused.stderr).toMatch(/error: GET https:.*: its certificate is signed by an unknown authority/)
    expect(refused.stderr).toContain('--ca-file')
    expect(refused).toMatchObject({ exitCode: 7, stdout: '' })
    expect(await readdir(dir)).toEqual([])

    const taken = await spawnKjitsi([...argv, '--ca-file', authority.caFile])
    expect(taken).toMatchObject({ exitCode: 0 })
    expect(taken.stdout).toContain('created')
    expect(await readdir(dir)).toHaveLength(2)
  })
})
