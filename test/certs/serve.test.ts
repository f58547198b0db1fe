import { unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { runKeyServer } from '../../src/certs/serve.ts'
import { liveSource } from '../../src/certs/fetch.ts'
import { fileNameOf, keysOf } from '../../src/certs/key.ts'
import { pemFolder } from '../../src/certs/folder.ts'
import type { LiveSource } from '../../src/certs/reading.ts'
import type { Place } from '../../src/certs/server.ts'
import type { Http } from '../../src/http/http.ts'
import { type TestAuthority, makeAuthority } from '../support/authority.ts'
import { serve } from '../support/http.ts'
import { publishedKey } from '../support/keys.ts'
import { tempFolder } from '../support/folder.ts'
import { ask } from '../support/key-server.ts'

interface Started {
  readonly port: number
  readonly said: readonly string[]
  readonly stop: () => Promise<void>
}

async function start(
  sources: readonly LiveSource[],
  {
    refresh = 300,
    grace = 86_400,
    readyWith = 'all',
    tls,
  }: { refresh?: number; grace?: number; readyWith?: 'all' | 'any'; tls?: Place['tls'] } = {},
): Promise<Started> {
  const controller = new AbortController()
  const said: string[] = []
  let ended: Promise<void> | undefined
  const address = await new Promise<string>((resolve, reject) => {
    ended = runKeyServer({
      sources,
      place: { host: '127.0.0.1', port: 0, tls },
      adminPort: undefined,
      drain: 0,
      readyWith,
      path: '/certs',
      refresh,
      grace,
      maxAge: 604_800,
      signal: controller.signal,
      say: (line) => said.push(typeof line === 'string' ? line : line.message),
      onListening: resolve,
    })
    ended.catch(reject)
  })
  const stop = async (): Promise<void> => {
    controller.abort()
    await ended
  }
  onTestFinished(stop)
  return { port: Number(new URL(address).port), said, stop }
}

const http = (timeout = 10): Http => ({
  fetch,
  timeout,
  wait: 0,
  signal: new AbortController().signal,
  onRetry: () => undefined,
  onRequest: () => undefined,
})
const addressOf = (url: string, timeout?: number): LiveSource =>
  liveSource(http(timeout), { kind: 'address', url }, 0)
const place = (kid: string): string => `/certs/${fileNameOf(kid)}`

test('a key that has just been added is there at the first question', async () => {
  const keys = [publishedKey('a')]
  const url = await serve((_, response) => response.end(JSON.stringify({ keys })))
  const { port } = await start([addressOf(url)])
  expect((await ask(port, place('a'))).status).toBe(200)
  keys.push(publishedKey('b'))
  const { status, body } = await ask(port, place('b'))
  expect(status).toBe(200)
  expect(body).toBe(keysOf({ source: '', address: '', keys }).keys[1]?.pem)
})

test('a server that is not there yet: no key, not ready; then it is, and so is the key', async () => {
  let isUp = false
  const key = JSON.stringify({ keys: [publishedKey('a')] })
  const url = await serve((_, response) => {
    if (isUp) response.end(key)
    else response.destroy()
  })
  const { port, said } = await start([addressOf(url)])
  expect((await ask(port, place('a'))).status).toBe(404)
  expect((await ask(port, '/readyz')).status).toBe(503)
  isUp = true
  await expect.poll(async () => (await ask(port, '/readyz')).status, { timeout: 5000 }).toBe(200)
  expect((await ask(port, place('a'))).status).toBe(200)
  expect(said.filter((line) => line.includes('has given no key yet'))).toHaveLength(1)
})

describe('a key set that', () => {
  test('trickles is given up after the time limit, and what was there stays', async () => {
    const whole = JSON.stringify({ keys: [publishedKey('a')] })
    let trickle = false
    const url = await serve((_, response) => {
      if (!trickle) {
        response.end(whole)
        return
      }
      let sent = 0
      const timer = setInterval(() => response.write(whole.charAt(sent++)), 50)
      response.on('close', () => {
        clearInterval(timer)
      })
    })
    const { port, said } = await start([addressOf(url, 0.5)])
    expect((await ask(port, place('a'))).status).toBe(200)
    trickle = true
    expect((await ask(port, place('b'))).status).toBe(404)
    expect((await ask(port, place('a'))).status).toBe(200)
    expect(said.at(-1)).toContain('no answer within ')
    expect(JSON.parse((await ask(port, '/readyz')).body)).toMatchObject({
      ready: true,
      sources: [{ failing: true }],
    })
  })

  test('has 10,000 keys is too long, and what was there stays', async () => {
    let keys = [publishedKey('a')]
    const url = await serve((_, response) => response.end(JSON.stringify({ keys })))
    const { port, said } = await start([addressOf(url)])
    expect((await ask(port, place('a'))).status).toBe(200)
    const n = publishedKey('a')
    keys = Array.from({ length: 10_000 }, (_, i) => ({ ...n, kid: `k${i}` }))
    expect((await ask(port, place('k1'))).status).toBe(404)
    expect(said.at(-1)).toContain('the answer is longer than 1000000 bytes')
    expect((await ask(port, place('a'))).status).toBe(200)
  })

  test('has as many keys as fit: all are served, and told in one line', async () => {
    const keys = Array.from({ length: 1500 }, (_, i) => publishedKey(`k${i}`))
    const url = await serve((_, response) => response.end(JSON.stringify({ keys })))
    const { port, said } = await start([addressOf(url)])
    for (const kid of ['k0', 'k777', 'k1499']) expect((await ask(port, place(kid))).status).toBe(200)
    expect(said).toEqual([`${url}: 1500 keys more are served`])
  })
})

test('two sources with different keys under one kid: the first is served, and the other is named', async () => {
  const [one, other] = [publishedKey('same'), publishedKey('same')]
  const first = await serve((_, response) => response.end(JSON.stringify({ keys: [one] })))
  const second = await serve((_, response) => response.end(JSON.stringify({ keys: [other] })))
  const { port, said } = await start([addressOf(first), addressOf(second)])
  await expect.poll(() => said.some((line) => line.includes('another key'))).toBe(true)
  const { body } = await ask(port, place('same'))
  expect(body).toBe(keysOf({ source: '', address: '', keys: [one] }).keys[0]?.pem)
  expect(said.at(-1)).toContain(`${second} publishes another key than ${first} under the kid same`)
})

test('one source that hangs holds up no other', async () => {
  const silent = await serve(() => undefined)
  const url = await serve((_, response) => response.end(JSON.stringify({ keys: [publishedKey('a')] })))
  const { port, stop } = await start([addressOf(url), addressOf(silent, 60)], { readyWith: 'any' })
  await expect.poll(async () => (await ask(port, place('a'))).status).toBe(200)
  expect((await ask(port, '/readyz')).status).toBe(200)
  await stop()
})

test('a folder: what is written there is there, and what is deleted is gone', async () => {
  const dir = tempFolder()
  const { keys } = keysOf({ source: '', address: '', keys: [publishedKey('a'), publishedKey('b')] })
  for (const { file, pem } of keys.slice(0, 1)) await writeFile(join(dir, file), pem)
  const { port } = await start([pemFolder(dir, 0)], { grace: 0 })
  expect((await ask(port, place('a'))).body).toBe(keys[0]?.pem)
  expect((await ask(port, place('b'))).status).toBe(404)
  await writeFile(join(dir, fileNameOf('b')), keys[1]?.pem ?? '')
  expect((await ask(port, place('b'))).body).toBe(keys[1]?.pem)
  await unlink(join(dir, fileNameOf('a')))
  await ask(port, place('c'))
  expect((await ask(port, place('a'))).status).toBe(404)
})

test('the metrics are those of this server', async () => {
  const url = await serve((_, response) => response.end(JSON.stringify({ keys: [publishedKey('a')] })))
  const { port } = await start([addressOf(url)])
  await ask(port, place('a'))
  const { headers, body } = await ask(port, '/metrics')
  expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
  expect(body).toContain('kjitsi_requests_total{status="200"} 1\n')
  expect(body).toContain(`kjitsi_keys{source="${url}"} 1\n`)
})

test('the TLS files are read again by themselves, each minute', async () => {
  const [one, other] = [await makeAuthority(), await makeAuthority()]
  const dir = tempFolder()
  const tls = { cert: join(dir, 'cert.pem'), key: join(dir, 'key.pem') }
  const write = async ({ server }: TestAuthority): Promise<void> => {
    await writeFile(tls.cert, server.cert)
    await writeFile(tls.key, server.key)
  }
  await write(one)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const source: LiveSource = {
    name: 'none',
    cooldown: 0,
    read: () => Promise.resolve({ outcome: 'keys', keys: [], leftOut: [], findings: [] }),
  }
  const { said } = await start([source], { tls, refresh: 3600 })
  // Before it is stopped.
  onTestFinished(() => void vi.useRealTimers())
  // Both have been read once, and wait for the next time.
  await expect.poll(() => vi.getTimerCount()).toBe(2)
  await write(other)
  await vi.advanceTimersByTimeAsync(50_000)
  expect(said).toEqual([])
  await vi.advanceTimersByTimeAsync(20_000)
  await expect.poll(() => said).toEqual(['the TLS files were read again'])
})
