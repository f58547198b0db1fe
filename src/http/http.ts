// The one way to ask a server: a time limit, a size cap, no redirect followed, retries where they are safe, and errors
// that say method, URL, status and cause.
import pRetry from 'p-retry'
import { KjitsiError, systemCodeOf } from '../errors.ts'
import { shownAddress } from '../shown.ts'
import { type Answer, type Asked, readAnswer } from './answer.ts'
import { limited } from './limit.ts'
import { reasonOf, statusError, statusOf, unreachable } from './reasons.ts'
import { urlOf } from '../url.ts'

export interface Http {
  /** The command's own, as `openTransport` makes it. */
  readonly fetch: typeof fetch
  /** Longest wait for one whole answer, seconds. */
  readonly timeout: number
  /** How long to go on trying a server that refuses connections or says 503, seconds. */
  readonly wait: number
  /** How often it is tried again in any case; two times unless given. Who asks again and again anyway needs none. */
  readonly retries?: number
  readonly signal: AbortSignal
  /** Told before each new try, with the reason of the last failure. */
  readonly onRetry: (reason: string) => void
  /** Told of each request once it is answered or has failed: method, URL, status or reason, milliseconds. */
  readonly onRequest: (line: string) => void
  /** Told about twice in three seconds for whom a request waits and how long it has, and '' once that is over. */
  readonly onWait?: (what: string) => void
  /** What a server says, as a message may repeat it. */
  readonly quote?: (text: string) => string
  /** Told each secret that comes up on the way, such as an access token, so that it is shown nowhere. */
  readonly onSecret?: (secret: string) => void
}

export interface HttpRequest extends Asked {
  readonly headers: RequestInit['headers'] | undefined
  readonly body?: RequestInit['body'] | undefined
  /** Refuses a longer answer; a million unless given. */
  readonly maxBytes?: number | undefined
  /** Whether it may be sent again, after a refused connection or a transient status. */
  readonly isRepeatable: boolean
}

/** Answers that a later try may better: too many requests, and a server or proxy that is not up yet. */
const TRANSIENT = new Set([429, 502, 503, 504])
const RETRIES_WITHOUT_WAIT = 2
/** Discovery documents, tokens and key sets are a few thousand bytes long; a key of a key set takes 1450 of them. */
const MAX_BYTES = 1_000_000
/** Long enough for most answers, short enough that nobody wonders whether anything happens. */
const WAIT_SHOWN_MS = 700

/** GETs a small text without credentials, as `send` does. */
export async function getText(http: Http, url: string): Promise<Answer> {
  const headers = { accept: 'application/json, */*;q=0.5' }
  return send(http, { method: 'GET', url, headers, isRepeatable: true })
}

/** POSTs a form that may safely be sent twice, such as a login, as `send` does. */
export async function postForm(
  http: Http,
  url: string,
  form: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return send(http, {
    method: 'POST',
    url,
    headers: { accept: 'application/json', ...headers },
    body: new URLSearchParams(form),
    isRepeatable: true,
  })
}

/**
 * Sends a request. A redirect is an error, so what body and headers hold never goes to another server.
 * @throws KjitsiError `unreachable` where nobody answers, or with 3xx, 429 or 5xx; any other status is an answer
 */
export async function send(http: Http, request: HttpRequest): Promise<Answer> {
  refuseAddress(request)
  const deadline = performance.now() + http.wait * 1000
  const mayRetry = (error: unknown): boolean =>
    request.isRepeatable && (TRANSIENT.has(statusOf(error) ?? 0) || systemCodeOf(error) === 'ECONNREFUSED')
  try {
    return await pRetry(() => sendOnce(http, request), {
      retries: Number.POSITIVE_INFINITY,
      minTimeout: 200,
      maxTimeout: 2000,
      signal: http.signal,
      shouldRetry: ({ error, attemptNumber }) =>
        mayRetry(error) &&
        (attemptNumber <= (http.retries ?? RETRIES_WITHOUT_WAIT) || performance.now() < deadline),
      onFailedAttempt: ({ error }) => {
        if (mayRetry(error)) http.onRetry(reasonOf(error))
      },
    })
  } catch (error) {
    http.signal.throwIfAborted()
    throw unreachable(request, error)
  }
}

/** Node's own errors would repeat an address as it is. */
function refuseAddress({ method, url }: HttpRequest): void {
  const address = urlOf(url)
  if (address?.username === '' && address.password === '') return
  const [why, hint] = address
    ? ['the address holds a user name or password, which kjitsi sends to nobody', 'give it without them']
    : ['this is no address', 'an address starts with https:// or http://']
  throw new KjitsiError('unreachable', `${method} ${shownAddress(url)}: ${why}`, { hint })
}

async function sendOnce(http: Http, request: HttpRequest): Promise<Answer> {
  const { method, url, headers = {}, body = null, maxBytes = MAX_BYTES } = request
  const start = performance.now()
  const report = (result: string): void => {
    http.onRequest(`${method} ${shownAddress(url)} → ${result} (${Math.round(performance.now() - start)} ms)`)
  }
  const signal = limited(http.signal, http.timeout)
  let waited = false as boolean
  const waiting = setInterval(() => {
    waited = true
    http.onWait?.(`${new URL(url).host} (${Math.round((performance.now() - start) / 1000)} s)`)
  }, WAIT_SHOWN_MS).unref()
  let answer: Answer
  try {
    const response = await http.fetch(url, { method, headers, body, redirect: 'manual', signal })
    answer = await readAnswer(request, response, maxBytes)
  } catch (error) {
    // What reads the body says only that it was ended.
    const failure: unknown = signal.aborted ? signal.reason : error
    report(reasonOf(failure))
    throw failure
  } finally {
    clearInterval(waiting)
    if (waited) http.onWait?.('')
  }
  report(String(answer.status))
  const { status } = answer
  if (status >= 500 || status === 429 || (status >= 300 && status < 400)) throw statusError(answer)
  return status < 400 ? answer : { ...answer, text: quotable(answer.text, http.quote) }
}

/** A refusal is read for what it says alone, so here is the one place to keep its texts from repeating a secret. */
function quotable(json: string, quote: Http['quote']): string {
  if (quote === undefined) return json
  try {
    const said: unknown = JSON.parse(json, (_, value: unknown) =>
      typeof value === 'string' ? quote(value) : value,
    )
    return JSON.stringify(said)
  } catch {
    // Nobody repeats a page.
    return json
  }
}
