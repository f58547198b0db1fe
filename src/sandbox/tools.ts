// What a machine has for running a Keycloak, and the one sentence about what it lacks.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { KjitsiError } from '../errors.ts'

type Env = Readonly<Record<string, string | undefined>>

/** What was found: versions where they matter. */
export interface Tools {
  /** Major version; undefined where there is none. */
  readonly java: number | undefined
  readonly maven: boolean
  /** Whether a docker daemon answers. */
  readonly docker: boolean
}

/** How a Keycloak can be started here. */
export type Way = 'java' | 'docker'

export const OLDEST_JAVA = 17

/** Looks for Java, Maven and docker, running each once. */
export async function findTools(env: Env): Promise<Tools> {
  // As Keycloak's own start script looks for it.
  const command = env['JAVA'] ?? (env['JAVA_HOME'] ? `${env['JAVA_HOME']}/bin/java` : 'java')
  const [java, maven, docker] = await Promise.all([
    output(command, ['-version'], env),
    output('mvn', ['--version'], env),
    output('docker', ['info'], env),
  ])
  return { java: javaVersion(java ?? ''), maven: maven !== undefined, docker: docker !== undefined }
}

async function output(command: string, args: readonly string[], env: Env): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await promisify(execFile)(command, args, { env, timeout: 20_000 })
    return stdout + stderr
  } catch {
    return undefined
  }
}

/** The major version in what `java -version` prints: 8 of `1.8.0_402`, 17 of `17.0.15`, 24 of `24-ea`. */
export function javaVersion(printed: string): number | undefined {
  const [, first, second] = /version "(\d+)(?:\.(\d+))?/.exec(printed) ?? []
  if (first === undefined) return undefined
  return Number(first === '1' ? second : first)
}

/**
 * Chooses Java where it will do, else docker.
 * @param fetched whether the distribution is there already, so that Maven is not needed
 * @throws KjitsiError `server` that says what was found missing and what to install
 */
export function chooseWay(tools: Tools, fetched: boolean): Way {
  const lacks = [
    ...(tools.java === undefined ? ['Java is missing'] : []),
    ...(tools.java !== undefined && tools.java < OLDEST_JAVA ? [`Java ${tools.java} is too old`] : []),
    ...(tools.maven || fetched ? [] : ['Maven (mvn) is missing']),
  ]
  if (lacks.length === 0) return 'java'
  if (tools.docker) return 'docker'
  throw new KjitsiError(
    'server',
    `no Keycloak can be started here: ${lacks.join(', ')}, and no docker daemon answers. Install Java ${OLDEST_JAVA} or ` +
      'newer and Maven (Debian, Ubuntu: apt-get install default-jre-headless maven), or start docker',
  )
}
