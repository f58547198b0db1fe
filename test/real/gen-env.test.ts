// kjitsi gen-env with the issuers of a real Keycloak. Where only a discovery document is read, the realm `master`, which
// every Keycloak has, does as well as one of the test's own.
import { decodeJwt } from 'jose'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { readEnv } from '../../src/env-file/parse.ts'
import { tempFolder } from '../support/folder.ts'
import { run, spawnKjitsi } from '../support/run.ts'
import { startProxy } from '../support/proxy.ts'
import { keycloak, makeClient, makeRealm, makeUser, tokensOf, fileRealm } from '../support/realm.ts'

const KEYS = ['--keyserver', 'https://meet.example.org/keys']
const OLD = '# mine\nJWT_ACCEPTED_ISSUERS=old\n'

let dir: string
let file: string
beforeEach(async () => {
  dir = tempFolder()
  file = join(dir, '.env')
  await writeFile(file, OLD)
})

const read = async (): Promise<ReadonlyMap<string, string>> => readEnv(await readFile(file, 'utf8'))
const codesIn = (stdout: string): readonly string[] =>
  (JSON.parse(stdout) as { findings: { code: string }[] }).findings.map(({ code }) => code)

describe('the issuers', () => {
  it('are those of the tokens', async () => {
    await using realm = await fileRealm()
    await makeClient(realm)
    await makeUser(realm)
    const { exitCode } = await run(['gen-env', file, '--url', keycloak.url, '--realm', realm.name, ...KEYS])
    expect(exitCode).toBe(0)
    const { iss, aud } = decodeJwt((await tokensOf(realm)).accessToken)
    const values = await read()
    expect(values.get('JWT_ACCEPTED_ISSUERS')).toBe(iss)
    expect(values.get('JWT_ACCEPTED_AUDIENCES')?.split(',')).toContain(aud)
  })

  it('are a list for several realms', async () => {
    await using one = await makeRealm()
    await using two = await makeRealm()
    const { stdout } = await run(['gen-env', '--realm', one.name, '--realm', two.name], {
      env: { KEYCLOAK_URL: keycloak.url },
    })
    expect(readEnv(stdout).get('JWT_ACCEPTED_ISSUERS')).toBe(
      `${keycloak.url}/realms/${one.name},${keycloak.url}/realms/${two.name}`,
    )
  })

  it('are never computed: a realm with a public address of its own', async () => {
    await using realm = await makeRealm()
    const issuer = `https://login.example.org/realms/${realm.name}`
    await realm.admin.realms.update(
      { realm: realm.name },
      { attributes: { frontendUrl: 'https://login.example.org' } },
    )
    const { stdout } = await run(['gen-env', '--url', keycloak.url, '--realm', realm.name, '--json', ...KEYS])
    expect(stdout).toContain(`"JWT_ACCEPTED_ISSUERS": "${issuer}"`)
    expect(codesIn(stdout)).toEqual(['issuer-host'])
  })

  it('are asked for by one request a realm, without a login', async () => {
    await using proxy = await startProxy(keycloak.url)
    const argv = ['gen-env', file, '--url', proxy.url, '--realm', 'master', '--json', ...KEYS]
    const { stdout } = await run(argv)
    expect(proxy.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
      `GET /realms/master/.well-known/openid-configuration`,
    ])
    expect(codesIn(stdout)).toEqual(['issuer-http', 'issuer-host'])
    expect((await run([...argv, '--check'])).exitCode).toBe(0)
  })

  it('are not asked for where they are given', async () => {
    await using proxy = await startProxy(keycloak.url)
    const { exitCode } = await run([
      'gen-env',
      '--issuer',
      'https://a',
      '--url',
      proxy.url,
      '--realm',
      'b',
      ...KEYS,
    ])
    expect(exitCode).toBe(0)
    expect(proxy.seen).toEqual([])
  })

  it('with a comma are refused', async () => {
    await using realm = await makeRealm()
    const attributes = { frontendUrl: 'https://login.example.org/a,b' }
    await realm.admin.realms.update({ realm: realm.name }, { attributes })
    const { exitCode, stderr } = await run(['gen-env', file, '--realm', realm.name], {
      env: { KEYCLOAK_URL: keycloak.url },
    })
    expect(exitCode).toBe(2)
    expect(stderr).toContain('JWT_ACCEPTED_ISSUERS')
    expect(stderr).toContain('holds a comma')
    expect(await readFile(file, 'utf8')).toBe(OLD)
  })
})

