// What an administrator makes with kjitsi for one Jitsi: the Keycloak client, .env, the web client's lines and the keys;
// and what that Jitsi then says to a token.
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readEnv } from '../../src/env-file/parse.ts'
import { run } from './run.ts'
import type { Site } from './browserless-login.ts'
import { ADMIN_ENV, type TestRealm } from './realm.ts'
import { tempFolder } from './folder.ts'

export interface Jitsi extends Site {
  /** The folder with `.env`, `custom-config.js` and `certs`; gone after the test. */
  readonly dir: string
  readonly env: ReadonlyMap<string, string>
  /** The text of custom-config.js. */
  readonly web: string
}

/**
 * Runs each command as the README says, for one client; who has its role owner is a moderator.
 * @param access to Keycloak, as kjitsi's environment has it
 */
export async function makeJitsi(
  realm: TestRealm,
  origin: string,
  access: Readonly<Record<string, string>> = ADMIN_ENV,
  clientId = `jitsi-${randomUUID().slice(0, 8)}`,
): Promise<Jitsi> {
  const dir = tempFolder()
  const kjitsi = async (...argv: readonly string[]): Promise<void> => {
    const env = { ...access, KEYCLOAK_REALM: realm.name, KJITSI_CLIENT: clientId }
    const ran = await run(argv, { env: { ...env, KJITSI_MODERATORS: 'role:owner' }, cwd: dir })
    if (ran.exitCode !== 0) throw new Error(`kjitsi ${argv.join(' ')}: ${ran.exitCode} ${ran.stderr}`)
  }
  await kjitsi('setup-client', '--jitsi-url', origin)
  await kjitsi('gen-env', '.env', '--login', '--jitsi-url', origin)
  await kjitsi('gen-config', 'web', '--into', 'custom-config.js', '--jitsi-url', origin)
  await kjitsi('export-certs', 'certs')
  const env = readEnv(await readFile(join(dir, '.env'), 'utf8'))
  const web = await readFile(join(dir, 'custom-config.js'), 'utf8')
  return { issuer: env.get('JWT_ACCEPTED_ISSUERS') ?? '', clientId, origin, dir, env, web }
}

/**
 * What this Jitsi says to a token, by its own files: `accepted`, or Prosody's text.
 * @param at Unix seconds; now, if not given
 */
export async function askVerdict({ dir }: Jitsi, token: string, room: string, at?: number): Promise<string> {
  const time = at === undefined ? [] : ['--at', String(at)]
  const argv = [
    'check-token',
    '-',
    '--jitsi-env',
    '.env',
    '--certs',
    'certs',
    '--join',
    room,
    '--json',
    ...time,
  ]
  const { stdout, stderr } = await run(argv, { cwd: dir, stdin: token })
  if (stdout === '') throw new Error(stderr)
  const { accepted, auth, join } = JSON.parse(stdout) as {
    readonly accepted: boolean
    readonly auth: Said
    readonly join: Said | null
  }
  return accepted ? 'accepted' : (auth.text ?? join?.text ?? 'no answer')
}

interface Said {
  readonly text: string | null
}
