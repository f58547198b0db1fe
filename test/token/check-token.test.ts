import { spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { beforeAll, describe, expect, test } from 'vitest'
import { fileNameOf } from '../../src/certs/key.ts'
import { makeAuthority } from '../support/authority.ts'
import { listen, freePort, serve } from '../support/http.ts'
import { sharedFolder, tempFolder } from '../support/folder.ts'
import { BIN, type Ran, run, spawnKjitsi } from '../support/run.ts'
import { CLAIMS, ENV, FILE, HEADER, ISSUER, JWK, NOW, PEM, token } from '../support/tokens.ts'
import { ENTER, openTerminal } from '../support/terminal.ts'

const AT = ['--at', String(NOW)]
const good = token()
const body = (more: object): string => token({ ...CLAIMS, ...more })

const dir = sharedFolder()
let base: string

/** Paths of the key server, each with what it answers. */
const ANSWERS: Readonly<
  Record<string, readonly [status: number, text: string, headers?: Record<string, string>]>
> = {
  [`/good/${FILE}`]: [200, PEM],
  [`/html/${FILE}`]: [200, '<!doctype html><title>Jitsi Meet</title>', { 'content-type': 'text/html' }],
  [`/moved/${FILE}`]: [301, '', { location: `/good/${FILE}` }],
  '/jwks': [200, JSON.stringify({ keys: [JWK] })],
  [`/broken/${FILE}`]: [500, PEM],
  [`/closed/${FILE}`]: [403, 'no'],
  '/jwks-broken': [500, JSON.stringify({ keys: [JWK] })],
  '/jwks-moved': [302, '', { location: '/jwks' }],
}
/** Paths that fail once, and answer as above from the second time on. */
const failing = new Set<string>()
const asked: string[] = []

beforeAll(async () => {
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    const fails = failing.delete(request.url ?? '')
    const [status, text, headers] = fails ? [500, 'later'] : (ANSWERS[request.url ?? ''] ?? [404, 'no'])
    response.writeHead(status, headers).end(text)
  })
  const listening = await listen(server)
  base = `http://127.0.0.1:${listening.port}`
  await mkdir(join(dir, 'certs'))
  await writeFile(join(dir, 'certs', FILE), PEM)
  await writeFile(join(dir, 'jwks.json'), JSON.stringify({ keys: [JWK] }))
  await writeEnv('jitsi.env', {})
  return () => listening[Symbol.asyncDispose]()
})

async function writeEnv(name: string, more: Readonly<Record<string, string>>): Promise<void> {
  const lines = Object.entries({ ...ENV, ...more }).map(([key, value]) => `${key}=${value}\n`)
  await writeFile(join(dir, name), lines.join(''))
}

async function check(argv: readonly string[], stdin = ''): Promise<Ran> {
  return run(['check-token', ...argv], { cwd: dir, stdin, env: { NO_COLOR: '1' } })
}

const BY_ENV = ['--jitsi-env', 'jitsi.env', '--certs', 'certs', ...AT]

