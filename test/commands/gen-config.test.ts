import { writeFileSync } from 'node:fs'
import { appendFile, mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { genConfig } from '../../src/commands/gen-config.ts'
import type * as block from '../../src/jitsi/block.ts'
import { tempFolder } from '../support/folder.ts'
import { run, spawnKjitsi } from '../support/run.ts'
import { shell } from '../support/shell.ts'
import { ENTER, openTerminal } from '../support/terminal.ts'

const KEYCLOAK = ['--url', 'https://auth.example.org', '--realm', 'meet']
const ISSUER = ['--issuer', 'https://auth.example.org/realms/meet']

/** Runs once, between the reading of a file and the moment that it is replaced. */
let meanwhile: (() => void) | undefined
vi.hoisted(() => {
  vi.resetModules()
})
vi.mock('../../src/jitsi/block.ts', async (original) => {
  const real = await original<typeof block>()
  return {
    mergeBlock(...args: Parameters<typeof real.mergeBlock>) {
      meanwhile?.()
      meanwhile = undefined
      return real.mergeBlock(...args)
    },
  }
})
afterAll(() => {
  vi.resetModules()
})

let dir: string
beforeEach(() => {
  dir = tempFolder()
})

test.each([
  [
    'nginx',
    'export-certs "$CONFIG/web/kjitsi-keys" --url https://a.example --realm meet --allow-keys-from b.example:8443',
  ],
  ['systemd', 'Environment="KJITSI_ALLOW_KEYS_FROM=b.example:8443"'],
  ['compose', 'KJITSI_ALLOW_KEYS_FROM: "b.example:8443"'],
  ['kubernetes', 'name: KJITSI_ALLOW_KEYS_FROM\n              value: "b.example:8443"'],
])('%s lets the keys come from the host that was allowed', async (kind, text) => {
  const argv = ['gen-config', kind, '--url', 'https://a.example', '--realm', 'meet']
  argv.push('--allow-keys-from', 'b.example:8443')
  const env = kind === 'nginx' ? { KJITSI_JITSI_URL: 'https://meet.example.org' } : {}
  const { exitCode, stdout } = await run(argv, { env })
  expect(exitCode).toBe(0)
  expect(stdout).toContain(text)
})

describe('to stdout', () => {
  test('one file as it is', async () => {
    const ran = await run(['gen-config', 'nginx', ...KEYCLOAK, '--jitsi-url', 'https://meet.example.org'])
    expect(ran).toMatchObject({
      exitCode: 0,
      stderr: 'JWT_ASAP_KEYSERVER that goes with it: https://meet.example.org/kjitsi-keys\n',
    })
    expect(ran.stdout).toContain('\nlocation ^~ "/kjitsi-keys/" {\n')
    expect(ran.stdout).toContain(
      'kjitsi export-certs "$CONFIG/web/kjitsi-keys" --url https://auth.example.org --realm meet\n',
    )
    expect(ran.stdout).not.toContain('# file:')
  })

  test('several files, each under its name', async () => {
    const { stdout } = await run(['gen-config', 'systemd', ...KEYCLOAK])
    expect([...stdout.matchAll(/^# file: (.*)$/gm)].map(([, name]) => name)).toEqual([
      'kjitsi-serve-certs.service',
      'kjitsi-export-certs.service',
      'kjitsi-export-certs.timer',
    ])
  })

  test('as a document', async () => {
    const ran = await run([
      'gen-config',
      'compose',
      '--json',
      '--url',
      'http://localhost:8080',
      '--realm',
      'meet',
    ])
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' })
    expect(JSON.parse(ran.stdout)).toMatchObject({
      version: 1,
      kind: 'config',
      config: 'compose',
      keyserver: 'http://kjitsi:9000/certs',
      dir: null,
      files: [{ name: 'kjitsi.yml', text: expect.stringContaining('KEYCLOAK_REALM: "meet"') as unknown }],
      findings: [{ code: 'keycloak-loopback', level: 'warning' }],
    })
  })
})

describe('into a folder', () => {
  const argv = ['gen-config', 'systemd', '.', ...KEYCLOAK]

  test('writes what stdout would have, and nothing the second time', async () => {
    expect(await run(argv, { cwd: dir })).toMatchObject({ exitCode: 0 })
    const { stdout } = await run(['gen-config', 'systemd', ...KEYCLOAK])
    for (const name of await readdir(dir)) {
      expect(stdout).toContain(`# file: ${name}\n${await readFile(join(dir, name), 'utf8')}`)
      expect((await stat(join(dir, name))).mode & 0o777).toBe(0o644)
    }
    expect(await readdir(dir)).toHaveLength(3)
    const again = await run(argv, { cwd: dir })
    expect(again.stdout).toBe('3 files: no changes\n')
    expect((await run([...argv, '--all'], { cwd: dir })).stdout.match(/^unchanged /gm)).toHaveLength(3)
  })

  test('--dry-run writes nothing; --check exits 3 until the files are there', async () => {
    const dry = await run([...argv, '--dry-run'], { cwd: dir })
    expect(dry).toMatchObject({ exitCode: 0 })
    expect(dry.stdout.match(/^create .*: systemd configuration$/gm)).toHaveLength(3)
    expect(dry.stdout).toContain('\n+OnUnitInactiveSec=5min\n')
    expect(await run([...argv, '--check'], { cwd: dir })).toMatchObject({ exitCode: 3 })
    expect(await readdir(dir)).toEqual([])

    await run(argv, { cwd: dir })
    expect(await run([...argv, '--check'], { cwd: dir })).toMatchObject({ exitCode: 0 })
    const timer = join(dir, 'kjitsi-export-certs.timer')
    const ours = await readFile(timer, 'utf8')
    const edited = ours.replace('5min', '1min')
    await writeFile(timer, edited)
    const drift = await run([...argv, '--check', '--json'], { cwd: dir })
    expect(drift.exitCode).toBe(3)
    const { files } = JSON.parse(drift.stdout) as { files: { action: string; path: string; diff: string }[] }
    expect(files.filter(({ action }) => action !== 'keep')).toMatchObject([
      { action: 'update', path: timer, diff: expect.stringContaining('+OnUnitInactiveSec=5min') as string },
    ])
    expect(await readFile(timer, 'utf8')).toBe(edited)

    const mended = await run(argv, { cwd: dir })
    expect(mended.stdout).toContain(`updated ${timer}: systemd configuration\n--- ${timer}\n`)
    expect(mended.stdout).toContain('\n-OnUnitInactiveSec=1min\n+OnUnitInactiveSec=5min\n')
    expect(await readFile(timer, 'utf8')).toBe(ours)
  })

  test('that is not there, dry or not', async () => {
    for (const flag of ['--dry-run', '--check', '--all']) {
      const ran = await run(['gen-config', 'systemd', join(dir, 'gone'), flag, ...KEYCLOAK])
      expect(ran).toMatchObject({ exitCode: 1, stdout: '' })
      expect(ran.stderr).toContain(
        `cannot write ${join(dir, 'gone')}/kjitsi-serve-certs.service: no such file or folder`,
      )
    }
  })
})

describe('a file that kjitsi did not make', () => {
  const UNIT = '[Unit]\nDescription=tuned by hand\n'
  const unit = (): string => join(dir, 'kjitsi-serve-certs.service')

  test.each([[], ['--dry-run'], ['--check']])(
    'stays, with those beside it, and is shown: %j',
    async (...flags) => {
      await writeFile(unit(), UNIT)
      const ran = await run(['gen-config', 'systemd', dir, ...KEYCLOAK, ...flags])
      expect(ran.exitCode).toBe(1)
      expect(ran.stderr).toContain(`error: ${unit()} was not made by kjitsi, and is not replaced\n  → `)
      expect(ran.stdout).toContain(`not made by kjitsi ${unit()}: systemd configuration\n--- ${unit()}\n`)
      expect(ran.stdout).toContain('\n-Description=tuned by hand\n')
      expect(ran.stdout).toMatch(/^3 files: 2 to create, 1 not made by kjitsi; nothing was done$/m)
      expect(await readdir(dir)).toEqual(['kjitsi-serve-certs.service'])
      expect(await readFile(unit(), 'utf8')).toBe(UNIT)
    },
  )

  test('is replaced with --force, and shown', async () => {
    await writeFile(unit(), UNIT)
    const ran = await run(['gen-config', 'systemd', dir, ...KEYCLOAK, '--force'])
    expect(ran).toMatchObject({ exitCode: 0, stderr: expect.not.stringContaining('error') as string })
    expect(ran.stdout).toContain('\n-Description=tuned by hand\n')
    expect(await readFile(unit(), 'utf8')).toContain('Made by kjitsi')
    expect(await run(['gen-config', 'systemd', dir, ...KEYCLOAK])).toMatchObject({
      exitCode: 0,
      stdout: '3 files: no changes\n',
    })
  })

  test('has no name in the environment that would replace it', async () => {
    await writeFile(unit(), UNIT)
    const env = { KJITSI_FORCE: '1' }
    expect(await run(['gen-config', 'systemd', dir, ...KEYCLOAK], { env })).toMatchObject({ exitCode: 1 })
  })

  test('is what no kind makes itself', async () => {
    const address = ['--jitsi-url', 'https://meet.example.org']
    for (const [kind, ...more] of [
      ['nginx', ...address],
      ['nginx', '--debian', ...address],
      ['systemd'],
      ['compose'],
      ['kubernetes'],
      ['kubernetes', '--cronjob', ...address],
      ['helm', ...ISSUER],
    ] as const) {
      const folder = join(dir, [kind, ...more].length.toString() + kind)
      await mkdir(folder)
      const argv = ['gen-config', kind, folder, ...KEYCLOAK, ...more]
      await run(argv)
      for (const name of await readdir(folder)) await appendFile(join(folder, name), '# mine\n')
      expect(await run(argv), argv.join(' ')).toMatchObject({
        exitCode: 0,
        stdout: expect.stringContaining('\n-# mine') as string,
      })
    }
  })
})

test('several files of which one is too large for the disk: what was written is said, and what was not', async () => {
  // The second is the largest.
  const [serve, exporting, timer] = ['serve-certs.service', 'export-certs.service', 'export-certs.timer'].map(
    (name) => join(dir, `kjitsi-${name}`),
  ) as [string, string, string]
  const argv = ['gen-config', 'systemd', dir, ...KEYCLOAK]
  await run(argv)
  const most = Math.max((await stat(serve)).size, (await stat(timer)).size)
  for (const path of [serve, exporting, timer]) await rm(path)
  const ran = await shell(`ulimit -f ${Math.ceil(most / 512)}; exec "$@"`, argv, dir)
  expect(ran.stderr).toContain(
    `error: cannot write ${exporting}: it would be larger than the largest file allowed; ` +
      `done before it: create ${serve}; not done: create ${exporting}, create ${timer}\n`,
  )
  expect(ran.exitCode).toBe(1)
  expect(await readdir(dir)).toEqual(['kjitsi-serve-certs.service'])
})

describe('where the keys are', () => {
  test.each([
    ['nginx', ['--jitsi-url', 'https://meet.example.org'], 'https://meet.example.org/kjitsi-keys'],
    [
      'nginx',
      ['--jitsi-url', 'https://meet.example.org', '--debian'],
      'https://meet.example.org/_api/public',
    ],
    ['nginx', ['--keyserver', 'http://web:8000/keys/'], 'http://web:8000/keys'],
    ['systemd', [], 'http://127.0.0.1:9000/certs'],
    ['compose', [], 'http://kjitsi:9000/certs'],
    ['kubernetes', ['--namespace', 'meet'], 'http://kjitsi.meet.svc.cluster.local:9000/certs'],
    ['kubernetes', ['--cronjob', '--jitsi-url', 'meet.example.org'], 'https://meet.example.org/kjitsi-keys'],
    ['helm', ISSUER, 'http://kjitsi.jitsi.svc.cluster.local:9000/certs'],
    ['helm', [...ISSUER, '--keyserver', 'https://keys.example.org'], 'https://keys.example.org'],
  ])('%s %j', async (kind, args, keyserver) => {
    const { stdout } = await run(['gen-config', kind, ...KEYCLOAK, ...args, '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ keyserver })
  })

  test("Jitsi's address comes from its own .env", async () => {
    await writeFile(join(dir, '.env'), 'PUBLIC_URL=https://meet.example.org:8443\n')
    const { stdout } = await run(['gen-config', 'nginx', ...KEYCLOAK, '--json'], { cwd: dir })
    expect(JSON.parse(stdout)).toMatchObject({ keyserver: 'https://meet.example.org:8443/kjitsi-keys' })
  })

  test.each([
    ['https://meet.example.org/keys/', [], 'https://meet.example.org/keys'],
    ['http://web:8000/keys', [], 'http://web:8000/keys'],
    ['https://meet.example.org', [], 'https://meet.example.org/kjitsi-keys'],
    ['https://meet.example.org:8443/keys', [], 'https://meet.example.org/kjitsi-keys'],
    ['http://kjitsi:9000/certs', [], 'https://meet.example.org/kjitsi-keys'],
    ['https://meet.example.org/keys', ['--debian'], 'https://meet.example.org/_api/public'],
    [
      'https://meet.example.org/keys',
      ['--keyserver', 'https://meet.example.org/x'],
      'https://meet.example.org/x',
    ],
  ])('what Prosody asks for already, if Jitsi has it: %s %j', async (asked, args, keyserver) => {
    await writeFile(join(dir, '.env'), `PUBLIC_URL=https://meet.example.org\nJWT_ASAP_KEYSERVER=${asked}\n`)
    const { stdout } = await run(['gen-config', 'nginx', ...KEYCLOAK, ...args, '--json'], { cwd: dir })
    expect(JSON.parse(stdout)).toMatchObject({ keyserver })
  })

  test('an address there that is not read is not judged either', async () => {
    await writeFile(join(dir, '.env'), 'PUBLIC_URL=http://meet.example.org\n')
    expect(await run(['gen-config', 'systemd', ...KEYCLOAK], { cwd: dir })).toMatchObject({ exitCode: 0 })
    expect(await run(['gen-config', 'nginx', ...KEYCLOAK], { cwd: dir })).toMatchObject({ exitCode: 2 })
  })
})

test('--help lists the kinds with what each is for, and a kind has its own', async () => {
  const { exitCode, stdout } = await run(['gen-config', '--help'])
  expect(exitCode).toBe(0)
  for (const { name, summary } of genConfig.subcommands) {
    expect(stdout).toMatch(new RegExp(`^ +${name} `, 'm'))
    expect(stdout.replace(/\s+/g, ' ')).toContain(summary)
  }
  const nginx = await run(['gen-config', 'nginx', '--help'])
  expect(nginx.stdout).toContain('--debian')
  for (const other of ['--into', '--xmpp-domain', '--image', '--namespace', '--cronjob', '--issuer'])
    expect(nginx.stdout).not.toContain(other)
})

const ONE_OF = 'gen-config needs one of web, prosody, nginx, systemd, compose, kubernetes, helm'

describe('is a usage error', () => {
  test.each([
    [[], `${ONE_OF}\n  → see kjitsi gen-config --help`],
    [['constructor'], ONE_OF],
    [['nginz'], `${ONE_OF}\n(Did you mean nginx?)\n  → see kjitsi gen-config --help`],
    [['systemd', ...KEYCLOAK, '--image', 'x'], "unknown option '--image'"],
    [['nginx', ...KEYCLOAK, '--namespace', 'x'], "unknown option '--namespace'"],
    [['systemd', ...KEYCLOAK, '--debian=yes'], "unknown option '--debian'"],
    [['nginx', ...KEYCLOAK, '--debian=yes'], '--debian takes no value'],
    [['systemd', ...KEYCLOAK, '--check'], '--check needs DIR'],
    [['kubernetes', ...KEYCLOAK, '--namespace', 'A'], '--namespace "A" is no name for Kubernetes'],
    [['systemd', '--url', 'https://auth.example.org', '--realm', 'a,b'], '--realm "a,b" holds a comma'],
    [['systemd', '', ...KEYCLOAK], 'DIR is empty'],
    [['kubernetes', '--cronjob', '--realm', 'a'], '2 settings are missing'],
    [['nginx'], '3 settings are missing'],
    [['web'], '3 settings are missing'],
    [['web', '--check'], '--check needs DIR or --into'],
    [['web', ...ISSUER], 'a setting is missing: --jitsi-url'],
    [
      ['web', ...ISSUER, '--jitsi-url', 'https://a.example', '--jitsi-url', 'https://b.example'],
      '2 addresses of Jitsi were given',
    ],
    [['prosody', ...ISSUER, '--debian'], 'a setting is missing: --jitsi-url'],
    [['prosody', ...ISSUER, 'x', '--into', 'y'], 'DIR and --into were both given'],
    [['nginx', ...KEYCLOAK, '--into', 'y'], "unknown option '--into'"],
    [['helm'], '2 settings are missing'],
  ])('%j', async (args, message) => {
    const ran = await run(['gen-config', ...args])
    expect(ran).toMatchObject({ exitCode: 2, stdout: '' })
    expect(ran.stderr).toContain(`error: ${message}`)
  })

  test('but not what the environment says to other kinds', async () => {
    const env = { KJITSI_DEBIAN: '1', KJITSI_IMAGE: 'x', KJITSI_KEYSERVER: 'https://elsewhere.example.org' }
    const ran = await run(['gen-config', 'systemd', ...KEYCLOAK, '--json'], { env })
    expect(JSON.parse(ran.stdout)).toMatchObject({ keyserver: 'http://127.0.0.1:9000/certs' })
  })
})

describe('web, merged into a file', () => {
  test('that somebody else changes at the same time, stays theirs', async () => {
    const file = join(dir, 'custom-config.js')
    const theirs = 'config.startAudioMuted = 5\n'
    await writeFile(file, '// nothing yet\n')
    meanwhile = () => {
      writeFileSync(file, theirs)
    }
    const argv = ['gen-config', 'web', ...KEYCLOAK, '--jitsi-url', 'https://meet.example.org', '--into', file]
    const { exitCode, stderr } = await run([...argv, ...ISSUER])
    expect(stderr).toContain(`error: cannot write ${file}: it was changed meanwhile, and is left as it is`)
    expect(exitCode).toBe(1)
    expect(await readFile(file, 'utf8')).toBe(theirs)
  })

  const argv = ['gen-config', 'web', ...ISSUER, '--jitsi-url', 'https://meet.example.org']

  test('is what stdout has, at its end, and the same the second time', async () => {
    const file = join(dir, 'custom-config.js')
    await writeFile(file, 'config.mine = 1;\n')
    const { stdout } = await run(argv)
    expect(await run([...argv, '--into', 'custom-config.js'], { cwd: dir })).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^updated .*custom-config\.js: web configuration\n/) as string,
    })
    expect(await readFile(file, 'utf8')).toBe(`config.mine = 1;\n\n${stdout}`)
    expect((await run([...argv, '--into', file])).stdout).toBe(`${file}: no changes\n`)
    expect(await run([...argv, '--into', file, '--check'])).toMatchObject({ exitCode: 0 })
  })

  test('--check and --dry-run write nothing', async () => {
    const file = join(dir, 'new.js')
    expect(await run([...argv, '--into', file, '--check'])).toMatchObject({ exitCode: 3 })
    expect((await run([...argv, '--into', file, '--dry-run'])).stdout).toContain(`create ${file}: `)
    expect(await readdir(dir)).toEqual([])
    const { stdout } = await run([...argv, '--into', file, '--json'])
    expect(JSON.parse(stdout)).toMatchObject({
      config: 'web',
      keyserver: null,
      dir: null,
      files: [{ path: file, action: 'create' }],
    })
  })

  test('a folder gets the same, and a file of that name there keeps the rest', async () => {
    await writeFile(join(dir, 'custom-config.js'), 'config.mine = 1;\n')
    expect(await run([...argv, dir])).toMatchObject({ exitCode: 0 })
    const text = await readFile(join(dir, 'custom-config.js'), 'utf8')
    expect(text).toBe(`config.mine = 1;\n\n${(await run(argv)).stdout}`)
  })

  test("takes the address from Jitsi's .env", async () => {
    await writeFile(
      join(dir, 'jitsi.env'),
      'HTTPS_PORT=8443\nPUBLIC_URL=https://meet.example.org:${HTTPS_PORT}\n',
    )
    const { stdout } = await run(['gen-config', 'web', ...ISSUER, '--jitsi-env', join(dir, 'jitsi.env')])
    expect(stdout).toContain('https%3A%2F%2Fmeet.example.org%3A8443%2Fstatic%2Flogout.html')
  })
})

describe('a file of the Debian packages is there before kjitsi', () => {
  const DEBIAN = ['--debian', '--jitsi-url', 'https://meet.example.org']

  test.each([
    ['web', ['--into', 'wrong-config.js'], 'wrong-config.js', '/etc/jitsi/meet/meet.example.org-config.js'],
    ['web', ['.'], 'meet.example.org-config.js', '/etc/jitsi/meet/meet.example.org-config.js'],
    ['prosody', ['--into', 'wrong.lua'], 'wrong.lua', '/etc/prosody/conf.avail/meet.example.org.cfg.lua'],
    ['prosody', ['.', '--xmpp-domain', 'typo'], 'typo.cfg.lua', '/etc/prosody/conf.avail/typo.cfg.lua'],
  ])(
    '%s %j: one that is not is no place for a part of it, before a server is asked',
    async (kind, args, name, usual) => {
      const nobody = ['--url', 'http://127.0.0.1:9', '--realm', 'meet']
      for (const more of [[], ['--dry-run'], ['--check']]) {
        const ran = await run(['gen-config', kind, ...args, ...DEBIAN, ...nobody, ...more], { cwd: dir })
        expect(ran).toMatchObject({ exitCode: 2, stdout: '' })
        expect(ran.stderr).toContain(`error: ${join(dir, name)}: not found`)
        expect(ran.stderr).toContain(`usually as ${usual}\n`)
      }
      expect(await readdir(dir)).toEqual([])
    },
  )

  test('and is added to where it is', async () => {
    for (const [kind, name] of [
      ['web', 'meet.example.org-config.js'],
      ['prosody', 'meet.example.org.cfg.lua'],
    ] as const) {
      await writeFile(join(dir, name), '')
      const ran = await run(['gen-config', kind, '.', ...ISSUER, ...DEBIAN], { cwd: dir })
      expect(ran).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/updated/) as string })
    }
  })
})

