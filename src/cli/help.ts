// The help texts: short enough for a screen or two, with every setting, its name in the environment and its default.
import type { Command as Commander, Help } from 'commander'
import { COMMON } from './common.ts'
import type { Command } from './context.ts'
import { MEANINGS } from './exit-codes.ts'
import { type Setting, isSwitch, termOf } from './setting.ts'

type Row = readonly [term: string, text: string]

/** Of a command: its settings in their groups; those that all commands have by name. */
export function commandHelp({ summary, details, args, settings, examples }: Command) {
  return (commander: Commander, helper: Help): string => {
    const groups = new Map<string, Setting[]>()
    for (const one of Object.values(settings)) {
      const title = one.group ?? 'Options:'
      groups.set(title, [...(groups.get(title) ?? []), one])
    }
    const common = [...Object.values(COMMON).map((one) => termOf(one).replace(/ .*/, '')), '-h, --help']
    return parts(
      `Usage: ${helper.commandUsage(commander)}\n`,
      wrapped([`${capital(summary)}.`, details ?? []].flat().join(' '), helper),
      section('Arguments:', args, helper),
      ...[...groups].map(
        ([title, group]) =>
          section(title, group.map(rowOf), helper) +
          (group.some(({ secret }) => secret) ? wrapped(SECRETS, helper, '  ') : ''),
      ),
      `Common options (see kjitsi --help):\n${wrapped(common.join(', '), helper, '  ')}`,
      `Examples:\n${examples.map(([line, does]) => `  # ${does}\n  ${line}\n`).join('')}`,
    )
  }
}

/** Of a group: its commands. */
export function groupHelp(commander: Commander, helper: Help): string {
  return parts(
    `Usage: ${helper.commandUsage(commander)}\n`,
    wrapped(`${capital(commander.summary())}.`, helper),
    section('Commands:', commandRows(commander, helper), helper),
  )
}

/** Of the program: its commands, the settings that all of them have, and its exit codes. */
export function programHelp(commander: Commander, helper: Help): string {
  const more: readonly Row[] = [
    ['help <command>', 'show what a command takes, as kjitsi <command> --help'],
    ['version', 'show the version, as -v and --version'],
  ]
  return parts(
    `Usage: ${helper.commandUsage(commander)}\n`,
    wrapped(commander.description(), helper),
    section('Commands:', [...commandRows(commander, helper), ...more], helper),
    section('Common options:', Object.values(COMMON).map(rowOf), helper),
    wrapped(ORDER, helper),
    section(
      'Exit codes:',
      MEANINGS.map(([code, meaning]) => [String(code).padStart(3), meaning]),
      helper,
    ),
  )
}

function commandRows({ commands }: Commander, helper: Help): readonly Row[] {
  return commands.map((sub) => [helper.subcommandTerm(sub).replace(' [options]', ''), sub.summary()])
}

const SECRETS = 'A secret: in its variable, or in a file by the flag or NAME_FILE (- is stdin).'

const ORDER =
  'A flag comes before its variable (in parentheses), that before the settings file. A flag with ... may be given ' +
  'several times; its variable has commas between the values.'

/** With an empty line between them; those that are empty are left out. */
function parts(...texts: readonly string[]): string {
  return texts.filter((text) => text !== '').join('\n')
}

/** A title with its rows, their texts below each other; empty where there are none. */
function section(title: string, rows: readonly Row[], helper: Help): string {
  if (rows.length === 0) return ''
  const width = Math.max(...rows.map(([term]) => term.length))
  const items = rows.map(([term, text]) => `${helper.formatItem(term, width, text, helper)}\n`)
  return wrapped(title, helper) + items.join('')
}

function wrapped(text: string, helper: Help, indent = ''): string {
  const width = (helper.helpWidth ?? 80) - indent.length
  return `${helper.boxWrap(text, width).replace(/^/gm, indent)}\n`
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** With what it is for, its name in the environment and its default. */
function rowOf(setting: Setting): Row {
  const { env, help, secret, unset, default: preset } = setting
  const initial = isSwitch(setting) && preset === 'true' ? 'on' : (preset ?? unset)
  const more = [
    ...(env === undefined ? [] : [secret ? `${env}[_FILE]` : env]),
    ...(initial === undefined ? [] : [`default ${initial}`]),
  ]
  return [termOf(setting), more.length === 0 ? help : `${help} (${more.join(', ')})`]
}
