// The HTTP server around the answers: where it listens, what it puts up with, and how it ends.
import { type Server, type ServerOptions, STATUS_CODES, createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net'
import { createSecureContext } from 'node:tls'
import { KjitsiError, messageOf, systemCodeOf } from '../errors.ts'
import { readText } from '../files/read.ts'
import type { Answerer } from './handler.ts'

export interface Place {
  readonly host: string
  /** 0 asks the system for a free one. */
  readonly port: number
  /** Paths of PEM files, for https. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined
}

export interface KeyServer {
  /** Without a path. */
  readonly url: string
  /**
   * Takes no new connection, answers what was asked and what is still asked for a moment on a connection that is there, and
   * ends all connections within two seconds.
   */
  readonly close: () => Promise<void>
  /**
   * Serves with the TLS files as they are now.
   * @returns whether they have changed
   * @throws KjitsiError `server` where they will not do; those that were read before stay
   */
  readonly reload: () => Promise<boolean>
}

interface Connections {
  /** To be called at each request: it moves the connection behind all others. */
  readonly touch: (socket: Socket) => void
  /** Ends the connections on which nothing was ever asked. */
  readonly endSilent: () => void
  readonly endAll: () => void
}

export interface Limits {
  readonly connections: number
  /** Until a request is there as a whole, and before it a TLS handshake. */
  readonly requestSeconds: number
  readonly idleSeconds: number
}

export const LIMITS: Limits = { connections: 1000, requestSeconds: 5, idleSeconds: 15 }
const MAX_HEAD_BYTES = 8192
/** Who keeps a connection may be sending a question just now: it is answered, as the last on that connection. */
const LAST_QUESTION_MS = 1000
const LAST_ANSWER_MS = 2000

/**
 * Starts to answer at `place`.
 * @param onRefused told the status of what was refused before it could be answered
 * @throws KjitsiError `server` where it cannot listen there, or not with that certificate
 */
export async function startServer(
  place: Place,
  answer: Answerer,
  onRefused: (status: number) => void,
  limits: Limits = LIMITS,
): Promise<KeyServer> {
  const options: ServerOptions = {
    maxHeaderSize: MAX_HEAD_BYTES,
    requestTimeout: limits.requestSeconds * 1000,
    connectionsCheckingInterval: 1000,
    keepAliveTimeout: limits.idleSeconds * 1000,
  }
  let tls = place.tls && (await readTls(place.tls))
  const server = tls
    ? createTlsServer({ ...options, ...tls, handshakeTimeout: limits.requestSeconds * 1000 })
    : createServer(options)
  // Who neither sends nor reads, also before the first request and during an answer.
  server.setTimeout(limits.idleSeconds * 1000)
  const connections = limitConnections(server, limits.connections)
  const listener: Answerer = (request, response) => {
    connections.touch(request.socket)
    answer(request, response)
  }
  server.on('request', listener)
  // Answered at once, without asking for the body first.
  server.on('checkContinue', listener)
  server.on('checkExpectation', listener)
  server.on('clientError', (error: Error, socket: Socket) => {
    refuse(error, socket, onRefused)
  })
  // An accept that failed, for want of file descriptors: the next may do better.
  server.on('error', () => undefined)
  await listen(server, place)
  const { address, family, port } = server.address() as AddressInfo
  const host = family === 'IPv6' ? `[${address}]` : address
  return {
    url: `${place.tls ? 'https' : 'http'}://${host}:${port}`,
    async close() {
      // That of an HTTP server would end the idle connections at once.
      const closed = new Promise((resolve) => NetServer.prototype.close.call(server, resolve))
      connections.endSilent()
      const timers = [
        setTimeout(() => {
          server.closeIdleConnections()
        }, LAST_QUESTION_MS),
        setTimeout(connections.endAll, LAST_ANSWER_MS),
      ]
      await closed
      timers.forEach(clearTimeout)
    },
    async reload() {
      if (place.tls === undefined || !('setSecureContext' in server)) return false
      const now = await readTls(place.tls)
      if (now.cert === tls?.cert && now.key === tls.key) return false
      server.setSecureContext(now)
      tls = now
      return true
    },
  }
}

/** Answers what is no request at all, or none in time. */
function refuse(error: Error, socket: Socket, onRefused: (status: number) => void): void {
  const code = systemCodeOf(error)
  if (!socket.writable || socket.bytesRead === 0 || code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const status = code === 'HPE_HEADER_OVERFLOW' ? 431 : code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400
  onRefused(status)
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
    () => socket.destroy(),
  )
}

/** The TLS files, seen to fit. */
async function readTls({ cert, key }: NonNullable<Place['tls']>): Promise<{ cert: string; key: string }> {
  const pems = {
    cert: await readPem('--tls-cert', cert, /-----BEGIN CERTIFICATE-----/, 'certificate'),
    key: await readPem('--tls-key', key, /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/, 'private key'),
  }
  try {
    createSecureContext(pems)
    return pems
  } catch (error) {
    const reason =
      systemCodeOf(error) === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH'
        ? 'the key is not that of the (first) certificate'
        : messageOf(error)
    throw new KjitsiError('server', `--tls-cert ${cert} and --tls-key ${key}: ${reason}`, { cause: error })
  }
}

async function readPem(flag: string, path: string, mark: RegExp, what: string): Promise<string> {
  const pem = await readText(path, { name: flag, code: 'server' })
  // Without a certificate or a key Node starts a server that nobody can talk to.
  if (!mark.test(pem)) throw new KjitsiError('server', `${flag}: ${path} holds no ${what} in PEM form`)
  if (pem.includes('ENCRYPTED')) {
    throw new KjitsiError('server', `${flag}: the key in ${path} has a passphrase`, {
      hint: `openssl pkey -in ${path} -out NEW-FILE writes it without one`,
    })
  }
  return pem
}

async function listen(server: Server, { host, port }: Place): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, host, resolve)
    })
  } catch (error) {
    const [reason, hint] = LISTEN_REASONS[systemCodeOf(error) ?? ''] ?? [messageOf(error), undefined]
    throw new KjitsiError('server', `cannot listen on ${host} port ${port}: ${reason}`, {
      hint,
      cause: error,
    })
  }
}

