// Prosody's configuration, read by Debian's Prosody and by Lua itself.
import fc from 'fast-check'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { freePort } from '../support/http.ts'
import { sharedFolder } from '../support/folder.ts'
import { type Ran, run } from '../support/run.ts'
import { runProgram } from '../support/programs.ts'
import { greet } from '../support/prosody.ts'

const ISSUER = 'https://auth.example.org/realms/meet'
const DEBIAN = ['--debian', '--jitsi-url', 'https://meet.example.org', '--issuer', ISSUER]
const CERTS = `${ISSUER}/protocol/openid-connect/certs`
const HOST = 'meet.example.org'
const HOSTS = [HOST, `guest.${HOST}`, `conference.${HOST}`]

/** What Debian's jitsi-meet-prosody has in a host's file, as far as it matters here. */
const jitsi = (dir: string, host = HOST): string => `
admins = { "admin@localhost" }
modules_enabled = { "saslauth"; "tls"; "disco"; "roster" }
pidfile = "${dir}/prosody.pid"
data_path = "${dir}"
certificates = "${dir}"
ssl = { key = "${dir}/${host}.key"; certificate = "${dir}/${host}.crt" }
c2s_require_encryption = false
s2s_require_encryption = false
VirtualHost "${host}"
    authentication = "jitsi-anonymous"
    asap_accepted_issuers = { "https://old.example.org" }
    modules_enabled = { "bosh"; "persistent_lobby" }
Component "conference.${host}" "muc"
    restrict_room_creation = true
    modules_enabled = { "token_verification"; "muc_wait_for_host" }
VirtualHost "guest.${host}"
    authentication = "jitsi-anonymous"
`

// As root, prosodyctl reads as the user prosody.
const dir = sharedFolder()

async function generate(...args: readonly string[]): Promise<Ran> {
  return run(['gen-config', 'prosody', ...args], { cwd: dir })
}

type Options = Readonly<Record<string, readonly (string | boolean)[]>>