describe('prosody', () => {
  const DEBIAN = ['--debian', '--jitsi-url', 'https://meet.example.org:8443']

  test.each([
    [[], 'VirtualHost "meet.jitsi"'],
    [['--xmpp-domain', 'x.example'], 'VirtualHost "x.example"'],
    [[...DEBIAN, '--moderators', 'first'], 'VirtualHost "meet.example.org"'],
    [[...DEBIAN, '--moderators', 'first'], 'asap_key_server = "https://meet.example.org:8443/_api/public"'],
    [[...DEBIAN, '--moderators', 'first'], 'jicofo.conference.enable-auto-owner true'],
    [[...DEBIAN, '--moderators', 'everyone'], 'take out "token_affiliation"'],
    [DEBIAN, 'wait_for_host_disable_auto_owners = false'],
    [DEBIAN, 'jicofo.conference.enable-auto-owner false'],
    [
      [...DEBIAN, '--moderators', 'role:owner'],
      'add "token_verification"; "muc_wait_for_host"; "token_affiliation"',
    ],
  ])('%j has %s', async (args, line) => {
    const ran = await run(['gen-config', 'prosody', ...ISSUER, ...args])
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' })
    expect(ran.stdout).toContain(line)
  })

  test('asks on a terminal for what is missing, and takes the answers', async () => {
    const terminal = openTerminal(['gen-config', 'prosody', ...ISSUER, '--debian'], {
      cwd: dir,
      stdoutTo: join(dir, 'out'),
    })
    await terminal.shows('Address of Jitsi:')
    terminal.type(`meet.example.org${ENTER}`)
    expect(await terminal.exitCode, terminal.screen()).toBe(0)
    const text = await readFile(join(dir, 'out'), 'utf8')
    expect(text).toContain('VirtualHost "meet.example.org"')
    expect(text).toContain('wait_for_host_disable_auto_owners = false')
  })

  test('warns of a role that makes nobody a moderator', async () => {
    const { stderr } = await run([
      'gen-config',
      'prosody',
      ...ISSUER,
      ...DEBIAN,
      '--moderators',
      'role:chief',
    ])
    expect(stderr).toContain('the role chief makes nobody a moderator')
  })
})

