import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { COMMON } from '../../src/cli/common.ts'
import { namedCommands } from '../../src/cli/context.ts'
import type { Io } from '../../src/io.ts'
import { resolveSettings } from '../../src/cli/resolve.ts'
import {
  type Setting,
  type SettingTable,
  attributeName,
  flagName,
  flagsOf,
  isSwitch,
  waysToGive,
} from '../../src/cli/setting.ts'
import { checkToken } from '../../src/commands/check-token.ts'
import { XMPP_DOMAIN } from '../../src/commands/gen-config/settings.ts'
import { PROGRAM } from '../../src/main.ts'
import { testIo } from '../support/io.ts'
import { tempFolder } from '../support/folder.ts'
import { run } from '../support/run.ts'
import { LOGIN } from '../../src/login-settings.ts'
import { CLIENT, GUESTS, FORCE, KEYCLOAK, PLAN, REMOVE } from '../../src/settings.ts'

let cwd: string
beforeEach(() => {
  cwd = tempFolder()
})

function io(env: Record<string, string> = {}, stdin = ''): Io {
  return testIo({ env, cwd, stdin })
}

describe('flag > environment > settings file > default', () => {
  const layers = [
    ['flag', { client: 'from-flag' }, { KJITSI_CLIENT: 'from-env' }, 'KJITSI_CLIENT=from-file', 'from-flag'],
    ['environment', {}, { KJITSI_CLIENT: 'from-env' }, 'KJITSI_CLIENT=from-file', 'from-env'],
    ['settings file', {}, {}, 'KJITSI_CLIENT=from-file', 'from-file'],
    ['default', {}, {}, '', 'jitsi'],
    ['environment', { client: '' }, { KJITSI_CLIENT: 'from-env' }, '', 'from-env'],
    ['settings file', {}, { KJITSI_CLIENT: '' }, 'KJITSI_CLIENT=from-file', 'from-file'],
    ['default', {}, {}, 'KJITSI_CLIENT=', 'jitsi'],
    ['flag', { client: ' from-flag\r\n' }, {}, '', 'from-flag'],
    ['environment', { client: ' ' }, { KJITSI_CLIENT: '\tfrom-env\r' }, '', 'from-env'],
    ['settings file', {}, { KJITSI_CLIENT: ' ' }, 'KJITSI_CLIENT=" from-file "', 'from-file'],
  ] as const
  test.each(layers)('%s: flags %j, environment %j, file %j', async (source, flags, env, file, value) => {
    await writeFile(join(cwd, '.env'), file)
    const resolved = await resolveSettings({ client: CLIENT }, flags, io(env))
    expect(resolved.values.client).toBe(value)
    expect(resolved.sources.client).toBe(source)
  })
})

test('a settings file of another name takes the place of .env', async () => {
  await writeFile(join(cwd, '.env'), 'KJITSI_CLIENT=a')
  await writeFile(join(cwd, 'other'), 'KJITSI_CLIENT=b')
  expect((await resolveSettings({ client: CLIENT }, { settings: 'other' }, io())).values.client).toBe('b')
  expect(
    (await resolveSettings({ client: CLIENT }, {}, io({ KJITSI_SETTINGS: 'other' }))).values.client,
  ).toBe('b')
})

test.each([
  [['--url', 'https://127.0.0.1:9/realms/meet'], {}],
  [[], { KEYCLOAK_URL: ' https://127.0.0.1:9/realms/meet#/x ' }],
])('what is left out of a value is said once: %j %j', async (argv, env) => {
  const given = { KEYCLOAK_REALM: 'meet', KEYCLOAK_ACCESS_TOKEN: 'x', ...env }
  const text = await run(['setup-mappers', ...argv], { env: given, cwd })
  expect(text.stderr.match(/^note: the address of Keycloak is https:\/\/127\.0\.0\.1:9; /gm)).toHaveLength(1)
  const json = await run(['setup-mappers', ...argv, '--json'], { env: given, cwd })
  expect(JSON.parse(json.stdout)).toMatchObject({
    error: { code: 'unreachable' },
    findings: [{ code: 'address-shortened', level: 'note' }],
  })
})

