// What every request has in common: a time limit, retries where they are safe, a size cap, no redirect followed, and
// errors that say URL, status and cause. Certificates are always verified; a CA of one's own and proxies are added here.
import diagnostics from 'node:diagnostics_channel'
import { setMaxListeners } from 'node:events'
import { Socket } from 'node:net'
import { resolve } from 'node:path'
import { rootCertificates } from 'node:tls'
import pRetry from 'p-retry'
import { KjitsiError, messageOf, systemCodeOf } from './errors.ts'
import { readText } from './files.ts'
import type { Io } from './io.ts'
import { shownAddress } from './shown.ts'
import type { EnvHttpProxyAgent, Pool, buildConnector } from 'undici'

export interface Http {
  /** The command's own, as `openTransport` makes it. */
  readonly fetch: typeof fetch
  /** Longest wait for one whole answer, seconds. */
  readonly timeout: number
  /** How long to go on trying a server that refuses connections or says 503, seconds. */
  readonly wait: number
  readonly signal: AbortSignal
  /** Told before each new try, with the reason of the last failure. */
  readonly onRetry: (reason: string) => void
  /** Told each secret that comes up on the way, such as an access token, so that it is shown nowhere. */
  readonly onSecret?: (secret: string) => void
}

/** Answers that a later try may better: too many requests, and a server or proxy that is not up yet. */
const TRANSIENT = new Set([429, 502, 503, 504])
const RETRIES_WITHOUT_WAIT = 2

/**
 * Runs a request that may safely be sent twice, and again after a refused connection or a transient status.
 * @param request throws either a network error or something with the `response` it got
 */
export async function attempt<T>(http: Http, request: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + http.wait * 1000
  return pRetry(request, {
    retries: Number.POSITIVE_INFINITY,
    minTimeout: 200,
    maxTimeout: 2000,
    signal: http.signal,
    shouldRetry: ({ error, attemptNumber }) =>
      isTransient(error) && (attemptNumber <= RETRIES_WITHOUT_WAIT || performance.now() < deadline),
    onFailedAttempt: ({ error }) => {
      if (isTransient(error)) http.onRetry(reasonOf(error))
    },
  })
}

function isTransient(error: unknown): boolean {
  // A sentence of ours means that it has been tried again already, such as the login that a request waits for.
  if (error instanceof KjitsiError) return false
  return TRANSIENT.has(statusOf(error) ?? 0) || systemCodeOf(error) === 'ECONNREFUSED'
}

/** The HTTP status behind an error of ours or of the admin client, undefined where there was no answer. */
export function statusOf(error: unknown): number | undefined {
  return responseOf(error)?.status
}

export function responseOf(error: unknown): Response | undefined {
  return error instanceof Error && 'response' in error && isResponse(error.response)
    ? error.response
    : undefined
}

/** By its brand, since Node's own and undici's are two classes. */
function isResponse(value: unknown): value is Response {
  return Object.prototype.toString.call(value) === '[object Response]'
}

/** Why there was no answer, in words: refused, unknown host, certificate, time limit. */
export function reasonOf(error: unknown): string {
  const status = statusOf(error)
  if (status !== undefined) return `status ${status}`
  if (error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError'))
    return 'no answer in time'
  const code = systemCodeOf(error)
  // undici's own codes say less than its messages, such as those about a proxy.
  if (code === undefined || (NETWORK_REASONS[code] === undefined && code.startsWith('UND_')))
    return innermostMessage(error)
  return `${NETWORK_REASONS[code] ?? code}${placeRefused(error)}`
}

/** As undici says it about a tunnel. */
const PROXY_REFUSES = /^Proxy response \((\d+)\).*$/

function innermostMessage(error: unknown): string {
  if (error instanceof Error && error.cause !== undefined) return innermostMessage(error.cause)
  return messageOf(error).replace(PROXY_REFUSES, 'the proxy lets nobody through to it, with status $1')
}

/** Which address did not let us in: it may be a proxy's, or an outdated one of the name server's. */
function placeRefused(error: unknown): string {
  for (let e = error, depth = 0; e instanceof Error && depth < 8; e = e.cause, depth++) {
    const of: unknown = e instanceof AggregateError ? e.errors[0] : e
    if (of instanceof Error && 'address' in of && 'port' in of)
      return ` (${String(of.address)} port ${String(of.port)})`
  }
  return ''
}

const NETWORK_REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the name server does not answer',
  ETIMEDOUT: 'no answer in time',
  UND_ERR_CONNECT_TIMEOUT: 'no answer in time',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  EHOSTUNREACH: 'no way to the host',
  ENETUNREACH: 'no way to the network',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by an unknown authority',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is signed by an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is signed by an unknown authority',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host name',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS: http:// in place of https://?',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS: http:// in place of https://?',
}

