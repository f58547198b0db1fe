// What no honest client sends. Whatever it is, the answer is small, and the next client is answered as ever.
import type { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { FILE, PEM, ask, open, sendRaw, serveOne, statusOf, untilClosed } from '../support/key-server.ts'

const KEY = `/certs/${FILE}`
const HASH = FILE.replace('.pem', '')
const get = (target: string, ...headers: readonly string[]): string =>
  `${[`GET ${target} HTTP/1.1`, 'Host: x', 'Connection: close', ...headers].join('\r\n')}\r\n\r\n`

describe('a path that is not exactly that of a key is 404', () => {
  test.each([
    '/certs/../certs/' + FILE,
    '/certs/./' + FILE,
    '/certs/../../../../etc/passwd',
    '/certs/..%2f..%2f..%2fetc%2fpasswd',
    '/certs/%2e%2e/%2e%2e/etc/passwd',
    '/certs/%2e%2e%2fcerts%2f' + FILE,
    '/certs/%252e%252e%252fetc%252fpasswd',
    '/certs/%c0%ae%c0%ae/etc/passwd',
    '/certs/%uff0e%uff0e/etc/passwd',
    '/certs/..\\..\\etc\\passwd',
    '/certs/..%5c..%5cetc%5cpasswd',
    '/certs/....//....//etc/passwd',
    '/certs%2f' + FILE,
    '/%63erts/' + FILE,
    '/CERTS/' + FILE,
    '//certs/' + FILE,
    '/certs//' + FILE,
    '//' + FILE,
    '/' + FILE,
    `/certs/${HASH.toUpperCase()}.pem`,
    `/certs/${HASH}.PEM`,
    `/certs/${HASH}`,
    `/certs/${HASH.slice(1)}.pem`,
    `/certs/${HASH}0.pem`,
    `/certs/${HASH.slice(1)}g.pem`,
    `${KEY}%00`,
    `/certs/${HASH}%00.pem`,
    `${KEY}%0a`,
    `${KEY}%20`,
    `${KEY}?`,
    `${KEY}?x=1`,
    `${KEY}#x`,
    `${KEY}/`,
    `${KEY};x`,
    '/certs/' + 'a'.repeat(5000),
    '/certs/__proto__',
    '/__proto__',
    '/constructor',
    '/healthz/',
    '/readyz?x',
  ])('%s', async (path) => {
    const { port } = await serveOne()
    const raw = await sendRaw(port, get(path))
    expect(statusOf(raw)).toBe(404)
    expect(raw).toMatch(/\r\n\r\nnot found\n$/)
  })
})

describe('a whole address in place of a path, as proxies send it', () => {
  test.each([
    [`http://example.org${KEY}`, 200],
    [`HTTPS://example.org:9000${KEY}`, 200],
    ['http://example.org/healthz', 200],
    ['http://example.org', 404],
    [`http://example.org/x/..${KEY}`, 404],
    [`http://example.org${KEY}?x`, 404],
    [`ftp://example.org${KEY}`, 404],
  ])('%s is %i', async (target, status) => {
    const { port } = await serveOne()
    expect(statusOf(await sendRaw(port, get(target)))).toBe(status)
  })
})

describe('what is no request is 400, and the connection ends', () => {
  test.each([
    ['a NUL byte in the path', get(`/certs/${HASH}\0.pem`)],
    ['a line break in the path', get(`/certs/\n${FILE}`)],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a TLS handshake', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['another protocol', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['two lengths', get(KEY, 'Content-Length: 1', 'Content-Length: 2')],
    ['a length and chunks', get(KEY, 'Content-Length: 1', 'Transfer-Encoding: chunked')],
    ['a header over two lines', get(KEY, 'X: a\r\n b')],
    ['a blank before the colon', get(KEY, 'X : a')],
  ])('%s', async (_, bytes) => {
    const { port, counts } = await serveOne()
    const raw = await sendRaw(port, bytes)
    expect(statusOf(raw)).toBe(400)
    expect(raw.length).toBeLessThan(400)
    expect(counts[400]).toBe(1)
    expect((await ask(port, KEY)).body).toBe(PEM)
  })

  test.each([
    [' HTTP/1.1', 400],
    [' HTTP/1.0', 200],
    ['', 200],
  ])('no Host, which came with HTTP/1.1: GET …%s is %i, and the connection ends', async (version, status) => {
    const { port } = await serveOne()
    expect(statusOf(await sendRaw(port, `GET ${KEY}${version}\r\n\r\n`))).toBe(status)
  })
})

describe('what is too long is cut off', () => {
  test.each([
    ['a path of 9 kB', get(`/${'a'.repeat(9000)}`)],
    ['a header of 9 kB', get(KEY, `X: ${'a'.repeat(9000)}`)],
    ['headers of 9 kB', get(KEY, ...Array.from({ length: 3000 }, (_, i) => `X${i}: a`))],
  ])('%s is 431', async (_, bytes) => {
    const { port, counts } = await serveOne()
    const raw = await sendRaw(port, bytes)
    expect([0, 431]).toContain(statusOf(raw))
    expect(counts[431]).toBe(1)
  })

  test('an address of 10 MB: the server reads a fraction of it, and goes on', async () => {
    const { port, counts } = await serveOne()
    const socket = await open(port)
    const closed = untilClosed(socket)
    let sent = 0
    const part = 'a'.repeat(100_000)
    socket.write('GET /')
    for (; sent < 10_000_000 && !socket.destroyed; sent += part.length) {
      await new Promise((resolve) => socket.write(part, resolve))
    }
    await closed
    expect(sent).toBeLessThan(10_000_000)
    expect(counts[431]).toBe(1)
    expect((await ask(port, KEY)).body).toBe(PEM)
  })
})

describe('what is neither GET nor HEAD', () => {
  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'PROPFIND'])(
    '%s is 405',
    async (method) => {
      const { port } = await serveOne()
      const raw = await sendRaw(port, get(KEY).replace('GET', method))
      expect(statusOf(raw)).toBe(405)
      expect(raw).toContain('\r\nAllow: GET, HEAD\r\n')
      expect(raw).not.toContain(PEM)
    },
  )

  test('OPTIONS * is 405', async () => {
    const { port } = await serveOne()
    expect(statusOf(await sendRaw(port, get('*').replace('GET', 'OPTIONS')))).toBe(405)
  })

  test('CONNECT is nothing at all', async () => {
    const { port } = await serveOne()
    expect(await sendRaw(port, 'CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n')).toBe('')
  })

  test.each([
    ['a length', ['Content-Length: 1000000'], 'x'.repeat(1000)],
    ['chunks', ['Transfer-Encoding: chunked'], '3e8\r\n'],
  ])('POST with a body by %s: it is not waited for, and the connection ends', async (_, headers, body) => {
    const { port } = await serveOne()
    const head = ['POST /certs/x.pem HTTP/1.1', 'Host: x', ...headers].join('\r\n')
    const raw = await sendRaw(port, `${head}\r\n\r\n${body}`)
    expect(statusOf(raw)).toBe(405)
    expect(raw.match(/^HTTP/gm)).toHaveLength(1)
    expect(raw).toContain('\r\nConnection: close\r\n')
  })

  test('GET with a body: what follows is no request', async () => {
    const { port, counts } = await serveOne()
    const hidden = `GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n`
    const head = `GET ${KEY} HTTP/1.1\r\nHost: x\r\nContent-Length: ${hidden.length}\r\n\r\n`
    const raw = await sendRaw(port, head + hidden)
    expect(raw.match(/^HTTP/gm)).toHaveLength(1)
    expect(counts[404]).toBeUndefined()
  })
})