describe('one token', () => {
  test('accepted: the answer comes first, then every rule, and the exit code is 0', async () => {
    const ran = await check([good, ...BY_ENV, '--join', 'Team A'])
    expect(ran.exitCode).toBe(0)
    expect(ran.stdout).toMatch(
      /^Jitsi accepts this token for room Team A until (\d{4}-\d\d-\d\d )?\d\d:\d\d \(in 60 min\)\.\n/,
    )
    expect(ran.stdout).toMatch(/^✓ {2}login: aud +"jitsi" +\["jitsi"\]$/m)
    expect(ran.stdout).toMatch(/^✓ {2}join: room +"\*" +"team%20a"$/m)
  })

  test('refused: the reason, the values, what mends it, all else that fails, and exit code 3', async () => {
    const ran = await check([body({ aud: ['jitsi', 'account'], room: undefined }), ...BY_ENV])
    expect(ran.exitCode).toBe(3)
    expect(ran.stdout).toMatch(
      /^Jitsi refuses this token: invalid 'aud' claim\. Found \["jitsi", "account"\], accepted \["jitsi"\]\.\n {2}→ .*kjitsi setup-mappers --url https:\/\/auth\.example\.org --realm meet --audience \S+ with Full scope/,
    )
    expect(ran.stdout.match(/^Also: .*$/gm)).toEqual([
      'Also: room claim is missing. Found nothing, accepted a room, or "*" for all.',
    ])
    expect(ran.stdout).toMatch(/^✗ {2}login: aud .*invalid 'aud' claim$/m)
  })

  test.each([
    [
      'logged in, but not let into the room',
      body({ room: 'team-b' }),
      ['--join', 'team-a'],
      'Jitsi lets this token in, but not into room team-a: Room does not match the room from token.',
    ],
    [
      'without an answer',
      body({ context: null }),
      [],
      'Jitsi gives no answer to this token, which looks like a server that is down: ',
    ],
    ['undetermined', token('[NaN]'), [], 'Only Prosody itself can tell whether it accepts this token: '],
    ['hidden', token('x'), [], 'Jitsi refuses this token: Invalid body.'],
  ])('%s', async (_, text, more, start) => {
    const ran = await check([text, ...BY_ENV, ...more])
    expect(ran.exitCode).toBe(3)
    expect(ran.stdout.startsWith(start)).toBe(true)
  })

  test.each([
    ['as an argument', [good], ''],
    ['from stdin', [], `${good}\n`],
    ['from stdin by -', ['-'], `  ${good}\r\n`],
    ['behind Bearer', ['-'], `Authorization: Bearer ${good}\n`],
    ['in a header for curl', [`-`], `-H 'authorization: bearer ${good}'`],
    ['in an address', [`https://meet.example.org/team-a?jwt=${good}#config.x=1`], ''],
    ['in quotes', ['-'], `"${good}"`],
    ['behind a byte order mark', ['-'], `\uFEFF${good}\n`],
    ['in the answer to a login', ['-'], JSON.stringify({ access_token: good, expires_in: 60 })],
  ])('given %s', async (_, argv, stdin) => {
    expect(await check([...argv, ...BY_ENV], stdin)).toMatchObject({ exitCode: 0 })
  })

  test('is never printed, and neither is its signature', async () => {
    for (const text of [good, body({ aud: 'other' }), `${good}x`, token('x')]) {
      for (const more of [[], ['--json'], ['--verbose']]) {
        const { stdout, stderr } = await check([text, ...BY_ENV, ...more])
        for (const part of [text, ...text.split('.').slice(1)]) {
          if (part.length > 10) expect((stdout + stderr).includes(part)).toBe(false)
        }
      }
    }
  })

  test('as a JSON document', async () => {
    const { stdout, exitCode } = await check([body({ exp: NOW }), ...BY_ENV, '--join', 'a', '--json'])
    expect(exitCode).toBe(3)
    const document = JSON.parse(stdout) as { rules: Record<string, unknown>[]; findings: { code: string }[] }
    expect(document).toMatchObject({
      version: 1,
      kind: 'verdict',
      accepted: false,
      auth: {
        accepted: false,
        condition: 'not-allowed',
        text: 'Not acceptable by exp (0.0 sec since expired, valid for:10.0 sec)',
      },
      join: null,
      answered: true,
      determined: true,
    })
    expect(document.rules.find(({ code }) => code === 'exp')).toMatchObject({
      step: 'login',
      is: 'refused',
      reason: 'Not acceptable by exp',
      found: `${NOW} (2026-08-20T10:00:00Z)`,
    })
    expect(document.findings.map(({ code }) => code)).toEqual([
      'token-short-lived',
      'token-name',
      'token-email',
    ])
  })

  test('--at takes a date, and without it the time is now', async () => {
    expect(
      await check([
        good,
        '--jitsi-env',
        'jitsi.env',
        '--certs',
        'certs',
        '--at',
        '2026-08-20T12:00:00+02:00',
      ]),
    ).toMatchObject({ exitCode: 0 })
    const now = Math.floor(Date.now() / 1000)
    const fresh = body({ iat: now, exp: now + 240 })
    const ran = await check([fresh, '--jitsi-env', 'jitsi.env', '--certs', 'certs'])
    expect(ran.stdout).toMatch(/^Jitsi accepts this token until (\d{4}-\d\d-\d\d )?\d\d:\d\d \(in [34] min\)/)
  })
})

/** What the answer begins with where the key was not seen, and why. */
const unseen = (failure: string): RegExp =>
  new RegExp(
    `^Only Prosody itself can tell whether it accepts this token: the key was not seen from here: GET http.*${failure}.*\\.\\n {2}→ .*--certs`,
  )

