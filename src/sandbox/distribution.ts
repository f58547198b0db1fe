// Keycloak's distribution, fetched once by Maven into a cache outside the checkout, and a home for each server on it.
import { randomUUID } from 'node:crypto'
import { access, cp, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { KjitsiError, systemCodeOf } from '../errors.ts'
import { supervise } from './supervise.ts'

export const KEYCLOAK_VERSION = '26.7.3'
const ARTIFACT = `org.keycloak:keycloak-quarkus-dist:${KEYCLOAK_VERSION}:zip`
const NAME = `keycloak-${KEYCLOAK_VERSION}`

type Env = Readonly<Record<string, string | undefined>>

/** The folder that the unpacked distribution is, or will be, in. A relative XDG_CACHE_HOME is to be ignored. */
export function distributionFolder(env: Env): string {
  const { XDG_CACHE_HOME: cache = '' } = env
  return join(isAbsolute(cache) ? cache : join(env['HOME'] ?? homedir(), '.cache'), 'kjitsi', NAME)
}

export async function isFetched(folder: string): Promise<boolean> {
  return access(folder).then(
    () => true,
    () => false,
  )
}

/**
 * Has Maven fetch and unpack the distribution, unless it is there. Only a whole one ever gets its final name: each
 * process works in a folder of its own, and the first to finish wins.
 * @throws KjitsiError `server` with Maven's last lines
 */
export async function fetchDistribution(folder: string, env: Env, signal: AbortSignal): Promise<void> {
  if (await isFetched(folder)) return
  const work = `${folder}.${randomUUID()}`
  await mkdir(work, { recursive: true, mode: 0o700 })
  try {
    // `unpack` fetches as `copy` does and needs no tool for zip files; a checksum that differs is an error.
    const arguments_ = [
      '-q',
      '-B',
      '-C',
      'dependency:unpack',
      `-Dartifact=${ARTIFACT}`,
      '-DoutputDirectory=unpacked',
    ]
    const maven = await supervise(['mvn', ...arguments_], work, env)
    const stop = (): void => void maven.stop()
    signal.addEventListener('abort', stop)
    const ok = await maven.ended
    signal.removeEventListener('abort', stop)
    signal.throwIfAborted()
    const unpacked = join(work, 'unpacked', NAME)
    if (!ok || !(await isWhole(unpacked))) {
      throw new KjitsiError('server', `Maven could not fetch ${ARTIFACT}:\n${await maven.lastLines(10)}`, {
        hint: 'is there a way to the network, or a mirror in ~/.m2/settings.xml?',
      })
    }
    await maven.stop()
    await takePlace(unpacked, folder)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function isWhole(unpacked: string): Promise<boolean> {
  const version = await readFile(join(unpacked, 'version.txt'), 'utf8').catch(() => '')
  return version.includes(KEYCLOAK_VERSION)
}

/** Gives a folder its final name; where another process was first, its folder stays. */
async function takePlace(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST'].includes(systemCodeOf(error) ?? '')) throw error
  }
}

/** Where a server's rebuilt part is kept for the next one. */
const builtFolder = (distribution: string): string => `${distribution}-built`

/**
 * Lays out a home for one server: the parts that are only read are links, the part that Keycloak writes when it
 * rebuilds itself for its options is a copy, so that no server changes another's code.
 * @param dataDir holds the database; made if missing
 */
export async function layHome(distribution: string, home: string, dataDir: string): Promise<void> {
  for (const part of ['bin', 'lib', 'tmp']) await mkdir(join(home, part))
  await mkdir(dataDir, { recursive: true })
  await symlink(dataDir, join(home, 'data'))
  for (const part of ['conf', 'providers', 'themes', 'lib/app', 'lib/lib']) {
    await symlink(join(distribution, part), join(home, part))
  }
  // The script and the jar find the home by their own place, links resolved.
  for (const part of ['bin/kc.sh', 'lib/quarkus-run.jar'])
    await cp(join(distribution, part), join(home, part))
  const built = builtFolder(distribution)
  const quarkus = (await isFetched(built)) ? built : join(distribution, 'lib/quarkus')
  await cp(quarkus, join(home, 'lib/quarkus'), { recursive: true })
}

/** Keeps what Keycloak built at its first start, which saves the next ones a good part of their time. */
export async function keepBuilt(distribution: string, home: string): Promise<void> {
  const built = builtFolder(distribution)
  if (await isFetched(built)) return
  const copy = `${built}.${randomUUID()}`
  await cp(join(home, 'lib/quarkus'), copy, { recursive: true })
  await takePlace(copy, built)
  await rm(copy, { recursive: true, force: true })
}
