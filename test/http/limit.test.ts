import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, onTestFinished, test, vi } from 'vitest'
import { limited } from '../../src/http/limit.ts'
import { serveSockets } from '../support/http.ts'

test('a time limit ends a request whatever the garbage collector does', async () => {
  const port = await serveSockets(() => undefined)
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const collecting = setInterval(collect, 20)
  onTestFinished(() => {
    clearInterval(collecting)
  })
  const request = fetch(`http://127.0.0.1:${port}`, { signal: limited(new AbortController().signal, 0.3) })
  await expect(request).rejects.toMatchObject({ name: 'TimeoutError' })
})

test('a time limit longer than a timer can be is not over at once', () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const signal = limited(new AbortController().signal, 30 * 86_400)
  vi.advanceTimersByTime(1000)
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