test('a settings file that was named must be there', async () => {
  await expect(resolveSettings({ client: CLIENT }, { settings: 'gone' }, io())).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringMatching(/^--settings: cannot read .*gone: no such file or folder$/) as unknown,
  })
})

describe('a .env that compose reads as well', () => {
  test.each([
    ['password', 'A=1\nKEYCLOAK_PASSWORD=hun#ter', 'KEYCLOAK_PASSWORD (line 2)'],
    ['password', 'H=hunter\nKEYCLOAK_PASSWORD_FILE=/run/${H}', 'KEYCLOAK_PASSWORD_FILE (line 2)'],
    ['client', 'KJITSI_CLIENT=hun#ter', 'KJITSI_CLIENT (line 1)'],
  ] as const)('must say the same of %s: %j', async (key, text, place) => {
    for (const [name, flags] of [
      ['.env', {}],
      ['jitsi/.env', { settings: 'jitsi/.env' }],
    ] as const) {
      await mkdir(join(cwd, 'jitsi'), { recursive: true })
      await writeFile(join(cwd, name), text)
      const table: SettingTable = key === 'password' ? { password: LOGIN.password } : { client: CLIENT }
      const refused = resolveSettings(table, flags, io())
      await expect(refused).rejects.toMatchObject({
        code: 'usage',
        message: `${join(cwd, name)}: docker compose reads ${place} differently than kjitsi does`,
        hint: expect.stringContaining(place.replace(/ .*/, "='…'")) as unknown,
      })
      await rm(join(cwd, name))
    }
  })

  test.each([
    ['of other commands', { client: CLIENT }, '.env', 'KEYCLOAK_PASSWORD=pa#ss\nKJITSI_CLIENT=a', 'a'],
    [
      "of Jitsi's own",
      { xmppDomain: XMPP_DOMAIN, client: CLIENT },
      '.env',
      'H=a\nXMPP_DOMAIN=meet.$H\nKJITSI_CLIENT=a',
      'a',
    ],
    ['in a file of ours alone', { client: CLIENT }, 'kjitsi.env', 'KJITSI_CLIENT=pa$ss', 'pa$ss'],
  ] as const)('may say otherwise %s', async (_, table, settings, text, value) => {
    await writeFile(join(cwd, settings), text)
    expect((await resolveSettings(table, { settings }, io())).values.client).toBe(value)
  })
})

test.each([
  ['text', {}, { KEYCLOAK_PASSWORD: 's3cret pass' }, '', 's3cret pass'],
  ['a file by environment', {}, { KEYCLOAK_PASSWORD_FILE: 'pw' }, '', 'from file'],
  ['a file by flag', { passwordFile: 'pw' }, { KEYCLOAK_PASSWORD: 'other' }, '', 'from file'],
  ['text with blanks', {}, { KEYCLOAK_PASSWORD: ' s3cret ' }, '', ' s3cret '],
  ['a file with blanks around its path', {}, { KEYCLOAK_PASSWORD_FILE: ' pw ' }, '', 'from file'],
  ['stdin by flag', { passwordFile: '-' }, {}, 'from stdin\n', 'from stdin'],
  ['stdin by environment', {}, { KEYCLOAK_PASSWORD_FILE: '-' }, 'from stdin\r\n', 'from stdin'],
])('a secret as %s', async (_, flags, env, stdin, password) => {
  await writeFile(join(cwd, 'pw'), 'from file\n')
  const resolved = await resolveSettings({ password: LOGIN.password }, flags, io(env, stdin))
  expect(resolved.values.password).toBe(password)
  expect(resolved.secrets).toEqual([password])
})

