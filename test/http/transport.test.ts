// Servers and proxies that are silent or hang up, before the real command in a process of its own.
import { type Socket } from 'node:net'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { serveSockets } from '../support/http.ts'
import { tempFolder } from '../support/folder.ts'
import { type Ran, run, spawnKjitsi } from '../support/run.ts'
import { startServing } from '../support/running.ts'

type Fault = (socket: Socket) => void

const silent: Fault = () => undefined
const closes: Fault = (socket) => socket.once('data', () => socket.end())
const asks: Fault = (socket) =>
  socket.once('data', () => socket.end('HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n'))
// Reads what comes meanwhile: bytes that nobody has read would turn the end into a reset.
const shuts: Fault = (socket) => socket.resume().end()

/** A server that does nothing but this with each connection. */
async function startFaulty(
  fault: Fault,
): Promise<{ readonly port: number; readonly connections: () => number }> {
  let connections = 0
  const port = await serveSockets((socket) => {
    connections++
    socket.on('error', () => undefined)
    fault(socket)
  })
  return { port, connections: () => connections }
}

const LOGIN = { KEYCLOAK_REALM: 'r', KEYCLOAK_USER: 'u', KEYCLOAK_PASSWORD: 'p' }

async function ended(env: Readonly<Record<string, string>>, timeout = '20s'): Promise<Ran> {
  return spawnKjitsi(['setup-mappers', '--timeout', timeout], { env: { ...LOGIN, ...env } })
}

const LATE = 'no answer within 1s (--timeout)\n  → check address and network; --timeout 60s waits longer\n'

test.each<[what: string, fault: Fault, env: Readonly<Record<string, string>>, said: string]>([
  ['https server', silent, { KEYCLOAK_URL: 'https://127.0.0.1:PORT' }, LATE],
  ['http server', silent, { KEYCLOAK_URL: 'http://127.0.0.1:PORT' }, LATE],
  ['proxy for https', silent, { HTTPS_PROXY: 'http://127.0.0.1:PORT' }, LATE],
  ['proxy behind https', silent, { HTTPS_PROXY: 'https://127.0.0.1:PORT' }, LATE],
  [
    'proxy for http',
    silent,
    { HTTP_PROXY: 'http://127.0.0.1:PORT', KEYCLOAK_URL: 'http://k.example.org' },
    LATE,
  ],
  [
    'proxy that closes after CONNECT',
    closes,
    { HTTPS_PROXY: 'http://127.0.0.1:PORT' },
    'the proxy closed the connection',
  ],
  [
    'proxy that closes at once',
    shuts,
    { HTTPS_PROXY: 'http://127.0.0.1:PORT' },
    'the proxy closed the connection',
  ],
  [
    'proxy for http that asks who you are',
    asks,
    { HTTP_PROXY: 'http://127.0.0.1:PORT', KEYCLOAK_URL: 'http://k.example.org' },
    'status 407, a proxy asks who you are\n  → set HTTP_PROXY to http://USER:PASSWORD@HOST:PORT\n',
  ],
  [
    'proxy for https that asks who you are',
    asks,
    { HTTPS_PROXY: 'http://127.0.0.1:PORT' },
    'the proxy lets nobody through to it, with status 407\n  → check HTTPS_PROXY',
  ],
])('a silent, closing or asking %s: exit 7, after few connections', async (_, fault, env, said) => {
  const { port, connections } = await startFaulty(fault)
  const given = Object.entries(env).map(([name, value]) => [name, value.replace('PORT', String(port))])
  const ran = await ended(
    { KEYCLOAK_URL: 'https://k.example.org', ...(Object.fromEntries(given) as typeof env) },
    fault === silent ? '1s' : '20s',
  )
  expect(ran).toMatchObject({ exitCode: 7, stdout: '' })
  expect(ran.stderr).toContain(said)
  expect(connections()).toBeLessThan(10)
})

test.each<[what: string, fault: Fault]>([
  ['is silent', silent],
  ['closes after CONNECT', closes],
])('serve-certs behind a proxy that %s asks at its own pace, and ends when told', async (_, fault) => {
  const { port, connections } = await startFaulty(fault)
  const running = await startServing(['--realm', 'r', '--timeout', '1s', '--refresh', '1s'], {
    KEYCLOAK_URL: 'https://k.example.org',
    HTTPS_PROXY: `http://127.0.0.1:${port}`,
  })
  await running.said('has given no key yet')
  await expect.poll(connections, { timeout: 10_000 }).toBeGreaterThan(1)
  expect(await running.end('SIGTERM')).toMatchObject({ exitCode: 0 })
  expect(connections()).toBeLessThan(10)
})

test.each([
  ['HTTP_PROXY', 'proxy.example.org:3128'],
  ['HTTPS_PROXY', 'http://'],
  ['https_proxy', 'http://me:pl%zz@proxy.example.org:3128'],
  ['http_proxy', 'ftp://proxy.example.org'],
])('%s is no address of a proxy: a bad setting, whose value is not told', async (name, value) => {
  const ran = await ended({ KEYCLOAK_URL: 'http://127.0.0.1:9', [name]: value })
  expect(ran).toMatchObject({ exitCode: 2, stdout: '' })
  expect(ran.stderr).toMatch(
    new RegExp(`^error: ${name} is not the address of a proxy\n  → write it as http://HOST:PORT`),
  )
  expect(ran.stderr).not.toContain('pl%zz')
  expect(ran.stderr).not.toContain('example.org')
})

test('a CA file is looked for in the folder that the command runs in', async () => {
  const folder = tempFolder()
  await writeFile(join(folder, 'ca.pem'), 'no certificate')
  const ran = await run(['setup-mappers', '--ca-file', 'ca.pem'], { cwd: folder, env: LOGIN })
  expect(ran).toMatchObject({ exitCode: 2 })
  expect(ran.stderr).toContain('holds no certificate in PEM form')
})
