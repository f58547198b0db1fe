// What a command is given of a process, with none behind it.
import { PassThrough, Readable } from 'node:stream'
import type { Io } from '../../src/io.ts'

export interface TestIo extends Io {
  readonly stdout: PassThrough
  readonly stderr: PassThrough
}

/** @param terminal whether stdout and stderr are to look like one */
export function testIo({
  stdin = '',
  terminal = false,
  ...given
}: RunOptions & { readonly terminal?: boolean } = {}): TestIo {
  return {
    stdin: Readable.from([stdin]),
    stdout: Object.assign(new PassThrough(), { isTTY: terminal }),
    stderr: Object.assign(new PassThrough(), { isTTY: terminal }),
    env: given.env ?? {},
    cwd: given.cwd ?? '/nowhere',
    signal: given.signal ?? new AbortController().signal,
  }
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>> | undefined
  readonly stdin?: string | undefined
  readonly cwd?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** What was written to a stream and not read before. */
export function readAll(stream: PassThrough): string {
  return String(stream.read() ?? '')
}
