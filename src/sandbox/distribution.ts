// Keycloak's distribution, fetched once by Maven into a cache outside the checkout, and a home for each
// server on it.
import { randomUUID } from 'node:crypto'
import { access, copyFile, cp, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { KjitsiError, systemCodeOf } from '../errors.ts'
import { makeFolder } from '../files/write.ts'
import { supervise } from './supervise.ts'

export const KEYCLOAK_VERSION = '26.7.3'
const NAME = `keycloak-${KEYCLOAK_VERSION}`
const ARTIFACT = `org.keycloak:keycloak-quarkus-dist:${KEYCLOAK_VERSION}:zip`
// `unpack` fetches as `copy` does and needs no tool for zip files. -C: a checksum that differs is an error.
const MAVEN = [
  'mvn',
  '-q',
  '-B',
  '-C',
  'dependency:unpack',
  `-Dartifact=${ARTIFACT}`,
  '-DoutputDirectory=unpacked',
]

type Env = Readonly<Record<string, string | undefined>>

/**
 * The folder that the unpacked distribution is, or will be, in. By its specification, XDG_CACHE_HOME is
 * absolute.
 */
export function distributionFolder(env: Env): string {
  const { XDG_CACHE_HOME: cache = '', HOME: home = homedir() } = env
  return join(isAbsolute(cache) ? cache : join(home, '.cache'), 'kjitsi', NAME)
}

export async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

/**
 * Has Maven fetch and unpack the distribution, unless it is there. Only a whole one ever gets its final name:
 * each process works in a folder of its own beside it, and the first to finish wins.
 * @throws KjitsiError `server` with Maven's last lines
 */
export async function fetchDistribution(folder: string, env: Env, signal: AbortSignal): Promise<void> {
  if (await isThere(folder)) return
  const work = `${folder}.${randomUUID()}`
  await makeFolder(work, 0o700)
  try {
    const maven = await supervise(MAVEN, work, env)
    const stop = (): void => void maven.stop()
    signal.addEventListener('abort', stop)
    try {
      const ok = await maven.ended
      signal.throwIfAborted()
      const unpacked = join(work, 'unpacked', NAME)
      if (!ok || !(await isWhole(unpacked))) {
        throw new KjitsiError('server', `Maven could not fetch ${ARTIFACT}:\n${await maven.lastLines(10)}`, {
          hint: 'is there a way to the network, or a mirror in ~/.m2/settings.xml?',
        })
      }
      await takePlace(unpacked, folder)
    } finally {
      signal.removeEventListener('abort', stop)
      await maven.stop()
    }
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function isWhole(unpacked: string): Promise<boolean> {
  const version = await readFile(join(unpacked, 'version.txt'), 'utf8').catch(() => '')
  return version.includes(KEYCLOAK_VERSION) && (await isThere(join(unpacked, 'bin/kc.sh')))
}

/** Gives a folder its final name; where another process was first, that one's stays. */
async function takePlace(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST'].includes(systemCodeOf(error) ?? '')) throw error
  }
}

/**
 * Lays out a home for one server: what Keycloak only reads are links, what it writes when it rebuilds itself
 * for its options is a copy, so that no server changes another's code under its feet.
 * @param dataDir holds the database; made if missing
 */
export async function layHome(distribution: string, home: string, dataDir: string): Promise<void> {
  await makeFolder(dataDir, 0o700)
  for (const part of ['bin', 'lib', 'tmp']) await mkdir(join(home, part))
  await symlink(dataDir, join(home, 'data'))
  for (const part of ['conf', 'providers', 'themes', 'lib/app', 'lib/lib']) {
    await symlink(join(distribution, part), join(home, part))
  }
  // Script and jar find the home by their own place, links resolved.
  for (const part of ['bin/kc.sh', 'lib/quarkus-run.jar']) {
    await copyFile(join(distribution, part), join(home, part))
  }
  const built = builtFolder(distribution)
  const code = (await isThere(built)) ? built : join(distribution, 'lib/quarkus')
  await cp(code, join(home, 'lib/quarkus'), { recursive: true })
}

/** Where the code that Keycloak builds for itself is kept. */
function builtFolder(distribution: string): string {
  return `${distribution}-built`
}

/** Keeps what Keycloak built at its first start, which takes longer than all the rest of a start. */
export async function keepBuilt(distribution: string, home: string): Promise<void> {
  const built = builtFolder(distribution)
  if (await isThere(built)) return
  const copy = `${built}.${randomUUID()}`
  try {
    await cp(join(home, 'lib/quarkus'), copy, { recursive: true })
    await takePlace(copy, built)
  } finally {
    await rm(copy, { recursive: true, force: true })
  }
}
