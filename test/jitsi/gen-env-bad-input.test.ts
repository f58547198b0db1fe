// What gen-env refuses, and what becomes of FILE then: settings, files, rights, disks and pipes that fail.
import { chmod, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type * as templates from '../../src/templates.ts'
import { tempFolder } from '../support/folder.ts'
import { run } from '../support/run.ts'
import { WITHOUT_PASS, mayMount, shell } from '../support/shell.ts'

const ISSUER = 'https://auth.example.org/realms/meet'
const ARGV = ['gen-env', '--issuer', ISSUER, '--keyserver', 'https://meet.example.org/keys']
const ENV = '# Jitsi of Example Ltd\n#JWT_APP_ID=my_jitsi_app_id\nJVB_AUTH_PASSWORD=secret\n'

/** Runs once, between the reading of FILE and the moment that it is replaced. */
let meanwhile: (() => Promise<void>) | undefined
vi.hoisted(() => {
  vi.resetModules()
})
vi.mock('../../src/templates.ts', async (original) => {
  const real = await original<typeof templates>()
  return {
    ...real,
    async readTemplate(name: string) {
      await meanwhile?.()
      meanwhile = undefined
      return real.readTemplate(name)
    },
  }
})
afterAll(() => {
  vi.resetModules()
})

let dir: string
let file: string
beforeEach(() => {
  dir = tempFolder()
  file = join(dir, 'jitsi.env')
})

afterEach(async () => {
  await chmod(dir, 0o700)
  await rm(dir, { recursive: true, force: true })
})

const read = async (): Promise<string> => readFile(file, 'utf8')

describe('what it refuses', () => {
  it.each([
    [['--app-id', 'a"b'], 'JWT_APP_ID (--app-id or KJITSI_APP_ID) "a\\"b" holds a double quote'],
    [['--app-id', 'a\\b'], 'holds a backslash'],
    [['--app-id', 'a\nb'], 'holds a newline'],
    [
      ['--accept-audience', 'a\u0007b'],
      'JWT_ACCEPTED_AUDIENCES (--accept-audience or KJITSI_ACCEPT_AUDIENCE) "a\\u0007b" holds the character U+0007',
    ],
    [['--accept-audience', 'a,b'], 'holds a comma, which Jitsi takes for the end of an item'],
    [['--keyserver', 'keys'], '--keyserver "keys" has no scheme: write https://'],
    [['--keyserver', 'https://a:b@keys'], 'holds a user name or password'],
    [['--sign-type', 'HS256'], '--sign-type "HS256" is none of RS256, RS384, RS512'],
  ])('the settings %j', async (argv, message) => {
    await writeFile(file, ENV)
    const ran = await run([...ARGV, file, ...argv])
    expect(ran).toMatchObject({ exitCode: 2, stdout: '' })
    expect(ran.stderr).toContain(message)
    expect(await read()).toBe(ENV)
  })

  it('a key server in FILE that Prosody cannot hold', async () => {
    await writeFile(file, "JWT_ASAP_KEYSERVER='http://a/\"x'\n")
    const { exitCode, stderr } = await run(['gen-env', '--issuer', ISSUER, file])
    expect(exitCode).toBe(2)
    expect(stderr).toContain(
      'JWT_ASAP_KEYSERVER (--keyserver or KJITSI_KEYSERVER) "http://a/\\"x" holds a double quote',
    )
  })

  it.each([
    ["A=1\nB='2\n", "line 2: a value begins with ' and never ends"],
    ['A=${B:?B is missing}\n', 'line 1: the required variable B is missing a value'],
    ['<html>', 'line 1: "<" cannot be part of a name'],
  ])('a FILE that compose cannot read: %j', async (text, message) => {
    await writeFile(file, text)
    const ran = await run([...ARGV, file])
    expect(ran).toMatchObject({ exitCode: 2, stdout: '' })
    expect(ran.stderr).toContain(`error: ${file}, ${message}`)
    expect(await read()).toBe(text)
  })

  it('to guess, where no setting is given and nobody can be asked', async () => {
    const { exitCode, stderr } = await run(['gen-env'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('--url or KEYCLOAK_URL')
    expect(stderr).toContain('--realm or KEYCLOAK_REALM')
  })

  it.each([
    ['.', 'cannot write DIR: it is a folder', 'name a file'],
    ['', 'cannot write DIR: it is a folder', 'name a file'],
    ['no/such/.env', 'cannot write DIR/no/such/.env: no such file or folder', 'make DIR/no/such first'],
    ['plain/.env', 'cannot write DIR/plain/.env: a part of the path is no folder', 'correct the path'],
  ])('the FILE %j', async (name, message, hint) => {
    await writeFile(join(dir, 'plain'), '')
    for (const argv of [[], ['--dry-run']]) {
      const { exitCode, stdout, stderr } = await run([...ARGV, name, ...argv], { cwd: dir })
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
      expect(stderr.replaceAll(dir, 'DIR')).toBe(`error: ${message}\n  → ${hint}\n`)
    }
    expect(await readdir(dir)).toEqual(['plain'])
  })
})

describe('the real command', () => {
  it.each([
    ['the file', async () => chmod(file, 0o400)],
    ['the folder', async () => chmod(dir, 0o500)],
  ])('has no right to write %s', async (_, takeAway) => {
    await writeFile(file, ENV)
    await takeAway()
    for (const flag of ['--dry-run', '--check', '--all']) {
      const argv = [...ARGV, file, flag]
      const { exitCode, stderr, stdout } = await shell(`exec ${WITHOUT_PASS} "$@"`, argv, dir)
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
      expect(stderr).toBe(
        `error: cannot write ${file}: permission denied\n  → run as a user who may read and write ${file} and make files in ${dir}\n`,
      )
    }
    expect(await read()).toBe(ENV)
    expect(await readdir(dir)).toEqual(['jitsi.env'])
  })

  it('needs no right to write what is as it should be', async () => {
    await run([...ARGV, file])
    await chmod(file, 0o400)
    await chmod(dir, 0o500)
    expect(await shell(`exec ${WITHOUT_PASS} "$@"`, [...ARGV, file], dir)).toMatchObject({
      exitCode: 0,
      stdout: `${file}: no changes\n`,
    })
  })

  it('has no right to read the file', async () => {
    await writeFile(file, ENV)
    await chmod(file, 0o000)
    const { exitCode, stderr } = await shell(`exec ${WITHOUT_PASS} "$@"`, [...ARGV, file], dir)
    expect(exitCode).toBe(1)
    expect(stderr).toContain(`error: cannot read ${file}: permission denied`)
  })

  it('may write no more than a part of the file', async () => {
    const old = `${ENV}# ${'x'.repeat(8000)}\n`
    await writeFile(file, old)
    const { exitCode, stderr } = await shell('ulimit -f 8; exec "$@"', [...ARGV, file], dir)
    expect(exitCode).toBe(1)
    expect(stderr).toContain(`error: cannot write ${file}: it would be larger than the largest file allowed`)
    expect(await read()).toBe(old)
    expect(await readdir(dir)).toEqual(['jitsi.env'])
  })

  it('keeps what somebody else writes at the same time', async () => {
    for (const [old, theirs] of [
      [ENV, `${ENV}JVB_PORT=10000\n`],
      [undefined, ENV],
    ] as const) {
      if (old === undefined) await rm(file)
      else await writeFile(file, old)
      meanwhile = () => writeFile(file, theirs)
      const { exitCode, stderr, stdout } = await run([...ARGV, file])
      expect(stderr).toContain(
        `error: cannot write ${file}: it was changed meanwhile, and is left as it is\n` +
          '  → run this again; it starts from what is there now\n',
      )
      expect([exitCode, stdout, await read()]).toEqual([1, '', theirs])
    }
  })

  describe('where file systems can be mounted', () => {
    const onMounted = (script: string): string => `exec ${mayMount()} sh -c '${script}' sh "$@"`

    it.each([
      ['new', '--dry-run'],
      ['new', '--verbose'],
      ['old', '--dry-run'],
      ['old', '--verbose'],
    ])('names a read-only file system: %s %s', async (name, flag) => {
      const script = `set -e; mkdir disk; mount -t tmpfs none disk; echo A=1 >disk/old; mount -o remount,ro disk; "$@"`
      const path = join(dir, 'disk', name)
      const { exitCode, stdout, stderr } = await shell(onMounted(script), [...ARGV, path, flag], dir)
      expect(stderr).toContain(
        `error: cannot write ${path}: the file system is read-only\n  → choose another place`,
      )
      expect(stdout).toBe('')
      expect(exitCode).toBe(1)
    })

    it.each([0, 4096])('finds the disk full, with %i bytes to spare', async (spare) => {
      const old = `${ENV}# ${'x'.repeat(8000)}\n`
      await writeFile(file, old)
      await writeFile(join(dir, 'old'), old)
      const script = `set -e; mkdir disk; mount -t tmpfs -o size=64k none disk; cp old disk/jitsi.env
        head -c 65536 /dev/zero > disk/filler || true
        truncate -s -${String(spare)} disk/filler
        code=0; "$@" || code=$?
        cmp old disk/jitsi.env; ls -A disk; exit $code`
      const full = join(dir, 'disk', 'jitsi.env')
      const { exitCode, stdout, stderr } = await shell(onMounted(script), [...ARGV, full], dir)
      expect(stderr).toContain(`error: cannot write ${full}: the disk is full\n  → make room`)
      expect(stdout).toBe('filler\njitsi.env\n')
      expect(exitCode).toBe(1)
    })

    it.each(['--dry-run', '--verbose'])(
      'cannot replace a file that is a mount of its own: %s',
      async (flag) => {
        await writeFile(file, ENV)
        await writeFile(join(dir, 'outside'), ENV)
        const { exitCode, stderr } = await shell(
          onMounted('mount --bind outside jitsi.env; "$@"'),
          [...ARGV, file, flag],
          dir,
        )
        expect(exitCode).toBe(1)
        expect(stderr).toContain(
          `error: cannot write ${file}: it is a mount of its own, and cannot be replaced`,
        )
        expect((await readdir(dir)).sort()).toEqual(['jitsi.env', 'outside'])
      },
    )
  })

  it('is read by somebody who leaves early', async () => {
    const { exitCode, stdout, stderr } = await shell('{ "$@"; echo "exit $?" >&2; } | head -1', ARGV, dir)
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 0,
      stdout: '# >>> kjitsi\n',
      stderr: 'exit 0\n',
    })
  })

  it('is read by nobody', async () => {
    const { stderr } = await shell('{ "$@"; echo "exit $?" >&2; } | true', ARGV, dir)
    expect(stderr).toBe('exit 0\n')
  })

  it('prints onto a full disk', async () => {
    const { exitCode, stderr } = await shell('exec "$@" > /dev/full', ARGV, dir)
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: 'error: cannot write to stdout: the disk is full\n',
    })
  })
})