describe('where the key is', () => {
  test.each([
    ['a key server', ['--keyserver', '/good'], 0, /accepts/],
    [
      'a key server without the file',
      ['--keyserver', '/none'],
      3,
      new RegExp(`could not obtain public key\\. There is no ${FILE} at http`),
    ],
    [
      'a key server that redirects',
      ['--keyserver', '/moved'],
      3,
      new RegExp(`^Jitsi refuses this token: could not obtain public key\\. There is no ${FILE} at http`),
    ],
    [
      'a key server that answers HTML with 200',
      ['--keyserver', '/html'],
      3,
      /gives no answer .* a web page[^]*→ see what that address answers/,
    ],
    ['an address of a key set', ['--jwks', '/jwks'], 0, /accepts/],
    ['a key set that is not there', ['--jwks', '/none'], 3, /^Jitsi gives no answer/],
    ['a key set that redirects', ['--jwks', '/jwks-moved'], 3, /^Jitsi gives no answer/],
    ['a key server that fails', ['--keyserver', '/broken'], 3, unseen('status 500')],
    ['a key server that lets only others in', ['--keyserver', '/closed'], 3, unseen('status 403')],
    ['a key set that fails', ['--jwks', '/jwks-broken'], 3, unseen('status 500')],
  ])('%s', async (_, [flag = '', path = ''], exitCode, says) => {
    const ran = await check([good, '--issuer', ISSUER, flag, `${base}${path}`, ...AT])
    expect(ran).toMatchObject({ exitCode, stdout: expect.stringMatching(says) as string })
  })

  test('a slash at the end of the key server is asked for twice, as Prosody does', async () => {
    await writeEnv('slash.env', { JWT_ASAP_KEYSERVER: `${base}/good/` })
    asked.length = 0
    const ran = await check([good, '--jitsi-env', 'slash.env', ...AT])
    expect(asked).toEqual([`/good//${FILE}`])
    expect(ran.stderr).toContain(`warning: JWT_ASAP_KEYSERVER (${base}/good/) ends with a slash`)
  })

  test.each([['--keyserver'], ['--jwks']])(
    '%s of a server that is down: not seen is undetermined',
    async (flag) => {
      const url = `http://127.0.0.1:${await freePort()}/keys`
      const ran = await check([good, '--issuer', ISSUER, flag, url, ...AT])
      expect(ran).toMatchObject({
        exitCode: 3,
        stdout: expect.stringMatching(unseen('connection refused')) as string,
      })
      const { stdout } = await check([good, '--issuer', ISSUER, flag, url, '--json', ...AT])
      expect(JSON.parse(stdout)).toMatchObject({ accepted: false, determined: false })
    },
  )

  test('a key server whose authority is unknown is undetermined too', async () => {
    await using authority = await makeAuthority()
    const url = await serve((_, response) => response.end(PEM), authority.server)
    const argv = [good, '--issuer', ISSUER, '--keyserver', url, ...AT]
    const ran = await check(argv)
    expect(ran).toMatchObject({ exitCode: 3, stdout: expect.stringMatching(unseen('certificate')) as string })
  })

  test('a file of a key set', async () => {
    expect(await check([good, '--issuer', ISSUER, '--jwks', 'jwks.json', ...AT])).toMatchObject({
      exitCode: 0,
    })
  })

  test('the cache_keys_url of .env, and both', async () => {
    await writeEnv('set.env', { JWT_ASAP_KEYSERVER: '', XMPP_CONFIGURATION: `cache_keys_url="${base}/jwks"` })
    await writeEnv('both.env', {
      XMPP_CONFIGURATION: `cache_keys_url="${base}/jwks"`,
      JWT_ASAP_KEYSERVER: `${base}/none`,
    })
    const other = token(CLAIMS, { ...HEADER, kid: 'other' })
    expect(await check([good, '--jitsi-env', 'set.env', ...AT])).toMatchObject({ exitCode: 0 })
    expect((await check([other, '--jitsi-env', 'set.env', ...AT])).stdout).toMatch(
      /^Jitsi gives no answer.*\n {2}→ set JWT_ASAP_KEYSERVER beside cache_keys_url/,
    )
    asked.length = 0
    expect(await check([good, '--jitsi-env', 'both.env', ...AT])).toMatchObject({ exitCode: 0 })
    expect(asked).toEqual(['/jwks'])
    expect((await check([other, '--jitsi-env', 'both.env', ...AT])).stdout).toMatch(
      /^Jitsi refuses this token: could not/,
    )
  })
})