describe('the address of Keycloak', () => {
  it.each(['/', '//'])('may end with %s', async (end) => {
    const { exitCode } = await run(['gen-env', file, '--realm', 'master', ...KEYS], {
      env: { KEYCLOAK_URL: `${keycloak.url}${end}` },
    })
    expect(exitCode).toBe(0)
    expect((await read()).get('JWT_ACCEPTED_ISSUERS')).toBe(`${keycloak.url}/realms/master`)
  })

  it.each(['/auth', '/auth/'])('may have the base path %s', async (base) => {
    await using proxy = await startProxy(keycloak.url, { prefix: '/auth' })
    const { exitCode } = await run([
      'gen-env',
      file,
      '--url',
      `${proxy.url}${base}`,
      '--realm',
      'master',
      ...KEYS,
    ])
    expect(exitCode).toBe(0)
    expect((await read()).get('JWT_ACCEPTED_ISSUERS')).toBe(`${keycloak.url}/realms/master`)
  })

  it('may lack its base path, which is then named', async () => {
    await using proxy = await startProxy(keycloak.url, { prefix: '/auth' })
    const { exitCode, stderr } = await run([
      'gen-env',
      file,
      '--url',
      proxy.url,
      '--realm',
      'master',
      ...KEYS,
    ])
    expect(exitCode).toBe(6)
    expect(stderr).toContain(`this Keycloak is at ${proxy.url}/auth`)
    expect(await readFile(file, 'utf8')).toBe(OLD)
  })
})

describe('what goes wrong leaves FILE alone', () => {
  it('no such realm, alone or among others', async () => {
    for (const realms of [['nobody-made-me'], ['master', 'nobody-made-me']]) {
      const argv = ['gen-env', file, '--url', keycloak.url, ...realms.flatMap((name) => ['--realm', name])]
      const { exitCode, stdout, stderr } = await run(argv)
      expect({ exitCode, stdout }).toEqual({ exitCode: 6, stdout: '' })
      expect(stderr).toContain(`there is no realm nobody-made-me on ${keycloak.url}`)
      expect(await readFile(file, 'utf8')).toBe(OLD)
    }
  })

  it.each([
    ['HTML', { page: 'Welcome' }, 'status 200 and text/html, not a Keycloak'],
    ['other JSON', { json: { issuer: 1 } }, 'status 200 and application/json, not a Keycloak'],
    [
      'a redirect',
      { redirectTo: 'https://elsewhere.example.org/' },
      'redirected to https://elsewhere.example.org/',
    ],
    ['an error', { status: 500 }, 'status 500'],
    ['silence', 'silence', 'no answer within 1s (--timeout)'],
  ] as const)('%s in place of an answer', async (_, fault, message) => {
    await using proxy = await startProxy(keycloak.url, { fault: () => fault })
    const { exitCode, stdout, stderr } = await run([
      'gen-env',
      file,
      '--url',
      proxy.url,
      '--realm',
      'a',
      '--timeout',
      '1s',
    ])
    expect({ exitCode, stdout }).toEqual({ exitCode: 7, stdout: '' })
    expect(stderr).toContain(`error: GET ${proxy.url}/realms/a/.well-known/openid-configuration: ${message}`)
    expect(await readFile(file, 'utf8')).toBe(OLD)
  })
})

it('the real command writes what it is asked for', async () => {
  const { exitCode, stdout } = await spawnKjitsi(['gen-env', '.env', ...KEYS], {
    cwd: dir,
    env: { KEYCLOAK_URL: keycloak.url, KEYCLOAK_REALM: 'master' },
  })
  expect({ exitCode, first: stdout.split('\n')[0] }).toEqual({
    exitCode: 0,
    first: `updated ${file}: Jitsi's .env`,
  })
  expect((await read()).get('JWT_ACCEPTED_ISSUERS')).toBe(`${keycloak.url}/realms/master`)
})
