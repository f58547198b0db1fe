// The units, as systemd itself reads and judges them.
import fc from 'fast-check'
import { execFileSync } from 'node:child_process'
import { readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { serverAddress } from '../../src/keycloak/address.ts'
import { tempFolder, sharedFolder } from '../support/folder.ts'
import { run } from '../support/run.ts'
import { runProgram } from '../support/programs.ts'

const UNITS = ['kjitsi-export-certs.service', 'kjitsi-export-certs.timer', 'kjitsi-serve-certs.service']

const dir = sharedFolder()
beforeAll(async () => {
  const argv = ['gen-config', 'systemd', dir, '--url', 'https://auth.example.org', '--realm', 'meet']
  expect(await run(argv)).toMatchObject({ exitCode: 0 })
})

test('three units are written', async () => {
  expect((await readdir(dir)).sort()).toEqual(UNITS)
})

test.each(UNITS)('systemd-analyze verify has nothing to say about %s', (unit) => {
  const said = runProgram('systemd-analyze', ['verify', '--man=no', `./${unit}`], { cwd: dir })
  expect(said).toEqual({ exitCode: 0, stdout: '', stderr: '' })
})

test('a word that systemd does not know is told, so silence means something', async () => {
  const text = await readFile(join(dir, 'kjitsi-serve-certs.service'), 'utf8')
  await writeFile(join(dir, 'wrong.service'), text.replace('ProtectSystem=', 'ProtectSistem='))
  const { stderr } = runProgram('systemd-analyze', ['verify', '--man=no', './wrong.service'], { cwd: dir })
  await rm(join(dir, 'wrong.service'))
  expect(stderr).toContain('ProtectSistem')
})

test.each([['kjitsi-serve-certs.service'], ['kjitsi-export-certs.service']])('%s is hardened', (unit) => {
  const { stdout } = runProgram(
    'systemd-analyze',
    ['security', '--offline=true', '--no-pager', `./${unit}`],
    {
      cwd: dir,
      env: { SYSTEMD_COLORS: '0' },
    },
  )
  const [, level] = /Overall exposure level for \S+: ([\d.]+) /.exec(stdout) ?? []
  expect(Number(level)).toBeLessThanOrEqual(2)
})

describe('whatever the values, systemd reads what was given, or they were refused', () => {
  const hostile = fc.oneof(
    { weight: 2, arbitrary: fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }) },
    { weight: 1, arbitrary: fc.string({ minLength: 1, maxLength: 12, unit: 'binary' }) },
    {
      weight: 3,
      arbitrary: fc
        .array(
          fc.constantFrom(
            '"',
            "'",
            '\\',
            '%',
            '%n',
            '%%',
            '$',
            '${A}',
            '$A',
            '$$',
            ';',
            ' ',
            '#',
            '=',
            'x',
            '-',
            '\\x41',
          ),
          {
            minLength: 1,
            maxLength: 8,
          },
        )
        .map((parts) => parts.join('')),
    },
  )
  const cases = fc.sample(fc.tuple(hostile, hostile, hostile), { numRuns: 250, seed: 4 })

  test('address, realm and folder', async () => {
    const box = tempFolder()
    const wanted = new Map<string, { url: string; realm: string; folder: string }>()
    let refused = 0
    for (const [i, [path, realm, folder]] of cases.entries()) {
      const url = `https://auth.example.org/${path}`
      const argv = ['gen-config', 'systemd', '--url', url, '--realm', realm, '--keys-dir', `/srv/${folder}`]
      const { exitCode, stdout } = await run(argv, { cwd: box })
      expect([0, 2]).toContain(exitCode)
      if (exitCode === 2) refused++
      else {
        const text = stdout.slice(
          stdout.indexOf('# file: kjitsi-export'),
          stdout.indexOf('# file: kjitsi-export-certs.timer'),
        )
        const unit = `case-${i}.service`
        await writeFile(join(box, unit), text)
        wanted.set(unit, {
          url: serverAddress(url.trim()).replace(/\/+$/, ''),
          realm: realm.trim(),
          folder: resolve(`/srv/${folder}`.trim()),
        })
      }
    }
    expect(wanted.size).toBeGreaterThan(50)
    expect(refused).toBeGreaterThan(20)

    const paths = [...wanted.keys()].map((unit) => `./${unit}`)
    const { stdout } = runProgram('systemd-analyze', ['verify', '--man=no', ...paths], {
      cwd: box,
      env: { SYSTEMD_LOG_LEVEL: 'debug', SYSTEMD_COLORS: '0' },
    })
    const read = new Map(stdout.split('-> Unit ').map((block) => [/^[^:]*/.exec(block)?.[0] ?? '', block]))
    for (const [unit, { url, realm, folder }] of wanted) {
      const block = read.get(unit)
      if (block === undefined) throw new Error(`systemd did not load ${unit}`)
      expect(linesOf(block, 'Environment')).toEqual([
        `KEYCLOAK_URL=${url}`,
        `KEYCLOAK_REALM=${realm}`,
        'KJITSI_ALLOW_KEYS_FROM=',
      ])
      expect(linesOf(block, 'ReadWritePaths')).toEqual([`-${folder}`])
      expect(linesOf(block, 'Command Line').map(wordsOf)).toEqual([
        ['/usr/bin/mkdir', '--parents', '--mode=755', folder],
        ['/usr/bin/env', 'kjitsi', 'export-certs', folder, '--prune', '--grace', '24h'],
      ])
    }
  })
})

/** What systemd's dump of a unit has under a name. */
function linesOf(block: string, name: string): readonly string[] {
  return block
    .split('\n')
    .map((line) => line.trimStart())
    .filter((line) => line.startsWith(`${name}: `))
    .map((line) => line.slice(name.length + 2))
}

/** The words of a command line that systemd shows in the shell's quotes, `$$` still standing for `$`. */
function wordsOf(line: string): readonly string[] {
  const said = execFileSync('bash', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' })
  return said
    .split('\0')
    .slice(0, -1)
    .map((word) => word.replace(/\$(.?)/g, (variable) => (variable === '$$' ? '$' : `VARIABLE(${variable})`)))
}