test.each([
  ['compose', 'http://localhost:8080', true],
  ['kubernetes', 'http://127.0.0.1:8080', true],
  ['systemd', 'http://localhost:8080', false],
  ['compose', 'https://auth.example.org', false],
])('%s warns about %s: %s', async (kind, url, warned) => {
  const { stderr } = await run(['gen-config', kind, '--url', url, '--realm', 'meet'])
  expect(stderr.includes('inside a container, that is the container itself')).toBe(warned)
})

test('helm asks nobody where the issuer is given', async () => {
  const ran = await run([
    'gen-config',
    'helm',
    ...ISSUER,
    '--client',
    'web',
    '--no-guests',
    '--sign-type',
    'RS384',
  ])
  expect(ran).toMatchObject({ exitCode: 0, stderr: '' })
  expect(ran.stdout).toContain('JWT_ACCEPTED_ISSUERS: "https://auth.example.org/realms/meet"')
  expect(ran.stdout).toContain('JWT_ACCEPTED_AUDIENCES: "account,web"')
  expect(ran.stdout).toContain('JWT_APP_ID: "web"')
  expect(ran.stdout).toContain('JWT_SIGN_TYPE: "RS384"')
  expect(ran.stdout).toContain('enableGuests: false')
  expect(ran.stdout).toContain('XMPP_MUC_MODULES: "muc_wait_for_host"')
  expect(ran.stdout).toContain('ENABLE_AUTO_OWNER: "0"')
})

