// The command line of export-certs where no Keycloak is needed: key sets from files and from a loopback server.
import { chmod, readFile, readdir, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { MANIFEST_FILE } from '../../src/certs/manifest.ts'
import { fileNameOf } from '../../src/certs/key.ts'
import { serve } from '../support/http.ts'
import { rsaKey } from '../support/keys.ts'
import { tempFolder } from '../support/folder.ts'
import { run } from '../support/run.ts'
import { WITHOUT_PASS, mayMount, shell } from '../support/shell.ts'

const FIXTURE = fileURLToPath(new URL('../fixtures/jwks.json', import.meta.url))
const ARTICLE_KID = '1DKOk8q4Dc9BSgDLmksFemg5lEGuoYQvYrHVOnXNj3k'
const ARTICLE_FILE = 'e15452c2c03fc8afdb1d558953ab30ffd235a622fad1175de7f791a3c86eb08d.pem'
const PEMS = [ARTICLE_FILE, fileNameOf('second key')].sort()
/** As the key set has them. */
const PEMS_IN_ORDER = [ARTICLE_FILE, fileNameOf('second key')]
const FILES = [MANIFEST_FILE, ...PEMS]

/** A file that is a key set with one key of 2048 bits for each kid. */
async function keySet(dir: string, name: string, ...kids: readonly string[]): Promise<string> {
  const keys = kids.map((kid) => ({
    ...rsaKey().jwk,
    kid,
  }))
  await writeFile(join(dir, name), JSON.stringify({ keys }))
  return join(dir, name)
}

describe('export', () => {
  test('writes a file for each usable key and names the others', async () => {
    const dir = tempFolder()
    const { exitCode, stdout, stderr } = await run(['export-certs', 'certs', '--jwks', FIXTURE], { cwd: dir })
    expect(stderr.split('\n')).toEqual([
      `left out: key too-short of ${FIXTURE}: 1024 bits: too short to be safe, 2048 is the least`,
      `left out: key probabilistic of ${FIXTURE}: alg PS256: Jitsi takes RS256, RS384 and RS512 only`,
      `left out: key elliptic of ${FIXTURE}: kty EC (ES256): Jitsi takes RSA keys only`,
      '',
    ])
    const certs = join(dir, 'certs')
    expect(stdout.split('\n')).toEqual([
      '3 files: 3 created',
      `created ${certs}/${ARTICLE_FILE}`,
      `  key ${ARTICLE_KID} of ${FIXTURE}, RS256`,
      `created ${certs}/${fileNameOf('second key')}`,
      `  key "second key" of ${FIXTURE}, RS512`,
      `created ${certs}/${MANIFEST_FILE}: the list of the files that kjitsi wrote`,
      '',
    ])
    expect(exitCode).toBe(0)
    expect((await readdir(join(dir, 'certs'))).sort()).toEqual(FILES)
  })

  test('touches nothing the second time, and says so', async () => {
    const dir = tempFolder()
    await run(['export-certs', dir, '--jwks', FIXTURE])
    for (const file of FILES) await utimes(join(dir, file), 1, 1)
    const argv = ['export-certs', dir, '--jwks', FIXTURE]
    expect(await run(argv)).toMatchObject({ exitCode: 0, stdout: '3 files: no changes\n' })
    expect((await run([...argv, '--all'])).stdout.match(/^unchanged /gm)).toHaveLength(3)
    for (const file of FILES) expect((await stat(join(dir, file))).mtimeMs).toBe(1000)
  })

  test('as JSON', async () => {
    const dir = tempFolder()
    const { stdout, stderr } = await run(['export-certs', dir, '--jwks', FIXTURE, '--json'])
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toMatchObject({
      version: 1,
      kind: 'certs',
      dir,
      dryRun: false,
      changes: 'made',
      files: [
        {
          action: 'create',
          path: join(dir, ARTICLE_FILE),
          mode: '0644',
          kid: ARTICLE_KID,
          alg: 'RS256',
          bits: 2048,
          source: FIXTURE,
        },
        { action: 'create', kid: 'second key' },
        { action: 'create', path: join(dir, MANIFEST_FILE) },
      ],
      leftOut: [{ kid: 'for-encryption', position: 2, source: FIXTURE }, {}, {}, {}],
      findings: [],
    })
    expect(stdout).not.toContain('BEGIN')
  })

  test.each([['--dry-run', 0] as const, ['--check', 3] as const])(
    '%s shows the same plan, writes nothing and exits %i',
    async (flag, code) => {
      const dir = join(tempFolder(), 'certs')
      const { exitCode, stdout } = await run(['export-certs', dir, '--jwks', FIXTURE, flag])
      expect(stdout.match(/^create /gm)).toHaveLength(3)
      expect(exitCode).toBe(code)
      await expect(stat(dir)).rejects.toThrow('ENOENT')
    },
  )

  test('--check is content with a folder that is as it should be', async () => {
    const dir = tempFolder()
    await run(['export-certs', dir, '--jwks', FIXTURE])
    expect(await run(['export-certs', dir, '--jwks', FIXTURE, '--check'])).toMatchObject({ exitCode: 0 })
  })

  test('modes do not depend on the umask', async () => {
    const above = join(tempFolder(), 'a')
    const dir = join(above, 'certs')
    const ran = await shell('umask 077; exec "$@"', ['export-certs', dir, '--jwks', FIXTURE], '/')
    expect(ran).toMatchObject({ exitCode: 0 })
    for (const folder of [above, dir]) expect((await stat(folder)).mode & 0o777).toBe(0o755)
    for (const file of PEMS) expect((await stat(join(dir, file))).mode & 0o777).toBe(0o644)
  })

  test('a reader of stdout that leaves early is no failure', async () => {
    const dir = tempFolder()
    const ran = await shell(
      '{ "$@"; echo "exit $?" >&2; } | true',
      ['export-certs', dir, '--jwks', FIXTURE],
      dir,
    )
    expect(ran.stderr).toMatch(/exit 0\n$/)
    expect((await readdir(dir)).sort()).toEqual(FILES)
  })
})

describe('several key sets', () => {
  test('go into one folder, and one that fails stops no other', async () => {
    const dir = tempFolder()
    const [a, b] = [await keySet(dir, 'a.json', 'a'), await keySet(dir, 'b.json', 'b')]
    const old = join(dir, 'certs', fileNameOf('old'))
    const sets = ['--jwks', a, '--jwks', b]
    await run(['export-certs', 'certs', ...sets], { cwd: dir })
    await writeFile(old, 'old')
    await rm(b)
    const { exitCode, stdout, stderr } = await run(['export-certs', 'certs', ...sets, '--prune'], {
      cwd: dir,
    })
    expect(stdout).toBe('2 files: no changes\n')
    expect(stderr).toContain(`error: cannot read ${b}: no such file or folder`)
    expect(stderr).toContain(`warning: no key of ${b} was removed`)
    expect(stderr).toContain(`holds ${fileNameOf('old')}, not made by kjitsi: it stays`)
    expect(exitCode).toBe(1)
    const files = [MANIFEST_FILE, ...['a', 'b', 'old'].map(fileNameOf)].sort()
    expect((await readdir(join(dir, 'certs'))).sort()).toEqual(files)
  })

  test('--prune takes the keys of one that says that it has none, and no key of one that cannot be read', async () => {
    const dir = tempFolder()
    const certs = join(dir, 'certs')
    const [a, b, c] = [
      await keySet(dir, 'a.json', 'a'),
      await keySet(dir, 'b.json', 'b'),
      await keySet(dir, 'c.json', 'c'),
    ]
    const argv = ['export-certs', certs, '--jwks', a, '--jwks', b, '--jwks', c, '--prune']
    await run(argv)
    await writeFile(b, '{"keys":[]}')
    await writeFile(c, 'not JSON')
    const patient = await run([...argv, '--grace', '1h'])
    expect(patient.stderr).toContain('a key is removed when it has been gone for 1h')
    expect(await readdir(certs)).toHaveLength(4)
    const { exitCode, stdout, stderr } = await run(argv)
    expect(stdout).toContain(`removed ${join(certs, fileNameOf('b'))}: `)
    expect(stderr).toContain(`error: ${b}: the key set is empty`)
    expect(stderr).toContain(`warning: no key of ${c} was removed from ${certs}`)
    expect(exitCode).toBe(1)
    expect((await readdir(certs)).sort()).toEqual([MANIFEST_FILE, ...['a', 'c'].map(fileNameOf)].sort())
  })

  test('the failure is said with --quiet too, and in JSON', async () => {
    const dir = tempFolder()
    const argv = ['export-certs', dir, '--jwks', FIXTURE, '--jwks', '/nowhere']
    expect((await run([...argv, '--quiet'])).stderr).toMatch(/^error: cannot read \/nowhere: .*\n.*\n$/)
    expect(JSON.parse((await run([...argv, '--json'])).stdout)).toMatchObject({
      kind: 'certs',
      findings: [{ code: 'source-failed', args: { failure: 'file' } }],
    })
  })

  test('where all fail, each is said and the worst decides', async () => {
    const dir = join(tempFolder(), 'certs')
    const url = await serve((_, response) => response.end('<html>'))
    const { exitCode, stdout, stderr } = await run(['export-certs', dir, '--jwks', url, '--jwks', '/nowhere'])
    expect(stderr).toContain(`error: GET ${url}: what it answers is a web page`)
    expect(stderr).toContain('error: cannot read /nowhere')
    expect(stderr).toContain('error: none of the 2 key sets gave a key, so nothing was written')
    expect({ exitCode, stdout }).toEqual({ exitCode: 7, stdout: '' })
    await expect(stat(dir)).rejects.toThrow('ENOENT')
  })

  test('with two keys under one kid: that of the set which was named first is written, and the other is told', async () => {
    const dir = tempFolder()
    const [a, b] = [await keySet(dir, 'a.json', 'same'), await keySet(dir, 'b.json', 'same', 'x')]
    const alone = await run(['export-certs', join(dir, 'alone'), '--jwks', a])
    expect(alone.exitCode).toBe(0)
    const ran = await run(['export-certs', join(dir, 'certs'), '--jwks', a, '--jwks', b])
    expect(ran.stderr).toContain(
      `warning: ${b} publishes another key than ${a} under the kid same: that of ${a}, which was named first, is taken`,
    )
    expect(ran.exitCode).toBe(0)
    const pemIn = (folder: string): Promise<string> => readFile(join(dir, folder, fileNameOf('same')), 'utf8')
    expect(await pemIn('certs')).toBe(await pemIn('alone'))
    expect((await readdir(join(dir, 'certs'))).sort()).toEqual(
      [MANIFEST_FILE, ...['same', 'x'].map(fileNameOf)].sort(),
    )
  })

  test('with two keys under one kid, and the first cannot be read now: what it gave last stays', async () => {
    const dir = tempFolder()
    const certs = join(dir, 'certs')
    const [a, b] = [await keySet(dir, 'a.json', 'same'), await keySet(dir, 'b.json', 'same')]
    await run(['export-certs', certs, '--jwks', a])
    const before = await readFile(join(certs, fileNameOf('same')), 'utf8')
    await rm(a)
    await run(['export-certs', certs, '--jwks', a, '--jwks', b, '--prune'])
    expect(await readFile(join(certs, fileNameOf('same')), 'utf8')).toBe(before)
  })

  test('given twice are read once', async () => {
    const dir = tempFolder()
    const { stdout } = await run(['export-certs', dir, '--jwks', FIXTURE, '--jwks', FIXTURE, '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ leftOut: { length: 4 } })
  })
})

describe('keys that are gone', () => {
  test('stay and are told, until --prune removes them and says what Prosody does', async () => {
    const dir = tempFolder()
    const set = await keySet(dir, 'set.json', 'old')
    await run(['export-certs', dir, '--jwks', set])
    await keySet(dir, 'set.json', 'new')
    const kept = await run(['export-certs', dir, '--jwks', set])
    expect(kept.stderr).toContain(
      `note: ${dir} holds 1 more key that has left these key sets\n  → --prune removes them`,
    )
    const dry = await run(['export-certs', dir, '--jwks', set, '--prune', '--check'])
    expect(dry.stdout).toContain('to remove')
    expect(dry.exitCode).toBe(3)
    expect(await readdir(dir)).toContain(fileNameOf('old'))
    const pruned = await run(['export-certs', dir, '--jwks', set, '--prune'])
    expect(pruned.stdout).toContain(`removed ${join(dir, fileNameOf('old'))}: `)
    expect(pruned.stderr).toContain(
      'Prosody goes on trusting a key that it has fetched before, until it restarts',
    )
    expect((await readdir(dir)).sort()).toEqual([MANIFEST_FILE, fileNameOf('new'), 'set.json'].sort())
  })

  test('two jobs on one folder, each with a key set of its own, leave the keys of the other', async () => {
    const dir = tempFolder()
    const certs = join(dir, 'certs')
    const [a, b] = [await keySet(dir, 'a.json', 'a', 'both'), await keySet(dir, 'b.json', 'b')]
    for (const set of [a, b, a, b]) await run(['export-certs', certs, '--jwks', set, '--prune'])
    expect(await readdir(certs)).toHaveLength(4)
    await keySet(dir, 'a.json', 'new')
    const { stdout, stderr } = await run(['export-certs', certs, '--jwks', a, '--prune'])
    expect(stdout.match(/^removed/gm)).toHaveLength(2)
    expect(stderr).toContain(`holds 1 key of sources that are not read here, and stay: ${b}`)
    expect((await readdir(certs)).sort()).toEqual([MANIFEST_FILE, ...['new', 'b'].map(fileNameOf)].sort())
  })

  test('that kjitsi did not write stay, and so do all where its list is lost or spoilt', async () => {
    const dir = tempFolder()
    const set = await keySet(dir, 'set.json', 'old')
    const argv = ['export-certs', dir, '--jwks', set, '--prune']
    await run(argv)
    await keySet(dir, 'set.json', 'new')
    await writeFile(join(dir, MANIFEST_FILE), '{')
    const spoilt = await run(argv)
    expect(spoilt.stderr).toContain(
      `warning: ${dir}/.kjitsi.json is not the list of the files that kjitsi wrote`,
    )
    await rm(join(dir, MANIFEST_FILE))
    const lost = await run(argv)
    expect(lost.stderr).toContain(`note: ${dir} holds ${fileNameOf('old')}, not made by kjitsi: it stays`)
    expect(lost.exitCode).toBe(0)
    expect(await readdir(dir)).toEqual(
      expect.arrayContaining([MANIFEST_FILE, ...['old', 'new'].map(fileNameOf)]),
    )
    const listed = await stat(join(dir, MANIFEST_FILE))
    await run(argv)
    expect(await stat(join(dir, MANIFEST_FILE))).toMatchObject({ ino: listed.ino, mtimeMs: listed.mtimeMs })
  })

  test('a file with exactly the key in it is taken for our own, once its source publishes it', async () => {
    const dir = tempFolder()
    const set = await keySet(dir, 'set.json', 'old')
    await run(['export-certs', dir, '--jwks', set])
    await rm(join(dir, MANIFEST_FILE))
    await run(['export-certs', dir, '--jwks', set])
    await keySet(dir, 'set.json', 'new')
    const { stdout } = await run(['export-certs', dir, '--jwks', set, '--prune'])
    expect(stdout).toContain(`removed ${join(dir, fileNameOf('old'))}: `)
  })

  test('a link in place of the list is refused, and nothing is written', async () => {
    const dir = tempFolder()
    await writeFile(join(dir, 'other'), 'mine')
    await symlink('other', join(dir, MANIFEST_FILE))
    const { exitCode, stderr } = await run(['export-certs', dir, '--jwks', FIXTURE, '--prune'])
    expect(stderr).toContain(`error: cannot read ${dir}/.kjitsi.json: it is no regular file, or a link`)
    expect(exitCode).toBe(1)
    expect((await readdir(dir)).sort()).toEqual([MANIFEST_FILE, 'other'])
    expect(await readFile(join(dir, 'other'), 'utf8')).toBe('mine')
  })

  test('stay where the new set has no usable key', async () => {
    const dir = tempFolder()
    await run(['export-certs', dir, '--jwks', FIXTURE])
    await writeFile(join(dir, 'none.json'), '{"keys":[{"kty":"EC","alg":"ES256","kid":"e"}]}')
    const { exitCode, stderr } = await run(['export-certs', dir, '--jwks', join(dir, 'none.json'), '--prune'])
    expect(stderr).toContain('no key in it is one that Jitsi can use:\n  key e: kty EC (ES256)')
    expect(exitCode).toBe(1)
    expect((await readdir(dir)).sort()).toEqual([...FILES, 'none.json'].sort())
  })
})

describe('private members', () => {
  test('never reach the folder or the terminal, and are told', async () => {
    const dir = tempFolder()
    const { privateJwk: jwk } = rsaKey()
    await writeFile(join(dir, 'leak.json'), JSON.stringify({ keys: [{ ...jwk, kid: 'leak' }] }))
    for (const flag of ['--verbose', '--json', '--quiet']) {
      const argv = ['export-certs', join(dir, 'certs'), '--jwks', join(dir, 'leak.json'), flag]
      const { exitCode, stdout, stderr } = await run(argv)
      expect(exitCode).toBe(0)
      expect(stdout + stderr).toContain('publishes private parts of key leak (d, p, q, dp, dq, qi)')
      for (const secret of [jwk.d, jwk.p, jwk.q]) expect(stdout + stderr).not.toContain(secret)
    }
    const pem = await readFile(join(dir, 'certs', fileNameOf('leak')), 'utf8')
    expect(pem).toMatch(/^-----BEGIN PUBLIC KEY-----\n/)
    expect(pem).toHaveLength(451)
  })
})

describe('bad settings', () => {
  test.each([
    [['export-certs'], /export-certs needs <dir>: folder/],
    [['export-certs', ''], /DIR is empty/],
    [['export-certs', 'x'], /--url or KEYCLOAK_URL[^]*--realm or KEYCLOAK_REALM[^]*or give --jwks/],
    [['export-certs', 'x', '--url', 'http://a.example'], /--realm or KEYCLOAK_REALM[^]*or give --jwks/],
    [['export-certs', 'x', '--jwks', 'ftp://a.example/k'], /is no http or https address/],
    [['export-certs', 'x', '--jwks', 'https://'], /"https:\/\/" is no address/],
  ])('%j', async (argv, message) => {
    const { exitCode, stdout, stderr } = await run(argv)
    expect(stderr).toMatch(message)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
  })

  test.each(['--jwks', '--url'])('a password typed into %s is refused and not repeated', async (flag) => {
    const { exitCode, stderr } = await run(['export-certs', 'x', flag, 'https://me:planted@a.example/k'])
    expect(stderr).toContain('holds a user name or password')
    expect(stderr).not.toContain('planted')
    expect(exitCode).toBe(2)
  })

  const realm = { KEYCLOAK_URL: 'http://127.0.0.1:9', KEYCLOAK_REALM: 'meet' }
  test.each([
    ['file', realm, ['--jwks', FIXTURE]],
    ['file', { KJITSI_JWKS: FIXTURE }, []],
    ['both', { ...realm, KJITSI_JWKS: FIXTURE }, []],
    ['both', { KEYCLOAK_URL: realm.KEYCLOAK_URL }, ['--realm', 'meet', '--jwks', FIXTURE]],
    ['realm', { ...realm, KJITSI_JWKS: FIXTURE }, ['--realm', 'meet']],
    ['realm', realm, []],
  ])('%s is read with %j and %j: what was given more directly counts', async (which, env, argv) => {
    const ran = await run(['export-certs', tempFolder(), ...argv], { env })
    expect(ran.exitCode).toBe(which === 'file' ? 0 : 7)
    expect(ran.stdout.includes(ARTICLE_FILE)).toBe(which !== 'realm')
  })
})

describe('a bad folder', () => {
  test('that is closed to a web server of another user is told', async () => {
    const dir = tempFolder()
    await chmod(dir, 0o750)
    const { stderr } = await run(['export-certs', dir, '--jwks', FIXTURE])
    expect(stderr).toContain(`note: ${dir} can be read by its owner or group only`)
  })

  test('that is a file', async () => {
    const { exitCode, stderr } = await run(['export-certs', FIXTURE, '--jwks', FIXTURE])
    expect(stderr).toContain(`error: ${FIXTURE} is a file, not a folder`)
    expect(exitCode).toBe(1)
  })

  test.each([
    ['that may not be written in', 0o555, 'cannot write'],
    ['that may not be read', 0o333, 'cannot read'],
  ])('%s', async (_, mode, message) => {
    const dir = tempFolder()
    await chmod(dir, mode)
    onTestFinished(() => chmod(dir, 0o755))
    for (const flag of ['--dry-run', '--check', '--all']) {
      const argv = ['export-certs', dir, '--jwks', FIXTURE, flag]
      const { exitCode, stdout, stderr } = await shell(`exec ${WITHOUT_PASS} "$@"`, argv, dir)
      expect(stderr).toContain(`error: ${message} ${dir}`)
      expect(stderr).toContain('permission denied')
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
    }
  })

  test('with a file that may not be read: it is to be written anew', async () => {
    const dir = tempFolder()
    await writeFile(join(dir, ARTICLE_FILE), 'closed', { mode: 0o200 })
    const argv = ['export-certs', dir, '--jwks', FIXTURE, '--check']
    const { exitCode, stdout } = await shell(`exec ${WITHOUT_PASS} "$@"`, argv, dir)
    expect(stdout).toContain(`update ${join(dir, ARTICLE_FILE)}\n`)
    expect(exitCode).toBe(3)
  })

  test('that cannot be made', async () => {
    const dir = tempFolder()
    await chmod(dir, 0o555)
    for (const flag of ['--dry-run', '--check', '--all']) {
      const argv = ['export-certs', join(dir, 'certs'), '--jwks', FIXTURE, flag]
      const { exitCode, stderr } = await shell(`exec ${WITHOUT_PASS} "$@"`, argv, dir)
      expect(stderr).toContain(`error: cannot make ${dir}/certs: permission denied`)
      expect(exitCode).toBe(1)
    }
  })

  describe('on a file system of its own', () => {
    /** Runs the command where `dir` is some pages of memory, after `before`; then `after`. */
    const onPages = (
      pages: number,
      dir: string,
      before: string,
      after: string,
      ...flags: string[]
    ): ReturnType<typeof shell> => {
      const script = `mount -t tmpfs -o size=${pages * 4}k none ${dir} && ${before} && { "$@"; code=$?; ${after}; exit $code; }`
      return shell(
        `exec ${mayMount()} sh -c '${script}' sh "$@"`,
        ['export-certs', dir, '--jwks', FIXTURE, ...flags],
        dir,
      )
    }

    test.each(['--dry-run', '--check', '--all'])('that is read-only: %s', async (flag) => {
      const dir = tempFolder()
      const { exitCode, stderr } = await onPages(1, dir, `mount -o remount,ro ${dir}`, ':', flag)
      expect(stderr).toContain(`error: cannot write ${dir}/${ARTICLE_FILE}: the file system is read-only`)
      expect(exitCode).toBe(1)
    })

    test('that is full after the first file, or after all but the list: what was written is named', async () => {
      const [first = '', second = ''] = PEMS_IN_ORDER
      for (const [pages, full, done, notDone] of [
        [1, first, [], [first, second, MANIFEST_FILE]],
        [2, second, [first], [second, MANIFEST_FILE]],
        [3, MANIFEST_FILE, [first, second], [MANIFEST_FILE]],
      ] as const) {
        const dir = tempFolder()
        const { exitCode, stderr } = await onPages(pages, dir, `printf x > ${dir}/other`, ':')
        const names = (files: readonly string[]): string =>
          files.map((file) => `create ${join(dir, file)}`).join(', ')
        const story = done.length === 0 ? 'nothing was changed' : `done before it: ${names(done)}`
        expect(stderr).toContain(
          `error: cannot write ${dir}/${full}: the disk is full; ${story}; not done: ${names(notDone)}\n`,
        )
        expect(exitCode).toBe(1)
      }
    })

    test('that is full: what was there is left as it was', async () => {
      const dir = tempFolder()
      const old = join(dir, ARTICLE_FILE)
      const ran = await onPages(1, dir, `printf old > ${old}`, `ls -A ${dir}; cat ${old}`)
      expect(ran.stderr).toContain(`error: cannot write ${old}: the disk is full`)
      expect(ran).toMatchObject({ exitCode: 1, stdout: `${ARTICLE_FILE}\nold` })
    })
  })
})