/** What mends a connection that failed for `error`. */
function hintFor(error: unknown): string {
  const code = systemCodeOf(error) ?? ''
  if (/CERT|SIGNATURE|SELF_SIGNED/.test(code)) {
    return code === 'CERT_HAS_EXPIRED' || code === 'ERR_TLS_CERT_ALTNAME_INVALID'
      ? 'mend the certificate; kjitsi never goes on without checking it'
      : 'give the authority that signed it by --ca-file or KJITSI_CA_FILE'
  }
  if (code === 'ECONNREFUSED')
    return 'is it running, and is the port right? --wait 60s waits for one that is starting'
  if (code === 'ENOTFOUND') return 'correct the host name'
  if (code === 'UND_ERR_ABORTED') return 'check HTTPS_PROXY and HTTP_PROXY, or name the host in NO_PROXY'
  return 'check address and network; --timeout allows it more time'
}

/** A request that got no answer, as a sentence. */
export function unreachable(method: string, url: string, error: unknown): KjitsiError {
  return new KjitsiError('unreachable', `${method} ${shownAddress(url)}: ${reasonOf(error)}`, {
    hint: hintFor(error),
    cause: error,
  })
}

/** A status that nobody expected, as a sentence; a redirect says where to. `statusOf` its cause is the status. */
export function badStatus(method: string, url: string, response: Response): KjitsiError {
  const location = response.headers.get('location')
  const cause = Object.assign(new Error(`status ${response.status}`), { response })
  if (response.status >= 300 && response.status < 400 && location !== null) {
    return new KjitsiError(
      'unreachable',
      `${method} ${shownAddress(url)}: redirected to ${placeOf(location, url)}, which kjitsi does not follow`,
      { hint: 'nothing was sent there; give its address, if you trust it', cause },
    )
  }
  return new KjitsiError('unreachable', `${method} ${shownAddress(url)}: status ${response.status}`, {
    cause,
  })
}

/** Where a redirect leads, without the query, which may repeat what was sent. */
function placeOf(location: string, base: string): string {
  if (!URL.canParse(location, base)) return 'no address'
  const { origin, pathname } = new URL(location, base)
  return shownAddress(origin + pathname)
}

export interface Answer {
  readonly status: number
  readonly contentType: string
  readonly text: string
}

/**
 * GETs a small text, with retries, without credentials and without following a redirect.
 * @param maxBytes refuses a longer body
 * @throws KjitsiError `unreachable`; a status of 4xx is an answer, not an error
 */
export async function getText(http: Http, url: string, maxBytes: number): Promise<Answer> {
  return send(http, url, { method: 'GET', headers: { accept: 'application/json, */*;q=0.5' } }, maxBytes)
}

/**
 * POSTs a form that may safely be sent twice, such as a login, in all else as `getText`. A redirect is an error, so
 * what the form and headers hold never goes to another server.
 */
export async function postForm(
  http: Http,
  url: string,
  form: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>>,
  maxBytes: number,
): Promise<Answer> {
  const accept = { accept: 'application/json' }
  return send(
    http,
    url,
    { method: 'POST', headers: { ...accept, ...headers }, body: new URLSearchParams(form) },
    maxBytes,
  )
}

/** Ends a request with the command, or when its time is up, whichever comes first. */
export function limitOf({ signal, timeout }: Http): AbortSignal {
  return limited(signal, timeout)
}

/** The longest that a timer of Node can wait, milliseconds; a longer one ends at once. */
const LONGEST = 2 ** 31 - 1

/**
 * A signal that is aborted by another one, or once `seconds` are over with a TimeoutError.
 *
 * Node 20's `AbortSignal.any([signal, AbortSignal.timeout(…)])` would say the same, but the garbage collector takes the
 * timeout away while it runs, and the request then waits for ever.
 */
export function limited(signal: AbortSignal, seconds: number): AbortSignal {
  const controller = new AbortController()
  const end = (): void => {
    clearTimeout(timer)
    controller.abort(signal.reason)
  }
  const timer = setTimeout(
    () => {
      signal.removeEventListener('abort', end)
      controller.abort(new DOMException('no answer in time', 'TimeoutError'))
    },
    Math.min(seconds * 1000, LONGEST),
  ).unref()
  // One listener for each request of the last seconds is no leak, which Node would warn of.
  setMaxListeners(0, signal)
  if (signal.aborted) end()
  else signal.addEventListener('abort', end, { once: true })
  return controller.signal
}

