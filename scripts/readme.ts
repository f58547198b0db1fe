// Writes the parts of README and CONTRIBUTING that are made from the code, between their markers; with --check only compares.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { COMMON } from '../src/cli/common.ts'
import { namedCommands } from '../src/cli/context.ts'
import { type Setting, flagsOf } from '../src/cli/setting.ts'
import { PROGRAM } from '../src/main.ts'
import { RULES } from '../src/token/verdict.ts'

function commandsTable(): string {
  const rows = namedCommands(PROGRAM.commands).map(([words, { args, summary }]) => {
    const positional = args.map(([argument]) => ` ${argument}`).join('')
    return `| \`kjitsi ${words}${positional}\` | ${summary} |`
  })
  return ['| command | does |', '|---|---|', ...rows].join('\n')
}

/** Each setting once, in the order of the commands that have it; those that all have come last. */
function settingsTable(): string {
  const users = new Map<Setting, string[]>()
  for (const [words, { settings }] of namedCommands(PROGRAM.commands)) {
    for (const setting of Object.values(settings)) users.set(setting, [...(users.get(setting) ?? []), words])
  }
  for (const setting of Object.values(COMMON)) users.set(setting, ['all'])
  const rows = [...users].map(([setting, names]) => {
    const { env, secret, help, unset = '', default: preset } = setting
    const flags = flagsOf(setting).map((flag) => `\`${flag}\``)
    const variables = env === undefined ? [] : [env, ...(secret ? [`${env}_FILE`] : [])]
    const shown = variables.map((name) => `\`${name}\``).join(', ')
    const value = preset === undefined ? unset : `\`${preset}\``
    return `| ${flags.join(', ')} | ${shown} | ${value} | ${userNames(names).join(', ')} | ${help.replaceAll('<', '\\<')} |`
  })
  const cells = ['| flag | environment | default | commands | meaning |', '|---|---|---|---|---|', ...rows]
  return cells
    .map((row) => row.replace(/<([^>]*)\|([^>]*)>/g, '<$1\\|$2>').replace(/=true\|false/g, '=true\\|false'))
    .join('\n')
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