test.each<[flags: Record<string, string>, env: Record<string, string>, names: string]>([
  [{ passwordFile: '-', clientSecretFile: '-' }, {}, '--password-file and --client-secret-file'],
  [
    { passwordFile: '-' },
    { KEYCLOAK_CLIENT_SECRET_FILE: '-' },
    '--password-file and KEYCLOAK_CLIENT_SECRET_FILE',
  ],
  [
    {},
    { KEYCLOAK_PASSWORD_FILE: '-', KEYCLOAK_CLIENT_SECRET_FILE: '-' },
    'KEYCLOAK_PASSWORD_FILE and KEYCLOAK_CLIENT_SECRET_FILE',
  ],
])('two secrets on one stdin: %j %j', async (flags, env, names) => {
  await expect(resolveSettings(LOGIN, flags, io(env))).rejects.toMatchObject({
    code: 'usage',
    message: `${names}: only one secret can come from stdin (-)`,
  })
})

test('a secret that cannot be read is named by its flag, not shown', async () => {
  await expect(
    resolveSettings({ password: LOGIN.password }, { passwordFile: './gone' }, io()),
  ).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringMatching(/^--password-file: cannot read .*gone/) as unknown,
  })
})

test.each([
  [{ realm: ['a', 'b'] }, {}, ['a', 'b']],
  [{ realm: [''] }, { KEYCLOAK_REALM: 'a' }, ['a']],
  [{ realm: [' a ', ' '] }, {}, ['a']],
  [{}, { KEYCLOAK_REALM: 'a, b,,c' }, ['a', 'b', 'c']],
  [{}, { KEYCLOAK_REALM: 'a\nb c\r\n' }, ['a', 'b c']],
  [{}, {}, []],
])('a repeated setting: flags %j, environment %j', async (flags, env, realms) => {
  expect((await resolveSettings({ realm: KEYCLOAK.realm }, flags, io(env))).values.realm).toEqual(realms)
})

const SWITCHES = { guests: GUESTS, dryRun: PLAN.dryRun, input: COMMON.input }

test.each([
  ['guests', {}, {}, true],
  ['guests', { guests: false }, {}, false],
  ['guests', {}, { KJITSI_GUESTS: 'off' }, false],
  ['dryRun', {}, {}, false],
  ['dryRun', {}, { KJITSI_DRY_RUN: 'yes' }, true],
  ['dryRun', { dryRun: true }, { KJITSI_DRY_RUN: '0' }, true],
  ['input', { input: false }, {}, false],
] as const)('the switch %s: flags %j, environment %j', async (key, flags, env, value) => {
  expect((await resolveSettings(SWITCHES, flags, io(env))).values[key]).toBe(value)
})

test.each([
  [{ timeout: 'soon' }, {}, '--timeout "soon" is no duration: write 90s, 5m, 24h or 7d'],
  [{}, { KJITSI_TIMEOUT: 'soon' }, 'KJITSI_TIMEOUT "soon" is no duration: write 90s, 5m, 24h or 7d'],
  [{}, { KJITSI_JSON: 'maybe' }, 'KJITSI_JSON "maybe" is neither true nor false'],
])('a value that cannot be read: %j %j', async (flags, env, message) => {
  await expect(
    resolveSettings({ timeout: COMMON.timeout, json: COMMON.json }, flags, io(env)),
  ).rejects.toMatchObject({
    code: 'usage',
    message,
  })
})

const COMMANDS = namedCommands(PROGRAM.commands)
const ALL = [...new Set([COMMON, ...COMMANDS.map(([, { settings }]) => settings)].flatMap(settingsOf))]

function settingsOf(table: Readonly<Record<string, Setting>>): readonly Setting[] {
  return Object.values(table)
}

test("an environment name belongs to one flag, and is read in one way; a default may be one command's own", () => {
  for (const one of ALL.filter(({ env, flag }) => env !== undefined && flag !== '--admin <name>')) {
    const first = ALL.find(({ env }) => env === one.env)
    expect([one.flag, one.parse, one.repeat, one.secret], one.env).toEqual([
      first?.flag,
      first?.parse,
      first?.repeat,
      first?.secret,
    ])
  }
})

