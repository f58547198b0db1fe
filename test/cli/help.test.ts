// What people read of a command: on 80 columns a screen or two, and with all that it takes.
import { describe, expect, test } from 'vitest'
import { COMMON } from '../../src/cli/common.ts'
import { namedCommands } from '../../src/cli/context.ts'
import { runProgram } from '../../src/cli/program.ts'
import { type Setting, flagName, isSwitch } from '../../src/cli/setting.ts'
import { PROGRAM } from '../../src/main.ts'
import { readAll, testIo } from '../support/io.ts'
import { run } from '../support/run.ts'

const COMMANDS = namedCommands(PROGRAM.commands)
const GROUPS = PROGRAM.commands.flatMap((one) => ('subcommands' in one ? one.name : []))

async function helpAt(columns: number, words: string): Promise<readonly string[]> {
  const io = testIo()
  Object.assign(io.stdout, { columns })
  expect(await runProgram(PROGRAM, [...words.split(' '), '--help'], io)).toBe(0)
  expect(readAll(io.stderr)).toBe('')
  const text = readAll(io.stdout)
  expect(text).toMatch(/[^\n]\n$/)
  return text.slice(0, -1).split('\n')
}

/** Without the commands to paste, which no line break may split. */
function prose(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => !/^ {2}(?:kjitsi|#) /.test(line))
}

describe.each([...COMMANDS.map(([words]) => words), ...GROUPS])('%s --help', (words) => {
  test('is at most 60 lines of at most 80 columns', async () => {
    const lines = await helpAt(80, words)
    expect(lines.length).toBeLessThanOrEqual(60)
    expect(lines.filter((line) => line.length > 80)).toEqual([])
    expect(lines.filter((line, i) => line === '' && lines[i + 1] === '')).toEqual([])
  })

  test.each([60, 120])('fills %d columns, and no more', async (columns) => {
    const lines = prose(await helpAt(columns, words))
    expect(lines.filter((line) => line.length > columns && line.trim().includes(' '))).toEqual([])
    const [fewer, more] = columns > 80 ? [columns, 80] : [80, columns]
    expect((await helpAt(fewer, words)).length).toBeLessThanOrEqual((await helpAt(more, words)).length)
  })
})

test('the help of the program fits 60 and 120 columns too, and has every option that all commands have', async () => {
  for (const columns of [60, 80, 120])
    expect((await helpAt(columns, '')).filter((line) => line.length > columns)).toEqual([])
  const text = (await helpAt(120, '')).join('\n')
  for (const one of Object.values(COMMON)) expect(text).toContain(`(${one.env}`)
})

describe.each(COMMANDS)('%s --help', (words, command) => {
  const settings: readonly Setting[] = Object.values(command.settings)
  const text = async (): Promise<string> => (await helpAt(200, words)).join('\n')

  test('has each flag, its name in the environment and its default', async () => {
    const help = await text()
    for (const one of settings) {
      const { flag, env = '', secret, repeat, default: preset, unset } = one
      const term = isSwitch(one) ? flag.replace('--', '--[no-]') : `${flag}${repeat ? '...' : ''}`
      const initial = isSwitch(one) && preset === 'true' ? 'on' : (preset ?? unset)
      const more = [
        ...(env === '' ? [] : [`(${env}${secret ? '[_FILE]' : ''}`]),
        ...(initial === undefined ? [] : [`default ${initial})`]),
      ]
      const line = help.split('\n').find((each) => each.startsWith(`  ${term}  `))
      expect(line, term).toContain([one.help, more.join(', ')].join(' ').trim())
    }
    for (const one of Object.values(COMMON)) expect(help).toContain(flagName(one).slice(2))
    for (const [line] of command.examples) expect(help).toContain(`\n  ${line}`)
  })

  test('says nothing that holds for another command only', () => {
    for (const { help, unset = '' } of settings) {
      expect(help).not.toMatch(/\bdefaults?\b/)
      const others = COMMANDS.filter(([other]) => other !== words).map(([other]) => other)
      for (const other of others) expect(unset).not.toContain(other)
    }
  })
})

test.each(['setup-client', 'setup-mappers'])('%s says whose login it is', async (words) => {
  const lines = await helpAt(80, words)
  expect(lines).toContain('Login of kjitsi at Keycloak (an administrator, of realm master by default):')
})

const SAME: readonly (readonly [argv: string[], same: string[]])[] = [
  [['help'], ['--help']],
  [['-h'], ['--help']],
  [
    ['help', 'gen-env'],
    ['gen-env', '--help'],
  ],
  [
    ['gen-env', 'help'],
    ['gen-env', '--help'],
  ],
  [
    ['setup-mappers', 'help'],
    ['setup-mappers', '--help'],
  ],
  [
    ['--help', 'setup-mappers'],
    ['setup-mappers', '--help'],
  ],
  ...GROUPS.flatMap((group): typeof SAME => [
    [
      ['help', group],
      [group, '--help'],
    ],
    [
      [group, 'help'],
      [group, '--help'],
    ],
  ]),
  [['-v'], ['--version']],
  [['-V'], ['--version']],
  [['version'], ['--version']],
]

test.each(SAME)('%j is %j', async (argv, same) => {
  const ran = await run(argv)
  expect(ran).toEqual(await run(same))
  expect(ran).toMatchObject({ exitCode: 0, stderr: '' })
  expect(ran.stdout).not.toBe('')
})

test('without a command the help is shown, and it is a usage error', async () => {
  const { stdout } = await run(['--help'])
  expect(await run([])).toEqual({ exitCode: 2, stdout: '', stderr: stdout })
})