async function send(
  http: Http,
  url: string,
  init: RequestInit & { method: string },
  maxBytes: number,
): Promise<Answer> {
  const { method } = init
  // Node's own errors would repeat the address as it is.
  if (!URL.canParse(url)) {
    throw new KjitsiError('unreachable', `${method} ${shownAddress(url)}: this is no address`, {
      hint: 'an address starts with https:// or http://',
    })
  }
  const { username, password } = new URL(url)
  if (username || password) {
    const message = `${method} ${shownAddress(url)}: the address holds a user name or password, which kjitsi sends to nobody`
    throw new KjitsiError('unreachable', message, { hint: 'give the address without them' })
  }
  try {
    return await attempt(http, async () => {
      const response = await http.fetch(url, { ...init, redirect: 'manual', signal: limitOf(http) })
      if (TRANSIENT.has(response.status)) {
        await response.body?.cancel()
        throw Object.assign(new Error(`status ${response.status}`), { response })
      }
      const text = await readCapped(response, method, url, maxBytes)
      if (response.status >= 300 && !(response.status >= 400 && response.status < 500))
        throw badStatus(method, url, response)
      return { status: response.status, contentType: response.headers.get('content-type') ?? '', text }
    })
  } catch (error) {
    if (error instanceof KjitsiError) throw error
    http.signal.throwIfAborted()
    const response = responseOf(error)
    throw response ? badStatus(method, url, response) : unreachable(method, url, error)
  }
}

async function readCapped(
  response: Response,
  method: string,
  url: string,
  maxBytes: number,
): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength
    if (size > maxBytes)
      throw new KjitsiError(
        'unreachable',
        `${method} ${shownAddress(url)}: the answer is longer than ${maxBytes} bytes`,
      )
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** What a command asks servers with, until it ends. */
export interface Transport {
  readonly fetch: typeof fetch
  /** Ends whatever is still open, connections that never came about too: nothing then keeps the process alive. */
  readonly close: () => Promise<void>
}

/**
 * A `fetch` with a CA of one's own and the proxies of the environment. Node's own knows neither, and gives up connecting
 * after ten seconds, whatever was asked for. undici is loaded with the first request.
 * @param timeout seconds to connect in
 * @throws KjitsiError `usage` where the CA file cannot be read, or a proxy's address is none
 */
export async function openTransport(
  timeout: number,
  caFile: string | undefined,
  { env, cwd }: Pick<Io, 'env' | 'cwd'>,
): Promise<Transport> {
  const proxies = {
    httpProxy: proxyOf(env, 'http_proxy'),
    httpsProxy: proxyOf(env, 'https_proxy'),
    noProxy: (env['no_proxy'] || env['NO_PROXY']) ?? '',
  }
  // An agent's `ca` replaces the roots rather than adding to them, those of NODE_EXTRA_CA_CERTS too.
  const ca = caFile && [
    ...rootCertificates,
    ...(await extraCertificates(env)),
    await readCa(resolve(cwd, caFile)),
  ]
  const limit = Math.min(timeout * 1000, LONGEST)
  const tls = { timeout: limit, ...(ca ? { ca } : {}) }
  const sockets = new Set<Socket>()
  const load = async (): Promise<Loaded> => {
    // CommonJS: bundled, it has its names on the default export only.
    const undici = (await import('undici')).default
    const { EnvHttpProxyAgent, Pool, buildConnector } = undici
    const pool = (origin: string | URL, options: object): Pool => {
      const { connect } = options as { connect: Connector }
      return new Pool(origin, { ...options, connect: tracked(connect, sockets) })
    }
    const agent = new EnvHttpProxyAgent({
      ...proxies,
      connect: buildConnector(tls),
      requestTls: tls,
      proxyTls: tls,
      // Without a tunnel for plain http, which many proxies allow to port 443 only.
      proxyTunnel: false,
      factory: pool,
      // Asks the proxy for tunnels, and would wait five minutes for one.
      clientFactory: (origin: URL, options: object) => pool(origin, { ...options, headersTimeout: limit }),
    })
    return { fetch: undici.fetch as unknown as typeof fetch, agent }
  }
  let loaded: Promise<Loaded> | undefined
  return {
    async fetch(input, init) {
      loaded ??= load()
      const { fetch, agent } = await loaded
      return fetch(input, { ...init, dispatcher: agent } as unknown as RequestInit)
    },
    async close() {
      if (loaded === undefined) return
      const { agent } = await loaded
      void agent.destroy()
      for (const socket of sockets) socket.destroy()
    },
  }
}