test.each([
  ['role:owner', 'XMPP_MODULES: ""', 'XMPP_MUC_MODULES: "token_affiliation"', 'ENABLE_AUTO_OWNER: "0"'],
  ['first', 'XMPP_MODULES: ""', 'XMPP_MUC_MODULES: ""', 'ENABLE_AUTO_OWNER: "1"'],
])('helm with --moderators %s and without guests', async (who, ...lines) => {
  const ran = await run(['gen-config', 'helm', ...ISSUER, '--moderators', who, '--no-guests'])
  expect(ran).toMatchObject({ exitCode: 0, stderr: '' })
  for (const line of lines) expect(ran.stdout).toContain(line)
})

test('helm warns as gen-env does', async () => {
  const args = [
    '--issuer',
    'http://auth.example.org/realms/meet',
    '--accept-audience',
    '*',
    '--keyserver',
    'http://localhost:9000',
  ]
  const { stdout } = await run(['gen-config', 'helm', ...args, '--json'])
  const { findings } = JSON.parse(stdout) as { findings: { code: string }[] }
  expect(findings.map(({ code }) => code).sort()).toEqual(['issuer-http', 'keyserver-default', 'wildcard'])
})

test('the real command finds its templates', async () => {
  const ran = await spawnKjitsi(['gen-config', 'kubernetes', ...KEYCLOAK], { cwd: dir })
  expect(ran).toMatchObject({ exitCode: 0 })
  expect(ran.stdout).toContain('kind: PodDisruptionBudget')
})