describe('--certs and --jwks are answers; what makes Prosody ask is in .env', () => {
  const NONE = { JWT_ASAP_KEYSERVER: '' }
  const SET = { XMPP_CONFIGURATION: 'cache_keys_url="https://keys.example.org/jwks"' }
  const other = token(CLAIMS, { ...HEADER, kid: 'other' })
  const server = (JWT_ASAP_KEYSERVER: string): Record<string, string> => ({ JWT_ASAP_KEYSERVER })
  const notObtained = /^Jitsi refuses this token: could not obtain public key\. Prosody cannot ask/
  test.each<[string, Record<string, string>, string, readonly string[], number, RegExp]>([
    ['no key server', NONE, good, ['--certs', 'certs'], 3, /^Jitsi gives no answer .*no JWT_ASAP_KEYSERVER/],
    ['no key set', NONE, good, ['--jwks', 'jwks.json'], 3, /^Jitsi gives no answer .*no cache_keys_url/],
    ['a key set', { ...NONE, ...SET }, good, ['--jwks', 'jwks.json'], 0, /accepts/],
    [
      'a key set, and --certs',
      { ...NONE, ...SET },
      other,
      ['--jwks', 'jwks.json', '--certs', 'certs'],
      3,
      /^Jitsi gives no answer/,
    ],
    [
      'both',
      SET,
      other,
      ['--jwks', 'jwks.json', '--certs', 'certs'],
      3,
      /could not obtain public key\. There is no .*\.pem in \/.*certs/,
    ],
    [
      'both, the key in the folder only',
      SET,
      good,
      ['--jwks', 'empty.json', '--certs', 'certs'],
      0,
      /accepts/,
    ],
    ['no scheme', server('meet.example.org/keys'), good, ['--certs', 'certs'], 3, notObtained],
    ['a port for a scheme', server('meet.example.org:8443/keys'), good, ['--certs', 'certs'], 3, notObtained],
    ['no host', server('https:/meet.example.org/keys'), good, ['--certs', 'certs'], 3, notObtained],
    ['a query', server('https://meet.example.org/keys?v=2'), good, ['--certs', 'certs'], 3, notObtained],
    ['a fragment', server('https://meet.example.org/keys#a'), good, ['--certs', 'certs'], 3, notObtained],
    [
      'a flag for the setting',
      NONE,
      good,
      ['--keyserver', 'https://k.example.org', '--certs', 'certs'],
      0,
      /accepts/,
    ],
  ])('%s', async (_, env, text, flags, exitCode, says) => {
    await writeFile(join(dir, 'empty.json'), '{"keys":[]}')
    await writeEnv('asks.env', env)
    const ran = await check([text, '--jitsi-env', 'asks.env', ...flags, ...AT])
    expect(ran).toMatchObject({ exitCode, stdout: expect.stringMatching(says) as string })
  })

  test.each([
    ['--certs', 'certs', { ...NONE, ...SET }, 'JWT_ASAP_KEYSERVER'],
    ['--jwks', 'jwks.json', {}, 'cache_keys_url'],
  ])('%s that nothing asks for is told', async (flag, value, env, setting) => {
    await writeEnv('asks.env', env)
    const argv = [
      good,
      '--jitsi-env',
      'asks.env',
      '--certs',
      'certs',
      '--jwks',
      'jwks.json',
      flag,
      value,
      ...AT,
    ]
    expect((await check(argv)).stderr).toContain(
      `warning: ${flag} is not used: these settings have no ${setting}`,
    )
  })
})

describe('a token in a file', () => {
  test.each([
    ['token.txt', `${good}\n`],
    ['my.token.json', JSON.stringify({ access_token: good, expires_in: 60 })],
    ['bearer', `Authorization: Bearer ${good}`],
  ])('%s is read', async (name, text) => {
    await writeFile(join(dir, name), text)
    const ran = await check([name, ...BY_ENV])
    expect(ran).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining(`the token is read from ${name}`) as string,
    })
  })

  test.each([['none.txt'], ['no/such/file']])(
    '%s, which is not there, is said without being repeated',
    async (name) => {
      const ran = await check([name, ...BY_ENV])
      expect(ran).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining(
          'the argument is no token, and there is no file of that name',
        ) as string,
      })
      expect(ran.stderr).not.toContain(name)
    },
  )

  test('what is neither is a token that Prosody refuses', async () => {
    for (const text of ['x', '']) expect((await check([text, ...BY_ENV])).stdout).toContain('Invalid token')
  })
})

test('a token pasted on a terminal is read in full, and not shown', async () => {
  const long = body({ roles: 'r'.repeat(5000) })
  const terminal = openTerminal(['check-token', ...BY_ENV], { cwd: dir })
  await terminal.shows('Token')
  terminal.type(`${long}${ENTER}`)
  await terminal.shows('Jitsi accepts this token')
  expect(await terminal.exitCode).toBe(0)
  expect(terminal.screen()).not.toContain(long.slice(-40))
})

describe("another issuer's token", () => {
  const other = (kid: string): string =>
    token({ ...CLAIMS, iss: 'https://other.example.org/realms/b' }, { ...HEADER, kid })
  test('is told before its key is missed', async () => {
    const ran = await check([other('unknown'), ...BY_ENV])
    expect(ran.stdout).toMatch(
      /^Jitsi refuses this token: could not obtain public key\. But the token is another issuer's: invalid 'iss' claim\. Found "https:\/\/other.*\n {2}→ kjitsi gen-env .* writes the issuer/,
    )
    expect(ran.stdout).toMatch(/^Also: could not obtain public key\. There is no /m)
    const { stdout } = await check([other('unknown'), ...BY_ENV, '--json'])
    const { auth } = JSON.parse(stdout) as { auth: object }
    expect(auth).toMatchObject({ text: 'could not obtain public key' })
  })

  test('is what Prosody says where the key is there', async () => {
    expect((await check([other(HEADER.kid), ...BY_ENV])).stdout).toMatch(
      /^Jitsi refuses this token: invalid 'iss' claim\. Found/,
    )
  })
})

