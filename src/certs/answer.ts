// From a request to its answer: the keys, and three pages for those who look after the server. All is answered from
// memory; only a key that is not known may have to wait until its source was asked.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { messageOf } from '../errors.ts'
import { type Page, isMatch } from './pages.ts'
import type { SourceState } from './refresh.ts'

export interface Site {
  /** Path of the keys, such as `/certs`. */
  readonly path: string
  /** By path of the address. */
  readonly pages: () => ReadonlyMap<string, Page>
  /** See Keeper. */
  readonly askFor: (file: string) => Promise<void> | undefined
  readonly states: () => readonly SourceState[]
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>
  /** How many answers there were, by status; counted here. */
  readonly counts: number[]
  /** Told about each answer. */
  readonly onAnswer?: ((request: IncomingMessage, status: number) => void) | undefined
  /** Whether the server is being stopped: then each answer is the last on its connection. */
  readonly isClosing: () => boolean
}

export type Answerer = (request: IncomingMessage, response: ServerResponse) => void

interface Answer {
  readonly status: number
  /** Names and values in turn, as ServerResponse.writeHead takes them. */
  readonly headers: readonly string[]
  readonly body: string
}

const KEY_FILE = /^[0-9a-f]{64}\.pem$/
const TEXT = 'text/plain; charset=utf-8'
const ALIVE = answer(200, TEXT, 'ok\n')
const NOT_FOUND = answer(404, TEXT, 'not found\n')
const BAD_METHOD = answer(405, TEXT, 'only GET and HEAD\n', ['Allow', 'GET, HEAD'])

/** An answer that is no key. A key that is not there now may be in a moment, so nothing of this is to be cached. */
function answer(status: number, type: string, body: string, more: readonly string[] = []): Answer {
  const length = String(Buffer.byteLength(body))
  const common = ['Cache-Control', 'no-store', 'X-Content-Type-Options', 'nosniff']
  return { status, headers: ['Content-Type', type, 'Content-Length', length, ...common, ...more], body }
}

/** Answers the requests for `site`. */
export function answererOf(site: Site): Answerer {
  const { path, pages, askFor, states, metrics, counts, onAnswer, isClosing } = site
  const prefix = `${path}/`

  return (request, response) => {
    const { method, url = '', rawHeaders } = request
    const send = ({ status, headers, body }: Answer): void => {
      counts[status] = (counts[status] ?? 0) + 1
      if (isClosing() || hasBody(rawHeaders)) response.shouldKeepAlive = false
      response.writeHead(status, headers as string[])
      response.end(body)
      onAnswer?.(request, status)
    }
    const sendPage = (page: Page): void => {
      const known = headerOf(rawHeaders, 'if-none-match')
      send(known !== undefined && isMatch(known, page.etag) ? page.unmodified : page)
    }
    const sendKey = (place: string, file: string): void => {
      const page = pages().get(place)
      if (page !== undefined) {
        sendPage(page)
        return
      }
      const wait = askFor(file)
      if (wait === undefined) send(NOT_FOUND)
      else
        void wait.then(() => {
          const found = pages().get(place)
          if (found === undefined) send(NOT_FOUND)
          else sendPage(found)
        })
    }

    if (method !== 'GET' && method !== 'HEAD') {
      send(BAD_METHOD)
      return
    }
    const place = placeOf(url)
    const file = place.startsWith(prefix) ? place.slice(prefix.length) : ''
    if (KEY_FILE.test(file)) sendKey(place, file)
    else if (place === '/healthz') send(ALIVE)
    else if (place === '/readyz') send(readiness(states(), pages().size))
    else if (place === '/metrics') {
      metrics().then(
        ({ contentType, text }) => {
          send(answer(200, contentType, text))
        },
        (error: unknown) => {
          send(answer(500, TEXT, `${messageOf(error)}\n`))
        },
      )
    } else send(NOT_FOUND)
  }
}

/** A server is ready once any of its sources has given keys: one that is broken must not keep the others away. */
function readiness(states: readonly SourceState[], served: number): Answer {
  const sources = states.map(({ source, keys, ageSeconds, failing }) => ({
    source,
    keys,
    ageSeconds: ageSeconds === undefined ? null : Math.round(ageSeconds),
    failing,
  }))
  const ready = sources.some(({ ageSeconds }) => ageSeconds !== null)
  return answer(ready ? 200 : 503, 'application/json', `${JSON.stringify({ ready, served, sources })}\n`)
}

/** The path of a request's target: proxies may send the whole address, and RFC 9112 (3.2.2) has it accepted. */
function placeOf(url: string): string {
  if (url.startsWith('/')) return url
  return /^https?:\/\/[^/?#\\]+(\/.*)$/i.exec(url)?.[1] ?? ''
}

function hasBody(rawHeaders: readonly string[]): boolean {
  const length = headerOf(rawHeaders, 'content-length')
  return (length !== undefined && length !== '0') || headerOf(rawHeaders, 'transfer-encoding') !== undefined
}

/** Node's own table of the headers is made on demand, and costs more than all else of an answer. */
function headerOf(rawHeaders: readonly string[], name: string): string | undefined {
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const one = rawHeaders[i]
    if (one?.length === name.length && one.toLowerCase() === name) return rawHeaders[i + 1]
  }
  return undefined
}
