// What is asked of the machine before a Keycloak is started, and the sentence where it has too little.
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { startSandbox } from '../../src/sandbox/keycloak.ts'
import { chooseWay, javaVersion } from '../../src/sandbox/tools.ts'
import { tempFolder } from '../support/folder.ts'

let bin: string

beforeEach(() => {
  bin = tempFolder()
})

/** Programs of the test's own, by name and script; nothing else is on the PATH. */
async function machine(programs: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  for (const [name, script] of Object.entries(programs)) {
    await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`)
    await chmod(join(bin, name), 0o755)
  }
  return { PATH: bin, HOME: bin, XDG_CACHE_HOME: join(bin, 'cache') }
}

const java = (version: string): string => `echo 'openjdk version "${version}" 2026-01-01' >&2`
const MAVEN = 'exit 1'
const DOCKER = 'exit 0'
const INSTALL =
  'install Java 17 or newer and Maven (Debian: apt-get install default-jre-headless maven), or start docker'

describe('how a Keycloak is started', () => {
  test.each([
    ['with Java and Maven', { java: java('17.0.15'), mvn: MAVEN }, false, 'java'],
    ['with Java alone, once it was fetched', { java: java('21') }, true, 'java'],
    ['in docker without Maven', { java: java('21'), docker: DOCKER }, false, 'docker'],
    [
      'in docker where Java is too old',
      { java: java('11.0.2'), mvn: MAVEN, docker: DOCKER },
      false,
      'docker',
    ],
  ] as const)('%s', async (_, programs, fetched, way) => {
    expect(await chooseWay(await machine(programs), fetched)).toBe(way)
  })

  test.each([
    ['nothing', {}, false, 'Java is missing (java does not run), Maven (mvn) is missing'],
    ['nothing but the distribution', {}, true, 'Java is missing (java does not run)'],
    ['no Maven', { java: java('17') }, false, 'Maven (mvn) is missing'],
    ['an old Java', { java: java('1.8.0_402'), mvn: MAVEN }, false, 'Java 8 is too old (java)'],
    [
      'a docker without a daemon',
      { mvn: MAVEN, docker: 'exit 1' },
      false,
      'Java is missing (java does not run)',
    ],
  ])('where there is %s, what is missing is named', async (_, programs, fetched, lacks) => {
    await expect(chooseWay(await machine(programs), fetched)).rejects.toMatchObject({
      code: 'server',
      message: `no Keycloak can be started here: ${lacks}, and no docker daemon answers; ${INSTALL}`,
    })
  })

  test('with the Java that JAVA_HOME names, as Keycloak itself looks for it', async () => {
    const env = await machine({ java: java('21'), mvn: MAVEN })
    await expect(chooseWay({ ...env, JAVA_HOME: '/no/jdk' }, false)).rejects.toThrow(
      'Java is missing (/no/jdk/bin/java does not run)',
    )
  })

  test('never, in that sentence, where startSandbox finds nothing to start it with', async () => {
    await expect(startSandbox({ env: await machine({}) })).rejects.toThrow(INSTALL)
  })
})

test('a container is removed by its name, even where its client would leave it', async () => {
  const said = join(bin, 'said')
  const docker = `echo "$@" >>'${said}'; [ "$1" != run ] || exec sleep 3600`
  const env = await machine({ docker })
  const controller = new AbortController()
  const started = startSandbox({
    env: { ...env, PATH: `${bin}:${process.env['PATH']}`, JAVA: '/no/java' },
    signal: controller.signal,
  })
  const linesOf = async (): Promise<readonly string[]> => (await readFile(said, 'utf8')).trim().split('\n')
  await vi.waitUntil(async () => (await linesOf().catch(() => [])).length === 2, { timeout: 10_000 })
  controller.abort(new Error('enough'))
  await expect(started).rejects.toThrow('enough')
  const [info, run = '', ...then] = await linesOf()
  const [, name] = /^run --rm --init --name (kjitsi-\S+) --publish 127\.0\.0\.1:/.exec(run) ?? []
  expect([info, ...then]).toEqual(['info', `rm --force ${name}`])
  expect(await readFile(said, 'utf8')).not.toContain('ADMIN_PASSWORD=')
})

test.each([
  ['openjdk version "17.0.15" 2025-04-15', 17],
  ['openjdk version "24-ea" 2025-03-18', 24],
  ['java version "1.8.0_402"', 8],
  ['Picked up _JAVA_OPTIONS: -Xmx1g\nopenjdk version "21" 2023-09-19', 21],
  ['The operation couldn’t be completed. Unable to locate a Java Runtime.', undefined],
])('javaVersion(%j) is %j', (printed, version) => {
  expect(javaVersion(printed)).toBe(version)
})
