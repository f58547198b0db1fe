// Prosody's configuration, read by Debian's Prosody and by Lua itself.
import fc from 'fast-check'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Ran, run } from '../run.ts'
import { openFolder } from './nginx-server.ts'
import { runProgram } from './programs.ts'

const ISSUER = 'https://auth.example.org/realms/meet'
const DEBIAN = ['--debian', '--jitsi-url', 'https://meet.example.org', '--issuer', ISSUER]
const HOST = 'meet.example.org'
const HOSTS = [HOST, `guest.${HOST}`, `conference.${HOST}`]

/** What Debian's jitsi-meet-prosody has in a host's file, as far as it matters here. */
const jitsi = (dir: string): string => `
admins = { "admin@localhost" }
modules_enabled = { "saslauth"; "tls"; "disco"; "roster" }
pidfile = "${dir}/prosody.pid"
data_path = "${dir}"
certificates = "${dir}"
ssl = { key = "${dir}/${HOST}.key"; certificate = "${dir}/${HOST}.crt" }
c2s_require_encryption = false
s2s_require_encryption = false
VirtualHost "${HOST}"
    authentication = "jitsi-anonymous"
    cache_keys_url = "https://old.example.org"
    modules_enabled = { "bosh"; "persistent_lobby" }
Component "conference.${HOST}" "muc"
    restrict_room_creation = true
    modules_enabled = { "token_verification"; "muc_wait_for_host" }
VirtualHost "guest.${HOST}"
    authentication = "jitsi-anonymous"
`

let dir: string
beforeAll(async () => {
  // As root, prosodyctl reads as the user prosody.
  dir = await openFolder()
})
afterAll(() => rm(dir, { recursive: true }))

async function generate(...args: readonly string[]): Promise<Ran> {
  return run(['gen-config', 'prosody', ...args], { cwd: dir })
}

type Options = Readonly<Record<string, readonly (string | boolean)[]>>

/** Each host's options, as Prosody reads them. */
function read(file: string): Readonly<Record<string, Options>> {
  const reader = fileURLToPath(new URL('prosody-config.lua', import.meta.url))
  const { exitCode, stdout, stderr } = runProgram('lua5.4', [reader, file, ...HOSTS, 'meet.jitsi'])
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 })
  const found: Record<string, Record<string, (string | boolean)[]>> = {}
  for (const line of stdout.split('\u0001').slice(0, -1)) {
    const [host = '', option = '', type, value = ''] = line.split('\0')
    const options = (found[host] ??= {})
    ;(options[option] ??= []).push(type === 'boolean' ? value === 'true' : value)
  }
  return found
}

async function merged(name: string, ...args: readonly string[]): Promise<string> {
  const file = join(dir, `${name}.cfg.lua`)
  await writeFile(file, jitsi(dir))
  expect(await generate(...DEBIAN, ...args, '--into', file)).toMatchObject({ exitCode: 0 })
  return file
}

test('Lua takes every file', async () => {
  const files = await Promise.all(
    [[], ['--keys', 'both', '--no-room-claim'], [...DEBIAN, '--moderators', 'first']].map(async (args, i) => {
      const file = join(dir, `syntax-${i}.lua`)
      await writeFile(file, (await generate('--issuer', ISSUER, ...args)).stdout)
      return file
    }),
  )
  for (const file of files) {
    expect(runProgram('luac5.4', ['-p', file])).toMatchObject({ exitCode: 0, stderr: '' })
  }
  await writeFile(join(dir, 'broken.lua'), 'VirtualHost "a\n')
  expect(runProgram('luac5.4', ['-p', join(dir, 'broken.lua')]).exitCode).not.toBe(0)
})

