// Secrets in the wrong place of the command line, and flags of other programs: refused without a word of what was typed.
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { tempFolder } from '../support/folder.ts'
import { COMMON } from '../../src/cli/common.ts'
import { namedCommands } from '../../src/cli/context.ts'
import { type Setting, replacedBy } from '../../src/cli/setting.ts'
import { PROGRAM } from '../../src/main.ts'
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
  [
    ['gen-env', '--guests=false'],
    '--guests takes no value',
    '→ --guests turns it on, --no-guests turns it off',
  ],
  [['gen-env', '--json=true'], '--json takes no value', '→ --json turns it on, --no-json turns it off'],
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
})

describe('a mistake in a word', () => {
  test.each([
    // Unknown commands: by spelling, by the words of their names, by what they do.
    [['frobnicate'], 'there is no such command', 'see kjitsi --help'],
    [['gen-envs'], 'there is no such command\n(Did you mean gen-env?)', 'see kjitsi --help'],
    [['exprot-certs'], '(Did you mean export-certs or serve-certs?)', 'see kjitsi --help'],
    [['gen-cert'], '(Did you mean gen-env, export-certs, serve-certs or gen-config?)', 'see kjitsi --help'],
    [['certs'], '(Did you mean export-certs or serve-certs?)', 'see kjitsi --help'],
    [['mappers'], '(Did you mean setup-mappers?)', 'see kjitsi --help'],
    [['setup', '--realm', 'a'], '(Did you mean setup-client or setup-mappers?)', 'see kjitsi --help'],
    [['check'], '(Did you mean check-token?)', 'see kjitsi --help'],
    [['verify'], '(Did you mean check-token?)', 'see kjitsi --help'],
    [['help', 'mappers'], '(Did you mean setup-mappers?)', 'see kjitsi --help'],
    [['mappers', '--help'], '(Did you mean setup-mappers?)', 'see kjitsi --help'],
    [['mappers', '-h'], '(Did you mean setup-mappers?)', 'see kjitsi --help'],
    // Flags.
    [['export-certs', 'certs', '--frob'], "unknown option '--frob'", 'see kjitsi export-certs --help'],
    [
      ['gen-env', '--guest'],
      "unknown option '--guest'\n(Did you mean --guests?)",
      'see kjitsi gen-env --help',
    ],
    [['gen-env', '--no-guest'], '(Did you mean --no-guests?)', 'see kjitsi gen-env --help'],
    [['gen-env', '--realm'], "option '--realm <name>' argument missing", 'see kjitsi gen-env --help'],
    [['--frob', 'gen-env'], "unknown option '--frob'", 'see kjitsi gen-env --help'],
    // Arguments.
    [['export-certs'], 'export-certs needs <dir>: folder for', 'see kjitsi export-certs --help'],
    [['gen-env', 'a', 'b'], 'gen-env takes [file], and got 2', '→ see kjitsi gen-env --help'],
    [
      ['setup-mappers', '--realm', 'a', 'b'],
      'setup-mappers takes no arguments, and got 1',
      '→ --realm takes one value each time: --realm A --realm B; see kjitsi setup-mappers --help',
    ],
    // The value of a switch would be an argument.
    ...['no', 'off', 'false', '0', 'yes', 'ON', 'true', '1'].map((word): [string[], string, string] => [
      ['gen-env', '--guests', word],
      '--guests takes no value',
      '→ --guests turns it on, --no-guests turns it off',
    ]),
    [
      ['setup-mappers', '--no-nbf', 'no'],
      '--no-nbf takes no value',
      '→ --nbf turns it on, --no-nbf turns it',
    ],
    [['demo', '--keep', 'yes'], '--keep takes no value', '→ --keep turns it on, --no-keep turns it off'],
    [['gen-env', '--quiet', 'no', '--check'], '--quiet takes no value', '--no-quiet turns it off'],
  ])('%j is a usage error that says how to go on', async (argv, message, hint) => {
    const ran = await run(argv, { cwd })
    expect(ran).toMatchObject({ exitCode: 2, stdout: '' })
    expect(ran.stderr).toMatch(/^error: /)
    expect(ran.stderr).toContain(message)
    expect(ran.stderr).toContain(hint)
    expect(await readdir(cwd)).toEqual([])
  })

  test.each([
    [['gen-env', './no', '--guests', ...ISSUER], 'no'],
    [['gen-env', 'no', '--guests', ...ISSUER], 'no'],
    [['gen-env', '--guests', ...ISSUER, '--', 'no'], 'no'],
    [['gen-env', ...ISSUER, '--client', 'a', 'no'], 'no'],
    [['gen-env', ...ISSUER, '--', 'help'], 'help'],
  ])('%j means the file', async (argv, name) => {
    expect(await run(argv, { cwd })).toMatchObject({ exitCode: 0 })
    expect(await readdir(cwd)).toEqual([name])
  })
})

