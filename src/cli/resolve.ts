// Gives each setting its value: flag over environment over settings file over default. Nothing else reads the environment.
import { parse as parseDotenv } from 'dotenv'
import { lstat } from 'node:fs/promises'
import { basename, dirname, resolve as resolvePath } from 'node:path'
import { text as readStream } from 'node:stream/consumers'
import { checkReadAlike } from '../env-file/compare.ts'
import { KjitsiError, messageOf, systemCodeOf } from '../errors.ts'
import { readText } from '../files/read.ts'
import type { Finding } from '../finding.ts'
import type { Io } from '../io.ts'
import { shownAddress } from '../shown.ts'
import { COMMON } from './common.ts'
import {
  type Former,
  type Setting,
  type SettingTable,
  type ValuesOf,
  attributeName,
  flagName,
  isSwitch,
  replacedBy,
  waysToGive,
} from './setting.ts'

/** Where a value came from; earlier ones win. */
export const SOURCES = ['flag', 'environment', 'settings file', 'default'] as const
export type Source = (typeof SOURCES)[number]

/** Values with where each came from. */
export interface Resolved<S extends SettingTable> {
  readonly values: ValuesOf<S>
  readonly sources: Readonly<Partial<Record<keyof S, Source>>>
  /** About how values were read. */
  readonly findings: readonly Finding[]
  /** Every secret among the values, to be kept out of all that is printed; one that is asked for later joins them. */
  readonly secrets: string[]
}

/**
 * Lays flag over environment over settings file over default, for each setting of `table`.
 * Blanks around a value go, as they do at a prompt, but not those of a secret; an empty value is an unset one.
 * @param flags what commander read, only of flags that were really given
 * @param secrets gets every secret, those first, so that an error about another value does not show one either
 * @param former names in the environment that settings had once
 * @throws KjitsiError `usage` naming flag or environment name where a value cannot be read, or for a former name
 */
export async function resolveSettings<S extends SettingTable>(
  table: S,
  flags: Readonly<Record<string, unknown>>,
  io: Io,
  secrets: string[] = [],
  former: Former = {},
): Promise<Resolved<S>> {
  refuseFormer(table, io.env, former, 'the environment')
  const file = await readSettingsFile(table, flags, io, former)
  const values: Record<string, unknown> = {}
  const findings: Finding[] = []
  const sources: Record<string, Source> = {}
  const secretsFirst = ([, a]: [string, Setting], [, b]: [string, Setting]): number =>
    Number(b.secret ?? false) - Number(a.secret ?? false)
  const raws = Object.entries(table)
    .sort(secretsFirst)
    .map(([key, setting]) => ({ key, setting, given: rawValue(setting, flags, io, file) }))
  const onStdin = raws.flatMap(({ given }) => (given?.raw === '-' && given.pathBy ? [given.pathBy] : []))
  if (onStdin.length > 1) {
    throw new KjitsiError('usage', `${onStdin.join(' and ')}: only one secret can come from stdin (-)`, {
      hint: 'give the others by the path of a file, or in the environment',
    })
  }
  for (const { key, setting, given } of raws) {
    const found = given?.pathBy
      ? { ...given, raw: await readSecret(String(given.raw), given.pathBy, setting.env, io) }
      : given
    if (found) sources[key] = found.source
    values[key] = valueOf(setting, found, findings)
    if (setting.secret && typeof values[key] === 'string') secrets.push(values[key])
  }
  return { values: values as ValuesOf<S>, sources: sources as Resolved<S>['sources'], findings, secrets }
}

/** A value under a former name is not overlooked without a word. */
function refuseFormer(
  table: SettingTable,
  env: Readonly<Record<string, string | undefined>>,
  former: Former,
  place: string,
): void {
  for (const name of Object.keys(former)) {
    const now = env[name] ? replacedBy(name, Object.values(table), former) : undefined
    if (now !== undefined)
      throw new KjitsiError('usage', `${name} was replaced by ${now}`, { hint: `correct it in ${place}` })
  }
}

