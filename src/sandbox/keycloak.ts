// A throw-away Keycloak on a loopback port, for the demo and for the tests. It ends with the process that started it.
import { randomUUID } from 'node:crypto'
import { mkdtemp } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { KjitsiError } from '../errors.ts'
import {
  KEYCLOAK_VERSION,
  distributionFolder,
  fetchDistribution,
  isFetched,
  keepBuilt,
  layHome,
} from './distribution.ts'
import { type Supervised, supervise } from './supervise.ts'
import { chooseWay, findTools } from './tools.ts'

export interface Sandbox {
  /** Address with its base path and without a slash at the end. */
  readonly url: string
  /** The administrator of the master realm. */
  readonly user: string
  readonly password: string
  readonly version: string
  /** Of the process group: `kill -- -PID` ends it. */
  readonly pid: number
  /** Lets it outlive this process. */
  keep(): void
  stop(): Promise<void>
}

export interface SandboxOptions {
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly signal?: AbortSignal
  /** Told what is under way, about once a second, with the seconds it has taken so far. */
  readonly onProgress?: (what: string, seconds: number) => void
  /** Default: a free one. */
  readonly port?: number
  /** Such as `/auth`, the base path of old servers. */
  readonly relativePath?: string
  /** Folder for the database, which is then still there for the next start. Default: one that goes with the server. */
  readonly dataDir?: string
  /** Of the administrator, which counts at the first start on a `dataDir` only. Default: a random one. */
  readonly password?: string
}

const START_LIMIT_SECONDS = 240
const IMAGE = `quay.io/keycloak/keycloak:${KEYCLOAK_VERSION}`

/**
 * Starts a Keycloak and waits until it answers.
 * @throws KjitsiError `server` where it cannot be fetched or does not start, with the last lines of its log, or where
 *   neither Java nor docker is there
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { env = process.env, signal = new AbortController().signal, onProgress = () => undefined } = options
  const distribution = distributionFolder(env)
  const way = chooseWay(await findTools(env), await isFetched(distribution))
  if (way === 'java') {
    const fetched = fetchDistribution(distribution, env, signal)
    await during(fetched, (seconds) => {
      onProgress(`fetching Keycloak ${KEYCLOAK_VERSION} (177 MB, once)`, seconds)
    })
  }
  const { relativePath = '', password = randomUUID() } = options
  const port = options.port ?? (await freePort())
  const home = await mkdtemp(join(tmpdir(), 'kjitsi-keycloak-'))
  const server: Server = { home, port, relativePath, password, env, dataDir: options.dataDir }
  if (way === 'java') await layHome(distribution, home, options.dataDir ?? join(home, 'database'))
  const running = await (way === 'java' ? startJava(server) : startDocker(server))
  const url = `http://127.0.0.1:${port}${relativePath}`
  try {
    await during(ready(url, running, signal), (seconds) => {
      onProgress(`starting Keycloak ${KEYCLOAK_VERSION}`, seconds)
    })
    if (way === 'java' && relativePath === '') await keepBuilt(distribution, home)
  } catch (error) {
    await running.stop()
    throw error
  }
  const { pid } = running
  return {
    url,
    user: 'admin',
    password,
    version: KEYCLOAK_VERSION,
    pid,
    keep: running.keep,
    stop: running.stop,
  }
}

interface Server {
  readonly home: string
  readonly port: number
  readonly relativePath: string
  readonly password: string
  readonly dataDir: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
}

function startJava({ home, port, relativePath, password, env }: Server): Promise<Supervised> {
  const path = relativePath === '' ? [] : [`--http-relative-path=${relativePath}`]
  const command = [
    'sh',
    join(home, 'bin/kc.sh'),
    'start-dev',
    '--http-host=127.0.0.1',
    `--http-port=${port}`,
    ...path,
  ]
  // Nothing else of the environment: KC_* variables meant for another server would set up this one.
  const { PATH, HOME, JAVA, JAVA_HOME } = env
  return supervise(command, home, {
    PATH,
    HOME,
    JAVA,
    JAVA_HOME,
    KC_BOOTSTRAP_ADMIN_USERNAME: 'admin',
    KC_BOOTSTRAP_ADMIN_PASSWORD: password,
    // Compiled quickly rather than well, for a server that lives for minutes; nothing left behind in the system's /tmp.
    JAVA_OPTS_APPEND: `-XX:TieredStopAtLevel=1 -XX:-UsePerfData "-Djava.io.tmpdir=${home}/tmp"`,
  })
}

function startDocker({ home, port, relativePath, password, dataDir, env }: Server): Promise<Supervised> {
  const path = relativePath === '' ? [] : [`--http-relative-path=${relativePath}`]
  const volume = dataDir === undefined ? [] : ['--volume', `${dataDir}:/opt/keycloak/data`]
  const publish = `127.0.0.1:${port}:8080`
  const login = ['--env', 'KC_BOOTSTRAP_ADMIN_USERNAME', '--env', 'KC_BOOTSTRAP_ADMIN_PASSWORD']
  return supervise(
    ['docker', 'run', '--rm', '--publish', publish, ...volume, ...login, IMAGE, 'start-dev', ...path],
    home,
    {
      ...env,
      KC_BOOTSTRAP_ADMIN_USERNAME: 'admin',
      KC_BOOTSTRAP_ADMIN_PASSWORD: password,
    },
  )
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('a TCP server without a port')
  return address.port
}

async function ready(url: string, running: Supervised, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + START_LIMIT_SECONDS * 1000
  let alive = true
  void running.ended.then(() => {
    alive = false
  })
  while (!(await answers(`${url}/realms/master`))) {
    signal.throwIfAborted()
    const slow = performance.now() > deadline
    if (!alive || slow) {
      const what = alive
        ? `did not answer within ${START_LIMIT_SECONDS} seconds`
        : 'ended before it was ready'
      throw new KjitsiError(
        'server',
        `Keycloak at ${url} ${what}; its last lines:\n${await running.lastLines(15)}`,
      )
    }
    await sleep(200)
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5000) })
    await response.body?.cancel()
    return response.status === 200
  } catch {
    return false
  }
}

/** Reports once a second how long a task has been running. */
async function during(task: Promise<void>, report: (seconds: number) => void): Promise<void> {
  const started = performance.now()
  const timer = setInterval(() => {
    report(Math.round((performance.now() - started) / 1000))
  }, 1000)
  try {
    await task
  } finally {
    clearInterval(timer)
  }
}
