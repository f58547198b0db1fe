import { readFile, writeFile } from 'node:fs/promises'
import { type RequestListener } from 'node:http'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Fetched, fetchAll, fetchKeys, liveSource } from '../../src/certs/fetch.ts'
import { KjitsiError } from '../../src/errors.ts'
import type { Http } from '../../src/http/http.ts'
import { rsaKey } from '../support/keys.ts'
import { testHttp, serve, freePort } from '../support/http.ts'
import { tempFolder } from '../support/folder.ts'

const FIXTURE = new URL('../fixtures/jwks.json', import.meta.url)
const ARTICLE_KID = '1DKOk8q4Dc9BSgDLmksFemg5lEGuoYQvYrHVOnXNj3k'

async function tempFile(content: string | Uint8Array): Promise<string> {
  const dir = tempFolder()
  await writeFile(join(dir, 'jwks.json'), content)
  return join(dir, 'jwks.json')
}

const fromAddress = (url: string, options?: Partial<Http>): Promise<Fetched> =>
  fetchKeys(testHttp(options), { kind: 'address', url })
const fromFile = (path: string): Promise<Fetched> => fetchKeys(testHttp(), { kind: 'file', path })

describe('a good key set', () => {
  test('of an address', async () => {
    const jwks = await readFile(FIXTURE, 'utf8')
    const url = await serve((_, response) => response.end(jwks))
    const fetched = await fromAddress(url)
    expect(fetched).toMatchObject({
      source: url,
      findings: [],
      keys: [{ kid: ARTICLE_KID, source: url }, {}],
    })
    expect(fetched.leftOut).toHaveLength(4)
    expect(fetched).not.toHaveProperty('error')
  })

  test('of a file', async () => {
    expect(await fromFile(FIXTURE.pathname)).toMatchObject({ keys: [{ kid: ARTICLE_KID }, {}] })
  })

  test('of just the largest size that is read', async () => {
    const jwks = (await readFile(FIXTURE, 'utf8')).padEnd(1_000_000)
    const url = await serve((_, response) => response.end(jwks))
    expect((await fromAddress(url)).keys).toHaveLength(2)
    expect((await fromFile(await tempFile(jwks))).keys).toHaveLength(2)
  })
})

describe('an address that gives no key set', () => {
  const big = 'x'.repeat(1_000_000 + 1)
  test.each<[string, RequestListener, string, string]>([
    ['a page', page, 'unreachable', 'what it answers is a web page, not a key set'],
    ['nothing', (_, r) => r.end(), 'unreachable', 'what it answers is empty'],
    ['no JSON', (_, r) => r.end('kid=1'), 'unreachable', 'what it answers is not JSON'],
    ['another JSON', (_, r) => r.end('{}'), 'unreachable', 'has no list named keys, so it is no key set'],
    ['too much', (_, r) => r.end(big), 'unreachable', `the answer is longer than 1000000 bytes`],
    ['404', (_, r) => r.writeHead(404).end('{}'), 'not-found', 'status 404, there is no key set'],
    ['403', (_, r) => r.writeHead(403).end('{}'), 'unreachable', 'status 403'],
    ['500', (_, r) => r.writeHead(500).end('{}'), 'unreachable', 'status 500'],
    [
      '302',
      (_, r) => r.writeHead(302, { location: 'http://b.example/' }).end(),
      'unreachable',
      'http://b.example/',
    ],
    ['a broken answer', (_, r) => r.writeHead(200, { 'content-length': 9 }).destroy(), 'unreachable', 'GET'],
    ['no keys', (_, r) => r.end('{"keys":[]}'), 'keys', 'the key set is empty'],
    [
      'no key to use',
      (_, r) => r.end('{"keys":[{"kid":"e","kty":"EC","alg":"ES256"},{"kty":"oct"}]}'),
      'keys',
      'no key in it is one that Jitsi can use:\n' +
        '  key e: kty EC (ES256): Jitsi takes RSA keys only\n' +
        '  key number 2: kty oct: Jitsi takes RSA keys only',
    ],
  ])('%s', async (_, listener, code, message) => {
    const url = await serve(listener)
    const { error, keys, outcome } = await fromAddress(url)
    expect(outcome).toBe(code === 'keys' ? 'none' : 'unreachable')
    expect(error?.code).toBe(code)
    expect(error?.message).toContain(url)
    expect(error?.message).toContain(message)
    expect(keys).toEqual([])
  })

  test('one that nobody listens at', async () => {
    const url = `http://127.0.0.1:${await freePort()}/certs`
    const { error } = await fromAddress(url)
    expect(error?.code).toBe('unreachable')
    expect(error?.message).toContain(`GET ${url}: connection refused`)
  })

  test('one that trickles is left at the time limit', async () => {
    const url = await serve((_, response) => {
      const timer = setInterval(() => response.write(' '), 20)
      response.on('close', () => {
        clearInterval(timer)
      })
    })
    const { error } = await fromAddress(url, { timeout: 1 })
    expect(error?.code).toBe('unreachable')
    expect(error?.message).toContain(`GET ${url}: no answer within 1s (--timeout)`)
  })

  test('a set of thousands of useless keys is told in a few lines', async () => {
    const url = await serve((_, r) => r.end(JSON.stringify({ keys: new Array(5000).fill({ kty: 'EC' }) })))
    const lines = (await fromAddress(url)).error?.message.split('\n') ?? []
    expect(lines).toHaveLength(12)
    expect(lines.at(-1)).toBe('  and 4990 more')
  })
})