function valueOf(setting: Setting, found: Raw | undefined, findings: Finding[]): unknown {
  const parse = (text: string): unknown => {
    try {
      const value = setting.parse(text)
      findings.push(...[setting.advise?.(text) ?? []].flat())
      return value
    } catch (error) {
      // A password may have been typed into an address.
      const shown = setting.secret ? '' : ` ${JSON.stringify(shownAddress(text))}`
      throw new KjitsiError('usage', `${found?.name ?? flagName(setting)}${shown} ${messageOf(error)}`)
    }
  }
  const raw = found?.raw
  if (typeof raw === 'boolean') return raw
  if (setting.repeat) return itemsOf(raw).map(parse)
  if (typeof raw === 'string') return parse(raw)
  return isSwitch(setting) ? false : undefined
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
  setting: Setting,
  flags: Readonly<Record<string, unknown>>,
  io: Io,
  file: Readonly<Record<string, string>>,
): Raw | undefined {
  const { env, secret } = setting
  const given = flags[attributeName(setting)]
  const flag = typeof given === 'string' ? given.trim() : given
  const name = flagName(setting)
  if (typeof flag === 'boolean') return { raw: flag, source: 'flag', name }
  if (typeof flag === 'string' && flag !== '') {
    return { raw: flag, source: 'flag', name, ...(secret && { pathBy: name }) }
  }
  if (Array.isArray(flag) && itemsOf(flag as string[]).length > 0) {
    return { raw: flag as string[], source: 'flag', name }
  }
  for (const [source, from] of [
    ['environment', io.env],
    ['settings file', file],
  ] as const) {
    if (env === undefined) continue
    const text = secret ? from[env] : from[env]?.trim()
    if (text) return { raw: text, source, name: env }
    const path = secret && from[`${env}_FILE`]?.trim()
    if (path) return { raw: path, source, name: env, pathBy: `${env}_FILE` }
  }
  return setting.default === undefined ? undefined : { raw: setting.default, source: 'default', name }
}

/** In the environment, a comma or a newline ends an item; a flag has one item each time. */
function itemsOf(raw: Raw['raw'] | undefined): readonly string[] {
  const items =
    typeof raw === 'string' ? raw.split(/[,\n]/) : Array.isArray(raw) ? (raw as readonly string[]) : []
  return items.flatMap((item) => item.trim() || [])
}

/** No password or token comes near it, and a key pair or a whole configuration was never meant. */
const MAX_SECRET_BYTES = 64_000

async function readSecret(path: string, name: string, env: string | undefined, io: Io): Promise<string> {
  const file = resolvePath(io.cwd, path)
  const hint = `${name} takes the path of a regular file, or - for stdin; the secret itself goes into ${env ?? 'the environment'}`
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
  table: SettingTable,
  flags: Readonly<Record<string, unknown>>,
  io: Io,
  former: Former,
): Promise<Readonly<Record<string, string>>> {
  const named = rawValue(COMMON.settings, flags, io, {})
  const path = resolvePath(io.cwd, named === undefined ? '.env' : String(named.raw))
  if (named !== undefined) {
    return readSettings(await readText(path, { code: 'usage', name: named.name }), path, table, io, former)
  }
  try {
    const hint = `kjitsi reads its settings there; ${waysToGive(COMMON.settings)} names another file`
    return readSettings(await readText(path, { code: 'usage', hint }), path, table, io, former)
  } catch (error) {
    // Nobody named it: another user's file and a folder, as Python's virtual environments are, are no settings of ours.
    if (['ENOENT', 'EISDIR', 'ENOTDIR', 'EACCES'].includes(systemCodeOf(error) ?? '')) return {}
    throw error
  }
}

/** A `.env` is compose's as well, and must not tell it something else. */
function readSettings(
  text: string,
  path: string,
  table: SettingTable,
  io: Io,
  former: Former,
): Readonly<Record<string, string>> {
  const read = parseDotenv(text)
  refuseFormer(table, read, former, path)
  const names = Object.values(table).flatMap(({ env, secret }) =>
    env === undefined ? [] : [env, ...(secret ? [`${env}_FILE`] : [])],
  )
  // XMPP_DOMAIN is Jitsi's, and what goes beside its `.env` takes it from there as compose reads it.
  const ours = names.filter((name) => /^(?:KJITSI|KEYCLOAK)_/.test(name))
  if (basename(path) === '.env') checkReadAlike(text, read, ours, io.env, path)
  return read
}
