// What a command is, and what it is given to run with.
import { type ErrorCode, KjitsiError } from '../errors.ts'
import type { Http } from '../http/http.ts'
import type { Io, Output } from '../io.ts'
import { ask } from './ask.ts'
import type { COMMON } from './common.ts'
import type { Resolved, Source } from './resolve.ts'
import { type Setting, type SettingTable, type ValuesOf, waysToGive } from './setting.ts'

/** What went wrong in a run that printed its result. A failure without a result is thrown. */
export type Ended = ErrorCode | readonly ErrorCode[] | undefined

export interface Command<S extends SettingTable = SettingTable> {
  readonly name: string
  readonly summary: string
  /** What the help says besides. */
  readonly details?: string
  /** Positional arguments as commander writes them, each with its help. */
  readonly args: readonly (readonly [name: string, help: string])[]
  /** Besides those that every command has. */
  readonly settings: S
  /** An example or two, with what they do, for the help text. */
  readonly examples: readonly (readonly [command: string, does: string])[]
  /** Imports its flow, so that only what runs is loaded. */
  run(context: Context<S>): Promise<Ended>
}

/** Declares a command, so that the compiler holds what it reads against the settings that it has. */
export function command<const S extends SettingTable>(declared: Command<S>): Command<S> {
  return declared
}

/** Commands that are called by two words, as `gen-config nginx` is. */
export interface CommandGroup {
  readonly name: string
  readonly summary: string
  readonly subcommands: readonly Command[]
}

/** What can be run, each by all of the words that call it. */
export function namedCommands(
  commands: readonly (Command | CommandGroup)[],
): readonly (readonly [words: string, command: Command])[] {
  return commands.flatMap((one) =>
    'subcommands' in one
      ? one.subcommands.map((sub) => [`${one.name} ${sub.name}`, sub] as const)
      : [[one.name, one] as const],
  )
}

type Present<T> = Exclude<T, undefined>

/** Of keys that are not known one by one, each may be there. */
type Needed<V, K extends readonly (keyof V)[]> = number extends K['length']
  ? { readonly [P in K[number]]?: Present<V[P]> }
  : { readonly [P in K[number]]: Present<V[P]> }

export interface Context<S extends SettingTable> {
  readonly args: readonly (string | undefined)[]
  readonly settings: ValuesOf<S & typeof COMMON>
  readonly sources: Readonly<Partial<Record<keyof S, Source>>>
  /**
   * The values of settings that the command cannot do without. On a terminal those that are missing are asked for, one
   * after the other.
   * @param others what else is missing, each with how to give it: nobody can be asked for it
   * @throws KjitsiError `usage` naming every missing one and how to give it, where nobody can be asked
   */
  need<const K extends readonly (keyof S)[]>(
    keys: K,
    others?: readonly string[],
  ): Promise<Needed<ValuesOf<S>, K>>
  /** How a person can give a setting to this command. */
  readonly waysToGive: (key: keyof S) => string
  /** Whether `need` may ask. */
  readonly canAsk: boolean
  readonly http: Http
  readonly output: Output
  readonly io: Io
}

/** Builds a command's context from its resolved settings. */
export function createContext<S extends SettingTable>(
  table: S,
  args: readonly (string | undefined)[],
  resolved: Resolved<S & typeof COMMON>,
  http: Http,
  output: Output,
  io: Io,
): Context<S> {
  const { values, secrets } = resolved
  const canAsk = io.stdin.isTTY === true && io.stderr.isTTY === true && values.input && !io.env['CI']
  return {
    args,
    settings: values,
    sources: resolved.sources,
    canAsk,
    http,
    output,
    io,
    waysToGive: (key) => waysToGive(settingOf(table, key)),
    async need(keys, others = []) {
      const found: Record<string, unknown> = { ...values }
      const missing = keys.filter((key) => isMissing(found[key as string]))
      if ((missing.length > 0 && !canAsk) || others.length > 0) throw missingSettings(table, missing, others)
      for (const key of missing as readonly string[]) {
        const setting = settingOf(table, key)
        found[key] = await ask(setting, found, http, io, output.find)
        if (setting.secret) secrets.push(String(found[key]))
      }
      return Object.fromEntries(keys.map((key) => [key, found[key as string]])) as Needed<
        ValuesOf<S>,
        typeof keys
      >
    },
  }
}

export function isMissing(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.length === 0)
}

function settingOf<S extends SettingTable>(table: S, key: keyof S): Setting {
  const setting = table[key]
  if (setting === undefined) throw new Error(`no setting ${String(key)}`)
  return setting
}

function missingSettings<S extends SettingTable>(
  table: S,
  missing: readonly (keyof S)[],
  others: readonly string[],
): KjitsiError {
  const lines = [
    ...missing.map((key) => {
      const setting = settingOf(table, key)
      const { help, unset } = setting
      return `${waysToGive(setting)}: ${help}${unset === undefined ? '' : ` (default: ${unset})`}`
    }),
    ...others,
  ]
  const [only] = lines
  return lines.length === 1 && only !== undefined
    ? new KjitsiError('usage', `a setting is missing: ${only}`)
    : new KjitsiError('usage', `${lines.length} settings are missing:\n  ${lines.join('\n  ')}`)
}