interface Loaded {
  readonly fetch: typeof fetch
  readonly agent: EnvHttpProxyAgent
}

type Connector = buildConnector.connector

/**
 * A connector whose sockets are known from their first moment on, which an agent that is destroyed does not see to, and
 * whose failures are final: a tunnel that the proxy closes has an error that makes undici connect again at once, for ever.
 */
function tracked(connect: Connector, sockets: Set<Socket>): Connector {
  // It returns the socket, which its type does not say.
  const connecting: (...args: Parameters<Connector>) => unknown = connect
  return (options, callback) => {
    const socket = connecting(options, (...[error, connected]) => {
      if (error === null) callback(null, connected)
      else callback(systemCodeOf(error) === 'UND_ERR_SOCKET' ? proxyClosed() : error, null)
    })
    // A tunnel has its own, which is among the sockets of the proxy's pool.
    if (!(socket instanceof Socket)) return
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  }
}

function proxyClosed(): Error {
  return Object.assign(new Error('the proxy closed the connection'), { code: 'UND_ERR_ABORTED' })
}

/** The schemes of proxies that undici knows. */
const PROXY_SCHEMES = ['http:', 'https:', 'socks5:', 'socks:']

/**
 * A proxy's address from the environment, '' where there is none.
 * @throws KjitsiError `usage`, without the value, which may hold a password
 */
function proxyOf(env: Io['env'], lower: 'http_proxy' | 'https_proxy'): string {
  const name = [lower, lower.toUpperCase()].find((one) => env[one])
  const value = name === undefined ? '' : (env[name] ?? '')
  if (name === undefined || isProxy(value)) return value
  throw new KjitsiError('usage', `${name} is not the address of a proxy`, {
    hint: 'write it as http://HOST:PORT, with http://USER:PASSWORD@HOST:PORT where it asks who you are (% as %25, @ as %40)',
  })
}

function isProxy(value: string): boolean {
  try {
    const { protocol, hostname, username, password } = new URL(value)
    decodeURIComponent(username + password)
    return PROXY_SCHEMES.includes(protocol) && hostname !== ''
  } catch {
    return false
  }
}

/** Node itself has warned about a file of NODE_EXTRA_CA_CERTS that cannot be read, and gone on. */
async function extraCertificates(
  env: Readonly<Record<string, string | undefined>>,
): Promise<readonly string[]> {
  const path = env['NODE_EXTRA_CA_CERTS']
  return path
    ? readText(resolve(path)).then(
        (pem) => [pem],
        () => [],
      )
    : []
}

async function readCa(path: string): Promise<string> {
  const pem = await readText(path, { name: '--ca-file', code: 'usage' })
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) {
    throw new KjitsiError('usage', `--ca-file: ${path} holds no certificate in PEM form`)
  }
  return pem
}

/**
 * Reports every HTTP request of the process, once it is answered or has failed: method, URL, status, milliseconds.
 * @returns ends the reports
 */
export function watchRequests(report: (line: string) => void): () => void {
  interface Request {
    readonly origin: string
    readonly path: string
    readonly method: string
  }
  const started = new WeakMap<object, number>()
  const done = (request: Request, result: string): void => {
    const ms = Math.round(performance.now() - (started.get(request) ?? performance.now()))
    report(`${request.method} ${shownAddress(request.origin + request.path)} → ${result} (${ms} ms)`)
  }
  const onCreate = (message: unknown): void => {
    started.set((message as { request: Request }).request, performance.now())
  }
  const onHeaders = (message: unknown): void => {
    const { request, response } = message as { request: Request; response: { statusCode: number } }
    done(request, String(response.statusCode))
  }
  const onError = (message: unknown): void => {
    const { request, error } = message as { request: Request; error: Error }
    done(request, reasonOf(error))
  }
  const listeners = [
    ['create', onCreate],
    ['headers', onHeaders],
    ['error', onError],
  ] as const
  for (const [event, listener] of listeners) diagnostics.subscribe(`undici:request:${event}`, listener)
  return () => {
    for (const [event, listener] of listeners) diagnostics.unsubscribe(`undici:request:${event}`, listener)
  }
}