test('no command has two settings with the same flag', () => {
  for (const [words, { settings }] of COMMANDS) {
    const flags = [...settingsOf(settings), ...settingsOf(COMMON)].map(flagName)
    expect(
      flags.filter((flag, i) => flags.indexOf(flag) !== i),
      words,
    ).toEqual([])
  }
})

test('a flag is the same setting in all commands', () => {
  const different = ALL.filter((one) => ALL.find(({ flag }) => flag === one.flag)?.env !== one.env)
  expect(different.map(({ flag, env }) => [flag, env])).toEqual([['--user <name>', 'KJITSI_TOKEN_USER']])
})

test('check-token asks about the person of --user, and the administrator is --admin there', () => {
  const { person, user } = checkToken.settings
  const { user: elsewhere } = LOGIN
  expect([person.flag, person.env]).toEqual([elsewhere.flag, 'KJITSI_TOKEN_USER'])
  expect({ ...user, group: '' }).toEqual({ ...elsewhere, group: '', flag: '--admin <name>' })
})

test.each([...new Map(ALL.filter(isSwitch).map((one) => [one.flag, one])).values()])(
  'the switch $flag can be turned off by flag, whatever the environment says, and on',
  async (one) => {
    const name = one.env ?? 'NO_SUCH_NAME'
    const key = attributeName(one)
    expect(flagsOf(one)).toEqual([one.flag, one.flag.replace('--', '--no-')])
    expect(one.flag).not.toMatch(/^--no-/)
    const value = async (flags: object, env: Record<string, string>): Promise<unknown> =>
      (await resolveSettings({ one }, { ...flags }, io(env))).values.one
    expect(await value({ [key]: false }, { [name]: 'yes' })).toBe(false)
    expect(await value({ [key]: true }, { [name]: 'no' })).toBe(true)
  },
)

test.each([
  ['what removes things', REMOVE, 'KJITSI_REMOVE'],
  ["what replaces somebody's file", FORCE, 'KJITSI_FORCE'],
] as const)('%s is asked for by its flag alone', async (_, one, name) => {
  const key = attributeName(one)
  expect((await resolveSettings({ one }, {}, io({ [name]: 'yes' }))).values.one).toBe(false)
  expect((await resolveSettings({ one }, { [key]: true }, io())).values.one).toBe(true)
})

test('a secret is never a plain flag, and the way to give it says so', () => {
  const secrets = ALL.filter(({ secret }) => secret)
  expect(secrets).not.toEqual([])
  for (const one of secrets) expect(flagsOf(one)).toEqual([expect.stringMatching(/-file <path>$/)])
  expect(waysToGive(LOGIN.password)).toBe('KEYCLOAK_PASSWORD, KEYCLOAK_PASSWORD_FILE or --password-file')
  expect(waysToGive(KEYCLOAK.url)).toBe('--url or KEYCLOAK_URL')
})

test.each([
  [['setup-client', '--jitsi-url', 'https://meet.example.org']],
  [['setup-client', '--jitsi-url', 'https://meet.example.org', '--remove']],
  [['setup-mappers']],
  [['gen-env', '.env', '--issuer', 'https://auth.example.org/realms/meet']],
  [['gen-config', 'prosody', '--issuer', 'https://auth.example.org/realms/meet']],
])('%j refuses a client id that Keycloak or Jitsi cannot hold, before anything is asked', async (argv) => {
  const env = { KEYCLOAK_URL: 'http://127.0.0.1:9', KEYCLOAK_REALM: 'meet', KEYCLOAK_ACCESS_TOKEN: 'x' }
  for (const [typed, why] of [
    ['jitsi,web', 'a comma'],
    ['${HOME}', '{…}'],
  ] as const) {
    const { exitCode, stderr } = await run([...argv, '--client', typed], { env, cwd })
    expect(exitCode).toBe(2)
    expect(stderr).toContain(`holds ${why}`)
  }
})
