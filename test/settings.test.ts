import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { COMMANDS } from '../src/commands.ts'
import { COMMON } from '../src/command.ts'
import type { Io } from '../src/io.ts'
import { resolveSettings } from '../src/resolve-settings.ts'
import { SETTINGS, type SettingKey, flagsOf, isSecret, waysToGive } from '../src/settings.ts'

let cwd: string
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'kjitsi-settings-'))
})
afterEach(async () => {
  await rm(cwd, { recursive: true })
})

function io(env: Record<string, string> = {}, stdin = ''): Io {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  return { stdin: Readable.from([stdin]), stdout, stderr, env, cwd, signal: new AbortController().signal }
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
  ] as const
  test.each(layers)('%s: flags %j, environment %j, file %j', async (source, flags, env, file, value) => {
    await writeFile(join(cwd, '.env'), file)
    const resolved = await resolveSettings(['client'], flags, io(env))
    expect(resolved.values.client).toBe(value)
    expect(resolved.sources.client).toBe(source)
  })
})

test('a settings file of another name takes the place of .env', async () => {
  await writeFile(join(cwd, '.env'), 'KJITSI_CLIENT=a')
  await writeFile(join(cwd, 'other'), 'KJITSI_CLIENT=b')
  expect((await resolveSettings(['client'], { settings: 'other' }, io())).values.client).toBe('b')
  expect((await resolveSettings(['client'], {}, io({ KJITSI_SETTINGS: 'other' }))).values.client).toBe('b')
})

test('a settings file that was named must be there', async () => {
  await expect(resolveSettings(['client'], { settings: 'gone' }, io())).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringMatching(/^--settings: cannot read .*gone: no such file or folder$/) as unknown,
  })
})

test.each([
  ['text', {}, { KEYCLOAK_PASSWORD: 's3cret pass' }, '', 's3cret pass'],
  ['a file by environment', {}, { KEYCLOAK_PASSWORD_FILE: 'pw' }, '', 'from file'],
  ['a file by flag', { passwordFile: 'pw' }, { KEYCLOAK_PASSWORD: 'other' }, '', 'from file'],
  ['stdin by flag', { passwordFile: '-' }, {}, 'from stdin\n', 'from stdin'],
  ['stdin by environment', {}, { KEYCLOAK_PASSWORD_FILE: '-' }, 'from stdin\r\n', 'from stdin'],
])('a secret as %s', async (_, flags, env, stdin, password) => {
  await writeFile(join(cwd, 'pw'), 'from file\n')
  const resolved = await resolveSettings(['password'], flags, io(env, stdin))
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
  await expect(resolveSettings(['password', 'clientSecret'], flags, io(env))).rejects.toMatchObject({
    code: 'usage',
    message: `${names}: only one secret can come from stdin (-)`,
  })
})

test('a secret that cannot be read is named by its flag, not shown', async () => {
  await expect(resolveSettings(['password'], { passwordFile: './gone' }, io())).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringMatching(/^--password-file: cannot read .*gone/) as unknown,
  })
})

test.each([
  [{ realm: ['a', 'b'] }, {}, ['a', 'b']],
  [{}, { KEYCLOAK_REALM: 'a, b,,c' }, ['a', 'b', 'c']],
  [{}, {}, []],
])('a repeated setting: flags %j, environment %j', async (flags, env, realms) => {
  expect((await resolveSettings(['realm'], flags, io(env))).values.realm).toEqual(realms)
})

test.each([
  ['guests', {}, {}, true],
  ['guests', { guests: false }, {}, false],
  ['guests', {}, { KJITSI_GUESTS: 'off' }, false],
  ['dryRun', {}, {}, false],
  ['dryRun', {}, { KJITSI_DRY_RUN: 'yes' }, true],
  ['dryRun', { dryRun: true }, { KJITSI_DRY_RUN: '0' }, true],
  ['input', { input: false }, {}, false],
] as const)('the switch %s: flags %j, environment %j', async (key, flags, env, value) => {
  expect((await resolveSettings([key], flags, io(env))).values[key]).toBe(value)
})

test.each([
  [{ timeout: 'soon' }, {}, '--timeout "soon" is no duration: write 90s, 5m, 24h or 7d'],
  [{}, { KJITSI_TIMEOUT: 'soon' }, 'KJITSI_TIMEOUT "soon" is no duration: write 90s, 5m, 24h or 7d'],
  [{}, { KJITSI_JSON: 'maybe' }, 'KJITSI_JSON "maybe" is neither true nor false'],
])('a value that cannot be read: %j %j', async (flags, env, message) => {
  await expect(resolveSettings(['timeout', 'json'], flags, io(env))).rejects.toMatchObject({
    code: 'usage',
    message,
  })
})

test('an environment name belongs to one setting', () => {
  const names = Object.values(SETTINGS).map(({ env }) => env)
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([])
})

test('no command has two settings with the same flag', () => {
  for (const { name, settings } of COMMANDS) {
    const flags = [...settings, ...COMMON]
      .flatMap((key) => flagsOf(key))
      .map((flag) => flag.replace(/ .*/, ''))
    expect(
      flags.filter((flag, i) => flags.indexOf(flag) !== i),
      name,
    ).toEqual([])
  }
})

test('a secret is never a plain flag, and the way to give it says so', () => {
  const secrets = (Object.keys(SETTINGS) as SettingKey[]).filter(isSecret)
  expect(secrets).not.toEqual([])
  for (const key of secrets) expect(flagsOf(key)).toEqual([expect.stringMatching(/-file <path>$/)])
  expect(waysToGive('password')).toBe('KEYCLOAK_PASSWORD, KEYCLOAK_PASSWORD_FILE or --password-file')
  expect(waysToGive('url')).toBe('--url or KEYCLOAK_URL')
})