const LISTEN_REASONS: Readonly<Record<string, readonly [reason: string, hint: string]>> = {
  EADDRINUSE: ['another program listens there', 'end that one, or give another --port'],
  EACCES: ['permission denied', 'ports below 1024 are for root; give another --port'],
  EADDRNOTAVAIL: ['this machine has no such address', '0.0.0.0 is all addresses that it has'],
  ENOTFOUND: ['no such host', '--host takes an address of this machine'],
  EAI_AGAIN: ['the name server does not answer', '--host takes an address of this machine'],
}

/** Limits the connections of `server` to so many at once: one more takes the place of the one that was silent for longest. */
function limitConnections(server: Server, most: number): Connections {
  // Those that were active last are last. By name, since a TLS connection is another object than the TCP connection below it.
  const active = new Map<string, Socket>()
  const asked = new WeakSet<Socket>()
  // To ask a socket again with each request would cost some hundredths of it.
  const names = new WeakMap<Socket, string>()
  server.on('connection', (socket: Socket) => {
    const name = nameOf(socket)
    active.set(name, socket)
    socket.once('close', () => active.delete(name))
    if (active.size <= most) return
    const [oldest] = active
    oldest?.[1].destroy()
    if (oldest) active.delete(oldest[0])
  })
  return {
    touch: (socket) => {
      const name = names.get(socket) ?? nameOf(socket)
      names.set(socket, name)
      const below = active.get(name)
      if (below === undefined) return
      active.delete(name)
      active.set(name, below)
      asked.add(below)
    },
    endSilent: () => {
      for (const socket of [...active.values()]) if (!asked.has(socket)) socket.destroy()
    },
    endAll: () => {
      for (const socket of [...active.values()]) socket.destroy()
    },
  }
}

function nameOf({ remoteAddress, remotePort }: Socket): string {
  return `${String(remoteAddress)} ${String(remotePort)}`
}