describe("docker-jitsi-meet's own files", () => {
  const keyset = 'cache_keys_url = "https://keys.example.org/jwks"'
  const noRoom = body({ room: undefined })
  let home: string
  /** A folder with a `.env` and what Prosody and the web client are told besides. */
  async function installed(
    env: Readonly<Record<string, string>>,
    files: Readonly<Record<string, string>>,
  ): Promise<string> {
    const lines = Object.entries({ ...ENV, ...env }).map(([key, value]) => `${key}=${value}\n`)
    home = tempFolder()
    await mkdir(join(home, 'cfg/prosody/config/conf.d'), { recursive: true })
    await mkdir(join(home, 'cfg/web'))
    await writeFile(join(home, '.env'), lines.join(''))
    for (const [name, text] of Object.entries(files)) await writeFile(join(home, name), text)
    return home
  }
  const ask = async (
    text: string,
    env: Readonly<Record<string, string>>,
    files: Readonly<Record<string, string>>,
    ...more: string[]
  ): Promise<Ran> =>
    run(
      [
        'check-token',
        text,
        ...more,
        '--certs',
        join(dir, 'certs'),
        '--jwks',
        join(dir, 'jwks.json'),
        '--join',
        'a',
        ...AT,
      ],
      {
        cwd: await installed(env, files),
        env: { NO_COLOR: '1', HOME: home },
      },
    )
  const CONF = 'cfg/prosody/config/conf.d/zz-kjitsi.cfg.lua'
  const own = (lines: string): string => `VirtualHost "meet.jitsi" {\n  ${lines};\n}\n`

  test('./.env is read where nothing else is said', async () => {
    expect(await ask(good, {}, {})).toMatchObject({ exitCode: 0 })
    await writeFile(join(home, '.env'), 'KEYCLOAK_URL=https://auth.example.org\n')
    expect(await run(['check-token', good], { cwd: home })).toMatchObject({ exitCode: 2 })
  })

  test.each<
    [string, string, Readonly<Record<string, string>>, Readonly<Record<string, string>>, number, string]
  >([
    [
      'a claim that is not asked for',
      noRoom,
      { CONFIG: './cfg' },
      { [CONF]: own('asap_require_room_claim = false') },
      0,
      'accepts',
    ],
    [
      'in the home',
      noRoom,
      { CONFIG: '~/cfg' },
      { [CONF]: own('asap_require_room_claim = false') },
      0,
      'accepts',
    ],
    [
      'beside .env',
      noRoom,
      {},
      { 'zz-kjitsi.cfg.lua': own('asap_require_room_claim = false') },
      0,
      'accepts',
    ],
    [
      'of another host',
      noRoom,
      {},
      { 'zz-kjitsi.cfg.lua': 'VirtualHost "other" asap_require_room_claim = false' },
      3,
      'room claim is missing',
    ],
    ['that agrees', good, { XMPP_CONFIGURATION: keyset }, { 'zz-kjitsi.cfg.lua': own(keyset) }, 0, 'accepts'],
    [
      'that does not agree',
      good,
      { XMPP_CONFIGURATION: keyset },
      { 'zz-kjitsi.cfg.lua': own('cache_keys_url = nil') },
      3,
      'zz-kjitsi.cfg.lua and .env differ in cache_keys_url',
    ],
    [
      'that is no Lua',
      good,
      {},
      { 'zz-kjitsi.cfg.lua': own('a = "') },
      3,
      'Prosody does not start: zz-kjitsi.cfg.lua is no Lua',
    ],
    [
      'that only Lua can read',
      good,
      {},
      { 'zz-kjitsi.cfg.lua': own('a = os.time()') },
      3,
      'zz-kjitsi.cfg.lua holds more than',
    ],
    [
      'that reaches further',
      good,
      {},
      { 'zz-kjitsi.cfg.lua': own('authentication = "x"') },
      3,
      'zz-kjitsi.cfg.lua sets authentication',
    ],
  ])('zz-kjitsi.cfg.lua %s', async (_, text, env, files, exitCode, says) => {
    const ran = await ask(text, env, files)
    expect({ exitCode: ran.exitCode, said: ran.stdout + ran.stderr }).toEqual({
      exitCode,
      said: expect.stringContaining(says) as string,
    })
  })

  test('custom-config.js has the web client read a name outside of context', async () => {
    const named = body({ name: 'Ann', email: 'a@example.org' })
    expect((await ask(named, {}, {})).stderr).toContain('outside of context')
    const files = { 'cfg/web/custom-config.js': 'config.tokenGetUserInfoOutOfContext = true;\n' }
    expect((await ask(named, { CONFIG: './cfg' }, files)).stderr).not.toContain('outside of context')
    const off = { 'custom-config.js': '// config.tokenGetUserInfoOutOfContext = true;\n' }
    expect((await ask(named, {}, off)).stderr).toContain('outside of context')
  })
})

