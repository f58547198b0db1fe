// Gives each setting its value: flag over environment over settings file over default. Nothing else reads the environment.
import { parse as parseDotenv } from 'dotenv'
import { lstat } from 'node:fs/promises'
import { dirname, resolve as resolvePath } from 'node:path'
import { text as readStream } from 'node:stream/consumers'
import { KjitsiError, messageOf, systemCodeOf } from './errors.ts'
import { readText } from './files.ts'
import type { Io } from './io.ts'
import {
  type Definition,
  SETTINGS,
  type SettingKey,
  type Values,
  isSecret,
  isSwitch,
  waysToGive,
} from './settings.ts'
import { shownAddress } from './shown.ts'

/** Where a value came from; earlier ones win. */
export type Source = 'flag' | 'environment' | 'settings file' | 'default'

/** Values with where each came from. */
export interface Resolved<K extends SettingKey> {
  readonly values: Values<K>
  readonly sources: Readonly<Partial<Record<K, Source>>>
  /** Every secret among the values, to be kept out of all that is printed; one that is asked for later joins them. */
  readonly secrets: string[]
}

/** The name under which commander keeps the flag's value. */
function attributeName(flag: string): string {
  const words = flag
    .replace(/ .*/, '')
    .replace(/^--(no-)?/, '')
    .split('-')
  return words.map((word, i) => (i === 0 ? word : word.charAt(0).toUpperCase() + word.slice(1))).join('')
}

/**
 * Lays flag over environment over settings file over default, for each of `keys`.
 * An empty value is an unset one.
 * @param flags what commander read, only of flags that were really given
 * @param secrets gets every secret, those first, so that an error about another value does not show one either
 * @throws KjitsiError `usage` naming flag or environment name where a value cannot be read
 */
export async function resolveSettings<K extends SettingKey>(
  keys: readonly K[],
  flags: Readonly<Record<string, unknown>>,
  io: Io,
  secrets: string[] = [],
): Promise<Resolved<K>> {
  const file = await readSettingsFile(flags, io)
  const values: Partial<Record<SettingKey, unknown>> = {}
  const sources: Partial<Record<SettingKey, Source>> = {}
  const raws = [...keys]
    .sort((a, b) => Number(isSecret(b)) - Number(isSecret(a)))
    .map((key) => ({ key, given: rawValue(SETTINGS[key], flags, io, file) }))
  const onStdin = raws.flatMap(({ given }) => (given?.raw === '-' && given.pathBy ? [given.pathBy] : []))
  if (onStdin.length > 1) {
    throw new KjitsiError('usage', `${onStdin.join(' and ')}: only one secret can come from stdin (-)`, {
      hint: 'give the others by the path of a file, or in the environment',
    })
  }
  for (const { key, given } of raws) {
    const definition: Definition<unknown> = SETTINGS[key]
    const found = given?.pathBy
      ? { ...given, raw: await readSecret(String(given.raw), given.pathBy, definition.env, io) }
      : given
    if (found) sources[key] = found.source
    const parse = (text: string): unknown => {
      try {
        return definition.parse(text)
      } catch (error) {
        // A password may have been typed into an address.
        const shown = definition.secret ? '' : ` ${JSON.stringify(shownAddress(text))}`
        throw new KjitsiError('usage', `${found?.name ?? definition.env}${shown} ${messageOf(error)}`)
      }
    }
    if (typeof found?.raw === 'boolean') values[key] = found.raw
    else if (definition.repeat) values[key] = listOf(found?.raw).map(parse)
    else if (typeof found?.raw === 'string') values[key] = parse(found.raw)
    else values[key] = isSwitch(key) ? false : undefined
    if (definition.secret && typeof values[key] === 'string') secrets.push(values[key])
  }
  return { values: values as Values<K>, sources: sources, secrets }
}

interface Raw {
  readonly raw: string | boolean | readonly string[]
  readonly source: Source
  /** Flag or environment name, for an error about the value. */
  readonly name: string
  /** Flag or environment name by which the path of a secret's file was given, which `raw` then is. */
  readonly pathBy?: string
}

