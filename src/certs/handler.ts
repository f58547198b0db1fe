// From a request to its answer: the keys, and three pages for those who look after the server. All is answered from
// memory; only a key that is not known may have to wait until its source was asked.
import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { messageOf } from '../errors.ts'
import { type Key, isKeyFile } from './key.ts'
import type { SourceState } from './refresh.ts'

export interface Site {
  /** Keys alone, the pages for those who look after the server alone, or both. */
  readonly part: 'keys' | 'admin' | 'both'
  /** Whether the server is ready once all of its sources have answered, or any. */
  readonly readyWith: 'all' | 'any'
  /** Path of the keys, such as `/certs`. */
  readonly path: string
  /** By path of the address. */
  readonly pages: () => ReadonlyMap<string, Page>
  /** See Keeper. */
  readonly askFor: (file: string) => Promise<void> | undefined
  readonly states: () => readonly SourceState[]
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>
  /** Told about each answer. */
  readonly onAnswer: (status: number, request: IncomingMessage) => void
  /** Whether the server is being stopped: then each answer is the last on its connection. */
  readonly isClosing: () => boolean
}

type Headers = Readonly<Record<string, string | number>>

export type Answerer = (request: IncomingMessage, response: ServerResponse) => void

/** An answer with a key in it. */
export interface Page {
  readonly status: 200
  readonly body: string
  readonly headers: Headers
  /** Strong, and the same on every server that has this key. */
  readonly etag: string
  /** The answer to who has it already (RFC 9110, section 15.4.5). */
  readonly unmodified: { readonly status: 304; readonly headers: Headers; readonly body: '' }
}

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

/** The media type of the article that Jitsi's key server began with; Prosody itself looks at the status only. */
const PEM_TYPE = 'application/x-x509-ca-cert; charset=utf-8'
const TEXT = 'text/plain; charset=utf-8'
const ALIVE = answer(200, TEXT, 'ok\n')
const NOT_FOUND = answer(404, TEXT, 'not found\n')
const BAD_METHOD = answer(405, TEXT, 'only GET and HEAD\n', { Allow: 'GET, HEAD' })

/** An answer that is no key. A key that is not there now may be in a moment, so nothing of this is to be cached. */
function answer(status: number, type: string, body: string, more: Headers = {}): Answer {
  const common = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' }
  const length = Buffer.byteLength(body)
  return { status, headers: { 'Content-Type': type, 'Content-Length': length, ...common, ...more }, body }
}

/** Answers the requests for `site`. */
export function answererOf(site: Site): Answerer {
  const { part, readyWith, path, pages, askFor, states, metrics, onAnswer, isClosing } = site
  const prefix = `${path}/`
  // One that asks on without waiting for answers is not to take the places of all others.
  const waiting = new WeakSet<Socket>()

  const reply = (request: IncomingMessage, response: ServerResponse, one: Answer): void => {
    if (isClosing() || hasBody(request.headers)) response.shouldKeepAlive = false
    response.writeHead(one.status, one.headers)
    response.end(one.body)
    onAnswer(one.status, request)
  }
  const replyPage = (request: IncomingMessage, response: ServerResponse, page: Page | undefined): void => {
    const known = page && request.headers['if-none-match']
    const isKnown = page !== undefined && known !== undefined && isMatch(known, page.etag)
    reply(request, response, isKnown ? page.unmodified : (page ?? NOT_FOUND))
  }
  const replyNumbers = (request: IncomingMessage, response: ServerResponse): void => {
    metrics().then(
      ({ contentType, text }) => {
        reply(request, response, answer(200, contentType, text))
      },
      (error: unknown) => {
        reply(request, response, answer(500, TEXT, `${messageOf(error)}\n`))
      },
    )
  }

  return (request, response) => {
    const { method, url = '' } = request
    if (method !== 'GET' && method !== 'HEAD') {
      reply(request, response, BAD_METHOD)
      return
    }
    const place = placeOf(url)
    const page = part === 'admin' ? undefined : pages().get(place)
    if (page !== undefined) {
      replyPage(request, response, page)
      return
    }
    const file = part !== 'admin' && place.startsWith(prefix) ? place.slice(prefix.length) : ''
    const wait = isKeyFile(file) && !waiting.has(request.socket) ? askFor(file) : undefined
    if (wait !== undefined) {
      waiting.add(request.socket)
      void wait.then(() => {
        waiting.delete(request.socket)
        replyPage(request, response, pages().get(place))
      })
    } else if (part === 'keys') reply(request, response, NOT_FOUND)
    else if (place === '/healthz') reply(request, response, ALIVE)
    else if (place === '/readyz')
      reply(request, response, readiness(states(), pages().size, readyWith, isClosing()))
    else if (place === '/metrics') replyNumbers(request, response)
    else reply(request, response, NOT_FOUND)
  }
}

/**
 * Ready with all: a server that comes in place of another has what the other had. Ready with any: a source that is broken keeps
 * no other away.
 */
function readiness(
  states: readonly SourceState[],
  served: number,
  readyWith: Site['readyWith'],
  isClosing: boolean,
): Answer {
  const sources = states.map(({ source, keys, ageSeconds, maxAgeSeconds, hasAnswered, failing }) => ({
    source,
    keys,
    ageSeconds: hasAnswered ? Math.round(ageSeconds) : null,
    maxAgeSeconds,
    failing,
  }))
  const answered = states.filter(({ hasAnswered }) => hasAnswered).length
  const ready = !isClosing && served > 0 && answered >= (readyWith === 'any' ? 1 : states.length)
  return answer(ready ? 200 : 503, 'application/json', `${JSON.stringify({ ready, served, sources })}\n`)
}

/** The path of a request's target: proxies may send the whole address, and RFC 9112 (3.2.2) has it accepted. */
function placeOf(url: string): string {
  if (url.startsWith('/')) return url
  return /^https?:\/\/[^/?#\\]+(\/.*)$/i.exec(url)?.[1] ?? ''
}

function hasBody({ 'content-length': length, 'transfer-encoding': coding }: IncomingHttpHeaders): boolean {
  return (length !== undefined && length !== '0') || coding !== undefined
}

/**
 * The pages by the path of their address.
 * @param maxAge how long a cache may keep one, seconds; Prosody keeps it until it restarts, whatever this says
 */
export function pagesOf(keys: Iterable<Key>, path: string, maxAge: number): ReadonlyMap<string, Page> {
  return new Map([...keys].map(({ file, pem }) => [`${path}/${file}`, pageOf(pem, maxAge)]))
}

function pageOf(pem: string, maxAge: number): Page {
  const etag = `"${createHash('sha256').update(pem, 'latin1').digest('hex').slice(0, 32)}"`
  const caching = { ETag: etag, 'Cache-Control': `public, max-age=${maxAge}` }
  const length = Buffer.byteLength(pem, 'latin1')
  return {
    status: 200,
    body: pem,
    headers: {
      'Content-Type': PEM_TYPE,
      'Content-Length': length,
      ...caching,
      'X-Content-Type-Options': 'nosniff',
    },
    etag,
    unmodified: { status: 304, headers: caching, body: '' },
  }
}

/** Whether a client that sends this If-None-Match has the page already (RFC 9110, section 13.1.2). */
export function isMatch(ifNoneMatch: string, etag: string): boolean {
  if (ifNoneMatch === etag || ifNoneMatch.trim() === '*') return true
  return ifNoneMatch.split(',').some((one) => one.trim().replace(/^W\//, '') === etag)
}