describe('settings', () => {
  test('--no-room-claim asks for none, as gen-config prosody --no-room-claim has it', async () => {
    const argv = [body({ room: undefined }), ...BY_ENV]
    expect((await check(argv)).stdout).toContain('room claim is missing')
    expect(await check([...argv, '--no-room-claim'])).toMatchObject({ exitCode: 0 })
  })

  test('flags come before .env', async () => {
    const argv = [
      body({ iss: 'other', aud: 'another' }),
      ...BY_ENV,
      '--issuer',
      'other',
      '--accept-audience',
      'another',
    ]
    expect(await check(argv)).toMatchObject({ exitCode: 0 })
    expect((await check([...argv, '--sign-type', 'RS512'])).stdout).toContain('Invalid or incorrect alg')
    const verified = await check([...argv, '--domain-verification', '--join', 'a'])
    expect(verified.stdout).toContain('Room and token mismatched')
  })

  test('flags that nobody gave leave .env as it is', async () => {
    await writeEnv('verified.env', { JWT_ENABLE_DOMAIN_VERIFICATION: '1' })
    const verified = await check([
      good,
      '--jitsi-env',
      'verified.env',
      '--certs',
      'certs',
      '--join',
      'a',
      ...AT,
    ])
    expect(verified.stdout).toContain('Room and token mismatched')
    await writeEnv('rs512.env', { JWT_SIGN_TYPE: 'RS512' })
    const rs512 = await check([good, '--jitsi-env', 'rs512.env', '--certs', 'certs', ...AT])
    expect(rs512.stdout).toContain('Invalid or incorrect alg. Found "RS256", accepted "RS512"')
  })

  test.each([
    [
      'nothing that says what Jitsi accepts',
      [good],
      'nothing says what Jitsi accepts: --jitsi-env or KJITSI_JITSI_ENV is missing',
    ],
    ['issuers alone', [good, '--issuer', ISSUER], 'nothing says what Jitsi accepts'],
    ['no such .env', [good, '--jitsi-env', 'none.env'], '--jitsi-env: there is no file'],
    ['a broken .env', [good, '--jitsi-env', 'broken.env'], 'line 2: a value begins with " and never ends'],
    ['a token and a batch', [good, ...BY_ENV, '--batch', 'x'], 'there are both a TOKEN and --batch'],
    ['a token and a user', [good, ...BY_ENV, '--user', 'alice'], '--user asks Keycloak for the token'],
    ['a batch and a user', ['--batch', 'x', '--user', 'alice'], '--user asks Keycloak for the token'],
    ['a time that is none', [good, ...BY_ENV, '--at', 'noon'], '--at "noon" is no time'],
  ])('%s is a usage error', async (_, argv, message) => {
    await writeFile(join(dir, 'broken.env'), 'ENABLE_AUTH=1\nJWT_APP_ID="x\n')
    const ran = await check(argv)
    expect(ran).toMatchObject({ exitCode: 2, stdout: '' })
    expect(ran.stderr).toContain(message)
  })

  test.each([
    ['folder', ['--certs', 'none'], '--certs: cannot read'],
    ['key set', ['--jwks', 'none.json'], '--jwks: there is no file'],
    ['batch', ['--certs', 'certs', '--batch', 'none.jsonl'], '--batch: cannot read'],
  ])('a %s that is not there is said', async (_, argv, message) => {
    const ran = await check(['--jitsi-env', 'jitsi.env', ...argv], good)
    expect(ran.exitCode).toBe(1)
    expect(ran.stderr).toContain(message)
  })

  test.each([
    ['ENABLE_AUTH', '0', 0, 'ENABLE_AUTH is off'],
    ['XMPP_DOMAIN', 'meet.example.org', 0, 'Prosody then checks no join'],
    ['JWT_ALLOW_EMPTY', '1', 0, 'anybody can become a moderator'],
    [
      'JWT_APP_ID',
      'a"b',
      3,
      'Prosody does not start: JWT_APP_ID holds a double quote, a backslash or a newline',
    ],
    ['JWT_TOKEN_AUTH_MODULE', 'muc_census', 0, 'JWT_TOKEN_AUTH_MODULE (muc_census) checks no join'],
    [
      'GLOBAL_CONFIG',
      'a = os.time()',
      3,
      'only Prosody itself can tell what these settings come to: GLOBAL_CONFIG',
    ],
    ['AUTH_TYPE', 'JWT', 3, 'only jwt (in small letters) takes tokens'],
  ])('%s=%s', async (key, value, exitCode, message) => {
    await writeEnv('one.env', { [key]: value })
    const ran = await check([good, '--jitsi-env', 'one.env', '--certs', 'certs', '--join', 'a', ...AT])
    expect(ran.exitCode).toBe(exitCode)
    expect(ran.stdout + ran.stderr).toContain(message)
  })
})

