// Servers of a test on the loopback, and the way in which kjitsi asks them.
import { type RequestListener, createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, type Server, type Socket, createServer as createSocketServer } from 'node:net'
import { onTestFinished } from 'vitest'
import type { Http } from '../../src/http/http.ts'

export interface Listening extends AsyncDisposable {
  readonly port: number
}

/** Has a server listen on a port that the system chooses; disposing of it ends its connections too. */
export async function listen(server: Server): Promise<Listening> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** Serves until the test is over; gives the port. */
export async function serveSockets(connected: (socket: Socket) => void): Promise<number> {
  const listening = await listen(createSocketServer(connected))
  onTestFinished(() => listening[Symbol.asyncDispose]())
  return listening.port
}

/** What a server proves itself with, in PEM. */
export interface Certificate {
  readonly key: string
  readonly cert: string
}

/** Serves until the test is over; gives the address, without a slash at its end. */
export async function serve(listener: RequestListener, tls?: Certificate): Promise<string> {
  const listening = await listen(tls === undefined ? createServer(listener) : createTlsServer(tls, listener))
  onTestFinished(() => listening[Symbol.asyncDispose]())
  return `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${listening.port}`
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  await using listening = await listen(createSocketServer())
  return listening.port
}

/** How a flow is to ask: without waiting between its tries, and telling nobody of them. */
export function testHttp(options: Partial<Http> = {}): Http {
  const signal = new AbortController().signal
  const ignore = (): void => undefined
  return { fetch, timeout: 5, wait: 0, signal, onRetry: ignore, onRequest: ignore, ...options }
}
