import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { connect } from 'node:tls'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type Answerer } from '../../src/certs/handler.ts'
import { type KeyServer, LIMITS, startServer } from '../../src/certs/server.ts'
import { sharedFolder } from '../support/folder.ts'
import { open, untilClosed } from '../support/key-server.ts'

const dir = sharedFolder()
const at = (name: string): string => join(dir, name)

beforeAll(async () => {
  const openssl = async (...args: readonly string[]): Promise<void> => {
    await promisify(execFile)('openssl', [...args], { cwd: dir })
  }
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
  const self = ['-x509', '-subj', '/CN=localhost', '-days', '2']
  await openssl('req', ...self, ...ec, '-nodes', '-keyout', 'key.pem', '-out', 'cert.pem')
  const other = self.map((one) => one.replace('localhost', 'other'))
  await openssl('req', ...other, ...ec, '-nodes', '-keyout', 'other.pem', '-out', 'other-cert.pem')
  await openssl('req', ...self, ...ec, '-passout', 'pass:secret', '-keyout', 'locked.pem', '-out', 'x.pem')
  await openssl('pkey', '-in', 'key.pem', '-outform', 'DER', '-out', 'key.der')
  await writeFile(at('empty'), '')
})

const hello: Answerer = (_, response) => response.end('hello')

async function start(limits = LIMITS): Promise<KeyServer> {
  const tls = { cert: at('cert.pem'), key: at('key.pem') }
  const server = await startServer({ host: '127.0.0.1', port: 0, tls }, hello, () => undefined, limits)
  onTestFinished(() => server.close())
  expect(server.url).toMatch(/^https:/)
  return server
}

const portOf = ({ url }: KeyServer): number => Number(new URL(url).port)
const serve = async (limits = LIMITS): Promise<number> => portOf(await start(limits))

async function ask(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: '127.0.0.1', port, rejectUnauthorized: false, agent: false },
      (response) => {
        text(response).then(resolve, reject)
      },
    )
    asked.on('error', reject)
    asked.end()
  })
}

test('https answers, and the server can be stopped', async () => {
  expect(await ask(await serve())).toBe('hello')
})

describe('a certificate that will not do', () => {
  test.each([
    [
      'cert.pem',
      'other.pem',
      '--tls-cert DIR/cert.pem and --tls-key DIR/other.pem: the key is not that of the (first) certificate',
    ],
    ['cert.pem', 'locked.pem', '--tls-key: the key in DIR/locked.pem has a passphrase'],
    ['cert.pem', 'key.der', '--tls-key: DIR/key.der holds no private key in PEM form'],
    ['cert.pem', 'empty', '--tls-key: DIR/empty holds no private key in PEM form'],
    ['empty', 'key.pem', '--tls-cert: DIR/empty holds no certificate in PEM form'],
    ['key.pem', 'cert.pem', '--tls-cert: DIR/key.pem holds no certificate in PEM form'],
    ['cert.pem', 'nowhere', '--tls-key: cannot read DIR/nowhere: no such file or folder'],
    ['nowhere', 'key.pem', '--tls-cert: cannot read DIR/nowhere: no such file or folder'],
  ])('%s with %s: %s', async (cert, key, message) => {
    const tls = { cert: at(cert), key: at(key) }
    await expect(
      startServer({ host: '127.0.0.1', port: 0, tls }, hello, () => undefined),
    ).rejects.toMatchObject({
      code: 'server',
      message: message.replaceAll('DIR', dir),
    })
  })

  test('and whose text is spoilt is told as well', async () => {
    await writeFile(at('spoilt'), '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')
    const tls = { cert: at('spoilt'), key: at('key.pem') }
    await expect(
      startServer({ host: '127.0.0.1', port: 0, tls }, hello, () => undefined),
    ).rejects.toMatchObject({
      code: 'server',
      message: expect.stringContaining(`${at('spoilt')} and --tls-key`) as string,
    })
  })
})

describe('connections without a handshake', () => {
  test('end in time', async () => {
    const port = await serve({ connections: 10, requestSeconds: 1, idleSeconds: 60 })
    const socket = await open(port)
    await untilClosed(socket)
  })

  test('make room for others', async () => {
    const port = await serve({ connections: 10, requestSeconds: 60, idleSeconds: 60 })
    const silent = await Promise.all(Array.from({ length: 30 }, () => open(port)))
    silent.forEach((socket) => socket.resume())
    for (let i = 0; i < 15; i++) expect(await ask(port)).toBe('hello')
    await expect.poll(() => silent.filter(({ closed }) => closed).length).toBeGreaterThanOrEqual(20)
  })

  test('are not counted twice once they have one', async () => {
    const port = await serve({ connections: 2, requestSeconds: 60, idleSeconds: 60 })
    const held = await open(port)
    held.resume()
    for (let i = 0; i < 20; i++) expect(await ask(port)).toBe('hello')
    expect(held.closed).toBe(false)
  })
})

test('an end does not wait for handshakes that nobody goes on with', async () => {
  const server = await start({ connections: 10, requestSeconds: 60, idleSeconds: 60 })
  const [silent, begun] = [await open(portOf(server)), await open(portOf(server))]
  // A record of a handshake with 512 bytes, of which two come.
  begun.write('\x16\x03\x01\x02\x00\x01\x00', 'latin1')
  expect(await ask(portOf(server))).toBe('hello')
  const ended = [untilClosed(silent), untilClosed(begun)]
  await server.close()
  await Promise.all(ended)
})

describe('TLS files that are written anew', () => {
  const renewed = { cert: 'renewed-cert.pem', key: 'renewed-key.pem' }

  async function subjectOf(port: number): Promise<string> {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    const { subject } = socket.getPeerCertificate()
    socket.destroy()
    return String(subject.CN)
  }

  async function copy(cert: string, key: string): Promise<void> {
    await copyFile(at(cert), at(renewed.cert))
    await copyFile(at(key), at(renewed.key))
  }

  test('are taken by the next reading; where they do not fit, what was there stays', async () => {
    await copy('cert.pem', 'key.pem')
    const tls = { cert: at(renewed.cert), key: at(renewed.key) }
    const server = await startServer({ host: '127.0.0.1', port: 0, tls }, hello, () => undefined)
    onTestFinished(() => server.close())
    expect(await server.reload()).toBe(false)
    await copyFile(at('other-cert.pem'), at(renewed.cert))
    await expect(server.reload()).rejects.toThrow('the key is not that of the (first) certificate')
    expect(await subjectOf(portOf(server))).toBe('localhost')
    await copy('other-cert.pem', 'other.pem')
    expect(await server.reload()).toBe(true)
    expect(await subjectOf(portOf(server))).toBe('other')
  })
})
