// What the key server answers for each key, made ready once so that a request only looks it up.
import { createHash } from 'node:crypto'
import type { Served } from './keyring.ts'

/** An answer with a key in it. */
export interface Page {
  readonly status: 200
  readonly body: string
  /** Names and values in turn, as ServerResponse.writeHead takes them. */
  readonly headers: readonly string[]
  /** Strong, and the same on every server that has this key. */
  readonly etag: string
  /** The answer to who has it already (RFC 9110, section 15.4.5). */
  readonly unmodified: { readonly status: 304; readonly headers: readonly string[]; readonly body: '' }
}

/** The media type of the article that Jitsi's key server began with; Prosody itself looks at the status only. */
const PEM_TYPE = 'application/x-x509-ca-cert; charset=utf-8'

/**
 * The pages by the path of their address.
 * @param maxAge how long a cache may keep one, seconds; Prosody keeps it until it restarts, whatever this says
 * @param before pages of an earlier time, which are kept where nothing has changed
 */
export function pagesOf(
  keys: Iterable<Served>,
  path: string,
  maxAge: number,
  before: ReadonlyMap<string, Page> = new Map(),
): ReadonlyMap<string, Page> {
  const pages = new Map<string, Page>()
  for (const { file, pem } of keys) {
    const place = `${path}/${file}`
    const old = before.get(place)
    pages.set(place, old?.body === pem ? old : pageOf(pem, maxAge))
  }
  return pages
}

function pageOf(pem: string, maxAge: number): Page {
  const etag = `"${createHash('sha256').update(pem, 'latin1').digest('hex').slice(0, 32)}"`
  const caching = ['ETag', etag, 'Cache-Control', `public, max-age=${maxAge}`]
  const length = String(Buffer.byteLength(pem, 'latin1'))
  return {
    status: 200,
    body: pem,
    headers: [
      ...['Content-Type', PEM_TYPE, 'Content-Length', length],
      ...caching,
      ...['X-Content-Type-Options', 'nosniff'],
    ],
    etag,
    unmodified: { status: 304, headers: caching, body: '' },
  }
}

/** Whether a client that sends this If-None-Match has the page already (RFC 9110, section 13.1.2). */
export function isMatch(ifNoneMatch: string, etag: string): boolean {
  if (ifNoneMatch === etag || ifNoneMatch.trim() === '*') return true
  return ifNoneMatch.split(',').some((one) => one.trim().replace(/^W\//, '') === etag)
}
