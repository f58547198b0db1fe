// The process: THE list of commands, and what ties them to its streams, signals and exit code.
import packageJson from '../package.json' with { type: 'json' }
import { type Program, runProgram } from './cli/program.ts'
import { EXIT_CODES } from './cli/exit-codes.ts'
import { checkToken } from './commands/check-token.ts'
import { demo } from './commands/demo.ts'
import { exportCerts } from './commands/export-certs.ts'
import { genConfig } from './commands/gen-config.ts'
import { genEnv } from './commands/gen-env.ts'
import { serveCerts } from './commands/serve-certs.ts'
import { setupClient } from './commands/setup-client.ts'
import { setupMappers } from './commands/setup-mappers.ts'
import { KjitsiError } from './errors.ts'
import { fileError } from './files/reasons.ts'
import type { Io } from './io.ts'
import { FORMER } from './settings.ts'

export const PROGRAM: Program = {
  name: 'kjitsi',
  description: 'Makes Jitsi Meet accept the tokens of a Keycloak realm, and proves that it does.',
  version: packageJson.version,
  about: `kjitsi ${packageJson.version}, Node ${process.version} on ${process.platform}`,
  commands: [setupClient, setupMappers, genEnv, exportCerts, serveCerts, genConfig, checkToken, demo],
  former: FORMER,
}

/** Runs this process's command line and sets its exit code. */
export async function main(): Promise<void> {
  const controller = new AbortController()
  let patience = 5000
  const io: Io = {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    signal: controller.signal,
    needToEnd: (seconds) => (patience += seconds * 1000),
    onHangup: (listener) => process.on('SIGHUP', listener),
  }
  for (const stream of [process.stdout, process.stderr]) {
    // A reader that leaves early, such as `| head -1`, is no failure of ours; a full disk behind `> file` is.
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE' || process.exitCode === EXIT_CODES.file) return
      process.exitCode = EXIT_CODES.file
      if (stream === process.stdout) {
        process.stderr.write(`error: ${fileError('cannot write to stdout', error).message}\n`)
      }
    })
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(EXIT_CODES.interrupted)
      controller.abort(new KjitsiError('interrupted', 'interrupted'))
    })
  }
  const ended = runProgram(PROGRAM, process.argv.slice(2), io)
  const exitCode = await Promise.race([ended, leftBehind(controller.signal, () => patience)])
  process.exitCode ??= exitCode
}

/** Ends the process a while after an interrupt, for a command that does not heed the signal. */
async function leftBehind(signal: AbortSignal, patience: () => number): Promise<number> {
  await new Promise((resolve) => {
    signal.addEventListener('abort', resolve, { once: true })
  })
  await new Promise((resolve) => setTimeout(resolve, patience()).unref())
  process.exit(EXIT_CODES.interrupted)
}
