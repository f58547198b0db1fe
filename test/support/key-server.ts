// What a test needs of a key server and of its clients: a server on a free port, sockets that send what no client library
// would, and keys by the thousand.
import { type ClientRequest, type IncomingHttpHeaders, request } from 'node:http'
import { type Socket, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'
import { type Site, answererOf, pagesOf } from '../../src/certs/handler.ts'
import { fileNameOf } from '../../src/certs/key.ts'
import { type KeyServer, type Limits, startServer } from '../../src/certs/server.ts'

export const FILE = fileNameOf('k')
export const PEM = '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n'

export interface TestServer extends KeyServer {
  readonly port: number
  readonly counts: readonly number[]
}

/** Serves one key, that of kid `k`, as /certs/FILE, until the test is over. */
export async function serveOne(site: Partial<Site> = {}, limits?: Limits): Promise<TestServer> {
  const counts: number[] = []
  const count = (status: number): void => {
    counts[status] = (counts[status] ?? 0) + 1
  }
  const pages = pagesOf(
    [{ kid: 'k', file: FILE, alg: 'RS256', bits: 2048, pem: PEM, source: 'realm meet' }],
    '/certs',
    300,
  )
  const answer = answererOf({
    part: 'both',
    readyWith: 'all',
    path: '/certs',
    pages: () => pages,
    askFor: () => undefined,
    states: () => [
      {
        source: 'realm meet',
        keys: 1,
        ageSeconds: 12.3,
        maxAgeSeconds: 604_800,
        hasAnswered: true,
        failures: 0,
        failing: false,
      },
    ],
    metrics: () => Promise.reject(new Error('no metrics here')),
    onAnswer: count,
    isClosing: () => false,
    ...site,
  })
  const server = await startServer({ host: '127.0.0.1', port: 0 }, answer, count, limits)
  onTestFinished(() => server.close())
  return { ...server, port: Number(new URL(server.url).port), counts }
}

export interface Answered {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** One request on a connection of its own. */
export async function ask(
  port: number,
  path: string,
  { method = 'GET', headers = {} }: { method?: string; headers?: Readonly<Record<string, string>> } = {},
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const asked: ClientRequest = request({ host: '127.0.0.1', port, path, method, headers, agent: false })
    asked.on('error', reject)
    asked.on('response', (response) => {
      text(response).then((body) => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body })
      }, reject)
    })
    asked.end()
  })
}

/** Opens a connection, which a reset does not make an error of the test. */
export async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  onTestFinished(() => {
    socket.destroy()
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve()
    })
  })
  socket.on('error', () => undefined)
  return socket
}

/** All that the server sends until it ends the connection. */
export async function untilClosed(socket: Socket): Promise<string> {
  const parts: Buffer[] = []
  socket.on('data', (part: Buffer) => parts.push(part))
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
  return Buffer.concat(parts).toString('latin1')
}

/** Sends these very bytes, and gives all that comes back until the server ends the connection. */
export async function sendRaw(port: number, bytes: string): Promise<string> {
  const socket = await open(port)
  socket.write(bytes, 'latin1')
  return untilClosed(socket)
}

/** The status of the first answer in what came back, 0 where there is none. */
export function statusOf(raw: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(raw)?.[1] ?? 0)
}
