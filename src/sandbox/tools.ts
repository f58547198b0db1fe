// What a machine has for running a Keycloak, and the one sentence about what it lacks.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { KjitsiError, systemCodeOf } from '../errors.ts'

type Env = Readonly<Record<string, string | undefined>>

/** How a Keycloak can be started here. */
export type Way = 'java' | 'docker'

const OLDEST_JAVA = 17

/**
 * Chooses Java where it will do, else docker.
 * @param fetched whether the distribution is there already, so that Maven is not needed
 * @throws KjitsiError `server` that says what was found missing and what to install
 */
export async function chooseWay(env: Env, fetched: boolean): Promise<Way> {
  const lacks = [
    await lackOfJava(env),
    fetched || (await isThere('mvn', env)) ? [] : ['Maven (mvn) is missing'],
  ].flat()
  if (lacks.length === 0) return 'java'
  if ((await ask('docker', ['info'], env)) !== undefined) return 'docker'
  throw new KjitsiError(
    'server',
    `no Keycloak can be started here: ${lacks.join(', ')}, and no docker daemon answers; ` +
      `install Java ${OLDEST_JAVA} or newer and Maven ` +
      '(Debian: apt-get install default-jre-headless maven), or start docker',
  )
}

async function lackOfJava(env: Env): Promise<readonly string[]> {
  // As Keycloak's own start script looks for it.
  const command = env['JAVA'] || (env['JAVA_HOME'] ? `${env['JAVA_HOME']}/bin/java` : 'java')
  const version = javaVersion((await ask(command, ['-version'], env)) ?? '')
  if (version === undefined) return [`Java is missing (${command} does not run)`]
  return version < OLDEST_JAVA ? [`Java ${version} is too old (${command})`] : []
}

/** The major version in what `java -version` prints: 8 of `1.8.0_402`, 17 of `17.0.15`, 24 of `24-ea`. */
export function javaVersion(printed: string): number | undefined {
  const [, first, second] = /version "(\d+)(?:\.(\d+))?/.exec(printed) ?? []
  if (first === undefined) return undefined
  return Number(first === '1' ? second : first)
}

/** What a program prints, undefined where it is not there or fails. */
async function ask(command: string, args: readonly string[], env: Env): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await promisify(execFile)(command, args, { env, timeout: 20_000 })
    return stdout + stderr
  } catch {
    return undefined
  }
}

/** Whether a program is there, though it may fail: Maven does where only Java is missing. */
async function isThere(command: string, env: Env): Promise<boolean> {
  try {
    await promisify(execFile)(command, ['--version'], { env, timeout: 20_000 })
    return true
  } catch (error) {
    return systemCodeOf(error) !== 'ENOENT'
  }
}
