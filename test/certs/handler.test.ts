import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { type Page, isMatch } from '../../src/certs/handler.ts'
import { fileNameOf } from '../../src/certs/key.ts'
import { startServer } from '../../src/certs/server.ts'
import { serveSockets } from '../support/http.ts'
import { FILE, PEM, ask, open, sendRaw, serveOne, untilClosed } from '../support/key-server.ts'

const KEY = `/certs/${FILE}`
const ETAG = `"${createHash('sha256').update(PEM).digest('hex').slice(0, 32)}"`

describe('a key', () => {
  test('comes with the headers of the article, and those that caches want', async () => {
    const { port } = await serveOne()
    const { status, headers, body } = await ask(port, KEY)
    expect([status, body]).toEqual([200, PEM])
    expect(headers).toMatchObject({
      'content-type': 'application/x-x509-ca-cert; charset=utf-8',
      'content-length': String(PEM.length),
      etag: ETAG,
      'cache-control': 'public, max-age=300',
      'x-content-type-options': 'nosniff',
      date: expect.any(String) as string,
    })
  })

  test('HEAD gives the same headers and no body', async () => {
    const { port } = await serveOne()
    const [got, headed] = [await ask(port, KEY), await ask(port, KEY, { method: 'HEAD' })]
    expect(headed).toMatchObject({
      status: 200,
      body: '',
      headers: { ...got.headers, date: expect.any(String) as string },
    })
  })

  test('that the client has already is 304 without a body', async () => {
    const { port } = await serveOne()
    const { status, headers, body } = await ask(port, KEY, { headers: { 'If-None-Match': ETAG } })
    expect([status, body]).toEqual([304, ''])
    expect(headers).toMatchObject({ etag: ETAG, 'cache-control': 'public, max-age=300' })
    expect(headers).not.toHaveProperty('content-type')
    expect((await ask(port, KEY, { headers: { 'If-None-Match': '"other"' } })).status).toBe(200)
  })

  test.each([
    ['"a"', true],
    ['W/"a"', true],
    ['"x", "a"', true],
    ['"x" , W/"a"', true],
    ['*', true],
    [' * ', true],
    ['"x"', false],
    ['a', false],
    ['', false],
    ['"aa"', false],
  ])('If-None-Match: %s, of one that has "a": %s', (header, match) => {
    expect(isMatch(header, '"a"')).toBe(match)
  })

  test('many come on one connection, also when they are asked for at once', async () => {
    const { port } = await serveOne()
    const one = `GET ${KEY} HTTP/1.1\r\nHost: x\r\n\r\n`
    const last = one.replace('Host: x', 'Host: x\r\nConnection: close')
    const raw = await sendRaw(port, one.repeat(9) + last)
    expect(raw.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(10)
    expect(raw.split(PEM)).toHaveLength(11)
  })

  test('comes at the root where the path is /', async () => {
    const { port } = await serveOne({
      path: '',
      pages: () =>
        new Map([[`/${FILE}`, { status: 200, body: PEM, etag: ETAG, headers: {}, unmodified: NONE }]]),
    })
    expect((await ask(port, `/${FILE}`)).status).toBe(200)
    expect((await ask(port, '/healthz')).status).toBe(200)
  })
})

const NONE = { status: 304, headers: {}, body: '' } as const

describe('a key that is not known', () => {
  test('is waited for where its source is read, and found then', async () => {
    let pages: ReadonlyMap<string, Page> = new Map()
    const asked: string[] = []
    const { port } = await serveOne({
      pages: () => pages,
      askFor: (file) => {
        asked.push(file)
        pages = new Map([[KEY, { status: 200, body: PEM, etag: ETAG, headers: {}, unmodified: NONE }]])
        return Promise.resolve()
      },
    })
    expect(await ask(port, KEY)).toMatchObject({ status: 200, body: PEM })
    expect(asked).toEqual([FILE])
  })

  test('is 404 where it is not there then either, and no cache is to remember it', async () => {
    const { port } = await serveOne({ pages: () => new Map(), askFor: () => Promise.resolve() })
    const { status, headers, body } = await ask(port, KEY)
    expect([status, body]).toEqual([404, 'not found\n'])
    expect(headers['cache-control']).toBe('no-store')
  })

  test('is waited for once on a connection: who asks on gets 404', async () => {
    const asked: string[] = []
    const { port } = await serveOne({
      pages: () => new Map(),
      askFor: (file) => {
        asked.push(file)
        return new Promise(setImmediate)
      },
    })
    const files = Array.from({ length: 20 }, (_, i) => fileNameOf(String(i)))
    const raw = await sendRaw(
      port,
      files
        .map(
          (file, i) =>
            `GET /certs/${file} HTTP/1.1\r\nHost: x${i === 19 ? '\r\nConnection: close' : ''}\r\n\r\n`,
        )
        .join(''),
    )
    expect(raw.match(/HTTP\/1\.1 404/g)).toHaveLength(20)
    expect(asked).toEqual([files[0]])
  })

  test('is asked for only where its name is one of a key', async () => {
    const asked: string[] = []
    const { port } = await serveOne({
      askFor: (file) => {
        asked.push(file)
        return undefined
      },
    })
    for (const path of ['/certs/x.pem', '/', '/certs/', `${KEY}x`, KEY.replace('.pem', '.PEM')])
      expect((await ask(port, path)).status).toBe(404)
    expect(asked).toEqual([])
  })
})

describe('those who look after the server', () => {
  test('see that it is alive', async () => {
    const { port } = await serveOne({ states: () => [] })
    expect(await ask(port, '/healthz')).toMatchObject({ status: 200, body: 'ok\n' })
  })

  const state = {
    source: 'realm meet',
    keys: 2,
    ageSeconds: 12.3,
    maxAgeSeconds: 604_800,
    hasAnswered: true,
    failures: 1,
    failing: true,
  }
  test.each([
    ['no source has given a key yet', 'any', [{ ...state, keys: 0, hasAnswered: false }], 503, [null]],
    ['one of two has', 'all', [{ ...state, hasAnswered: false }, state], 503, [null, 12]],
    ['one of two has, which will do', 'any', [{ ...state, hasAnswered: false }, state], 200, [null, 12]],
    ['one has, and fails now', 'all', [state], 200, [12]],
  ] as const)('see whether it is ready: %s', async (_, readyWith, states, status, ages) => {
    const { port } = await serveOne({ readyWith, states: () => states })
    const answered = await ask(port, '/readyz')
    expect(answered.status).toBe(status)
    expect(JSON.parse(answered.body)).toEqual({
      ready: status === 200,
      served: 1,
      sources: states.map(({ source, keys, maxAgeSeconds, failing }, i) => ({
        source,
        keys,
        ageSeconds: ages[i],
        maxAgeSeconds,
        failing,
      })),
    })
  })

  test('see why there are no metrics, and the server goes on', async () => {
    const { port } = await serveOne()
    expect(await ask(port, '/metrics')).toMatchObject({ status: 500, body: 'no metrics here\n' })
    expect((await ask(port, KEY)).status).toBe(200)
  })

  test('have each answer counted by its status', async () => {
    const { port, counts } = await serveOne()
    for (const path of [KEY, KEY, '/x']) await ask(port, path)
    await sendRaw(port, 'nonsense\r\n\r\n')
    expect([200, 404, 400].map((status) => counts[status])).toEqual([2, 1, 1])
  })

  test('see each request where they want to', async () => {
    const seen: string[] = []
    const { port } = await serveOne({
      onAnswer: (status, { method, url }) => seen.push(`${String(method)} ${String(url)} ${status}`),
    })
    await ask(port, '/x')
    expect(seen).toEqual(['GET /x 404'])
  })
})

describe('an end', () => {
  test('takes no new connection, and ends those that are idle or say nothing', async () => {
    const server = await serveOne()
    const idle = await open(server.port)
    idle.write(`GET ${KEY} HTTP/1.1\r\nHost: x\r\n\r\n`)
    await new Promise((resolve) => idle.once('data', resolve))
    const silent = await open(server.port)
    const ended = [untilClosed(idle), untilClosed(silent)]
    await server.close()
    await Promise.all(ended)
    await expect(open(server.port)).rejects.toThrow('ECONNREFUSED')
  })

  test('answers what is still asked on a connection, as the last there', async () => {
    let isClosing = false
    const server = await serveOne({ isClosing: () => isClosing })
    const socket = await open(server.port)
    const question = `GET ${KEY} HTTP/1.1\r\nHost: x\r\n\r\n`
    socket.write(question)
    await new Promise((resolve) => socket.once('data', resolve))
    isClosing = true
    const closed = server.close()
    socket.write(question)
    const raw = await untilClosed(socket)
    expect(raw).toContain(PEM)
    expect(raw).toContain('\r\nConnection: close\r\n')
    await closed
  })

  test('is no longer ready as soon as it begins', async () => {
    const { port } = await serveOne({ isClosing: () => true })
    expect((await ask(port, '/readyz')).status).toBe(503)
    expect((await ask(port, KEY)).status).toBe(200)
  })

  test('answers first who was waiting, and keeps no connection after that', async () => {
    let answer: (() => void) | undefined
    let isClosing = false
    const server = await serveOne({
      isClosing: () => isClosing,
      pages: () => new Map(),
      askFor: () => new Promise((resolve) => (answer = resolve)),
    })
    const waiting = sendRaw(server.port, `GET ${KEY} HTTP/1.1\r\nHost: x\r\n\r\n`)
    await expect.poll(() => answer).toBeDefined()
    isClosing = true
    const closed = server.close()
    answer?.()
    const raw = await waiting
    expect(raw).toMatch(/^HTTP\/1\.1 404 /)
    expect(raw).toContain('\r\nConnection: close\r\n')
    await closed
  })
})

describe('a place to listen at', () => {
  test.each([
    ['127.0.0.1', /^http:\/\/127\.0\.0\.1:\d+$/],
    ['::1', /^http:\/\/\[::1\]:\d+$/],
  ])('%s', async (host, url) => {
    const server = await startServer(
      { host, port: 0 },
      () => undefined,
      () => undefined,
    )
    await server.close()
    expect(server.url).toMatch(url)
  })

  test('that is taken is told', async () => {
    const port = await serveSockets(() => undefined)
    await expect(
      startServer(
        { host: '127.0.0.1', port },
        () => undefined,
        () => undefined,
      ),
    ).rejects.toMatchObject({
      code: 'server',
      message: `cannot listen on 127.0.0.1 port ${port}: another program listens there`,
    })
  })

  test('that this machine does not have is told', async () => {
    await expect(
      startServer(
        { host: '192.0.2.1', port: 0 },
        () => undefined,
        () => undefined,
      ),
    ).rejects.toMatchObject({
      code: 'server',
      message: 'cannot listen on 192.0.2.1 port 0: this machine has no such address',
    })
  })
})
