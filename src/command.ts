// What a command is, and what it is given to run with.
import { ask } from './ask.ts'
import { type ErrorCode, KjitsiError, messageOf } from './errors.ts'
import type { Http } from './http/http.ts'
import type { Io } from './io.ts'
import type { Output } from './output.ts'
import { type Resolved, type Source } from './resolve-settings.ts'
import { SETTINGS, type SettingKey, type Values, isSecret, waysToGive } from './settings.ts'

/** Settings that every command has. */
export const COMMON = [
  'json',
  'quiet',
  'verbose',
  'input',
  'timeout',
  'wait',
  'caFile',
  'settingsFile',
] as const
export type Common = (typeof COMMON)[number]

/** Runs a command; what it returns, if anything, decides the exit code. Failures are thrown. */
export type Run<K extends SettingKey> = (context: Context<K>) => Promise<ErrorCode | undefined>

export interface Command {
  readonly name: string
  readonly summary: string
  /** What the help says besides. */
  readonly details?: string
  /** Positional arguments as commander writes them, each with its help. */
  readonly args: readonly (readonly [name: string, help: string])[]
  readonly settings: readonly SettingKey[]
  /** An example or two, with what they do, for the help text. */
  readonly examples: readonly (readonly [command: string, does: string])[]
  /** Imports the command's file, which nothing else does: only the command that runs is loaded. */
  readonly load: () => Promise<Run<SettingKey>>
}

/** Declares a command, so that the compiler holds its list of settings against those that its file uses. */
export function command<const K extends SettingKey>(
  declared: Omit<Command, 'settings' | 'load'> & {
    readonly settings: readonly K[]
    readonly load: () => Promise<Run<K>>
  },
): Command {
  return declared
}

type Present<T> = Exclude<T, undefined>

export interface Context<K extends SettingKey> {
  readonly args: readonly (string | undefined)[]
  readonly settings: Values<K | Common>
  readonly sources: Readonly<Partial<Record<K | Common, Source>>>
  /**
   * The values of settings that the command cannot do without. On a terminal those that are missing are asked for, one
   * after the other.
   * @throws KjitsiError `usage` naming every missing one and how to give it, where nobody can be asked
   */
  need<N extends K>(...keys: readonly N[]): Promise<{ readonly [P in N]: Present<Values[P]> }>
  /** Whether `need` may ask. */
  readonly canAsk: boolean
  readonly http: Http
  readonly output: Output
  readonly io: Io
}

/** Builds a command's context from its resolved settings. */
export function createContext<K extends SettingKey>(
  args: readonly (string | undefined)[],
  resolved: Resolved<K | Common>,
  http: Http,
  output: Output,
  io: Io,
): Context<K> {
  const settings = resolved.values
  const canAsk = io.stdin.isTTY === true && io.stderr.isTTY === true && settings.input && !io.env['CI']
  return {
    args,
    settings,
    sources: resolved.sources,
    canAsk,
    http,
    output,
    io,
    async need(...keys) {
      const found: Partial<Record<SettingKey, unknown>> = {}
      for (const key of keys) found[key] = settings[key]
      if (keys.some((key) => isMissing(settings[key])) && !canAsk) throw missingSettings(settings, keys)
      for (const key of keys) {
        if (!isMissing(settings[key])) continue
        const answer = await ask(key, io, (typed) => checkAnswer(key, typed, { ...settings, ...found }, http))
        if (isSecret(key)) resolved.secrets.push(String(answer))
        found[key] = answer
      }
      return found as { [P in (typeof keys)[number]]: Present<Values[P]> }
    },
  }
}

/** Asks the server about an answer, where it can tell right from wrong: true, or what is wrong with the answer. */
async function checkAnswer(
  key: SettingKey,
  answer: unknown,
  known: Partial<Record<SettingKey, unknown>>,
  http: Http,
): Promise<string | true> {
  const url = key === 'url' ? answer : known.url
  if ((key !== 'url' && key !== 'realm') || typeof url !== 'string') return true
  const { checkServer, discover } = await import('./keycloak/discovery.ts')
  // A retry would be shown on the very line on which the question stands.
  const quiet = { ...http, onRetry: () => undefined }
  try {
    if (key === 'url') await checkServer(quiet, url)
    else await discover(quiet, url, String(answer))
    return true
  } catch (error) {
    return messageOf(error)
  }
}

function isMissing(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.length === 0)
}

/**
 * Says which of `keys` are missing and how to give each.
 * @param others what else is missing, each with how to give it
 */
export function missingSettings(
  settings: Partial<Values>,
  keys: readonly SettingKey[],
  others: readonly string[] = [],
): KjitsiError {
  const missing = keys.filter((key) => isMissing(settings[key]))
  const lines = [...missing.map((key) => `${waysToGive(key)}: ${SETTINGS[key].help}`), ...others]
  const [only] = lines
  return lines.length === 1 && only !== undefined
    ? new KjitsiError('usage', `a setting is missing: ${only}`)
    : new KjitsiError('usage', `${lines.length} settings are missing:\n  ${lines.join('\n  ')}`)
}
