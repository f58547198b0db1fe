import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, onTestFinished, test } from 'vitest'
import { KjitsiError } from '../src/errors.ts'
import { badStatus, limited, reasonOf, responseOf, statusOf, unreachable } from '../src/http.ts'

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
  [fetchFailed(systemError('UND_ERR_HEADERS_TIMEOUT')), 'no answer in time'],
  [
    fetchFailed(
      Object.assign(new Error('Proxy response (403) !== 200 when HTTP Tunneling'), {
        code: 'UND_ERR_ABORTED',
      }),
    ),
    'the proxy lets nobody through to it, with status 403',
  ],
  [fetchFailed(new Error('bad port')), 'bad port'],
  [new DOMException('The operation timed out', 'TimeoutError'), 'no answer in time'],
  [Object.assign(new Error('refused'), { response: new Response(null, { status: 503 }) }), 'status 503'],
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
  ['ETIMEDOUT', /--timeout/],
])('what mends %s', (code, hint) => {
  const cause = fetchFailed(systemError(code))
  const error = unreachable('GET', 'https://k.example.org', cause)
  expect(error).toMatchObject({ code: 'unreachable', hint: expect.stringMatching(hint) as string, cause })
  expect(error.message).toMatch(/^GET https:\/\/k\.example\.org: /)
})

test.each([
  ['https://other.example.org/x?password=y#z', 'https://other.example.org/x'],
  ['/login', 'https://k.example.org/login'],
  ['https://user:password@other.example.org/', 'https://other.example.org/'],
  ['https://[', 'no address'],
])('a redirect to %s is to %s', (location, place) => {
  const response = new Response(null, { status: 302, headers: { location } })
  expect(badStatus('GET', 'https://k.example.org/', response).message).toBe(
    `GET https://k.example.org/: redirected to ${place}, which kjitsi does not follow`,
  )
})

test('a redirect to nowhere is a status like any other', () => {
  const { message } = badStatus('GET', 'https://k.example.org/', new Response(null, { status: 304 }))
  expect(message).toBe('GET https://k.example.org/: status 304')
})

test.each([
  [new KjitsiError('usage', 'x')],
  [new Error('x')],
  [Object.assign(new Error('x'), { response: { status: 200 } })],
  ['x'],
])('%o has no response', (error) => {
  expect([responseOf(error), statusOf(error)]).toEqual([undefined, undefined])
})

test('a time limit ends a request whatever the garbage collector does', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const collecting = setInterval(collect, 20)
  onTestFinished(() => {
    clearInterval(collecting)
  })
  const { port } = server.address() as AddressInfo
  const request = fetch(`http://127.0.0.1:${port}`, { signal: limited(new AbortController().signal, 0.3) })
  await expect(request).rejects.toMatchObject({ name: 'TimeoutError' })
})

test('a time limit longer than a timer can be is not over at once', async () => {
  const signal = limited(new AbortController().signal, 30 * 86_400)
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(signal.aborted).toBe(false)
})

test('an interrupt ends what is under way and what comes after, for its own reason', () => {
  const controller = new AbortController()
  const before = limited(controller.signal, 60)
  expect(before.aborted).toBe(false)
  controller.abort(new Error('interrupted'))
  for (const signal of [before, limited(controller.signal, 60)]) {
    expect(signal).toMatchObject({ aborted: true, reason: new Error('interrupted') })
  }
})
