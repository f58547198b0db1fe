// The main job from beginning to end on a throw-away Keycloak, with the commands run as anybody would run
// them.
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import { BIN } from '../bin.ts'
import { KjitsiError, messageOf } from '../errors.ts'
import { type Http, postForm } from '../http/http.ts'
import { badStatus } from '../http/reasons.ts'
import { connect } from '../keycloak/connect.ts'
import { type Sandbox, startSandbox } from '../sandbox/keycloak.ts'
import {
  CHECK,
  DEMO_CLIENT,
  type Kept,
  MAKE,
  PERSON,
  REALM,
  START,
  type Step,
  commandSteps,
} from './story.ts'

type Env = Readonly<Record<string, string | undefined>>

export interface DemoOptions {
  readonly http: Http
  readonly env: Env
  /** Leave the Keycloak running. */
  readonly keep: boolean
  /** Told before each step, and what came of it after. */
  readonly onStep: (step: Step) => void
  readonly onDone: (outcome: string) => void
  readonly onProgress: (what: string, seconds: number) => void
}

/** A Keycloak that has only just started, on a small machine, takes its time for the first answers. */
const PATIENCE_SECONDS = 60

/**
 * Runs the demo; whatever it started or wrote is gone at the end, unless it is kept.
 * @returns how to reach what was kept
 * @throws KjitsiError of any step that fails
 */
export async function runDemo(options: DemoOptions): Promise<Kept | undefined> {
  const { env, keep, onStep, onDone, onProgress } = options
  const timeout = Math.max(options.http.timeout, PATIENCE_SECONDS)
  // Nothing of the demo leaves this machine, so a proxy that is set up for all else, which Node's own does not know, must
  // not be asked.
  const http = { ...options.http, fetch: globalThis.fetch, timeout }
  onStep(START)
  const sandbox = await startSandbox({ env, signal: http.signal, onProgress })
  let kept = false
  try {
    const { url, user, password: adminPassword, pid } = sandbox
    onDone(`Keycloak ${sandbox.version} answers at ${url}`)
    const folder = join(sandbox.folder, 'demo')
    await mkdir(folder)

    onStep(MAKE)
    const password = randomUUID()
    await makeRealm(http, sandbox, password)
    onDone('done')

    const runStep = async (step: Step & { args: readonly string[] }, stdin: string): Promise<void> => {
      onStep(step)
      const commandEnv = {
        HOME: env['HOME'],
        KEYCLOAK_PASSWORD: adminPassword,
        KJITSI_TIMEOUT: `${timeout}s`,
      }
      onDone(await runKjitsi(step.args, stdin, folder, commandEnv, http.signal))
    }
    for (const step of commandSteps(url, user)) await runStep(step, '')
    await runStep(CHECK, await logIn(http, url, password))

    if (!keep) return undefined
    await sandbox.keep()
    kept = true
    const stop = `kill -- -${pid}`
    return { url, user, password: adminPassword, realmUser: PERSON, realmPassword: password, folder, stop }
  } finally {
    if (!kept) await sandbox.stop()
  }
}

/**
 * What an administrator has before kjitsi comes in. Direct access grants stand in for the browser that the
 * demo lacks.
 */
async function makeRealm(http: Http, { url, user, password }: Sandbox, realmPassword: string): Promise<void> {
  const admin = (await connect(http, url, { by: 'password', user, password, authRealm: 'master' }))(REALM)
  // One by one: what is imported with its realm lacks the default scopes and roles, and so the audience.
  await admin.write(({ realms }) => realms.create({ realm: REALM, enabled: true }))
  await admin.write(({ clients }) =>
    clients.create({ clientId: DEMO_CLIENT, publicClient: true, directAccessGrantsEnabled: true }),
  )
  await admin.write(({ users }) =>
    users.create({
      username: PERSON,
      firstName: 'Alice',
      lastName: 'Example',
      email: `${PERSON}@example.org`,
      enabled: true,
      credentials: [{ type: 'password', value: realmPassword, temporary: false }],
    }),
  )
}

/**
 * Runs a kjitsi command in a process of its own.
 * @returns all that it printed
 */
async function runKjitsi(
  args: readonly string[],
  stdin: string,
  cwd: string,
  env: Env,
  signal: AbortSignal,
): Promise<string> {
  try {
    const running = promisify(execFile)(process.execPath, [BIN, ...args], { cwd, env, signal })
    running.child.stdin?.end(stdin)
    const { stdout, stderr } = await running
    return `${stderr}${stdout}`.trimEnd()
  } catch (error) {
    signal.throwIfAborted()
    const printed =
      error instanceof Error && 'stderr' in error && 'stdout' in error
        ? `${String(error.stderr)}${String(error.stdout)}`.trim()
        : messageOf(error)
    throw new KjitsiError('unexpected', `kjitsi ${args[0]} failed:\n${printed}`, { cause: error })
  }
}

const TOKEN = z.object({ access_token: z.string() })

/** The access token of a login by password (RFC 6749, section 4.3). */
async function logIn(http: Http, url: string, password: string): Promise<string> {
  const address = `${url}/realms/${REALM}/protocol/openid-connect/token`
  const form = { grant_type: 'password', client_id: DEMO_CLIENT, username: PERSON, password, scope: 'openid' }
  const answer = await postForm(http, address, form)
  if (answer.status !== 200) throw badStatus(answer)
  return TOKEN.parse(JSON.parse(answer.text)).access_token
}