describe('keys that a realm says are elsewhere', () => {
  const secure = 'https://kc.example.org/auth'
  test.each([
    ['https, then http on the same host', secure, 'http://kc.example.org/certs', [], 'not https'],
    [
      'https, then http, with consent to the host',
      secure,
      'http://kc.example.org/c',
      ['kc.example.org'],
      'not https',
    ],
    ['https, then http on a host that is allowed', secure, 'http://b.example/c', ['b.example'], 'not https'],
    [
      'what is no web address',
      'http://kc.example.org',
      'ftp://kc.example.org/c',
      ['kc.example.org'],
      'not https',
    ],
    ['another host', secure, 'https://b.example/c', [], 'another host'],
    ['another port', secure, 'https://kc.example.org:8443/c', [], 'another host'],
    ['a port that is not the allowed one', secure, 'https://b.example/c', ['b.example:8443'], 'another host'],
    ['a host below the allowed one', secure, 'https://x.b.example/c', ['b.example'], 'another host'],
  ])('%s: not fetched', async (_, url, jwksUri, allowKeysFrom, message) => {
    const { error, keys } = await fetchKeys(testHttp(), {
      kind: 'realm',
      realm: 'meet',
      url,
      jwksUri,
      allowKeysFrom,
    })
    expect(error?.code).toBe('keys')
    expect(error?.message).toContain(
      `realm meet: the Keycloak at ${url} says that its keys are at ${jwksUri}`,
    )
    expect(error?.message).toContain(message)
    expect(keys).toEqual([])
  })

  test('what mends it is the very flag, or the settings of Keycloak behind a proxy', async () => {
    const about = { kind: 'realm', realm: 'meet', url: secure, allowKeysFrom: [] } as const
    const elsewhere = await fetchKeys(testHttp(), { ...about, jwksUri: 'https://b.example:8443/c?token=x' })
    expect(elsewhere.error?.hint).toContain('--allow-keys-from b.example:8443 (or KJITSI_ALLOW_KEYS_FROM)')
    expect(elsewhere.error?.message).not.toContain('token')
    const plain = await fetchKeys(testHttp(), { ...about, jwksUri: 'http://kc.example.org/c' })
    expect(plain.error?.hint).toMatch(/KC_PROXY_HEADERS=xforwarded.*KC_HOSTNAME/)
  })

  test.each([
    ['the same host', (host: string) => host, []],
    ['an allowed host', () => 'kc.example.org', ['127.0.0.1']],
    ['an allowed host and port', () => 'kc.example.org', [':port']],
  ])('%s: fetched', async (_, asked, allowed) => {
    const jwks = await readFile(FIXTURE, 'utf8')
    const jwksUri = await serve((_, response) => response.end(jwks))
    const { host } = new URL(jwksUri)
    const allowKeysFrom = allowed.map((one) => one.replace(':port', host))
    const source = {
      kind: 'realm',
      realm: 'meet',
      url: `http://${asked(host)}`,
      jwksUri,
      allowKeysFrom,
    } as const
    expect((await fetchKeys(testHttp(), source)).keys).toHaveLength(2)
  })
})

