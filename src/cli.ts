// The edge: makes a command line of the tables, maps every failure to an exit code, and is alone in touching the process.
import { Command as Commander, CommanderError, Option } from 'commander'
import packageJson from '../package.json' with { type: 'json' }
import { COMMON, type Command, type Common, createContext } from './command.ts'
import { ADMIN, COMMANDS } from './commands.ts'
import { EXIT_CODES, KjitsiError } from './errors.ts'
import { fileError } from './files.ts'
import type { Http } from './http/http.ts'
import { type Transport, openTransport } from './http/transport.ts'
import type { Io } from './io.ts'
import { usageError } from './mistakes.ts'
import { type Output, createOutput } from './output.ts'
import { type Resolved, resolveSettings } from './resolve-settings.ts'
import { MASKED, shownValue } from './shown.ts'
import { SETTINGS, type SettingKey, flagsOf, isSecret, isSwitch } from './settings.ts'

const EXIT_CODES_HELP = `Exit codes:
  0  done, or nothing to do        4  Keycloak refused the login
  1  unexpected, or a file failed  5  the account lacks a right, which is named
  2  usage, or a bad setting       6  realm or client not found
  3  drift (--check), or refused   7  unreachable, TLS, time limit, 5xx
  130  interrupted
`

/** `kjitsi 1.2.3, Node v20.20.2 on linux`, for reports of bugs. */
const ABOUT = `kjitsi ${packageJson.version}, Node ${process.version} on ${process.platform}`

/**
 * Runs the command line `argv` (without node and script) on the given streams.
 * @returns the exit code; whatever goes wrong has been said on stderr, or as a JSON document with --json
 */
export async function runCommand(argv: readonly string[], io: Io): Promise<number> {
  const secrets: string[] = []
  // Until the settings are read, what was typed has to do.
  let output = createOutput(io, {
    json: argv.includes('--json'),
    quiet: false,
    verbose: false,
    secrets,
    about: ABOUT,
  })
  try {
    let code = 0
    await program(io, async (declared, args, flags) => {
      const settings = await resolveSettings([...declared.settings, ...COMMON], flags, io, secrets)
      const { json, quiet, verbose, log } = settings.values
      output = createOutput(io, { json, quiet, verbose, log, secrets, about: ABOUT })
      const load = declared.load()
      let transport: Transport | undefined
      try {
        const run = await load
        saySettings(settings, output)
        transport = await openTransport(settings.values.timeout, settings.values.caFile, io)
        const http = httpOf(settings, transport, secrets, output, io)
        const outcome = await run(createContext(args, settings, http, output, io))
        code = outcome === undefined ? 0 : EXIT_CODES[outcome]
      } finally {
        await transport?.close()
      }
    }).parseAsync([...argv], { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0
      output.error(usageError(error, argv))
      return EXIT_CODES.usage
    }
    output.error(error)
    return error instanceof KjitsiError ? EXIT_CODES[error.code] : EXIT_CODES.unexpected
  }
}

function saySettings(settings: Resolved<SettingKey>, output: Output): void {
  for (const [key, source] of Object.entries(settings.sources)) {
    const value = settings.values[key as SettingKey]
    const shown = isSecret(key as SettingKey)
      ? MASKED
      : JSON.stringify(value, (_, part: unknown) => (typeof part === 'string' ? shownValue(part) : part))
    if (source !== 'default') output.detail(`${key} = ${shown} (${source})`)
  }
}

function httpOf(
  { values }: Resolved<SettingKey>,
  { fetch }: Transport,
  secrets: string[],
  output: Output,
  io: Io,
): Http {
  return {
    fetch,
    timeout: values.timeout,
    wait: values.wait,
    signal: io.signal,
    onRetry: (reason) => {
      output.progress(`waiting for the server (${reason}) …`)
    },
    onRequest: output.detail,
    onSecret: (secret) => {
      if (!secrets.includes(secret)) secrets.push(secret)
    },
  }
}

type Action = (
  declared: Command,
  args: readonly (string | undefined)[],
  flags: Readonly<Record<string, unknown>>,
) => Promise<void>

/** Every command with its options and help, made from the tables. */
export function program(io: Io, action: Action): Commander {
  const root = new Commander('kjitsi')
    .description('Makes Jitsi Meet accept the tokens of a Keycloak realm, and proves that it does.')
    .version(packageJson.version, '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show this, or with a command what it takes')
    .addHelpText('after', `\n${EXIT_CODES_HELP}`)
    .helpCommand(false)
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      // Its errors are thrown, and printed by runCommand like all others.
      writeErr: () => undefined,
    })
    .exitOverride()
  for (const declared of COMMANDS) {
    const sub = root.command(declared.name).summary(declared.summary).description(description(declared))
    sub.copyInheritedSettings(root)
    for (const [name, help] of declared.args) sub.argument(name, help)
    for (const key of [...declared.settings, ...COMMON]) addOptions(sub, key)
    sub.helpOption('-h, --help', 'show this')
    sub.addHelpText('after', `\n${examples(declared)}`)
    sub.action(async (...given: unknown[]) => {
      await action(declared, given.slice(0, declared.args.length) as (string | undefined)[], givenFlags(sub))
    })
  }
  return root
}

function description({ summary, details }: Command): string {
  return [`${summary}.`, ...(details === undefined ? [] : [details])].join('\n\n')
}

function addOptions(sub: Commander, key: SettingKey | Common): void {
  const { env, help, ...rest } = SETTINGS[key]
  const preset = 'default' in rest && !isSwitch(key) ? `, default ${rest.default}` : ''
  flagsOf(key).forEach((flag, i) => {
    const text = i === 0 ? `${help} (${env}${preset})` : `the opposite of ${flag.replace('--no-', '--')}`
    const option = new Option(flag, text)
    if ('repeat' in rest) option.argParser(append)
    option.helpGroup(groupOf(key))
    sub.addOption(option)
  })
}

function groupOf(key: SettingKey): string {
  if ((COMMON as readonly SettingKey[]).includes(key)) return 'Common options:'
  return (ADMIN as readonly SettingKey[]).includes(key) ? 'Keycloak:' : 'Options:'
}

function append(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value]
}

/** The flags that were really on the command line. */
function givenFlags(sub: Commander): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(sub.opts()).filter(([name]) => sub.getOptionValueSource(name) === 'cli'),
  )
}

function examples(declared: Command): string {
  return `Examples:\n${declared.examples.map(([line, does]) => `  # ${does}\n  ${line}\n`).join('')}`
}

/** Runs this process's command line and sets its exit code. */
export async function main(): Promise<void> {
  const controller = new AbortController()
  const io: Io = {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    signal: controller.signal,
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
  const exitCode = await Promise.race([runCommand(process.argv.slice(2), io), leftBehind(controller.signal)])
  process.exitCode ??= exitCode
}

/** Ends the process a while after an interrupt, for a command that does not heed the signal. */
async function leftBehind(signal: AbortSignal): Promise<number> {
  await new Promise((resolve) => {
    signal.addEventListener('abort', resolve, { once: true })
  })
  await new Promise((resolve) => setTimeout(resolve, 5000).unref())
  process.exit(EXIT_CODES.interrupted)
}
