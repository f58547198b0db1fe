// The main job from beginning to end on a throw-away Keycloak, with the commands run as anybody would run
// them.
import { parse as parseEnv } from 'dotenv'
import { decodeProtectedHeader, importSPKI, jwtVerify } from 'jose'
import { execFile } from 'node:child_process'
import { hash, randomUUID } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import { BIN } from '../bin.ts'
import { KjitsiError, messageOf } from '../errors.ts'
import { type Http, postForm } from '../http/http.ts'
import { badStatus } from '../http/reasons.ts'
import { connect } from '../keycloak/connect.ts'
import { type Sandbox, startSandbox } from './keycloak.ts'
import {
  CLIENT,
  type CommandStep,
  type Demo,
  LOG_IN,
  MAKE,
  PERSON,
  type Proof,
  REALM,
  START,
  type Step,
  claimsOf,
  commandSteps,
} from './story.ts'

type Env = Readonly<Record<string, string | undefined>>

export interface DemoOptions {
  readonly http: Http
  readonly env: Env
  /** Leave the Keycloak running. */
  readonly keep: boolean
  /** Told before each step, and what came of it after. */
  readonly onStep: (step: Step | CommandStep) => void
  readonly onDone: (outcome: string) => void
  readonly onProgress: (what: string, seconds: number) => void
}

/** A Keycloak that has only just started, on a small machine, takes its time for the first answers. */
const PATIENCE_SECONDS = 60

/**
 * Runs the demo; whatever it started or wrote is gone at the end, unless it is kept.
 * @throws KjitsiError of any step that fails
 */
export async function runDemo(options: DemoOptions): Promise<Demo> {
  const { env, keep, onStep, onDone, onProgress } = options
  const timeout = Math.max(options.http.timeout, PATIENCE_SECONDS)
  // Nothing of the demo leaves this machine, so a proxy that is set up for all else, which Node's own does not know, must
  // not be asked.
  const http = { ...options.http, fetch: globalThis.fetch, timeout }
  onStep(START)
  const sandbox = await startSandbox({ env, signal: http.signal, onProgress })
  let kept = false
  try {
    onDone(`Keycloak ${sandbox.version} answers at ${sandbox.url}`)
    const folder = join(sandbox.folder, 'demo')
    await mkdir(folder)

    onStep(MAKE)
    const password = randomUUID()
    await makeRealm(http, sandbox, password)
    onDone('done')

    for (const step of commandSteps(sandbox.url, sandbox.user)) {
      onStep(step)
      const commandEnv = {
        HOME: env['HOME'],
        KEYCLOAK_PASSWORD: sandbox.password,
        KJITSI_TIMEOUT: String(http.timeout),
      }
      onDone(await runKjitsi(step.args, folder, commandEnv, http.signal))
    }

    onStep(LOG_IN)
    const token = await logIn(http, sandbox, password)
    const settings = parseEnv(await readFile(join(folder, '.env'), 'utf8'))
    const proof = await prove(token, settings, folder)
    onDone(`${proof.keyFile} verifies it`)

    const { url, user, password: adminPassword, pid } = sandbox
    if (!keep) return { settings, proof, kept: undefined }
    await sandbox.keep()
    kept = true
    const stop = `kill -- -${pid}`
    return {
      settings,
      proof,
      kept: { url, user, password: adminPassword, realmUser: PERSON, realmPassword: password, folder, stop },
    }
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
    clients.create({ clientId: CLIENT, publicClient: true, directAccessGrantsEnabled: true }),
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
  cwd: string,
  env: Env,
  signal: AbortSignal,
): Promise<string> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [BIN, ...args], {
      cwd,
      env,
      signal,
    })
    return `${stderr}${stdout}`.trimEnd()
  } catch (error) {
    signal.throwIfAborted()
    const printed =
      error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : messageOf(error)
    throw new KjitsiError('unexpected', `kjitsi ${args[0]} failed:\n${printed}`, { cause: error })
  }
}

const TOKEN = z.object({ access_token: z.string() })

/** The access token of a login by password (RFC 6749, section 4.3). */
async function logIn(http: Http, { url }: Sandbox, password: string): Promise<string> {
  const address = `${url}/realms/${REALM}/protocol/openid-connect/token`
  const form = { grant_type: 'password', client_id: CLIENT, username: PERSON, password, scope: 'openid' }
  const answer = await postForm(http, address, form, {}, 1_000_000)
  if (answer.status !== 200) throw badStatus(answer)
  return TOKEN.parse(JSON.parse(answer.text)).access_token
}

/**
 * Checks a token against the files as Jitsi would: the key by the token's own kid, issuer and audience by
 * `.env`.
 * @throws KjitsiError `verdict`
 */
async function prove(
  token: string,
  settings: Readonly<Record<string, string>>,
  folder: string,
): Promise<Proof> {
  const head = decodeProtectedHeader(token)
  // Computed here once more, and not asked of the export, which is to be proven.
  const keyFile = `certs/${hash('sha256', head.kid ?? '')}.pem`
  try {
    const key = await importSPKI(await readFile(join(folder, keyFile), 'utf8'), head.alg ?? '')
    const list = (name: string): string[] => settings[name]?.split(',') ?? []
    const { payload } = await jwtVerify(token, key, {
      algorithms: ['RS256'],
      issuer: list('JWT_ACCEPTED_ISSUERS'),
      audience: list('JWT_ACCEPTED_AUDIENCES'),
      requiredClaims: ['exp', 'sub', 'room'],
    })
    if (typeof payload.aud !== 'string') throw new Error('its aud is a list')
    return { keyFile, claims: claimsOf({ ...head }, payload) }
  } catch (error) {
    throw new KjitsiError('verdict', `Jitsi would not accept the token: ${messageOf(error)}`, {
      cause: error,
    })
  }
}
