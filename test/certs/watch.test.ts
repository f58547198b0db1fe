import { describe, expect, test } from 'vitest'
import { newsOutput, watch } from '../../src/certs/watch.ts'
import { KjitsiError } from '../../src/errors.ts'
import { finding } from '../../src/certs/findings.ts'
import { createOutput } from '../../src/cli/output.ts'
import { testIo, readAll } from '../support/io.ts'

type Outcome = boolean | Error

/** Runs rounds with these outcomes, then ends the watch; gives the pauses that it made, in seconds. */
async function pausesOf(
  outcomes: readonly Outcome[],
  random = 0.5,
  interval = 300,
): Promise<readonly number[]> {
  const controller = new AbortController()
  const pauses: number[] = []
  const left = [...outcomes]
  await watch(
    () => {
      const outcome = left.shift()
      return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome === true)
    },
    {
      interval,
      signal: controller.signal,
      onEnd: () => undefined,
      random: () => random,
      sleep: (milliseconds) => {
        pauses.push(milliseconds / 1000)
        if (left.length === 0) controller.abort()
        return Promise.resolve()
      },
    },
  )
  return pauses
}

const down = new KjitsiError('unreachable', 'connection refused')

describe('a watch', () => {
  test.each([
    ['the shortest pause', 0, 270],
    ['the longest', 1, 330],
  ])('keeps to its interval, give or take a tenth: %s', async (_, random, seconds) => {
    expect(await pausesOf([true, true], random)).toEqual([seconds, seconds])
  })

  test('tries again soon after a failure, then less and less soon, and no less often than always', async () => {
    expect(await pausesOf([down, down, false, down, down, down, down, down])).toEqual([
      5, 10, 20, 40, 80, 160, 300, 300,
    ])
  })

  test('starts anew with the pauses after a good round', async () => {
    expect(await pausesOf([down, down, true, down])).toEqual([5, 10, 300, 5])
  })

  test('ends with a bug', async () => {
    await expect(pausesOf([true, new TypeError('a bug')])).rejects.toThrow('a bug')
  })

  test('ends while it waits, on the real clock', async () => {
    const controller = new AbortController()
    const ended = watch(() => Promise.resolve(true), {
      interval: 3600,
      signal: controller.signal,
      onEnd: () => {
        setImmediate(() => {
          controller.abort()
        })
      },
    })
    await expect(ended).resolves.toBeUndefined()
  })

  test('ends within a round that is told to stop', async () => {
    const controller = new AbortController()
    let ended = 0
    await watch(
      () => {
        controller.abort(new KjitsiError('interrupted', 'interrupted'))
        controller.signal.throwIfAborted()
        return Promise.resolve(true)
      },
      { interval: 300, signal: controller.signal, onEnd: () => ended++ },
    )
    expect(ended).toBe(0)
  })
})

describe('the news of a watch', () => {
  test('are what was not said in the round before', () => {
    const io = testIo()
    const output = createOutput(io, { json: false, quiet: false, verbose: false, secrets: [], about: '' })
    const { news, endRound } = newsOutput(output)
    const printed = (): string => readAll(io.stderr)
    const closed = finding('folder-closed', { dir: '/certs' })
    const [told, quiet] = [/left out: x[^]*folder|\/certs can be read by its owner/, '']

    const round = (): string => {
      news.note('left out: x')
      news.find(closed)
      const text = printed()
      endRound()
      return text
    }
    expect(round()).toMatch(told)
    expect(round()).toBe(quiet)
    news.log('error', 'connection refused')
    expect(printed()).toBe('error: connection refused\n')
    endRound()
    expect(round()).toMatch(told)
  })
})