describe('Expect: 100-continue', () => {
  test('no body is asked for', async () => {
    const { port } = await serveOne()
    const head = ['POST /x HTTP/1.1', 'Host: x', 'Content-Length: 10', 'Expect: 100-continue'].join('\r\n')
    const raw = await sendRaw(port, `${head}\r\n\r\n`)
    expect(statusOf(raw)).toBe(405)
    expect(raw).not.toContain('100 Continue')
  })

  test.each(['100-continue', 'nonsense'])('GET that expects %s gets its answer', async (expectation) => {
    const { port } = await serveOne()
    const raw = await sendRaw(port, get(KEY, `Expect: ${expectation}`))
    expect(statusOf(raw)).toBe(200)
    expect(raw).toContain(PEM)
  })
})

describe('clients that hold connections', () => {
  const half = ['', 'G', `GET ${KEY} HTTP/1.1\r\n`, `GET ${KEY} HTTP/1.1\r\nHost: x\r\nX: `]

  async function openHalf(port: number, count: number): Promise<readonly Socket[]> {
    const sockets: Socket[] = []
    for (let i = 0; i < count; i++) {
      const socket = await open(port)
      socket.write(half[i % half.length] ?? '')
      sockets.push(socket)
    }
    return sockets
  }

  test('500 half-open ones: others are answered as ever', async () => {
    const { port } = await serveOne()
    const sockets = await openHalf(port, 500)
    const answers = await Promise.all(Array.from({ length: 200 }, () => ask(port, KEY)))
    expect(answers.every(({ status, body }) => status === 200 && body === PEM)).toBe(true)
    expect(sockets.filter(({ destroyed }) => destroyed)).toHaveLength(0)
  })

  test('more than there is room for: the one that was silent for longest makes room', async () => {
    const { port } = await serveOne({}, { connections: 20, requestSeconds: 60, idleSeconds: 60 })
    const busy = await open(port)
    const answered = async (): Promise<void> => {
      const answer = new Promise((resolve) => busy.once('data', resolve))
      busy.write(`GET ${KEY} HTTP/1.1\r\nHost: x\r\n\r\n`)
      await answer
    }
    const sockets = await openHalf(port, 15)
    await answered()
    sockets.forEach((socket) => socket.resume())
    const more = await openHalf(port, 15)
    await answered()
    expect((await ask(port, KEY)).body).toBe(PEM)
    await expect.poll(() => sockets.filter((socket) => socket.closed).length).toBeGreaterThanOrEqual(11)
    expect(more.filter((socket) => socket.closed)).toHaveLength(0)
  })

  test('a head that does not come to its end in time is 408, and one that never began just ends', async () => {
    const { port, counts } = await serveOne({}, { connections: 100, requestSeconds: 1, idleSeconds: 60 })
    const [silent, begun] = [await open(port), await open(port)]
    begun.write('GET / HTTP/1.1\r\nX: ')
    const trickle = setInterval(() => begun.write('a'), 50)
    const [nothing, answer] = await Promise.all([untilClosed(silent), untilClosed(begun)])
    clearInterval(trickle)
    expect(nothing).toBe('')
    expect(statusOf(answer)).toBe(408)
    expect(counts[408]).toBe(1)
  })

  test('one that is idle for too long ends', async () => {
    const { port } = await serveOne({}, { connections: 100, requestSeconds: 60, idleSeconds: 1 })
    const socket = await open(port)
    socket.write(`GET ${KEY} HTTP/1.1\r\nHost: x\r\n\r\n`)
    expect(await untilClosed(socket)).toContain(PEM)
  })

  test('one that asks and asks and reads nothing: others are answered, and it ends', async () => {
    const { port, counts } = await serveOne({}, { connections: 100, requestSeconds: 60, idleSeconds: 1 })
    const greedy = await open(port)
    greedy.pause()
    greedy.write(`GET ${KEY} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(50_000))
    expect((await ask(port, KEY)).body).toBe(PEM)
    // Who does not read learns that the connection has ended only by writing on.
    await expect
      .poll(
        () => {
          greedy.write('x')
          return greedy.closed
        },
        { timeout: 10_000 },
      )
      .toBe(true)
    expect(counts[200]).toBeLessThan(50_000)
    expect((await ask(port, KEY)).body).toBe(PEM)
  })
})
