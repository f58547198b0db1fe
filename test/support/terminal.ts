// Runs the real command on a terminal of its own, as a person has one, with `script` of util-linux.
import { spawn } from 'node:child_process'
import { StringDecoder } from 'node:string_decoder'
import { stripVTControlCharacters } from 'node:util'
import type { RunOptions } from './io.ts'
import { BIN } from './run.ts'

export interface Terminal {
  /** Resolves once the text has been on the screen after what was awaited before; fails where the command ends first. */
  readonly shows: (text: string) => Promise<void>
  readonly type: (text: string) => void
  /** Everything that was on the screen, without colours. */
  readonly screen: () => string
  readonly exitCode: Promise<number | null>
}

export const ENTER = '\r'
export const CTRL_C = '\u0003'

/**
 * Starts kjitsi on a terminal.
 * @param stdoutTo file that gets its stdout; without, the terminal does
 */
export function openTerminal(
  argv: readonly string[],
  options: Pick<RunOptions, 'env' | 'cwd'> & { readonly stdoutTo?: string } = {},
): Terminal {
  const quoted = [process.execPath, BIN, ...argv]
    .map((word) => `'${word.replaceAll("'", `'\\''`)}'`)
    .join(' ')
  const command = options.stdoutTo === undefined ? quoted : `${quoted} > '${options.stdoutTo}'`
  const child = spawn('script', ['--quiet', '--flush', '--return', '--command', command, '/dev/null'], {
    env: { PATH: process.env['PATH'], TERM: 'xterm', SHELL: '/bin/sh', ...options.env },
    cwd: options.cwd,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const decoder = new StringDecoder('utf8')
  let screen = ''
  let seenUpTo = 0
  let waiting: (() => void) | undefined
  child.stdout.on('data', (chunk: Buffer) => {
    screen += stripVTControlCharacters(decoder.write(chunk))
    waiting?.()
  })
  const exitCode = new Promise<number | null>((resolve, reject) => {
    child.once('close', resolve)
    child.once('error', reject)
  })
  return {
    shows: (text) =>
      new Promise((resolve, reject) => {
        waiting = () => {
          const at = screen.indexOf(text, seenUpTo)
          if (at === -1) return
          seenUpTo = at + text.length
          waiting = undefined
          resolve()
        }
        waiting()
        void exitCode.then((code) => {
          reject(new Error(`ended with ${code} and never showed ${JSON.stringify(text)}:\n${screen}`))
        }, reject)
      }),
    type: (text) => void child.stdin.write(text),
    screen: () => screen,
    exitCode,
  }
}
