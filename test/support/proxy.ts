// A reverse proxy in front of the real Keycloak that fails as networks and servers do: 503, silence, redirects, pages of
// HTML, certificates of an authority that nobody knows, another base path.
import {
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
  createServer,
  request,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { type Certificate, listen } from './http.ts'

/** What becomes of one request in place of Keycloak's answer. */
export type Fault =
  | { readonly status: number }
  | { readonly redirectTo: string }
  | { readonly page: string; readonly status?: number }
  | { readonly json: unknown; readonly status?: number }
  /** Keycloak's own answer, with as many blanks behind it, which JSON allows. */
  | { readonly padded: number }
  | 'silence'

export interface Seen {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly body: string
  readonly authorization: string
}

export interface Proxy extends AsyncDisposable {
  readonly url: string
  /** Every request that came, in order. */
  readonly seen: readonly Seen[]
}

export interface ProxyOptions {
  /**
   * Decides about each request before it is passed on; undefined passes it on.
   * @param nth how many requests of the same method and path came before
   */
  readonly fault?: (request: Seen, nth: number) => Fault | undefined | Promise<Fault | undefined>
  /** Base path that only the proxy has; what is outside of it is a page that is not there. */
  readonly prefix?: string
  readonly tls?: Certificate
}

/** Starts the proxy on a free port of the loopback interface. */
export async function startProxy(target: string, options: ProxyOptions = {}): Promise<Proxy> {
  const seen: Seen[] = []
  const { fault, prefix = '', tls } = options
  const listener = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    void (async () => {
      const one = await readRequest(incoming)
      const nth = seen.filter(({ method, path }) => method === one.method && path === one.path).length
      seen.push(one)
      const outside = one.path.startsWith(`${prefix}/`) ? undefined : { page: 'no such page', status: 404 }
      const failure = outside ?? (await fault?.(one, nth))
      const inside = { ...one, path: one.path.slice(prefix.length) }
      if (failure === undefined) passOn(target, incoming, inside, outgoing)
      else if (typeof failure === 'object' && 'padded' in failure)
        passOn(target, incoming, inside, outgoing, failure.padded)
      else fail(failure, outgoing)
    })()
  }
  return {
    seen,
    ...(await placed(tls ? createTlsServer(tls, listener) : createServer(listener), tls ? 'https' : 'http')),
  }
}

async function readRequest(incoming: IncomingMessage): Promise<Seen> {
  const { method = '', url: path = '', headers } = incoming
  return { method, path, body: await text(incoming), authorization: headers.authorization ?? '' }
}

const BLANKS = ' '.repeat(65_536)

function passOn(
  target: string,
  incoming: IncomingMessage,
  { method, path, body }: Seen,
  outgoing: ServerResponse,
  padded = 0,
): void {
  const upstream = request(`${target}${path}`, {
    method,
    headers: { ...incoming.headers, host: new URL(target).host },
  })
  upstream.on('response', (answer) => {
    const headers = { ...answer.headers }
    if (padded > 0) delete headers['content-length']
    outgoing.writeHead(answer.statusCode ?? 502, headers)
    if (padded === 0) answer.pipe(outgoing)
    else
      void pipeline(async function* () {
        yield* answer
        for (let left = padded; left > 0; left -= BLANKS.length) yield BLANKS
      }, outgoing).catch(() => undefined)
  })
  upstream.on('error', () => outgoing.destroy())
  upstream.end(body)
}

function fail(failure: Exclude<Fault, { padded: number }>, outgoing: ServerResponse): void {
  if (failure === 'silence') return
  if ('redirectTo' in failure) {
    outgoing.writeHead(302, { location: failure.redirectTo }).end()
  } else if ('page' in failure) {
    outgoing
      .writeHead(failure.status ?? 200, { 'content-type': 'text/html' })
      .end(`<html>${failure.page}</html>`)
  } else if ('json' in failure) {
    outgoing
      .writeHead(failure.status ?? 200, { 'content-type': 'application/json' })
      .end(JSON.stringify(failure.json))
  } else {
    outgoing.writeHead(failure.status).end()
  }
}

/** A forward proxy as companies have them: CONNECT tunnels, and plain http requests with a whole URL. */
export async function startForwardProxy(): Promise<Proxy> {
  const seen: Seen[] = []
  const listener: RequestListener = (incoming, outgoing) => {
    void readRequest(incoming).then((one) => {
      seen.push(one)
      const upstream = request(one.path, { method: one.method, headers: incoming.headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(outgoing)
      })
      upstream.end(one.body)
    })
  }
  const server = createServer(listener)
  server.on('connect', ({ url = '' }: IncomingMessage, socket) => {
    seen.push({ method: 'CONNECT', path: url, body: '', authorization: '' })
    const [host, port] = url.split(':')
    const upstream = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      upstream.pipe(socket).pipe(upstream)
    })
    for (const end of [upstream, socket]) end.on('error', () => socket.destroy())
  })
  return { seen, ...(await placed(server, 'http')) }
}

async function placed(server: Server, scheme: string): Promise<{ readonly url: string } & AsyncDisposable> {
  const listening = await listen(server)
  return { ...listening, url: `${scheme}://127.0.0.1:${listening.port}` }
}