describe('a former name', () => {
  test.each([
    [['gen-env', '--audience', 'x'], '--audience was replaced by --accept-audience'],
    [['check-token', '--audience=x'], '--audience was replaced by --accept-audience'],
    [['check-token', '--room', 'x'], '--room was replaced by --join'],
    [['check-token', '--env', 'x'], '--env was replaced by --jitsi-env'],
    [['setup-client', '--env=x'], '--env was replaced by --jitsi-env'],
    [['setup-client', '--moderator-role', 'x'], '--moderator-role was replaced by --moderators role:NAME'],
    [['setup-mappers', '--moderator-role=x'], '--moderator-role was replaced by --moderators role:NAME'],
  ])('%j is refused with the one that it has now', async (argv, message) => {
    const [command = ''] = argv
    expect(await run(argv, { cwd })).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: `error: ${message}\n  → see kjitsi ${command} --help\n`,
    })
  })

  test.each([
    ['gen-env', 'KJITSI_AUDIENCE', 'KJITSI_ACCEPT_AUDIENCE'],
    ['check-token', 'KJITSI_JOIN_ROOM', 'KJITSI_JOIN'],
    ['setup-client', 'KJITSI_MODERATOR_ROLE', 'KJITSI_MODERATORS=role:NAME'],
    ['gen-env', 'KJITSI_MODERATOR_ROLE', 'KJITSI_MODERATORS=role:NAME'],
    ['demo', 'KJITSI_ENV_FILE', 'KJITSI_SETTINGS'],
  ])('%s refuses %s with the one that it has now, wherever it is set', async (command, name, now) => {
    const refused = (place: string): object => ({
      exitCode: 2,
      stdout: '',
      stderr: `error: ${name} was replaced by ${now}\n  → correct it in ${place}\n`,
    })
    expect(await run([command], { cwd, env: { [name]: 'x' } })).toEqual(refused('the environment'))
    await writeFile(join(cwd, '.env'), `${name}=x\n`)
    expect(await run([command], { cwd })).toEqual(refused(join(cwd, '.env')))
  })

  test('of another command is nobody’s business', async () => {
    const env = { KJITSI_AUDIENCE: 'x', KJITSI_MODERATOR_ROLE: 'x', KJITSI_JOIN_ROOM: '' }
    const ran = await run(['export-certs', 'certs', '--env', 'x'], { cwd, env })
    expect(ran.stderr).toContain("unknown option '--env'")
    expect((await run(['export-certs', 'certs'], { cwd, env })).stderr).toContain('2 settings are missing')
    expect((await run(['check-token'], { cwd, env: { KJITSI_JOIN_ROOM: '' } })).stderr).not.toContain('JOIN')
  })

  test('is none of today’s, and what took its place is there', () => {
    const commands = namedCommands(PROGRAM.commands).map(([, { settings }]): readonly Setting[] => [
      ...Object.values(settings),
      ...Object.values(COMMON),
    ])
    for (const name of Object.keys(PROGRAM.former))
      expect(commands.some((settings) => replacedBy(name, settings, PROGRAM.former) !== undefined)).toBe(true)
  })
})
