// Why a request got no answer, or none of use, as sentences, and what mends it.
import { KjitsiError, messageOf, systemCodeOf } from '../errors.ts'
import { shownAddress } from '../shown.ts'
import { type Answer, type Asked, TOO_LONG } from './answer.ts'
import { urlOf } from '../url.ts'

/** An answer of a status that is an error, to be thrown or as the cause of what is. */
export function statusError(answer: Answer): Error {
  return Object.assign(new Error(`status ${answer.status}`), { answer })
}

function answerOf(error: unknown): Answer | undefined {
  return error instanceof Error && 'answer' in error ? (error.answer as Answer) : undefined
}

/** The HTTP status behind a `statusError`, undefined where there was no answer. */
export function statusOf(error: unknown): number | undefined {
  return answerOf(error)?.status
}

/** Why there was no answer, in words: refused, unknown host, certificate, time limit. */
export function reasonOf(error: unknown): string {
  const code = systemCodeOf(error)
  // undici's own codes say less than its messages, such as those about a proxy.
  if (code === undefined || (NETWORK_REASONS[code] === undefined && code.startsWith('UND_')))
    return innermostMessage(error)
  return `${NETWORK_REASONS[code] ?? code}${placeRefused(error)}`
}

/** As undici says it about a tunnel. */
const PROXY_REFUSES = /^Proxy response \((\d+)\).*$/
/** As undici says it where it asked a proxy, and fetch, without a word, where it did not know of one. */
const PROXY_ASKED = /^(Proxy Authentication Required.*)?$/
const PROXY_ASKS = 'status 407, a proxy asks who you are'

function innermostMessage(error: unknown): string {
  if (error instanceof Error && error.cause !== undefined) return innermostMessage(error.cause)
  return messageOf(error)
    .replace(PROXY_ASKED, PROXY_ASKS)
    .replace(PROXY_REFUSES, 'the proxy lets nobody through to it, with status $1')
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
  ETIMEDOUT: 'the connection timed out',
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
  if (reasonOf(error) === PROXY_ASKS) return 'set HTTP_PROXY to http://USER:PASSWORD@HOST:PORT'
  if (code === 'ENOTFOUND') return 'correct the host name'
  if (code === 'UND_ERR_ABORTED') return 'check HTTPS_PROXY and HTTP_PROXY, or name the host in NO_PROXY'
  if (code === TOO_LONG) return 'no more of it was read; is the address right, and what answers there?'
  const isLimit = error instanceof Error && error.name === 'TimeoutError'
  return `check address and network${isLimit ? '; --timeout 60s waits longer' : ''}`
}

/** What mends it where a server answers with `status`. */
function hintForStatus(status: number): string {
  if (status === 429) return 'the number of requests is limited: try again later; --wait 60s goes on trying'
  if (status >= 502 && status <= 504)
    return 'the server failed, or is not up: look at its log; --wait 60s waits for one that is starting'
  if (status >= 500) return 'the server failed: look at its log, and try again'
  if (status === 401 || status === 403) return 'it does not let kjitsi in: allow it there'
  return 'is the address right? A proxy or firewall in front of the server may answer so, too'
}

/** A request that failed, as a sentence. `statusOf` its cause is the status, where there was an answer. */
export function unreachable({ method, url }: Asked, error: unknown): KjitsiError {
  const answer = answerOf(error)
  if (answer !== undefined) return badStatus(answer)
  return new KjitsiError('unreachable', `${method} ${shownAddress(url)}: ${reasonOf(error)}`, {
    hint: hintFor(error),
    cause: error,
  })
}

/** A status that nobody expected, as a sentence; a redirect says where to. `statusOf` its cause is the status. */
export function badStatus(answer: Answer): KjitsiError {
  const { method, url, status, location } = answer
  const isRedirect = status >= 300 && status < 400 && location !== undefined
  const what = isRedirect
    ? `redirected to ${placeOf(location, url)}, which kjitsi does not follow`
    : `status ${status}`
  return new KjitsiError('unreachable', `${method} ${shownAddress(url)}: ${what}`, {
    hint: isRedirect ? 'nothing was sent there; give its address, if you trust it' : hintForStatus(status),
    cause: statusError(answer),
  })
}

/** Where a redirect leads, without the query, which may repeat what was sent. */
function placeOf(location: string, base: string): string {
  const address = urlOf(location, base)
  return address === undefined ? 'no address' : shownAddress(address.origin + address.pathname)
}