describe('warnings about', () => {
  const name = { context: { user: { name: 'Ann', email: 'ann@example.org' } } }
  test.each<[string, object, readonly string[]]>([
    ['nothing in a full token', name, []],
    ['a token that names nobody', {}, ['token-name', 'token-email']],
    ['a name outside of context', { name: 'Ann', email: 'a@example.org' }, ['token-name-outside']],
    [
      'a context without a name',
      { name: 'Ann', email: 'a@example.org', context: {} },
      ['token-name', 'token-email'],
    ],
    ['partial features', { context: { ...name.context, features: { recording: true } } }, ['token-features']],
    ['no features', { context: { ...name.context, features: {} } }, ['token-features']],
    ['a short life', { ...name, iat: NOW, exp: NOW + 300 }, ['token-short-lived']],
    ['no end', { ...name, exp: undefined }, ['token-endless']],
    ['milliseconds', { ...name, exp: NOW * 1000 }, ['token-endless']],
    ['its size', { ...name, roles: 'r'.repeat(5000) }, ['token-large']],
  ])('%s', async (_, claims, codes) => {
    const { stdout, exitCode } = await check([body(claims), ...BY_ENV, '--json'])
    const { findings } = JSON.parse(stdout) as { findings: { code: string }[] }
    expect({ exitCode, codes: findings.map(({ code }) => code) }).toEqual({ exitCode: 0, codes })
  })
})

describe('--strict', () => {
  const short = body({ iat: NOW - 1, exp: NOW + 60, context: { user: { name: 'a', email: 'b' } } })

  test('a token that is accepted with a warning fails, and the warning is an error', async () => {
    expect(await check([short, ...BY_ENV])).toMatchObject({ exitCode: 0 })
    const ran = await check([short, ...BY_ENV, '--strict'])
    expect(ran.exitCode).toBe(3)
    expect(ran.stdout).toMatch(/^Jitsi accepts this token/)
    expect(ran.stderr).toMatch(/^error: the token is valid for 61 s/)
    const json = await check([short, ...BY_ENV, '--strict', '--json'])
    expect(json.exitCode).toBe(3)
    expect(JSON.parse(json.stdout)).toMatchObject({
      accepted: true,
      findings: [{ code: 'token-short-lived', level: 'error' }],
    })
  })

  test('one such line in a batch fails', async () => {
    const line = JSON.stringify({ token: short })
    expect(await check([...BY_ENV, '--batch', '-'], line)).toMatchObject({ exitCode: 0 })
    expect(await check([...BY_ENV, '--strict', '--batch', '-'], line)).toMatchObject({ exitCode: 3 })
  })

  test('--quiet leaves the errors and the exit code', async () => {
    expect(await check([short, ...BY_ENV, '--quiet'])).toEqual({ exitCode: 0, stdout: '', stderr: '' })
    const ran = await check([short, ...BY_ENV, '--strict', '--quiet'])
    expect(ran).toMatchObject({ exitCode: 3, stdout: '' })
    expect(ran.stderr).toMatch(/^error: .*\n {2}→ .*\n$/)
  })
})

