// Writes the parts of the README that are made from the code, between their markers; with --check only compares.
import { readFileSync, writeFileSync } from 'node:fs'
import { COMMANDS } from '../src/commands.ts'
import { COMMON } from '../src/cli/context.ts'
import { SETTINGS, type SettingKey, flagsOf, isSecret } from '../src/settings.ts'
import { RULES } from '../src/token/rules.ts'

const README = 'README.md'

function commandsTable(): string {
  const rows = COMMANDS.map(({ name, args, summary }) => {
    const positional = args.map(([argument]) => ` ${argument}`).join('')
    return `| \`kjitsi ${name}${positional}\` | ${summary} |`
  })
  return ['| command | does |', '|---|---|', ...rows].join('\n')
}

function settingsTable(): string {
  const rows = (Object.keys(SETTINGS) as SettingKey[]).map((key) => {
    const setting = SETTINGS[key]
    const flags = flagsOf(key).map((flag) => `\`${flag}\``)
    const env = isSecret(key) ? `\`${setting.env}\`, \`${setting.env}_FILE\`` : `\`${setting.env}\``
    const preset = 'default' in setting ? `\`${setting.default}\`` : ''
    return `| ${flags.join(', ')} | ${env} | ${preset} | ${usedBy(key)} | ${setting.help.replaceAll('<', '\\<')} |`
  })
  const cells = ['| flag | environment | default | commands | meaning |', '|---|---|---|---|---|', ...rows]
  return cells
    .map((row) => row.replace(/<([^>]*)\|([^>]*)>/g, '<$1\\|$2>').replace(/=true\|false/g, '=true\\|false'))
    .join('\n')
}

function usedBy(key: SettingKey): string {
  if ((COMMON as readonly SettingKey[]).includes(key)) return 'all'
  const users = COMMANDS.filter(({ settings }) => settings.includes(key)).map(({ name }) => name)
  if (users.length === 0) throw new Error(`no command has the setting ${key}`)
  return users.join(', ')
}

/** What Prosody logs, in the order in which it looks; a rule without a reason gives no answer at all. */
function reasonsTable(): string {
  const rows = RULES.map(({ step, reason, cause, fix }) => {
    const logged = reason === '' ? '(no answer)' : `\`${reason}\``
    return `| ${step} | ${logged} | ${cause} | ${fix} |`.replaceAll('<', '\\<')
  })
  return ['| step | Prosody logs | cause | what mends it |', '|---|---|---|---|', ...rows].join('\n')
}

function fill(text: string, name: string, content: string): string {
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const [from, to] = [text.indexOf(start), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${README} has no ${start} … ${end}`)
  return `${text.slice(0, from + start.length)}\n${content}\n${text.slice(to)}`
}

const before = readFileSync(README, 'utf8')
const after = [
  ['commands', commandsTable()],
  ['settings', settingsTable()],
  ['reasons', reasonsTable()],
].reduce((text, [name = '', content = '']) => fill(text, name, content), before)
if (before !== after) {
  if (process.argv.includes('--check')) {
    process.stderr.write(`${README} is not what the code says: npm run readme\n`)
    process.exitCode = 1
  } else {
    writeFileSync(README, after)
  }
}
