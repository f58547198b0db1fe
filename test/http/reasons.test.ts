import { expect, test } from 'vitest'
import { KjitsiError } from '../../src/errors.ts'
import type { Answer } from '../../src/http/answer.ts'
import { badStatus, reasonOf, statusError, statusOf, unreachable } from '../../src/http/reasons.ts'

const ASKED = { method: 'GET', url: 'https://k.example.org/' }

function answer(status: number, location?: string): Answer {
  return { ...ASKED, status, location, contentType: '', text: '' }
}

/** As fetch wraps what went wrong below it. */
function fetchFailed(cause: Error): TypeError {
  return new TypeError('fetch failed', { cause })
}

function systemError(code: string, more: object = {}): Error {
  return Object.assign(new Error(`a message with ${code}`), { code, ...more })
}

const REFUSED = systemError('ECONNREFUSED', { address: '127.0.0.1', port: 8080 })

test.each<[error: unknown, reason: string]>([
  [fetchFailed(REFUSED), 'connection refused (127.0.0.1 port 8080)'],
  [
    fetchFailed(new AggregateError([REFUSED, systemError('ECONNREFUSED', { address: '::1', port: 8080 })])),
    'connection refused (127.0.0.1 port 8080)',
  ],
  [fetchFailed(systemError('ENOTFOUND')), 'no such host'],
  [fetchFailed(systemError('CERT_HAS_EXPIRED')), 'its certificate has expired'],
  [fetchFailed(systemError('EWHATEVER')), 'EWHATEVER'],
  [fetchFailed(systemError('ETIMEDOUT')), 'the connection timed out'],
  [
    fetchFailed(
      Object.assign(new Error('Proxy response (403) !== 200 when HTTP Tunneling'), {
        code: 'UND_ERR_ABORTED',
      }),
    ),
    'the proxy lets nobody through to it, with status 403',
  ],
  [fetchFailed(new Error('bad port')), 'bad port'],
  [statusError(answer(503)), 'status 503'],
  ['a text', 'a text'],
])('%o: %s', (error, reason) => {
  expect(reasonOf(error)).toBe(reason)
})

test.each([
  ['ECONNREFUSED', /--wait 60s/],
  ['ENOTFOUND', /^correct the host name$/],
  ['SELF_SIGNED_CERT_IN_CHAIN', /--ca-file or KJITSI_CA_FILE$/],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /--ca-file or KJITSI_CA_FILE$/],
  ['CERT_HAS_EXPIRED', /^mend the certificate/],
  ['ERR_TLS_CERT_ALTNAME_INVALID', /^mend the certificate/],
  ['UND_ERR_ABORTED', /NO_PROXY$/],
  ['ETIMEDOUT', /^check address and network$/],
])('what mends %s', (code, hint) => {
  const cause = fetchFailed(systemError(code))
  const error = unreachable(ASKED, cause)
  expect(error).toMatchObject({ code: 'unreachable', hint: expect.stringMatching(hint) as string, cause })
  expect(error.message).toMatch(/^GET https:\/\/k\.example\.org\/: /)
})

test.each([
  ['https://other.example.org/x?password=y#z', 'https://other.example.org/x'],
  ['/login', 'https://k.example.org/login'],
  ['https://user:password@other.example.org/', 'https://other.example.org/'],
  ['https://[', 'no address'],
])('a redirect to %s is to %s', (location, place) => {
  expect(badStatus(answer(302, location)).message).toBe(
    `GET https://k.example.org/: redirected to ${place}, which kjitsi does not follow`,
  )
})

test('a redirect to nowhere is a status like any other', () => {
  const { message } = badStatus(answer(304))
  expect(message).toBe('GET https://k.example.org/: status 304')
})

test.each([
  [401, /^it does not let kjitsi in/],
  [403, /^it does not let kjitsi in/],
  [404, /^is the address right\?/],
  [418, /^is the address right\?/],
  [429, /limited: try again later; --wait/],
  [500, /^the server failed: look at its log/],
  [502, /^the server failed, .*its log; --wait/],
  [503, /^the server failed, .*its log; --wait/],
  [504, /^the server failed, .*its log; --wait/],
  [599, /^the server failed: look at its log/],
])('what mends a status %i', (status, hint) => {
  const error = badStatus(answer(status))
  expect(error).toMatchObject({
    code: 'unreachable',
    message: `GET https://k.example.org/: status ${status}`,
    hint: expect.stringMatching(hint) as string,
  })
  expect(statusOf(error.cause)).toBe(status)
  expect(unreachable(ASKED, statusError(answer(status)))).toMatchObject({
    message: error.message,
    hint: error.hint,
  })
})

test.each([[new KjitsiError('usage', 'x')], [new Error('x')], ['x']])('%o has no status', (error) => {
  expect(statusOf(error)).toBeUndefined()
})
