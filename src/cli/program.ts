// Makes a command line of commands, and maps every failure to an exit code. Knows neither Keycloak nor Jitsi.
import { Command as Commander, CommanderError, Option } from 'commander'
import { KjitsiError } from '../errors.ts'
import type { Http } from '../http/http.ts'
import { type Transport, openTransport } from '../http/transport.ts'
import type { Io, Output } from '../io.ts'
import { MASKED, quoted, shownValue } from '../shown.ts'
import { COMMON } from './common.ts'
import { type Command, type CommandGroup, type Ended, createContext } from './context.ts'
import { EXIT_CODES, worstOf } from './exit-codes.ts'
import { commandHelp, groupHelp, programHelp } from './help.ts'
import { checkArguments, spelledOut, usageError } from './mistakes.ts'
import { createOutput } from './output.ts'
import { type Resolved, resolveSettings } from './resolve.ts'
import {
  type Former,
  type Setting,
  type SettingTable,
  flagName,
  flagsOf,
  isOnOrOff,
  onOff,
} from './setting.ts'

export interface Program {
  readonly name: string
  readonly description: string
  readonly version: string
  /** For reports of bugs. */
  readonly about: string
  readonly commands: readonly (Command | CommandGroup)[]
  readonly former: Former
}

/**
 * Runs the command line `argv` (without node and script) on the given streams.
 * @returns the exit code; whatever goes wrong has been said on stderr, or as a JSON document with --json
 */
export async function runProgram(program: Program, argv: readonly string[], io: Io): Promise<number> {
  const { about, commands, former } = program
  const typed = { argv: spelledOut(argv, commands), commands, former }
  const secrets: string[] = []
  // Until the settings are read, what was typed has to do.
  const inEnv = io.env[COMMON.json.env] ?? ''
  const byFlag = argv.findLast((word) => word === '--json' || word === '--no-json')
  const json = byFlag === undefined ? isOnOrOff(inEnv) && onOff(inEnv) : byFlag === '--json'
  let output = createOutput(io, { json, quiet: false, verbose: false, secrets, about })
  let ended: Ended
  const tree = commandTree(program, io, async (command, args, flags) => {
    checkArguments(args, typed)
    const table = { ...command.settings, ...COMMON }
    const resolved = await resolveSettings(table, flags, io, secrets, former)
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
  })
  try {
    await tree.parseAsync([...typed.argv], { from: 'user' })
    const worst = worstOf([ended ?? [], output.end()].flat())
    return worst === undefined ? 0 : EXIT_CODES[worst]
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0
      if (argv.length === 0 && !json) io.stderr.write(tree.helpInformation({ error: true }))
      else output.error(usageError(error, typed))
      return EXIT_CODES.usage
    }
    output.error(error)
    return error instanceof KjitsiError ? EXIT_CODES[error.code] : EXIT_CODES.unexpected
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
  args: readonly string[],
  flags: Readonly<Record<string, unknown>>,
) => Promise<void>

/** Every command with its options and help. */
export function commandTree(program: Program, io: Io, action: Action): Commander {
  const root = new Commander(program.name)
    .usage('<command> [options]')
    .description(program.description)
    .version(program.version)
    .helpCommand(false)
    .configureHelp({ formatHelp: programHelp, minWidthToWrap: 20 })
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      // Its errors are thrown, and printed by runProgram like all others.
      writeErr: () => undefined,
      getOutHelpWidth: () => widthOf(io.stdout),
      getErrHelpWidth: () => widthOf(io.stderr),
    })
    .exitOverride()
  for (const declared of program.commands) addCommand(root, declared, action)
  return root
}

/** Columns; some terminals do not know theirs. */
function widthOf({ columns = 0 }: Io['stdout']): number {
  return columns > 0 ? columns : 80
}

function addCommand(parent: Commander, declared: Command | CommandGroup, action: Action): void {
  const sub = parent.command(declared.name).copyInheritedSettings(parent).summary(declared.summary)
  if ('subcommands' in declared) {
    sub
      .usage('<command> [options]')
      .helpCommand(false)
      .configureHelp({ ...sub.configureHelp(), formatHelp: groupHelp })
    for (const one of declared.subcommands) addCommand(sub, one, action)
    return
  }
  sub.configureHelp({ ...sub.configureHelp(), formatHelp: commandHelp(declared) })
  for (const [name, help] of declared.args) sub.argument(name, help)
  for (const setting of Object.values({ ...declared.settings, ...COMMON })) addOptions(sub, setting)
  sub.allowExcessArguments().action(() => action(declared, sub.args, givenFlags(sub)))
}

function addOptions(sub: Commander, setting: Setting): void {
  for (const flag of flagsOf(setting)) {
    const option = new Option(flag)
    if (setting.repeat) option.argParser(append)
    sub.addOption(option)
  }
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