function rawValue(
  definition: Definition<unknown>,
  flags: Readonly<Record<string, unknown>>,
  io: Io,
  file: Readonly<Record<string, string>>,
): Raw | undefined {
  const flag = flags[attributeName(definition.flag)]
  const name = definition.flag.replace(/ .*/, '')
  if (typeof flag === 'string' && definition.secret) {
    return { raw: flag, source: 'flag', name, pathBy: name }
  }
  if (typeof flag === 'boolean' || (typeof flag === 'string' && flag !== ''))
    return { raw: flag, source: 'flag', name }
  if (Array.isArray(flag) && flag.length > 0) return { raw: flag as string[], source: 'flag', name }
  for (const [source, from] of [
    ['environment', io.env],
    ['settings file', file],
  ] as const) {
    const text = from[definition.env]
    if (text) return { raw: text, source, name: definition.env }
    const path = definition.secret && from[`${definition.env}_FILE`]
    if (path) return { raw: path, source, name: definition.env, pathBy: `${definition.env}_FILE` }
  }
  return definition.default === undefined ? undefined : { raw: definition.default, source: 'default', name }
}

function listOf(raw: Raw['raw'] | undefined): readonly string[] {
  if (typeof raw === 'string')
    return raw
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '')
  return Array.isArray(raw) ? (raw as readonly string[]).filter((item) => item !== '') : []
}

/** No password or token comes near it, and a key pair or a whole configuration was never meant. */
const MAX_SECRET_BYTES = 64_000

async function readSecret(path: string, name: string, env: string, io: Io): Promise<string> {
  const file = resolvePath(io.cwd, path)
  const hint = `${name} takes the path of a regular file, or - for stdin; the secret itself goes into ${env}`
  const text =
    path === '-'
      ? await readStream(io.stdin)
      : await readText(file, { code: 'usage', name, hint, maxBytes: MAX_SECRET_BYTES }).catch(
          async (error: unknown) => {
            if (await isPlausible(path, file)) throw error
            const message = `${name}: there is no such file (its path is not shown, as it may be the secret itself)`
            throw new KjitsiError('usage', message, { hint })
          },
        )
  // Editors and `echo` end a file with a newline that is no part of the secret.
  const secret = text.replace(/\r?\n$/, '')
  if (secret === '') throw new KjitsiError('usage', `${name}: ${path === '-' ? 'stdin' : path} is empty`)
  return secret
}

/** Whether what was given for the path of a secret's file is one, and not the secret: it, or its folder, is there. */
async function isPlausible(path: string, file: string): Promise<boolean> {
  const isThere = (place: string): Promise<boolean> =>
    lstat(place).then(
      () => true,
      () => false,
    )
  return (await isThere(file)) || (path.includes('/') && dirname(file) !== '/' && isThere(dirname(file)))
}

async function readSettingsFile(
  flags: Readonly<Record<string, unknown>>,
  io: Io,
): Promise<Readonly<Record<string, string>>> {
  if (io.env['KJITSI_ENV_FILE']) {
    throw new KjitsiError('usage', `KJITSI_ENV_FILE has another name now: ${SETTINGS.settingsFile.env}`, {
      hint: `set ${SETTINGS.settingsFile.env} in its place`,
    })
  }
  const flag = flags['settings']
  const named = (typeof flag === 'string' && flag) || io.env[SETTINGS.settingsFile.env]
  const path = resolvePath(io.cwd, named || '.env')
  if (named) {
    const name = typeof flag === 'string' && flag ? '--settings' : SETTINGS.settingsFile.env
    return parseDotenv(await readText(path, { code: 'usage', name }))
  }
  try {
    const hint = `kjitsi reads its settings there; ${waysToGive('settingsFile')} names another file`
    return parseDotenv(await readText(path, { code: 'usage', hint }))
  } catch (error) {
    // Nobody named it: another user's file and a folder, as Python's virtual environments are, are no settings of ours.
    if (['ENOENT', 'EISDIR', 'ENOTDIR', 'EACCES'].includes(systemCodeOf(error) ?? '')) return {}
    throw error
  }
}
