// Makes a command line of commands, and maps every failure to an exit code. Knows neither Keycloak nor Jitsi.
import { Command as Commander, CommanderError, Option } from 'commander'
import { KjitsiError } from '../errors.ts'
import type { Http } from '../http/http.ts'
import { type Transport, openTransport } from '../http/transport.ts'
import type { Io, Output } from '../io.ts'
import { MASKED, quoted, shownValue } from '../shown.ts'
import { COMMON } from './common.ts'
import { type Command, type CommandGroup, type Ended, createContext } from './context.ts'
import { EXIT_CODES, MEANINGS, worstOf } from './exit-codes.ts'
import { usageError } from './mistakes.ts'
import { createOutput } from './output.ts'
import { type Resolved, resolveSettings } from './resolve.ts'
import { type Setting, type SettingTable, flagName, flagsOf, isSwitch, onOff } from './setting.ts'

export interface Program {
  readonly name: string
  readonly description: string
  readonly version: string
  /** For reports of bugs. */
  readonly about: string
  readonly commands: readonly (Command | CommandGroup)[]
}

/**
 * Runs the command line `argv` (without node and script) on the given streams.
 * @returns the exit code; whatever goes wrong has been said on stderr, or as a JSON document with --json
 */
export async function runProgram(program: Program, argv: readonly string[], io: Io): Promise<number> {
  const { about } = program
  const secrets: string[] = []
  // Until the settings are read, what was typed has to do.
  let output = createOutput(io, {
    json: argv.includes('--json') || isOn(io.env[COMMON.json.env]),
    quiet: false,
    verbose: false,
    secrets,
    about,
  })
  try {
    let ended: Ended
    await commandTree(program, io, async (command, args, flags) => {
      const table = { ...command.settings, ...COMMON }
      const resolved = await resolveSettings(table, flags, io, secrets)
      const { json, quiet, verbose } = resolved.values
      // Only what goes on for a while has a form for its log, and only what can be checked is strict.
      const { log, strict } = resolved.values as { readonly log?: 'text' | 'json'; readonly strict?: boolean }
      const form = { json, quiet, verbose, ...(strict && { strict }), ...(log && { log }) }
      output = createOutput(io, { ...form, secrets, about })
      let transport: Transport | undefined
      try {
        tellSettings(table, resolved, output)
        resolved.findings.forEach(output.find)
        transport = await openTransport(resolved.values.timeout, resolved.values.caFile, io)
        const http = httpOf(resolved, transport, output, io)
        ended = await command.run(createContext(table, args, resolved, http, output, io))
      } finally {
        await transport?.close()
      }
    }).parseAsync([...argv], { from: 'user' })
    const worst = worstOf([ended ?? [], output.end()].flat())
    return worst === undefined ? 0 : EXIT_CODES[worst]
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0
      output.error(usageError(error, argv, program.commands))
      return EXIT_CODES.usage
    }
    output.error(error)
    return error instanceof KjitsiError ? EXIT_CODES[error.code] : EXIT_CODES.unexpected
  }
}

/** Whether a switch in the environment is certainly on. */
function isOn(text = ''): boolean {
  try {
    return onOff(text)
  } catch {
    return false
  }
}

/** Each setting that has a value, by its flag, with where the value came from. */
function tellSettings<S extends SettingTable>(
  table: S,
  { values, sources }: Resolved<S>,
  output: Output,
): void {
  for (const [key, setting] of Object.entries(table)) {
    const source = sources[key]
    if (source === undefined) continue
    const shown = setting.secret
      ? MASKED
      : JSON.stringify(values[key], (_, part: unknown) =>
          typeof part === 'string' ? shownValue(part) : part,
        )
    output.detail(`${flagName(setting)} = ${shown} (${source})`)
  }
}

function httpOf(
  { values, secrets }: Resolved<typeof COMMON>,
  { fetch }: Transport,
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
    onWait: (what) => {
      output.progress(what === '' ? '' : `waiting for ${what} …`)
    },
    quote: (text) => quoted(text, secrets),
    onSecret: (secret) => {
      if (!secrets.includes(secret)) secrets.push(secret)
    },
  }
}

type Action = (
  command: Command,
  args: readonly (string | undefined)[],
  flags: Readonly<Record<string, unknown>>,
) => Promise<void>

/** Every command with its options and help. */
export function commandTree(program: Program, io: Io, action: Action): Commander {
  const root = new Commander(program.name)
    .description(program.description)
    .version(program.version, '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show this, or with a command what it takes')
    .addHelpText('after', `\n${EXIT_CODES_HELP}`)
    .helpCommand(false)
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      // Its errors are thrown, and printed by runProgram like all others.
      writeErr: () => undefined,
    })
    .exitOverride()
  for (const declared of program.commands) addCommand(root, declared, action)
  return root
}

function addCommand(parent: Commander, declared: Command | CommandGroup, action: Action): void {
  const sub = parent.command(declared.name).summary(declared.summary).description(description(declared))
  sub.helpOption('-h, --help', 'show this')
  if ('subcommands' in declared) {
    sub.helpCommand(false)
    for (const one of declared.subcommands) addCommand(sub, one, action)
    return
  }
  for (const [name, help] of declared.args) sub.argument(name, help)
  for (const setting of Object.values(declared.settings)) addOptions(sub, setting, setting.group)
  for (const setting of Object.values(COMMON)) addOptions(sub, setting, 'Common options:')
  sub.addHelpText('after', `\n${examples(declared)}`)
  sub.action(async (...given: unknown[]) => {
    await action(declared, given.slice(0, declared.args.length) as (string | undefined)[], givenFlags(sub))
  })
}

const EXIT_CODES_HELP = `Exit codes:
${MEANINGS.map(([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning}\n`).join('')}`

function description({ summary, details }: { readonly summary: string; readonly details?: string }): string {
  return [`${summary}.`, ...(details === undefined ? [] : [details])].join('\n\n')
}

function addOptions(sub: Commander, setting: Setting, group = 'Options:'): void {
  const { env, help, repeat, unset, default: preset = unset } = setting
  const more = [
    ...(env === undefined ? [] : [env]),
    ...(preset !== undefined && !isSwitch(setting) ? [`default ${preset}`] : []),
  ]
  flagsOf(setting).forEach((flag, i) => {
    const about = more.length === 0 ? help : `${help} (${more.join(', ')})`
    const option = new Option(flag, i === 0 ? about : `the opposite of ${flag.replace('--no-', '--')}`)
    if (repeat) option.argParser(append)
    sub.addOption(option.helpGroup(group))
  })
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