/** Each host's options, as Prosody reads them. */
function read(
  file: string,
  hosts: readonly string[] = [...HOSTS, 'meet.jitsi'],
): Readonly<Record<string, Options>> {
  const reader = fileURLToPath(new URL('prosody-config.lua', import.meta.url))
  const { exitCode, stdout, stderr } = runProgram('lua5.4', [reader, file, ...hosts])
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
      '--accept-audience',
      'a',
      '--accept-audience',
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
    ['pem', 'VirtualHost "x"', ['https://meet.example.org/_api/public'], undefined],
    ['jwks', 'cache_keys_url = "https://old.example.org"', undefined, [CERTS]],
    ['both', 'cache_keys_url = "https://old.example.org"', ['https://meet.example.org/_api/public'], [CERTS]],
  ])('--keys %s leaves no other', async (keys, line, keyserver, keySet) => {
    const file = join(dir, `keys-${keys}.cfg.lua`)
    await writeFile(file, jitsi(dir) + `VirtualHost "${HOST}"\n${line}\n`)
    const args = ['--moderators', 'first', '--keys', keys, '--into', file]
    expect(await generate(...DEBIAN, ...args)).toMatchObject({ exitCode: 0 })
    const { [HOST]: host } = read(file)
    expect(host?.['asap_key_server']).toEqual(keyserver)
    expect(host?.['cache_keys_url']).toEqual(keySet)
  })

  test.each([
    ['pem', 'cache_keys_url'],
    ['jwks', 'asap_key_server'],
  ])(
    '--keys %s is refused where %s is set further up, which no block can take away',
    async (keys, option) => {
      const file = join(dir, 'refused.cfg.lua')
      const text = `${jitsi(dir)}VirtualHost "${HOST}"\n  ${option} = "https://old.example.org"\n`
      await writeFile(file, text)
      const ran = await generate(...DEBIAN, '--moderators', 'first', '--keys', keys, '--into', file)
      const line = text.split('\n').length - 1
      expect(ran).toMatchObject({ exitCode: 2, stdout: '' })
      expect(ran.stderr).toContain(
        `${file} sets ${option} in line ${line}, which --keys ${keys} does not use`,
      )
      expect(await readFile(file, 'utf8')).toBe(text)
    },
  )

  // It is the length of the file's path that counts, which is longer here than in /etc/prosody.
  test.each([15, 31, 32, 60])('Prosody starts with a host name of %i characters', async (length) => {
    const host = `${'meet'.repeat(15)}.example.org`.slice(-length).replace(/^\./, 'x')
    const root = join(dir, `start-${length}`)
    for (const folder of ['', 'conf.avail', 'conf.d']) await mkdir(join(root, folder))
    const file = join(root, 'conf.avail', `${host}.cfg.lua`)
    await writeFile(file, jitsi(root, host))
    await symlink(file, join(root, 'conf.d', `${host}.cfg.lua`))
    const port = await freePort()
    const main = join(root, 'prosody.cfg.lua')
    const ports = `interfaces = { "127.0.0.1" }\nc2s_ports = { ${port} }\ns2s_ports = {}\nhttp_ports = {}\nhttps_ports = {}\n`
    const lines = `run_as_root = true\nlog = { info = "*console" }\n${ports}Include "conf.d/*.cfg.lua"\n`
    await writeFile(main, lines)
    const args = [
      '--debian',
      '--jitsi-url',
      `https://${host}`,
      '--issuer',
      ISSUER,
      '--moderators',
      'role:owner',
    ]
    expect(await generate(...args, '--keys', 'both', '--into', file)).toMatchObject({ exitCode: 0 })
    expect(host).toHaveLength(length)
    expect(await greet(main, port, host)).toContain(`from='${host}'`)
    const { [host]: options } = read(main, [host])
    expect(options).toMatchObject({ authentication: ['token'], cache_keys_url: [CERTS] })
  })

  test('a block of an earlier version gives way to the one that Prosody starts with', async () => {
    const file = join(dir, 'earlier.cfg.lua')
    const block = `-- >>> kjitsi\nVirtualHost "${HOST}"\n    authentication = "token"\n    cache_keys_url = nil\n-- <<< kjitsi\n`
    const text = jitsi(dir)
    await writeFile(file, text + block)
    expect(await generate(...DEBIAN, '--moderators', 'first', '--into', file)).toMatchObject({ exitCode: 0 })
    const after = await readFile(file, 'utf8')
    expect(after.startsWith(text)).toBe(true)
    expect(after.match(/kjitsi$/gm)).toHaveLength(2)
    expect(runProgram('prosodyctl', ['--config', file, 'check', 'config']).stdout).not.toContain('Duplicate')
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
    expect(said).toBe(before)
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

test("for docker-jitsi-meet, Prosody reads it beside Jitsi's own file", async () => {
  const conf = join(dir, 'conf.d')
  expect(await generate('--issuer', ISSUER, '--keys', 'both', '--no-room-claim', dir)).toMatchObject({
    exitCode: 0,
  })
  const own = 'VirtualHost "meet.jitsi"\n  app_id = "jitsi"\n'
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
    const args = ['--moderators', 'first', `--app-id=${appId}`, `--accept-audience=${audience}`]
    const { exitCode, stdout } = await generate(...DEBIAN, ...args)
    expect([0, 2]).toContain(exitCode)
    if (exitCode === 2) refused++
    else {
      taken++
      const file = join(dir, 'hostile.cfg.lua')
      await writeFile(file, stdout)
      // Blanks around a setting are none of it, and without anything else it is not given.
      const audiences = audience.trim() === '' ? ['account', 'jitsi'] : [audience.trim()]
      expect(read(file)[HOST]).toMatchObject({
        app_id: [appId.trim() || 'jitsi'],
        asap_accepted_audiences: audiences,
      })
    }
  }
  expect(taken).toBeGreaterThan(10)
  expect(refused).toBeGreaterThan(10)
})