describe('--batch', () => {
  const lines = (ran: Ran): unknown[] =>
    ran.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown)
  const yes = { accepted: true, condition: null, text: null }

  test('answers each line with the members of a verdict, in order', async () => {
    const questions = [
      { token: good, room: 'team-a', at: NOW },
      { token: null },
      { token: body({ room: 'b' }), room: 'a' },
      { token: body({ room: null }), room: 'a' },
      { token: token('[NaN]') },
      { token: good, at: NOW + 3600 },
    ]
    const ran = await check(
      [...BY_ENV, '--batch', '-'],
      questions.map((one) => `${JSON.stringify(one)}\n`).join(''),
    )
    expect(ran.exitCode).toBe(3)
    const rest = { findings: expect.any(Array) as unknown[], determined: true, answered: true }
    const no = { accepted: false, condition: null, text: null }
    expect(lines(ran)).toEqual([
      { ...rest, auth: yes, join: yes },
      { ...rest, auth: { accepted: false, condition: 'not-allowed', text: 'token required' }, join: null },
      {
        ...rest,
        auth: yes,
        join: { accepted: false, condition: 'not-allowed', text: 'Room does not match the room from token' },
      },
      { ...rest, auth: yes, join: no, answered: false },
      { ...rest, auth: no, join: null, determined: false },
      {
        ...rest,
        auth: {
          accepted: false,
          condition: 'not-allowed',
          text: expect.stringMatching(/^Not acceptable by exp/) as string,
        },
        join: null,
      },
    ])
    expect(ran.stderr).toContain('1 of 6 accepted')
  })

  test('exits 0 only where all were accepted, and --join and --at hold for lines without', async () => {
    await writeFile(join(dir, 'two.jsonl'), `\uFEFF{"token":"${good}"}\r\n{"token":"${good}","room":"b"}`)
    const ran = await check([...BY_ENV, '--join', 'a', '--batch', 'two.jsonl'])
    expect(ran).toMatchObject({ exitCode: 0 })
    expect(lines(ran)).toMatchObject([{ join: yes }, { join: yes }])
    await writeFile(join(dir, 'none.jsonl'), '')
    expect(await check([...BY_ENV, '--batch', 'none.jsonl'])).toMatchObject({ exitCode: 0, stdout: '' })
  })

  test('a line that cannot be read gets an error line, and the rest go on', async () => {
    const input = [
      'x',
      '',
      '[]',
      '{}',
      '{"token":5}',
      '{"token":null,"room":1}',
      '{"token":null,"at":"x"}',
      `{"token":"${good}"}`,
    ]
    const ran = await check([...BY_ENV, '--batch', '-'], input.join('\n'))
    expect(ran.exitCode).toBe(3)
    expect(lines(ran)).toEqual([
      { error: { line: 1, message: 'line 1 is not JSON' } },
      { error: { line: 2, message: 'line 2 is not JSON' } },
      { error: { line: 3, message: 'line 3 is no JSON object' } },
      { error: { line: 4, message: 'line 4 has no "token" that is a text or null' } },
      { error: { line: 5, message: 'line 5 has no "token" that is a text or null' } },
      { error: { line: 6, message: 'line 6 has a "room" that is no text' } },
      { error: { line: 7, message: 'line 7 has an "at" that is no number of seconds' } },
      expect.objectContaining({ auth: yes }),
    ])
  })

  test('a line of any length is gone through without being kept', async () => {
    const long = `{"token":"${'x'.repeat(9_000_000)}"}`
    const ran = await check([...BY_ENV, '--batch', '-'], `${long}\n{"token":"${good}"}\n`)
    expect(lines(ran)).toMatchObject([{ error: { line: 1 } }, { auth: yes }])
  })

  test('asks the key server once for each kid', async () => {
    const kids = ['a', 'b', 'a', 'b', 'a'].map((kid) =>
      JSON.stringify({ token: token(CLAIMS, { ...HEADER, kid }) }),
    )
    asked.length = 0
    await check(['--issuer', ISSUER, '--keyserver', `${base}/none`, '--batch', '-'], kids.join('\n'))
    expect(asked).toEqual([`/none/${fileNameOf('a')}`, `/none/${fileNameOf('b')}`])
  })

  test.each([
    ['a key server', `/good/${FILE}`, '--keyserver', '/good'],
    ['a key set', '/jwks', '--jwks', '/jwks'],
  ])('asks %s again that failed, and keeps what it saw', async (_, path, flag, place) => {
    failing.add(path)
    asked.length = 0
    const input = `${JSON.stringify({ token: good, at: NOW })}\n`.repeat(3)
    const ran = await check(['--issuer', ISSUER, flag, `${base}${place}`, '--batch', '-'], input)
    expect(ran.exitCode).toBe(3)
    expect(lines(ran)).toMatchObject([
      {
        determined: false,
        findings: expect.arrayContaining([
          expect.objectContaining({
            level: 'undetermined',
            message: expect.stringContaining('not seen from here') as string,
          }),
        ]) as unknown,
      },
      { determined: true, auth: yes },
      { determined: true, auth: yes },
    ])
    expect(asked).toEqual([path, path])
  })

  test('ends at once when it is interrupted, however long its input stays open', async () => {
    const argv = [BIN, 'check-token', ...BY_ENV, '--batch', '-']
    const child = spawn(process.execPath, argv, { cwd: dir, stdio: ['pipe', 'pipe', 'pipe'] })
    child.stdin.write(`${JSON.stringify({ token: good })}\n`)
    await new Promise((resolve) => child.stdout.once('data', resolve))
    const said = text(child.stderr)
    child.kill('SIGINT')
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(130)
    // One that did not heed the signal is ended a while later, and says nothing.
    expect(await said).toBe('error: interrupted\n')
  })

  test('by the real command, through pipes', async () => {
    const input = `${JSON.stringify({ token: good, room: 'a', at: NOW })}\n`.repeat(2000)
    const ran = await spawnKjitsi(['check-token', ...BY_ENV, '--batch', '-'], { cwd: dir, stdin: input })
    expect(ran.exitCode).toBe(0)
    expect(lines(ran).length).toBe(2000)
  })
})
