// Reads the address of a Jitsi, and what else it says of itself, from docker-jitsi-meet's `.env`.
import { resolve } from 'node:path'
import { KjitsiError, messageOf, systemCodeOf } from '../errors.ts'
import { readText } from '../files/read.ts'
import type { Io } from '../io.ts'
import { shownAddress } from '../shown.ts'
import { readEnv } from '../env-file/parse.ts'
import { jitsiOrigin } from './origin.ts'

/**
 * What compose reads from Jitsi's `.env`; nothing where there is none and none was named.
 * @param file as it was given, undefined for the `.env` of the working folder
 * @throws KjitsiError `usage` where the file cannot be read
 */
export async function readJitsiEnv(file: string | undefined, io: Io): Promise<ReadonlyMap<string, string>> {
  const name = file ?? JITSI_ENV
  const text = await readText(resolve(io.cwd, name), { code: 'usage' }).catch((error: unknown) => {
    if (file === undefined && NO_FILE.includes(systemCodeOf(error) ?? '')) return ''
    throw error
  })
  return readEnv(text, io.env, name)
}

/** Jitsi's `.env` where none is named. */
export const JITSI_ENV = '.env'

/**
 * The origin that PUBLIC_URL names, as compose reads the file; undefined where it is unset, or where there is no file
 * and none was named. Its default of https://localhost:8443 is nobody's public address, and does not count.
 * @param file as it was given, undefined for the `.env` of the working folder
 * @throws KjitsiError `usage` where the file cannot be read, or PUBLIC_URL is no address of a Jitsi
 */
export async function originOfEnv(file: string | undefined, io: Io): Promise<string | undefined> {
  const publicUrl = (await readJitsiEnv(file, io)).get('PUBLIC_URL')
  if (!publicUrl) return undefined
  try {
    return jitsiOrigin(publicUrl)
  } catch (error) {
    const shown = JSON.stringify(shownAddress(publicUrl))
    throw new KjitsiError('usage', `PUBLIC_URL ${shown} in ${file ?? JITSI_ENV} ${messageOf(error)}`, {
      hint: 'correct it there, or give --jitsi-url',
    })
  }
}

/**
 * The one address of a Jitsi: the one given, else what `originOfEnv` finds.
 * @throws KjitsiError `usage` as `originOfEnv`, and where several were given
 */
export async function givenOrigin(
  given: readonly string[],
  file: string | undefined,
  io: Io,
): Promise<string | undefined> {
  const [origin, ...others] = given
  if (origin === undefined) return originOfEnv(file, io)
  if (others.length === 0) return origin
  const message = `${given.length} addresses of Jitsi were given, and these files are for one`
  throw new KjitsiError('usage', message, { hint: 'write them once for each --jitsi-url' })
}

const NO_FILE = ['ENOENT', 'EISDIR', 'ENOTDIR', 'EACCES']
