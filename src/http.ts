// What every request has in common: a time limit, retries where they are safe, a size cap, no redirect followed, and
// errors that say URL, status and cause. Certificates are always verified; a CA of one's own and proxies are added here.
import diagnostics from 'node:diagnostics_channel'
import { setMaxListeners } from 'node:events'
import { readFile } from 'node:fs/promises'
import { rootCertificates } from 'node:tls'
import pRetry from 'p-retry'
import { KjitsiError, messageOf, systemCodeOf } from './errors.ts'

export interface Http {
  /** Longest wait for one whole answer, seconds. */
  readonly timeout: number
  /** How long to go on trying a server that refuses connections or says 503, seconds. */
  readonly wait: number
  readonly signal: AbortSignal
  /** Told before each new try, with the reason of the last failure. */
  readonly onRetry: (reason: string) => void
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
  return error instanceof Error && 'response' in error && error.response instanceof Response
    ? error.response
    : undefined
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
  return new KjitsiError('unreachable', `${method} ${url}: ${reasonOf(error)}`, {
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
      `${method} ${url}: redirected to ${placeOf(location, url)}, which kjitsi does not follow`,
      { hint: 'nothing was sent there; give its address, if you trust it', cause },
    )
  }
  return new KjitsiError('unreachable', `${method} ${url}: status ${response.status}`, { cause })
}

/** Where a redirect leads, without the query, which may repeat what was sent. */
function placeOf(location: string, base: string): string {
  if (!URL.canParse(location, base)) return 'no address'
  const { origin, pathname } = new URL(location, base)
  return origin + pathname
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
  try {
    return await attempt(http, async () => {
      const response = await fetch(url, { ...init, redirect: 'manual', signal: limitOf(http) })
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
      throw new KjitsiError('unreachable', `${method} ${url}: the answer is longer than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/**
 * Sets up the process's `fetch` for a CA of one's own and for the proxies in the environment.
 * Node's own fetch knows neither, so undici's takes its place, and is loaded only then.
 * @throws KjitsiError `usage` where the CA file cannot be read
 */
export async function setUpTransport(
  caFile: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const proxied = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'].some((name) => env[name])
  if (caFile === undefined && !proxied) return
  // CommonJS: bundled, it has its names on the default export only.
  const { EnvHttpProxyAgent, install, setGlobalDispatcher } = (await import('undici')).default
  // An agent's `ca` replaces the roots rather than adding to them, those of NODE_EXTRA_CA_CERTS too.
  const ca = caFile && [...rootCertificates, ...(await extraCertificates(env)), await readCa(caFile)]
  const tls = ca ? { connect: { ca }, requestTls: { ca }, proxyTls: { ca } } : {}
  // Without a tunnel for plain http, which many proxies allow to port 443 only.
  setGlobalDispatcher(new EnvHttpProxyAgent({ ...tls, proxyTunnel: false }))
  install()
}

/** Node itself has warned about a file of NODE_EXTRA_CA_CERTS that cannot be read, and gone on. */
async function extraCertificates(
  env: Readonly<Record<string, string | undefined>>,
): Promise<readonly string[]> {
  const path = env['NODE_EXTRA_CA_CERTS']
  return path
    ? readFile(path, 'utf8').then(
        (pem) => [pem],
        () => [],
      )
    : []
}

async function readCa(path: string): Promise<string> {
  let pem: string
  try {
    pem = await readFile(path, 'utf8')
  } catch (error) {
    throw new KjitsiError('usage', `--ca-file: cannot read ${path}: ${messageOf(error)}`, { cause: error })
  }
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
    report(`${request.method} ${request.origin}${request.path} → ${result} (${ms} ms)`)
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
