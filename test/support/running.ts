// A kjitsi that goes on running in a process of its own, until a test ends it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished } from 'vitest'
import { BIN, type Ran } from './run.ts'

export interface Running {
  /** Lines on stderr up to now. */
  readonly lines: readonly string[]
  /** Waits for a line on stderr that has this in it. */
  readonly said: (what: string | RegExp) => Promise<string>
  /** Sends a signal, unless it has ended on its own, and waits for the end. */
  readonly end: (signal?: 'SIGTERM' | 'SIGINT') => Promise<Ran>
  readonly signal: (signal: 'SIGHUP' | 'SIGTERM') => void
}

/** Starts the real command, as spawnKjitsi does, and ends it with the test at the latest. */
export function startKjitsi(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  const child = spawn(process.execPath, [BIN, ...argv], {
    env: { PATH: process.env['PATH'], ...env },
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  const lines: string[] = []
  createInterface(child.stderr).on('line', (line) => lines.push(line))
  const printed = text(child.stdout)
  const closed = once(child, 'close') as Promise<[number | null]>
  return {
    lines,
    async said(what) {
      const found = (): string | undefined =>
        lines.find((line) => (typeof what === 'string' ? line.includes(what) : what.test(line)))
      await expect
        .poll(found, { timeout: 15_000, interval: 20, message: `said: ${String(what)}` })
        .toBeDefined()
      return found() ?? ''
    },
    signal: (signal) => void child.kill(signal),
    async end(signal) {
      if (signal) child.kill(signal)
      const [exitCode] = await closed
      return { exitCode, stdout: await printed, stderr: lines.join('\n') }
    },
  }
}

/** Starts serve-certs on a free port, and gives the port. */
export async function startServing(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Running & { readonly port: number }> {
  const running = startKjitsi(['serve-certs', '--port', '0', ...argv], env)
  const [, port] = /:(\d+)\//.exec(await running.said(/serving https?:/)) ?? []
  return { ...running, port: Number(port) }
}
