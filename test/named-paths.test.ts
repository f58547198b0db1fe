// Every command line that names a path, with what is no regular file there.
import { readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { tempFolder } from './support/folder.ts'
import { NO_FILES } from './support/no-files.ts'
import { type Ran, run, spawnKjitsi } from './support/run.ts'
import { ENV, FILE, token } from './support/tokens.ts'

/** Nobody answers there: whoever asks before the path is looked at fails with another code. */
const NOBODY = ['--url', 'http://127.0.0.1:9', '--realm', 'meet']
const KEYCLOAK = ['--url', 'https://auth.example.org', '--realm', 'meet']
const ADDRESS = ['--jitsi-url', 'https://meet.example.org']
const LOGIN_CLIENT = ['--login-client', 'ci']
const KEY_SET = new URL('fixtures/jwks.json', import.meta.url).pathname
const JITSI_ENV = Object.entries(ENV)
  .map(([key, value]) => `${key}=${value}\n`)
  .join('')

/** In this process: a kjitsi that waits for what never comes is one that the time limit of the test ends. */
async function kjitsi(words: readonly string[], cwd: string, start = run): Promise<Ran> {
  const isVariable = (word: string): boolean => /^[A-Z_]+=/.test(word)
  const env = words.filter(isVariable).map((word) => {
    const end = word.indexOf('=')
    return [word.slice(0, end), word.slice(end + 1)] as const
  })
  const argv = words.filter((word) => !isVariable(word))
  // The token is for check-token, which reads it on stdin; nobody else does.
  return start(argv, { cwd, env: Object.fromEntries(env), stdin: token() })
}

/** A variable of the environment stands before the command, as in a shell. */
type Row = readonly [name: string, argv: readonly string[], error: string, exitCode: number]

const ROWS: readonly Row[] = [
  ['jitsi.env', ['gen-env', 'jitsi.env', ...NOBODY], 'cannot write PATH', 1],
  ['jitsi.env', ['gen-env', 'jitsi.env', '--check', ...NOBODY], 'cannot write PATH', 1],
  ['a.js', ['gen-config', 'web', '--into', 'a.js', ...ADDRESS, ...NOBODY], 'cannot write PATH', 1],
  ['custom-config.js', ['gen-config', 'web', '.', ...ADDRESS, ...NOBODY], 'cannot write PATH', 1],
  ['zz-kjitsi.cfg.lua', ['gen-config', 'prosody', '.', ...NOBODY], 'cannot write PATH', 1],
  ['kjitsi-values.yaml', ['gen-config', 'helm', '.', ...NOBODY], 'cannot write PATH', 1],
  ['kjitsi-export-certs.timer', ['gen-config', 'systemd', '.', ...NOBODY], 'cannot write PATH', 1],
  ['kjitsi.yml', ['gen-config', 'compose', '.', '--dry-run', ...KEYCLOAK], 'cannot write PATH', 1],
  ['j', ['gen-config', 'nginx', '--jitsi-env', 'j', ...NOBODY], 'cannot read PATH', 2],
  ['j', ['setup-client', '--jitsi-env', 'j', ...NOBODY], 'cannot read PATH', 2],
  ['s', ['setup-mappers', '--password-file', 's', ...NOBODY], '--password-file: cannot read PATH', 2],
  [
    's',
    ['KEYCLOAK_PASSWORD_FILE=s', 'setup-mappers', ...NOBODY],
    'KEYCLOAK_PASSWORD_FILE: cannot read PATH',
    2,
  ],
  [
    's',
    ['setup-client', '--client-secret-file', 's', ...LOGIN_CLIENT, ...NOBODY],
    '--client-secret-file: cannot read PATH',
    2,
  ],
  ['s', ['setup-client', '--access-token-file', 's', ...NOBODY], '--access-token-file: cannot read PATH', 2],
  ['c', ['KJITSI_SETTINGS=c', 'setup-mappers', ...NOBODY], 'KJITSI_SETTINGS: cannot read PATH', 2],
  ['ca.pem', ['export-certs', 'out', '--ca-file', 'ca.pem', ...NOBODY], '--ca-file: cannot read PATH', 2],
  ['k.json', ['export-certs', 'out', '--jwks', 'k.json'], 'cannot read PATH', 1],
  [
    'c.pem',
    ['serve-certs', '--port', '0', '--tls-cert', 'c.pem', '--tls-key', 'k', ...NOBODY],
    '--tls-cert: cannot read PATH',
    1,
  ],
  [
    'k.pem',
    ['serve-certs', '--port', '0', '--tls-cert', 'cert', '--tls-key', 'k.pem', ...NOBODY],
    '--tls-key: cannot read PATH',
    1,
  ],
  ['j.env', ['check-token', '--jitsi-env', 'j.env'], 'cannot read PATH', 1],
  ['k.json', ['check-token', '--jitsi-env', 'good.env', '--jwks', 'k.json'], 'cannot read PATH', 1],
  [FILE, ['check-token', '--jitsi-env', 'good.env', '--certs', '.'], 'cannot read PATH', 1],
  [
    'b',
    ['check-token', '--batch', 'b', '--jitsi-env', 'good.env', '--jwks', 'http://127.0.0.1:9/'],
    '--batch: cannot read PATH',
    1,
  ],
]

describe('is refused at once, and stays', () => {
  test('.kjitsi.json in the folder of export-certs, where no link is followed either', async () => {
    for (const [kind, make] of Object.entries(NO_FILES)) {
      const dir = tempFolder()
      const path = join(dir, '.kjitsi.json')
      await make(path)
      const before = await readdir(dir)
      const { exitCode, stderr } = await kjitsi(['export-certs', '.', '--prune', ...NOBODY], dir)
      const [said] = stderr.split('\n')
      const error = `error: cannot read ${path}: it is no regular file, or a link`
      expect({ kind, exitCode, said }).toEqual({ kind, exitCode: 1, said: error })
      expect(await readdir(dir)).toEqual(before)
    }
  })

  test.each(ROWS)('%s in kjitsi %j', async (name, argv, error, exitCode) => {
    for (const [kind, make] of Object.entries(NO_FILES)) {
      const dir = tempFolder()
      await writeFile(join(dir, 'good.env'), JITSI_ENV)
      await writeFile(join(dir, 'cert'), '-----BEGIN CERTIFICATE-----\n')
      const path = join(dir, name)
      const reason = await make(path)
      const before = await readdir(dir)
      const ran = await kjitsi(argv, dir)
      const said = `error: ${error.replace('PATH', path)}: ${reason}`
      expect({ kind, ...ran, stderr: ran.stderr.split('\n')[0] }).toEqual({
        kind,
        exitCode,
        stdout: '',
        stderr: said,
      })
      expect(await readdir(dir)).toEqual(before)
    }
  })

  test('./.env, though nobody named it, but for a folder of that name', async () => {
    for (const [kind, make] of Object.entries(NO_FILES)) {
      const dir = tempFolder()
      const path = join(dir, '.env')
      const reason = await make(path)
      const { exitCode, stderr } = await kjitsi(['gen-config', 'systemd', ...NOBODY], dir)
      const said = `error: cannot read ${path}: ${reason}
  → kjitsi reads its settings there; --settings or KJITSI_SETTINGS names another file\n`
      expect({ kind, exitCode }).toEqual({ kind, exitCode: kind === 'folder' ? 0 : 2 })
      if (kind !== 'folder') expect(stderr).toBe(said)
    }
  })

  test('a folder for keys that is none', async () => {
    for (const [kind, make] of Object.entries(NO_FILES)) {
      if (kind === 'folder') continue
      const dir = tempFolder()
      await make(join(dir, 'keys'))
      const ran = await kjitsi(['export-certs', 'keys', ...NOBODY], dir)
      expect({ kind, exitCode: ran.exitCode }).toEqual({ kind, exitCode: 1 })
      expect(ran.stderr).toContain(join(dir, 'keys'))
    }
  })
})

test('a secret on stdin is - and no path of it', async () => {
  const ran = await kjitsi(['setup-mappers', '--password-file', '/dev/stdin', ...NOBODY], '/', spawnKjitsi)
  expect(ran).toMatchObject({ exitCode: 2, stdout: '' })
  expect(ran.stderr).toMatch(
    /^error: --password-file: cannot read \/dev\/stdin: it is a (socket|named pipe)\n {2}→ --password-file takes the path of a regular file, or - for stdin; the secret itself goes into KEYCLOAK_PASSWORD\n$/,
  )
})

const LONG: readonly Row[] = [
  ['.env', ['gen-config', 'systemd', ...NOBODY], 'cannot read PATH', 2],
  ['c', ['KJITSI_SETTINGS=c', 'gen-config', 'systemd', ...NOBODY], 'KJITSI_SETTINGS: cannot read PATH', 2],
  ['j', ['gen-env', 'j', '--issuer', 'https://auth.example.org/realms/meet'], 'cannot read PATH', 1],
  ['j', ['check-token', '--jitsi-env', 'j'], 'cannot read PATH', 1],
]

test.each(LONG)('%s of more than 1 MB in kjitsi %j', async (name, argv, error, exitCode) => {
  const dir = tempFolder()
  const path = join(dir, name)
  await writeFile(path, `# ${'x'.repeat(1_000_000)}\n`)
  const ran = await kjitsi(argv, dir)
  expect(ran).toMatchObject({ exitCode, stdout: '' })
  expect(ran.stderr).toContain(`error: ${error.replace('PATH', path)}: it is longer than 1000000 bytes\n`)
})

test('a folder that cannot be made is an error', { timeout: 30_000 }, async () => {
  expect(await kjitsi(['export-certs', '/proc/nope/x', '--jwks', KEY_SET], '/')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining(
      'error: cannot make /proc/nope/x: the file system there takes no new folder; nothing was changed; not done: create /proc/nope/x/',
    ) as string,
  })
  const demo = await kjitsi(['XDG_CACHE_HOME=/proc/nope', `PATH=${process.env['PATH'] ?? ''}`, 'demo'], '/')
  expect(demo.stderr).not.toContain('a bug')
})

test('a batch may be longer than any other file', async () => {
  const dir = tempFolder()
  const keySet = 'XMPP_CONFIGURATION=cache_keys_url="https://auth.example.org/certs"\n'
  // No key server, which would be asked anew for each line.
  const env = JITSI_ENV.replace(/^JWT_ASAP_KEYSERVER=.*\n/m, '')
  await writeFile(join(dir, 'good.env'), env + keySet)
  const line = `${JSON.stringify({ token: token() })}\n`
  await writeFile(join(dir, 'b'), line.repeat(Math.ceil(1_100_000 / line.length)))
  const argv = ['check-token', '--batch', 'b', '--jitsi-env', 'good.env', '--jwks', KEY_SET]
  const warnings: Error[] = []
  const warn = (warning: Error): number => warnings.push(warning)
  process.on('warning', warn)
  const { stderr } = await kjitsi(argv, dir)
  process.off('warning', warn)
  expect(warnings).toEqual([])
  expect(stderr).toMatch(/\d{4} accepted\n$/)
  expect(await readFile(join(dir, 'b'), 'utf8')).toContain(line)
})
