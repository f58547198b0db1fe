// What a setting is: how it is given, read, asked for and told in a help text.
import type { Finding } from '../finding.ts'
import type { Http } from '../http/http.ts'

export interface Setting<T = unknown> {
  /** As commander reads it: `--url <url>`, or for a switch the flag alone. */
  readonly flag: string
  /** Absent where a name in the environment would be a trap, as for a switch that removes things. */
  readonly env?: string
  readonly help: string
  /** @throws Error whose message goes on after the text itself, as in `--timeout "soon" is no duration: …` */
  readonly parse: (text: string) => T
  /** What is worth knowing where the value is not quite what was given. */
  readonly advise?: (text: string) => Finding | undefined
  /** As a person would type it. */
  readonly default?: string
  /** What holds where it is not given, in words, where that is no text which a person could type. */
  readonly unset?: string
  /** Given by `ENV`, `ENV_FILE` or the flag that names a file; never a plain flag, never printed. */
  readonly secret?: true
  /** May be given several times; in the environment, separated by commas or newlines. */
  readonly repeat?: true
  /** Title in the help under which it stands. */
  readonly group?: string
  /** The value as a person would type it; its own text unless given. */
  write?(value: T): string
  /** What a person is asked on a terminal; without it, the help text. */
  readonly question?: string
  /**
   * Looks at an answer on the terminal, where a server can tell right from wrong.
   * @returns true, or a sentence about what is wrong with it
   */
  check?(value: T, known: Readonly<Record<string, unknown>>, http: Http): Promise<string | true>
}

/** The settings of a command, by the names under which it reads them. */
export type SettingTable = Readonly<Record<string, Setting>>

type Parsed<D> = D extends { parse: (text: string) => infer T } ? T : never
type ValueOf<D> = D extends { repeat: true }
  ? readonly Parsed<D>[]
  : D extends { default: string }
    ? Parsed<D>
    : Parsed<D> extends boolean
      ? boolean
      : Parsed<D> | undefined

/** A switch that is not given is false, a repeated setting an empty list. */
export type ValuesOf<S extends SettingTable> = { readonly [K in keyof S]: ValueOf<S[K]> }

/** These settings, under one title in the help. */
export function under<const S extends SettingTable>(group: string, settings: S): S {
  return Object.fromEntries(Object.entries(settings).map(([key, one]) => [key, { ...one, group }])) as S
}

/** Declares a setting, so that the compiler knows what its value is. */
export const setting = <const D extends Setting>(definition: D): D => definition

/** `--url` of `--url <url>`. */
export function flagName({ flag }: Setting): string {
  return flag.replace(/ .*/, '')
}

/** Whether it takes no value on the command line. */
export function isSwitch({ flag }: Setting): boolean {
  return !flag.includes(' ')
}

/** The flags of a setting: a switch can be given both ways, so that a flag takes back what the environment says. */
export function flagsOf(setting: Setting): readonly string[] {
  const { flag } = setting
  return isSwitch(setting) ? [flag, flag.replace('--', '--no-')] : [flag]
}

/** How a help text names it: `--[no-]guests`, or `--realm <name>...` where it may be given several times. */
export function termOf(setting: Setting): string {
  if (isSwitch(setting)) return setting.flag.replace('--', '--[no-]')
  return setting.repeat ? `${setting.flag}...` : setting.flag
}

/** The name under which commander keeps the flag's value. */
export function attributeName(setting: Setting): string {
  const words = flagName(setting).slice(2).split('-')
  return words.map((word, i) => (i === 0 ? word : word.charAt(0).toUpperCase() + word.slice(1))).join('')
}

/** How a person can give a setting: `--url or KEYCLOAK_URL`. */
export function waysToGive(setting: Setting): string {
  const { env, secret } = setting
  if (secret) return `${env ?? ''}, ${env ?? ''}_FILE or ${flagName(setting)}`
  return env === undefined ? flagName(setting) : `${flagName(setting)} or ${env}`
}

/** Flags and names in the environment that settings had once, each with what takes its place. */
export type Former = Readonly<Record<string, string>>

/** What has taken the place of a former flag or name, where one of these settings has, and none has it today. */
export function replacedBy(name: string, settings: readonly Setting[], former: Former): string | undefined {
  const now = Object.hasOwn(former, name) ? former[name] : undefined
  const names = settings.flatMap((one) => [flagName(one), one.env ?? ''])
  return now !== undefined && !names.includes(name) && names.includes(now.replace(/[ =].*/, ''))
    ? now
    : undefined
}

/** A switch in the environment. */
export function onOff(text: string): boolean {
  if (!isOnOrOff(text)) throw new Error('is neither true nor false')
  return ON.test(text)
}

const ON = /^(?:1|true|yes|on)$/i
const OFF = /^(?:0|false|no|off)$/i

export function isOnOrOff(text: string): boolean {
  return ON.test(text) || OFF.test(text)
}

/** A setting's value as a person would give it by flags; none where it is as by default. */
export function wordsFor(setting: Setting, value: unknown): readonly string[] {
  const flag = flagName(setting)
  const written = (one: unknown): string => setting.write?.(one) ?? String(one)
  if (value === undefined || written(value) === setting.default) return []
  if (Array.isArray(value)) return value.flatMap((item) => [flag, written(item)])
  if (typeof value !== 'boolean') return [flag, written(value)]
  return [value ? flag : flag.replace(/^--/, '--no-')]
}
