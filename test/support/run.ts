// Runs kjitsi as its users do: in this process on streams of our own, or as the real command.
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { runProgram } from '../../src/cli/program.ts'
import { PROGRAM } from '../../src/main.ts'
import { type RunOptions, testIo } from './io.ts'

export interface Ran {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

export const BIN = fileURLToPath(new URL('../../bin/kjitsi.js', import.meta.url))

/** In this process: quick, and seen by coverage. No environment but `env`; an empty folder-less cwd unless given. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const io = testIo(options)
  const printed = Promise.all([text(io.stdout), text(io.stderr)])
  const exitCode = await runProgram(PROGRAM, argv, io)
  io.stdout.end()
  io.stderr.end()
  const [out, err] = await printed
  return { exitCode, stdout: out, stderr: err }
}

/** As the real command in a process of its own: for exit codes, signals, pipes, certificates and what is bundled. */
export async function spawnKjitsi(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const child = spawn(process.execPath, [BIN, ...argv], {
    env: { PATH: process.env['PATH'], ...options.env },
    cwd: options.cwd,
    stdio: ['pipe', 'pipe', 'pipe'],
    signal: options.signal,
  })
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.stdin ?? '')
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('close', resolve)
    child.once('error', reject)
  })
  const [stdout, stderr, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), exited])
  return { exitCode, stdout, stderr }
}
