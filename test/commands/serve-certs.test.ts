import { copyFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { readRing } from '../../src/certs/export-run.ts'
import { fileNameOf } from '../../src/certs/key.ts'
import { MANIFEST_FILE } from '../../src/certs/manifest.ts'
import { serveSockets, freePort } from '../support/http.ts'
import { type TestAuthority, makeAuthority } from '../support/authority.ts'
import { sharedFolder, tempFolder } from '../support/folder.ts'
import { ellipticPem, rsaKey } from '../support/keys.ts'
import { ask, open, untilClosed } from '../support/key-server.ts'
import { run, spawnKjitsi } from '../support/run.ts'
import { startKjitsi, startServing } from '../support/running.ts'

const JWKS = fileURLToPath(new URL('../fixtures/jwks.json', import.meta.url))
const FILE = fileNameOf('1DKOk8q4Dc9BSgDLmksFemg5lEGuoYQvYrHVOnXNj3k')
const dir = sharedFolder()

beforeAll(async () => {
  expect((await run(['export-certs', dir, '--jwks', JWKS])).exitCode).toBe(0)
})

test('serves a key set, says which keys, and names those that it leaves out', async () => {
  const { port, said, lines } = await startServing(['--jwks', JWKS])
  await said('is served as')
  expect((await ask(port, `/certs/${FILE}`)).body).toContain('BEGIN PUBLIC KEY')
  await said('left out: use enc')
  await said('left out: 1024 bits')
  await said('left out: alg PS256')
  await said('left out: kty EC (ES256)')
  expect(lines.filter((line) => line.includes('is served as'))).toHaveLength(2)
})

test('all settings come from the environment alone', async () => {
  const running = startKjitsi(['serve-certs'], {
    KJITSI_DIR: dir,
    KJITSI_LISTEN_HOST: 'localhost',
    KJITSI_LISTEN_PORT: '0',
    KJITSI_LISTEN_PATH: '/keys/',
    KJITSI_REFRESH: '1m',
    KJITSI_COOLDOWN: '1s',
    KJITSI_GRACE: '1h',
    KJITSI_LOG: 'json',
  })
  const line = JSON.parse(await running.said('serving')) as { address: string; level: string; time: string }
  expect(line).toMatchObject({ level: 'note', time: expect.stringMatching(/^20.*Z$/) as string })
  const { port, pathname } = new URL(line.address)
  expect(pathname).toBe('/keys')
  await running.said('is served as')
  const { headers } = await ask(Number(port), `/keys/${FILE}`)
  expect(headers['cache-control']).toBe('public, max-age=60')
})

test.each(['SIGTERM', 'SIGINT'] as const)('ends with %s and 0, whoever is connected', async (signal) => {
  const { port, end } = await startServing(['--dir', dir])
  const [silent, half] = [await open(port), await open(port)]
  half.write('GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\n')
  await new Promise((resolve) => half.once('data', resolve))
  const closed = [untilClosed(silent), untilClosed(half)]
  const { exitCode, stdout } = await end(signal)
  expect([exitCode, stdout]).toEqual([0, ''])
  await Promise.all(closed)
})

test('ends with 0 also while its source hangs', async () => {
  const where = await serveSockets(() => undefined)
  const { port, end } = await startServing(['--jwks', `http://127.0.0.1:${where}/certs`])
  const waiting = ask(port, `/certs/${FILE}`)
  await expect.poll(async () => (await ask(port, '/readyz')).status).toBe(503)
  const { exitCode } = await end('SIGTERM')
  expect(exitCode).toBe(0)
  expect((await waiting).status).toBe(404)
})

test('with --drain it goes on for that long after SIGTERM, and says that it is not ready', async () => {
  const { port, said, signal, end } = await startServing(['--dir', dir, '--drain', '6s'])
  await said('is served as')
  signal('SIGTERM')
  await expect.poll(async () => (await ask(port, '/readyz')).status).toBe(503)
  expect((await ask(port, `/certs/${FILE}`)).status).toBe(200)
  expect((await end()).exitCode).toBe(0)
}, 30_000)

test('with --keep a restart loses no key, though its source cannot be read', async () => {
  const folder = tempFolder()
  const [jwks, kept] = [join(folder, 'jwks.json'), join(folder, 'kept')]
  await copyFile(JWKS, jwks)
  const argv = ['--jwks', jwks, '--keep', kept]
  const first = await startServing(argv)
  await first.said(`created ${join(kept, MANIFEST_FILE)}`)
  await first.end('SIGTERM')
  await rm(jwks)
  const second = await startServing(argv)
  expect((await ask(second.port, `/certs/${FILE}`)).status).toBe(200)
  await second.said('what it gave last stays (2 keys), for 7d at most')
  const { status, body } = await ask(second.port, '/readyz')
  expect([status, JSON.parse(body)]).toMatchObject([200, { ready: true, served: 2, sources: [{ keys: 2 }] }])
})

test('what --keep finds is held to the limits of a key, and is of its own sources', async () => {
  const folder = tempFolder()
  const foreign = fileNameOf('foreign')
  const files = {
    [FILE]: { kid: 'x', sources: { [JWKS]: null } },
    [foreign]: { kid: 'f', sources: { other: null } },
  }
  await writeFile(join(folder, MANIFEST_FILE), JSON.stringify({ version: 2, files }))
  await writeFile(join(folder, FILE), ellipticPem())
  await writeFile(join(folder, foreign), rsaKey().pem)
  const { held } = await readRing(folder, [{ kind: 'file', path: JWKS }])
  expect([...held.keys()]).toEqual([])
})

test('SIGHUP has the TLS files read again', async () => {
  const [one, other] = [await makeAuthority(), await makeAuthority()]
  const folder = tempFolder()
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const write = async ({ server }: TestAuthority): Promise<void> => {
    await writeFile(cert, server.cert)
    await writeFile(key, server.key)
  }
  await write(one)
  const { said, signal, lines } = await startServing(['--dir', dir, '--tls-cert', cert, '--tls-key', key])
  await writeFile(cert, other.server.cert)
  signal('SIGHUP')
  await said(
    'the key is not that of the (first) certificate; the certificate that was read before is served on',
  )
  await write(other)
  signal('SIGHUP')
  await said('the TLS files were read again')
  expect(lines.filter((line) => line.startsWith('warning: --tls-cert'))).toHaveLength(1)
})

test('with --admin-port the keys have a port of their own, and so do the pages for those who look after it', async () => {
  const admin = await freePort()
  const { port, said } = await startServing(['--dir', dir, '--admin-port', String(admin)])
  await said(`health and metrics at http://127.0.0.1:${admin}`)
  await said('is served as')
  for (const page of ['/healthz', '/readyz', '/metrics']) {
    expect([page, (await ask(admin, page)).status, (await ask(port, page)).status]).toEqual([page, 200, 404])
  }
  const paths = [`/certs/${FILE}`, `/certs/${fileNameOf('unknown')}`]
  for (const path of paths) expect((await ask(admin, path)).status).toBe(404)
  expect((await ask(port, `/certs/${FILE}`)).status).toBe(200)
})

test('an --admin-port that is taken keeps it from starting', async () => {
  const taken = await serveSockets(() => undefined)
  const { exitCode, stderr } = await spawnKjitsi([
    'serve-certs',
    '--dir',
    dir,
    '--port',
    '0',
    '--admin-port',
    String(taken),
  ])
  expect(stderr).toContain(`error: cannot listen on 127.0.0.1 port ${taken}: another program listens there`)
  expect(exitCode).toBe(1)
})

describe('what it says', () => {
  test('with --json: one document on stdout, the log on stderr', async () => {
    const { port, end } = await startServing(['--dir', dir, '--json'])
    const { stdout } = await end('SIGTERM')
    expect(JSON.parse(stdout)).toEqual({
      version: 1,
      kind: 'key-server',
      address: `http://127.0.0.1:${port}/certs`,
      admin: `http://127.0.0.1:${port}`,
      sources: [dir],
      findings: [],
    })
  })

  test('with --verbose: each request, cut short and without control characters', async () => {
    const { port, said, lines } = await startServing(['--dir', dir, '--verbose'])
    await ask(port, `/certs/${'x'.repeat(1000)}`)
    const line = await said('GET /certs/xxx')
    expect(line).toMatch(/^GET \/certs\/x{193} 404$/)
    expect(lines.join('\n')).toContain(`dir = "${dir}" (flag)`)
  })

  test('with --log json: every line is a document, also of --verbose and of an error', async () => {
    const { port, end, said } = await startServing(['--dir', dir, '--verbose', '--log', 'json'])
    await ask(port, '/x')
    await said('GET /x')
    const { stderr } = await end('SIGTERM')
    const messages = stderr.split('\n').map((line) => (JSON.parse(line) as { message: string }).message)
    expect(messages).toContain('GET /x 404')
    const failed = await run(['serve-certs', '--dir', dir, '--tls-cert', 'x', '--log', 'json'])
    expect(JSON.parse(failed.stderr)).toMatchObject({ level: 'error', code: 'usage' })
  })

  test('with --quiet: nothing', async () => {
    const port = await freePort()
    const running = startKjitsi(['serve-certs', '--dir', dir, '--port', String(port), '--quiet'])
    const isReady = (): Promise<number> =>
      ask(port, '/readyz').then(
        ({ status }) => status,
        () => 0,
      )
    await expect.poll(isReady, { timeout: 10_000 }).toBe(200)
    expect(await running.end('SIGTERM')).toEqual({ exitCode: 0, stdout: '', stderr: '' })
  })
})

describe('what keeps it from starting', () => {
  test('a port that is taken: exit 1 with a sentence', async () => {
    const port = await serveSockets(() => undefined)
    const { exitCode, stderr } = await spawnKjitsi(['serve-certs', '--dir', dir, '--port', String(port)])
    expect(exitCode).toBe(1)
    expect(stderr).toBe(
      `error: cannot listen on 127.0.0.1 port ${port}: another program listens there\n` +
        '  → end that one, or give another --port\n',
    )
  })

  test('a TLS key that cannot be read: exit 1 with a sentence', async () => {
    await writeFile(join(dir, 'cert.pem'), '-----BEGIN CERTIFICATE-----\n')
    const tls = ['--tls-cert', join(dir, 'cert.pem'), '--tls-key', '/nowhere/key.pem']
    const { exitCode, stderr } = await spawnKjitsi(['serve-certs', '--dir', dir, ...tls])
    expect(exitCode).toBe(1)
    expect(stderr).toContain('error: --tls-key: cannot read /nowhere/key.pem: no such file or folder\n')
  })

  test.each([
    [[], /2 settings are missing:\n +--url or KEYCLOAK_URL[^]*--realm[^]*, or --dir, the folder/],
    [['--dir', '/x', '--keep', '/y'], /--keep does not go with --dir/],
    [['--dir', '/x', '--ready', 'some'], /--ready "some" is none of all, any/],
    [['--dir', '/x', '--tls-key', '/x'], /--tls-cert and --tls-key go together/],
    [['--dir', '/x', '--port', '70000'], /--port "70000" is no port/],
    [['--dir', '/x', '--path', 'certs'], /--path "certs" is no path/],
    [['--dir', '/x', '--path', '/a/../b'], /is no path/],
    [['--dir', '/x', '--refresh', '0s'], /--refresh "0s" is not between 1s and 24d/],
    [['--dir', '/x', '--refresh', '25d'], /is not between 1s and 24d/],
    [['--dir', '/x', '--log', 'xml'], /--log "xml" is none of text, json/],
  ])('%j: exit 2', async (argv, message) => {
    const { exitCode, stderr } = await run(['serve-certs', ...argv])
    expect(exitCode).toBe(2)
    expect(stderr).toMatch(message)
  })
})

describe('where keys come from', () => {
  async function sources(
    argv: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<readonly [readonly string[], string]> {
    const controller = new AbortController()
    controller.abort()
    const { stdout, stderr } = await run(['serve-certs', '--port', '0', '--json', ...argv], {
      env: { KEYCLOAK_URL: 'http://127.0.0.1:9', ...env },
      signal: controller.signal,
    })
    return [(JSON.parse(stdout) as { sources: readonly string[] }).sources, stderr]
  }

  test.each([
    [
      'a folder wins over a realm',
      ['--dir', '/x', '--realm', 'r'],
      {},
      ['/x'],
      'not read, since there is --dir: realm r',
    ],
    ['a folder given as a flag wins', ['--dir', '/x'], { KEYCLOAK_REALM: 'r' }, ['/x'], 'realm r'],
    [
      'a realm given as a flag wins',
      ['--realm', 'r'],
      { KJITSI_DIR: '/x' },
      ['realm r'],
      'other sources: /x',
    ],
    [
      'realms and key sets add up',
      ['--realm', 'r', '--realm', 's', '--jwks', '/j'],
      {},
      ['realm r', 'realm s', '/j'],
      '',
    ],
  ] as const)('%s', async (_, argv, env, expected, said) => {
    const [found, stderr] = await sources(argv, env)
    expect(found).toEqual(expected)
    expect(stderr).toContain(said)
  })
})
