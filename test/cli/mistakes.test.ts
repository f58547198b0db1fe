// Secrets in the wrong place of the command line, and flags of other programs: refused without a word of what was typed.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { tempFolder } from '../support/folder.ts'
import { run, spawnKjitsi } from '../support/run.ts'

const SECRET = 'hunter2/s?cret+word'
const JWT = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl'

/** The secret in every form in which it could come out. */
function formsOf(secret: string): readonly string[] {
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    new URLSearchParams([['', secret]]).toString().slice(1),
    Buffer.from(secret).toString('base64'),
    Buffer.from(secret).toString('base64url'),
  ]
}

const FORMS = [[], ['--json'], ['--verbose'], ['--json', '--verbose'], ['--log', 'json']]
const ISSUER = ['--issuer', 'https://auth.example.org/realms/meet']

let cwd: string
beforeEach(() => {
  cwd = tempFolder()
})

describe.each([
  ['a password', SECRET],
  ['a token', JWT],
])('%s', (_, secret) => {
  test.each<readonly [string, readonly string[], Readonly<Record<string, string>>]>([
    ['--password', ['setup-mappers', '--password', secret], {}],
    ['--password=', ['setup-mappers', `--password=${secret}`], {}],
    ['--client-secret=', ['setup-client', `--client-secret=${secret}`], {}],
    ['--access-token=', ['setup-client', `--access-token=${secret}`], {}],
    ['--token', ['check-token', '--token', secret], {}],
    ['a flag that there is not', ['gen-env', `--frob=${secret}`], {}],
    ['a short flag that there is not', ['gen-env', `-p${secret}`], {}],
    ['an option by itself', ['gen-env', `--${secret}`], {}],
    ['a switch', ['gen-env', `--guests=${secret}`], {}],
    ['the name of a command', [secret], {}],
    ['the kind of a file', ['gen-config', secret], {}],
    ['an argument too many', ['gen-env', 'a', secret], {}],
    ['before the command', ['--password', secret, 'setup-mappers'], {}],
    ['--url', ['gen-env', '--url', `admin:${secret}@host`], {}],
    ['--url with a scheme', ['gen-env', '--url', `https://admin:${secret}@host`], {}],
    ['--url in the query', ['gen-env', '--url', `https://host/?key=${secret}`], {}],
    ['KEYCLOAK_URL', ['gen-env'], { KEYCLOAK_URL: `admin:${secret}@host` }],
    ['--keyserver', ['gen-env', ...ISSUER, '--keyserver', `admin:${secret}@host`], {}],
    ['--jitsi-url', ['gen-env', ...ISSUER, '--login', '--jitsi-url', `admin:${secret}@host`], {}],
    ['--jwks', ['export-certs', 'x', '--jwks', `https://admin:${secret}@host`], {}],
    ['--issuer', ['gen-env', '--issuer', `https://admin:${secret}@host/realms/x`], {}],
    ['--issuer without a scheme', ['gen-env', '--issuer', `admin:${secret}@host`], {}],
    ['--password-file', ['setup-mappers', '--password-file', secret], {}],
    ['--password-file=', ['setup-mappers', `--password-file=${secret}`], {}],
    ['--access-token-file', ['setup-mappers', '--access-token-file', secret], {}],
    ['--access-token-file, long', ['setup-mappers', '--access-token-file', secret.padEnd(3000, secret)], {}],
    ['KEYCLOAK_CLIENT_SECRET_FILE', ['setup-client'], { KEYCLOAK_CLIENT_SECRET_FILE: secret }],
    ['a value as well', ['setup-mappers', '--timeout', secret], { KEYCLOAK_PASSWORD: secret }],
  ])('given as %s is a usage error that does not tell it', async (_, argv, env) => {
    for (const form of FORMS) {
      const ran = await run([...argv, ...form], { cwd, env })
      expect(ran.exitCode).toBe(2)
      for (const hidden of formsOf(secret)) expect(ran.stdout + ran.stderr).not.toContain(hidden)
    }
  })
})