describe('a file that is no key set', () => {
  test.each([
    ['', 'keys', 'is empty'],
    ['<html>', 'keys', 'is a web page, not a key set'],
    [new Uint8Array([0xff, 0xfe, 0x7b, 0]), 'keys', 'is not JSON'],
    ['x'.repeat(1_000_000 + 1), 'file', `: it is longer than 1000000 bytes`],
    ['{"keys":[]}', 'keys', ': the key set is empty'],
  ])('%#', async (content, code, message) => {
    const path = await tempFile(content)
    const { error, outcome } = await fromFile(path)
    expect(outcome).toBe(message === ': the key set is empty' ? 'none' : 'unreachable')
    expect(error?.code).toBe(code)
    expect(error?.message).toContain(path)
    expect(error?.message).toContain(message)
  })

  test.each([
    ['/nowhere/jwks.json', 'cannot read /nowhere/jwks.json: no such file or folder'],
    ['/', 'cannot read /: it is a folder'],
    ['/dev/zero', 'cannot read /dev/zero: it is a device'],
  ])('%s', async (path, message) => {
    expect((await fromFile(path)).error?.message).toContain(message)
  })
})

test('private members are a finding that names no value of theirs', async () => {
  const { privateJwk: jwk } = rsaKey()
  const path = await tempFile(JSON.stringify({ keys: [{ ...jwk, kid: 'k' }] }))
  const fetched = await fromFile(path)
  expect(fetched.findings.map(({ message }) => message)).toEqual([
    `${path} publishes private parts of key k (d, p, q, dp, dq, qi): whoever read them can sign tokens with it`,
  ])
  expect(fetched.keys).toHaveLength(1)
  expect(JSON.stringify(fetched)).not.toContain(jwk.d)
})

test('a leak is told even where no key can be used', async () => {
  const path = await tempFile('{"keys":[{"kty":"oct","kid":"s","k":"c2VjcmV0"}]}')
  expect(await fromFile(path)).toMatchObject({ error: { code: 'keys' }, findings: [{ level: 'error' }] })
})

test('one source that fails stops no other, and at most eight are asked at once', async () => {
  const jwks = await readFile(FIXTURE, 'utf8')
  let open = 0
  let most = 0
  const url = await serve((request, response) => {
    most = Math.max(most, ++open)
    setTimeout(() => {
      open--
      response.end(request.url?.endsWith('3') ? '<html>' : jwks)
    }, 30)
  })
  const sources = Array.from({ length: 20 }, (_, i) => ({ kind: 'address' as const, url: `${url}/${i}` }))
  const fetched = await fetchAll(testHttp(), sources)
  expect(fetched.map(({ source }) => source)).toEqual(sources.map((source) => source.url))
  expect(fetched.filter(({ error }) => error).map(({ source }) => source)).toEqual([`${url}/3`, `${url}/13`])
  expect(most).toBeLessThanOrEqual(8)
  expect(most).toBeGreaterThan(1)
})

test('an interrupt is no failure of a source', async () => {
  const interrupt = new AbortController()
  const url = await serve(() => {
    interrupt.abort(new KjitsiError('interrupted', 'interrupted'))
  })
  await expect(fromAddress(url, { signal: interrupt.signal })).rejects.toMatchObject({ code: 'interrupted' })
})

function page(...[, response]: Parameters<RequestListener>): void {
  response.setHeader('content-type', 'text/html')
  response.end('<!DOCTYPE html><html><body>Welcome</body></html>')
}

test('a reading of a source that is read again and again is one request, also of a server that fails', async () => {
  let requests = 0
  const url = await serve((_, response) => {
    requests++
    response.writeHead(503).end()
  })
  const { outcome } = await liveSource(testHttp({ wait: 60 }), { kind: 'address', url }, 30).read('asked')
  expect([outcome, requests]).toEqual(['unreachable', 1])
})
