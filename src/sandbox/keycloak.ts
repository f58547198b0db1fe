// A throw-away Keycloak on a loopback port, for the demo and for the tests. It ends with the process that
// started it.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { KjitsiError, messageOf } from '../errors.ts'
import { limited } from '../http/limit.ts'
import {
  KEYCLOAK_VERSION,
  distributionFolder,
  fetchDistribution,
  isThere,
  keepBuilt,
  layHome,
} from './distribution.ts'
import { type Supervised, supervise } from './supervise.ts'
import { chooseWay } from './tools.ts'

export interface Sandbox {
  /** Address, without a slash at the end. */
  readonly url: string
  /** The administrator of the master realm. */
  readonly user: string
  readonly password: string
  readonly version: string
  /** Of the process group, which `kill -- -PID` ends. */
  readonly pid: number
  /** Its own folder, for whatever is to go when it goes. */
  readonly folder: string
  /** Lets it outlive this process. */
  readonly keep: () => Promise<void>
  readonly stop: () => Promise<void>
}

export interface SandboxOptions {
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly signal?: AbortSignal
  /** Told at once, and then once a second, what is under way and for how many seconds. */
  readonly onProgress?: (what: string, seconds: number) => void
  /** Default: a free one. */
  readonly port?: number
  /**
   * Folder of the database, which is still there for a later start. Default: one that goes with the server.
   */
  readonly dataDir?: string
  /** Of the administrator; counts at the first start on a `dataDir` only. Default: a random one. */
  readonly password?: string
}

/** A slow machine that rebuilds Keycloak, or docker pulling its image, takes its time. */
const START_LIMIT_SECONDS = 300
const IMAGE = `quay.io/keycloak/keycloak:${KEYCLOAK_VERSION}`
const USER = 'admin'

/**
 * Starts a Keycloak and waits until it answers.
 * @throws KjitsiError `server` where neither Java with Maven nor docker is there, where it cannot be fetched,
 *   or where it does not start, with the last lines of its log
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { env = process.env, signal = new AbortController().signal, onProgress = () => undefined } = options
  signal.throwIfAborted()
  if (process.platform === 'win32') {
    throw new KjitsiError('server', 'no Keycloak can be started from Windows itself; use kjitsi inside WSL')
  }
  const { password = randomUUID(), dataDir } = options
  const distribution = distributionFolder(env)
  const fetched = await isThere(distribution)
  const way = await chooseWay(env, fetched)
  if (way === 'java' && !fetched) {
    const what = `fetching Keycloak ${KEYCLOAK_VERSION} (177 MB, the first time only)`
    await during(fetchDistribution(distribution, env, signal), what, onProgress)
  }
  const port = await freePort(options.port)
  const server: Server = { port, password, dataDir, env }
  const home = await mkdtemp(join(tmpdir(), 'kjitsi-keycloak-'))
  let running: Supervised | undefined
  try {
    if (way === 'java') await layHome(distribution, home, dataDir ?? join(home, 'database'))
    running = await (way === 'java' ? startJava(server, home) : startDocker(server, home))
    const url = `http://127.0.0.1:${port}`
    await during(untilReady(url, running, signal), `starting Keycloak ${KEYCLOAK_VERSION}`, onProgress)
    if (way === 'java') await keepBuilt(distribution, home)
    const { pid, keep, stop } = running
    return { url, user: USER, password, version: KEYCLOAK_VERSION, pid, folder: home, keep, stop }
  } catch (error) {
    // Docker has a container to take down; a Keycloak that is still starting would only take its time to end.
    await (way === 'java' ? running?.kill() : running?.stop())
    await rm(home, { recursive: true, force: true })
    throw error
  }
}

type Server = Required<Pick<SandboxOptions, 'port' | 'password' | 'env'>> & {
  readonly dataDir: string | undefined
}

function startJava({ port, password, env }: Server, home: string): Promise<Supervised> {
  // Nothing else of the environment: KC_… variables meant for another server would set up this one.
  const { PATH, HOME, JAVA, JAVA_HOME } = env
  return supervise(
    ['sh', join(home, 'bin/kc.sh'), 'start-dev', '--http-host=127.0.0.1', `--http-port=${port}`],
    home,
    {
      PATH,
      HOME,
      JAVA,
      JAVA_HOME,
      ...bootstrap(password),
      // Compiled soon rather than well, which halves the work of a start; and no file outside its home.
      JAVA_OPTS_APPEND: `-XX:TieredStopAtLevel=1 -XX:-UsePerfData "-Djava.io.tmpdir=${home}/tmp"`,
    },
  )
}

/**
 * The client of docker runs under our eyes and hands signals on, so that the container ends with it. Where the client is
 * killed, the container has to be removed by its name.
 */
function startDocker({ port, password, dataDir, env }: Server, home: string): Promise<Supervised> {
  const volume = dataDir === undefined ? [] : ['--volume', `${dataDir}:/opt/keycloak/data`]
  const login = Object.keys(bootstrap(password)).flatMap((name) => ['--env', name])
  const name = `kjitsi-${randomUUID()}`
  const options = [
    '--rm',
    '--init',
    '--name',
    name,
    '--publish',
    `127.0.0.1:${port}:8080`,
    ...volume,
    ...login,
  ]
  const run = ['docker', 'run', ...options, IMAGE, 'start-dev']
  return supervise(run, home, { ...env, ...bootstrap(password) }, ['docker', 'rm', '--force', name])
}

function bootstrap(password: string): Readonly<Record<string, string>> {
  return { KC_BOOTSTRAP_ADMIN_USERNAME: USER, KC_BOOTSTRAP_ADMIN_PASSWORD: password }
}

/**
 * A port that was free a moment ago.
 * @throws KjitsiError `server` where the wanted one is taken: what answers on it would pass for our server
 */
async function freePort(wanted = 0): Promise<number> {
  const server = createServer()
  try {
    server.listen(wanted, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  } catch (error) {
    throw new KjitsiError('server', `no Keycloak can be started on port ${wanted}: ${messageOf(error)}`, {
      cause: error,
    })
  } finally {
    server.close()
  }
}

async function untilReady(url: string, running: Supervised, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + START_LIMIT_SECONDS * 1000
  while (!(await answers(`${url}/realms/master`, signal))) {
    signal.throwIfAborted()
    const over = performance.now() > deadline
    const ended = await Promise.race([running.ended.then(() => true), sleep(200, false)])
    if (!ended && !over) continue
    const what = ended ? 'ended before it was ready' : `did not answer within ${START_LIMIT_SECONDS} seconds`
    throw new KjitsiError(
      'server',
      `Keycloak at ${url} ${what}; its last lines:\n${await running.lastLines(15)}`,
    )
  }
}

async function answers(url: string, signal: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: limited(signal, 5) })
    await response.body?.cancel()
    return response.status === 200
  } catch {
    return false
  }
}

/** Reports at once, and then once a second, for how long a task has been running. */
async function during(
  task: Promise<void>,
  what: string,
  report: Required<SandboxOptions>['onProgress'],
): Promise<void> {
  const started = performance.now()
  report(what, 0)
  const timer = setInterval(() => {
    report(what, Math.round((performance.now() - started) / 1000))
  }, 1000)
  try {
    await task
  } finally {
    clearInterval(timer)
  }
}
