// Writes the parts of README and CONTRIBUTING that are made from the code, between their markers; with --check only compares.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { COMMON } from '../src/cli/common.ts'
import { namedCommands } from '../src/cli/context.ts'
import { type Setting, termOf } from '../src/cli/setting.ts'
import { PROGRAM } from '../src/main.ts'
import { RULES } from '../src/token/verdict.ts'

function commandsTable(): string {
  const rows = namedCommands(PROGRAM.commands).map(([words, { args, summary }]) => {
    const positional = args.map(([argument]) => ` ${argument}`).join('')
    return `| \`kjitsi ${words}${positional}\` | ${summary} |`
  })
  return ['| command | does |', '|---|---|', ...rows].join('\n')
}

interface Row {
  readonly setting: Setting
  /** The commands that have it, by what holds there where it is not given. */
  readonly uses: Map<string, string[]>
}

/** Each setting once, in the order of the commands that have it; those that all have come last. */
function settingsTable(): string {
  const rows = new Map<string, Row>()
  const add = (setting: Setting, command: string): void => {
    const row = rows.get(setting.flag + setting.help) ?? { setting, uses: new Map<string, string[]>() }
    rows.set(setting.flag + setting.help, row)
    const initial = setting.default === undefined ? (setting.unset ?? '') : `\`${setting.default}\``
    row.uses.set(initial, [...(row.uses.get(initial) ?? []), command])
  }
  for (const [words, { settings }] of namedCommands(PROGRAM.commands))
    for (const setting of Object.values(settings)) add(setting, words)
  for (const setting of Object.values(COMMON)) add(setting, 'all')
  return [
    '| flag | environment | default | commands | meaning |',
    '|---|---|---|---|---|',
    ...[...rows.values()].map(settingRow),
  ].join('\n')
}

function settingRow({ setting, uses }: Row): string {
  const { env, secret, help } = setting
  const variables = env === undefined ? [] : [env, ...(secret ? [`${env}_FILE`] : [])]
  const shown = variables.map((name) => `\`${name}\``)
  const initial = [...uses].map(([value, commands]) =>
    uses.size === 1 ? value : `${userNames(commands).join(', ')}: ${value || 'none'}`,
  )
  const cells = [
    `\`${termOf(setting)}\``,
    shown.join(', '),
    initial.join('; '),
    userNames([...uses.values()].flat()).join(', '),
    help.replaceAll('<', '\\<'),
  ]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

/** A group in the place of its commands: by itself where all of them have the setting, else with their names. */
function userNames(users: readonly string[]): readonly string[] {
  const names = users.map((words) => {
    const group = PROGRAM.commands.find(({ name }) => words.startsWith(`${name} `))
    if (group === undefined || !('subcommands' in group)) return words
    const subs = group.subcommands
      .map(({ name }) => name)
      .filter((sub) => users.includes(`${group.name} ${sub}`))
    return subs.length === group.subcommands.length ? group.name : `${group.name} (${subs.join(', ')})`
  })
  return [...new Set(names)]
}

/** What Prosody logs, in the order in which it looks; a rule without a reason gives no answer at all. */
function reasonsTable(): string {
  const rows = RULES.map(({ step, reason, cause, fix }) => {
    const logged = reason === '' ? '(no answer)' : `\`${reason}\``
    return `| ${step} | ${logged} | ${cause} | ${fix} |`.replaceAll('<', '\\<')
  })
  return ['| step | Prosody logs | cause | what mends it |', '|---|---|---|---|', ...rows].join('\n')
}

/** Who imports whom among the folders of src/, as depcruise draws it. */
function housePicture(): string {
  const drawn = execFileSync('npm', ['run', '--silent', 'house:draw'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return `\n\`\`\`mermaid\n${drawn.trim()}\n\`\`\`\n`
}

function fill(file: string, text: string, name: string, content: string): string {
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const [from, to] = [text.indexOf(start), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${file} has no ${start} … ${end}`)
  return `${text.slice(0, from + start.length)}\n${content}\n${text.slice(to)}`
}

const PARTS: Readonly<Record<string, Readonly<Record<string, () => string>>>> = {
  'README.md': { commands: commandsTable, settings: settingsTable, reasons: reasonsTable },
  'CONTRIBUTING.md': { house: housePicture },
}

for (const [file, parts] of Object.entries(PARTS)) {
  const before = readFileSync(file, 'utf8')
  const after = Object.entries(parts).reduce((text, [name, make]) => fill(file, text, name, make()), before)
  if (before === after) continue
  if (process.argv.includes('--check')) {
    process.stderr.write(`${file} is not what the code says: npm run readme\n`)
    process.exitCode = 1
  } else {
    writeFileSync(file, after)
  }
}
