// Against servers of our own that answer what no server should.
import { type RequestListener } from 'node:http'
import { expect, test } from 'vitest'
import { type Http, getText, postForm, send } from '../../src/http/http.ts'
import { testHttp, serve } from '../support/http.ts'

function httpTo(said: { requests: string[]; retries: string[] }): Http {
  return testHttp({
    onRetry: (reason) => void said.retries.push(reason),
    onRequest: (line) => void said.requests.push(line.replace(/\d+ ms/, 'N ms')),
  })
}

/** Blanks without end, compressed or not, whatever was asked for. */
const endless =
  (status: number, headers = {}): RequestListener =>
  (_, response) => {
    response.writeHead(status, headers)
    const write = (): void => {
      while (response.write(' '.repeat(65_536))) if (response.destroyed) return
      response.once('drain', write)
    }
    write()
  }

test.each([
  [200, 'the answer is longer than 1000000 bytes'],
  [201, 'the answer is longer than 1000000 bytes'],
  [302, 'status 302, and the answer is longer than 1000000 bytes'],
  [403, 'status 403, and the answer is longer than 1000000 bytes'],
  [500, 'status 500, and the answer is longer than 1000000 bytes'],
])('an answer without end, status %i, is read up to the cap', async (status, why) => {
  const url = await serve(endless(status))
  const said = { requests: [], retries: [] }
  await expect(getText(httpTo(said), url)).rejects.toMatchObject({
    code: 'unreachable',
    message: `GET ${url}: ${why}`,
    hint: expect.stringContaining('no more of it was read') as string,
  })
  expect(said).toEqual({ requests: [`GET ${url} → ${why} (N ms)`], retries: [] })
})

test('an answer of the very length of the cap is whole', async () => {
  const url = await serve((_, response) => response.end('x'.repeat(1_000_000)))
  expect((await getText(httpTo({ requests: [], retries: [] }), url)).text).toHaveLength(1_000_000)
})

test('each try is told, with its address as it may be shown', async () => {
  let failures = 2
  const url = await serve((_, response) => response.writeHead(failures-- > 0 ? 503 : 200).end())
  const said = { requests: [], retries: [] }
  expect(await getText(httpTo(said), `${url}/x?apikey=s3cret`)).toMatchObject({ status: 200, text: '' })
  expect(said).toEqual({
    requests: [503, 503, 200].map((status) => `GET ${url}/x?apikey=(masked) → ${status} (N ms)`),
    retries: ['status 503', 'status 503'],
  })
})

test('what is not repeatable is sent once', async () => {
  const url = await serve((_, response) => response.writeHead(503).end())
  const said = { requests: [], retries: [] }
  const request = { method: 'PUT', url, headers: {}, isRepeatable: false }
  await expect(send(httpTo(said), request)).rejects.toMatchObject({ message: `PUT ${url}: status 503` })
  expect(said).toEqual({ requests: [`PUT ${url} → 503 (N ms)`], retries: [] })
})

test('an answer says what was asked, and where what was created is', async () => {
  const url = await serve((_, response) =>
    response.writeHead(201, { location: '/a', 'content-type': 'x/y' }).end('z'),
  )
  expect(await postForm(httpTo({ requests: [], retries: [] }), url, { a: 'b' })).toEqual({
    method: 'POST',
    url,
    status: 201,
    contentType: 'x/y',
    location: '/a',
    text: 'z',
  })
})

test.each([
  ['/x', 'this is no address'],
  ['https://me:s3cret@k.example.org', 'user name or password'],
])('%s is not asked, and is not shown', async (url, why) => {
  const said = { requests: [], retries: [] }
  const asked = getText(httpTo(said), url)
  await expect(asked).rejects.toThrow(why)
  await expect(asked).rejects.not.toThrow('s3cret')
  expect(said.requests).toEqual([])
})

test('a refusal is quoted, and what is data is not', async () => {
  const json = { error: 'no such realm', list: [{ name: 'realm' }], n: 1 }
  const quote = (text: string): string => text.replace('realm', '…')
  for (const [status, text] of [
    [200, JSON.stringify(json)],
    [404, JSON.stringify({ error: 'no such …', list: [{ name: '…' }], n: 1 })],
  ] as const) {
    const url = await serve((_, response) => response.writeHead(status).end(JSON.stringify(json)))
    const http = { ...httpTo({ requests: [], retries: [] }), quote }
    expect(await getText(http, url)).toMatchObject({ status, text })
  }
})

test('while an answer is waited for, it is told for whom and how long, until it is there', async () => {
  let answer: (() => void) | undefined
  const url = await serve((_, response) => {
    answer = () => response.end('late')
  })
  const told: string[] = []
  const onWait = (what: string): void => {
    told.push(what)
    answer?.()
  }
  expect(await getText({ ...httpTo({ requests: [], retries: [] }), onWait }, url)).toMatchObject({
    text: 'late',
  })
  expect(told[0]).toMatch(new RegExp(`^${new URL(url).host} \\(\\d+ s\\)$`))
  expect(told.at(-1)).toBe('')
})