describe('for the Debian packages', () => {
  test('Prosody reads it into the sections that are there', async () => {
    const file = await merged(
      'host',
      '--moderators',
      'role:owner',
      '--keys',
      'both',
      '--audience',
      'a',
      '--audience',
      'b',
    )
    const { [HOST]: host, [`guest.${HOST}`]: guest, [`conference.${HOST}`]: muc } = read(file)
    expect(host).toEqual({
      defined: [true],
      authentication: ['token'],
      app_id: ['jitsi'],
      allow_empty_token: [false],
      enable_domain_verification: [false],
      asap_accepted_issuers: [ISSUER],
      asap_accepted_audiences: ['a', 'b'],
      signature_algorithm: ['RS256'],
      asap_key_server: ['https://meet.example.org/_api/public'],
      cache_keys_url: [`${ISSUER}/protocol/openid-connect/certs`],
      asap_require_room_claim: [true],
      modules_enabled: ['bosh', 'persistent_lobby'],
    })
    expect(muc).toMatchObject({
      component_module: ['muc'],
      restrict_room_creation: [true],
      modules_enabled: ['token_verification', 'muc_wait_for_host'],
      wait_for_host_disable_auto_owners: [true],
    })
    expect(guest).toMatchObject({ enabled: [true], authentication: ['jitsi-anonymous'] })
  })

  test.each([
    ['pem', ['https://meet.example.org/_api/public'], undefined],
    ['jwks', undefined, [`${ISSUER}/protocol/openid-connect/certs`]],
  ])('--keys %s leaves no other', async (keys, keyserver, keySet) => {
    const { [HOST]: host } = read(await merged(keys, '--moderators', 'first', '--keys', keys))
    expect(host?.['asap_key_server']).toEqual(keyserver)
    expect(host?.['cache_keys_url']).toEqual(keySet)
  })

  test("--no-guests closes the guests' host", async () => {
    const { [`guest.${HOST}`]: guest } = read(
      await merged('closed', '--moderators', 'everyone', '--no-guests'),
    )
    expect(guest?.['enabled']).toEqual([false])
  })

  test('prosodyctl finds nothing wrong with it', async () => {
    const base = join(dir, 'base.cfg.lua')
    await writeFile(base, jitsi(dir))
    const check = (file: string) => runProgram('prosodyctl', ['--config', file, 'check', 'config'])
    // What it says of the file without our block is not ours.
    const before = check(base).stdout.replaceAll(base, 'FILE')
    expect(before).toContain('Done.')
    const file = await merged('checked', '--moderators', 'role:owner', '--keys', 'both')
    const said = check(file).stdout.replaceAll(file, 'FILE')
    const complaints = (text: string) => text.split('\n').filter((line) => !line.includes('Duplicate option'))
    expect(complaints(said)).toEqual(complaints(before))
  })

  test('what the lists above it lack is said', async () => {
    const file = join(dir, 'lists.cfg.lua')
    await writeFile(file, jitsi(dir))
    const { stderr } = await generate(...DEBIAN, '--moderators', 'role:owner', '--into', file)
    expect(stderr).toContain(`${file} does not name token_affiliation in the section of conference.${HOST}`)
    expect(stderr).not.toContain('persistent_lobby')
    expect((await generate(...DEBIAN, '--moderators', 'everyone', '--into', file)).stderr).toBe('')
  })

  test('a second merge changes nothing, and --check says so', async () => {
    const args = ['--moderators', 'role:owner']
    const file = await merged('twice', ...args)
    const text = await readFile(file, 'utf8')
    expect(text.startsWith(jitsi(dir))).toBe(true)
    expect(await generate(...DEBIAN, ...args, '--into', file, '--check')).toMatchObject({ exitCode: 0 })
    expect(await generate(...DEBIAN, '--moderators', 'first', '--into', file, '--check')).toMatchObject({
      exitCode: 3,
    })
    expect(await readFile(file, 'utf8')).toBe(text)
  })
})

test("for docker-jitsi-meet, it comes after Jitsi's own file and wins", async () => {
  const conf = join(dir, 'conf.d')
  expect(await generate('--issuer', ISSUER, '--keys', 'both', '--no-room-claim', dir)).toMatchObject({
    exitCode: 0,
  })
  const own = 'VirtualHost "meet.jitsi"\n  app_id = "jitsi"\n  cache_keys_url = "https://old.example.org"\n'
  await writeFile(join(dir, 'jitsi-meet.cfg.lua'), own)
  const main = `Include "${dir}/jitsi-meet.cfg.lua"\nInclude "${dir}/zz-kjitsi.cfg.lua"\n`
  await writeFile(`${conf}.lua`, main)
  expect(read(`${conf}.lua`)['meet.jitsi']).toEqual({
    defined: [true],
    app_id: ['jitsi'],
    cache_keys_url: [`${ISSUER}/protocol/openid-connect/certs`],
    asap_require_room_claim: [false],
  })
})

test('whatever the values, Prosody reads them back, or they were refused', async () => {
  const hostile = fc.oneof(
    fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme' }),
    fc.string({ minLength: 1, maxLength: 8, unit: 'binary' }),
    fc.constantFrom(
      '"',
      '\\',
      '\\"',
      ']]',
      '--',
      '"; x = "',
      '{',
      '}',
      '$',
      '%',
      "'",
      '\n',
      '{{DOMAIN}}',
      ';',
      ',',
      '\\065',
    ),
  )
  let refused = 0
  let taken = 0
  for (const [appId, audience] of fc.sample(fc.tuple(hostile, hostile), { numRuns: 60, seed: 7 })) {
    const args = ['--moderators', 'first', `--app-id=${appId}`, `--audience=${audience}`]
    const { exitCode, stdout } = await generate(...DEBIAN, ...args)
    expect([0, 2]).toContain(exitCode)
    if (exitCode === 2) refused++
    else {
      taken++
      const file = join(dir, 'hostile.cfg.lua')
      await writeFile(file, stdout)
      expect(read(file)[HOST]).toMatchObject({ app_id: [appId], asap_accepted_audiences: [audience] })
    }
  }
  expect(taken).toBeGreaterThan(10)
  expect(refused).toBeGreaterThan(10)
})