test.each([
  [['setup-mappers', '--password=x'], '--password: a secret is never', 'KEYCLOAK_PASSWORD, '],
  [['setup-client', '--client-secret', 'x'], '--client-secret: a secret is', 'KEYCLOAK_CLIENT_SECRET, '],
  [['setup-client', '--access-token', 'x'], '--access-token: a secret is', 'KEYCLOAK_ACCESS_TOKEN, '],
  [['check-token', '--token=x'], '--token: a secret is never', 'kjitsi check-token'],
  [['gen-env', '--guests=false'], '--guests takes no value', '--guests or --no-guests'],
  [['gen-env', '--json=true'], '--json takes no value', '--json alone'],
  [['gen-env', '--url', 'u:hunter2@host'], '--url "(masked)@host" has no scheme', ''],
  [
    ['setup-mappers', '--password-file', 'hunter2'],
    '--password-file: there is no such file (its path is not shown, as it may be the secret itself)',
    '--password-file takes the path of a regular file, or - for stdin; the secret itself goes into KEYCLOAK_PASSWORD',
  ],
])('%j: what is wrong and which way is right', async (argv, message, hint) => {
  const { exitCode, stderr } = await run(argv, { cwd })
  expect(exitCode).toBe(2)
  expect(stderr).toContain(message)
  expect(stderr).toContain(hint)
})

test('a path of a secret is shown where its folder is there', async () => {
  const { stderr } = await run(['setup-mappers', '--password-file', join(cwd, 'gone')], { cwd })
  expect(stderr).toContain(`--password-file: cannot read ${join(cwd, 'gone')}: no such file or folder`)
  expect(stderr).toContain('KEYCLOAK_PASSWORD')
})

describe('the file of settings, in a process of its own', () => {
  let file: string
  beforeEach(async () => {
    await writeFile(join(cwd, 'evil.cjs'), "require('node:fs').writeSync(2, 'EXECUTED')")
    file = join(cwd, 'settings')
    const text = `KJITSI_CLIENT=from-file\nNODE_OPTIONS=--require=${join(cwd, 'evil.cjs')}\n`
    await Promise.all([writeFile(file, text), writeFile(join(cwd, '.env'), text)])
  })

  test.each<readonly [string, readonly string[], Readonly<Record<string, string>>]>([
    ['--settings FILE', ['--settings', 'settings'], {}],
    ['--settings=FILE', ['--settings=settings'], {}],
    ['KJITSI_SETTINGS', [], { KJITSI_SETTINGS: 'settings' }],
    ['./.env', [], {}],
  ])('by %s is read, and Node obeys nothing in it', async (_, argv, env) => {
    const ran = await spawnKjitsi(['gen-env', ...ISSUER, ...argv], { cwd, env })
    expect(ran.exitCode).toBe(0)
    expect(ran.stdout).toContain('JWT_APP_ID=from-file')
    expect(ran.stderr).not.toContain('EXECUTED')
  })

  test.each([
    [['gen-env', '--env-file', 'plain']],
    [['gen-env', '--env-file=plain']],
    [['--env-file', 'plain', 'gen-env']],
    [['gen-env', '--env-file-if-exists=plain']],
  ])('%j is refused with the name that it has now', async (argv) => {
    await writeFile(join(cwd, 'plain'), 'KJITSI_CLIENT=from-file\n')
    const ran = await spawnKjitsi(argv, { cwd })
    expect(ran.exitCode).toBe(2)
    expect(ran.stderr).toMatch(/^error: --env-file\S* is not a flag of kjitsi but of Node/)
    expect(ran.stderr).toContain('--settings or KJITSI_SETTINGS')
  })

  test('by KJITSI_ENV_FILE is refused with the name that it has now', async () => {
    const ran = await spawnKjitsi(['gen-env', ...ISSUER], { cwd, env: { KJITSI_ENV_FILE: file } })
    expect(ran.exitCode).toBe(2)
    expect(ran.stderr).toContain('KJITSI_ENV_FILE has another name now: KJITSI_SETTINGS')
  })
})
