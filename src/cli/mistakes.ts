// Mistakes on a command line, in our words. Nothing of what was typed is repeated but the name of a flag: the rest may be a
// secret in the wrong place.
import type { CommanderError } from 'commander'
import { KjitsiError } from '../errors.ts'
import { COMMON } from './common.ts'
import { type Command, type CommandGroup, namedCommands } from './context.ts'
import {
  type Former,
  type Setting,
  flagName,
  flagsOf,
  isOnOrOff,
  isSwitch,
  replacedBy,
  waysToGive,
} from './setting.ts'

/** What was typed, for a program of these commands. */
export interface Typed {
  readonly argv: readonly string[]
  readonly commands: readonly (Command | CommandGroup)[]
  readonly former: Former
}

/** `help COMMAND`, `COMMAND help`, `version` and `-v` as the flags by which commander knows them. */
export function spelledOut(argv: readonly string[], commands: Typed['commands']): readonly string[] {
  const [first = ''] = argv
  if (first === 'version' || first === '-v') return ['--version']
  const before = argv.slice(0, -1)
  const isLast = argv.at(-1) === 'help' && called({ argv: before, commands }).name === before.join(' ')
  const words = ['help', '-h', '--help'].includes(first) ? argv.slice(1) : isLast ? before : argv
  if (words === argv && !argv.some((word) => word === '-h' || word === '--help')) return argv
  // With the flag, commander would take an unknown command for none.
  const { among, next } = called({ argv: words, commands })
  const isUnknown = among.length > 0 && next !== ''
  if (isUnknown) return words.filter((word) => !word.startsWith('-'))
  return words === argv ? argv : [...words, '--help']
}

/** The sentence for an error of commander's. */
export function usageError({ code, message }: CommanderError, typed: Typed): KjitsiError {
  const [about = '', ...suggested] = message.replace(/^error: /, '').split('\n(Did you mean ')
  const meant = suggested.flatMap((text) => text.match(/[\w-]+(?=[,?])/g) ?? [])
  switch (code) {
    case 'commander.help':
    case 'commander.unknownCommand': {
      const { name, among, next } = called(typed)
      const needed = `${name} needs one of ${among.map((one) => one.name).join(', ')}`
      const unknown = next === '' ? 'no command was given' : 'there is no such command'
      const similar = didYouMean([...meant, ...byWords(among, next)])
      return usage(name === '' ? unknown : needed, typed, similar)
    }
    case 'commander.unknownOption':
      return unknownOption(/^unknown option '(.*)'$/s.exec(about)?.[1] ?? '', didYouMean(meant), typed)
    case 'commander.missingArgument': {
      const { name, command } = called(typed)
      const { args = [] } = command ?? {}
      const [term, help] = args.find(([one]) => one === `<${/'(.*)'/.exec(about)?.[1] ?? ''}>`) ?? []
      return usage(`${name} needs ${term ?? 'an argument'}: ${help ?? ''}`, typed)
    }
    default:
      // Names of flags and arguments of ours, and numbers.
      return usage(about, typed)
  }
}

/**
 * Looks at arguments that were meant for something else: the value of a switch, or more of a setting than its flag takes.
 * @throws KjitsiError `usage`
 */
export function checkArguments(operands: readonly string[], typed: Typed): void {
  const { name, command } = called(typed)
  if (command === undefined) return
  const { args } = command
  const settings = settingsOf(command)
  const end = typed.argv.indexOf('--')
  const words = end < 0 ? typed.argv : typed.argv.slice(0, end)
  const behind = words.findIndex(
    (word, i) => i > 0 && isOnOrOff(word) && operands.includes(word) && switchOf(words[i - 1], settings),
  )
  const flags = switchOf(words[behind - 1], settings)
  if (flags !== undefined) throw switchTakesNoValue(words[behind - 1] ?? '', flags)
  if (operands.length <= args.length) return
  const takes = args.length === 0 ? 'no arguments' : args.map(([one]) => one).join(' ')
  const several = settings.find((one) => one.repeat && words.includes(flagName(one)))
  const each =
    several && `${flagName(several)} takes one value each time: ${flagName(several)} A ${flagName(several)} B`
  throw new KjitsiError('usage', `${name} takes ${takes}, and got ${operands.length}`, {
    hint: [...(each === undefined ? [] : [each]), seeHelp(typed)].join('; '),
  })
}

/** @param meant what may have been meant, or nothing */
function usage(message: string, typed: Typed, meant = ''): KjitsiError {
  return new KjitsiError('usage', message + meant, { hint: seeHelp(typed) })
}

function seeHelp(typed: Typed): string {
  return ['see kjitsi', called(typed).name || [], '--help'].flat().join(' ')
}

interface Called {
  /** By all of the words that call it; empty where there is no such command. */
  readonly name: string
  /** Undefined for a group, and where there is no such command. */
  readonly command?: Command
  /** What could have come next, and what did. */
  readonly among: readonly (Command | CommandGroup)[]
  readonly next: string
}

/** What was called. Before the name of a command there are only flags without a value. */
function called({ argv, commands }: Pick<Typed, 'argv' | 'commands'>): Called {
  const [first = '', second = ''] = argv.filter((word) => !word.startsWith('-'))
  const one = commands.find(({ name }) => name === first)
  if (one === undefined) return { name: '', among: commands, next: first }
  if (!('subcommands' in one)) return { name: first, command: one, among: [], next: second }
  const command = one.subcommands.find(({ name }) => name === second)
  return command === undefined
    ? { name: first, among: one.subcommands, next: second }
    : { name: `${first} ${second}`, command, among: [], next: '' }
}

function settingsOf(command: Command | undefined): readonly Setting[] {
  return [...Object.values(command?.settings ?? {}), ...Object.values(COMMON)]
}

function didYouMean(names: readonly string[]): string {
  const several = [...new Set(names)]
  const list = several.join(', ').replace(/, (?=\S*$)/, ' or ')
  return list === '' ? '' : `\n(Did you mean ${list}?)`
}

/** Commands with most of the words that were typed in their names, else in what they do: `gen-cert`, `mappers`, `verify`. */
function byWords(among: Typed['commands'], typed: string): readonly string[] {
  const wordsOf = (text: string): readonly string[] => text.toLowerCase().match(/[a-z]{3,}/g) ?? []
  const isIn = (text: string) => (word: string) =>
    wordsOf(text).some((one) => one.startsWith(word) || word.startsWith(one))
  for (const what of ['name', 'summary'] as const) {
    const scores = among.map((one) => wordsOf(typed).filter(isIn(one[what])).length)
    const best = Math.max(1, ...scores)
    const found = among.filter((_, i) => scores[i] === best)
    if (found.length > 0) return found.map(({ name }) => name)
  }
  return []
}

function unknownOption(option: string, meant: string, typed: Typed): KjitsiError {
  const name = /^(?:--[a-z][a-z-]{0,30}(?==|$)|-[a-z])/i.exec(option)?.[0]
  if (name === undefined) return usage('unknown option', typed)
  if (name.startsWith('--env-file')) {
    const message = `${name} is not a flag of kjitsi but of Node, which runs what NODE_OPTIONS in that file says`
    return new KjitsiError('usage', message, { hint: `give the file by ${waysToGive(COMMON.settings)}` })
  }
  const secret = secretBehind(name, typed)
  if (secret !== undefined) {
    const message = `${name}: a secret is never given on the command line, which every user of this machine can read`
    const pasted =
      name === '--token' ? '; a token to check is the argument of kjitsi check-token, or its stdin' : ''
    return new KjitsiError('usage', message, { hint: `give it by ${waysToGive(secret)}${pasted}` })
  }
  const settings = settingsOf(called(typed).command)
  const flags = option.includes('=') ? switchOf(name, settings) : undefined
  if (flags !== undefined) return switchTakesNoValue(name, flags)
  const now = replacedBy(name, settings, typed.former)
  return now === undefined
    ? usage(`unknown option '${name}'`, typed, meant)
    : usage(`${name} was replaced by ${now}`, typed)
}

function switchTakesNoValue(flag: string, [on = '', off = '']: readonly string[]): KjitsiError {
  return new KjitsiError('usage', `${flag} takes no value`, {
    hint: `${on} turns it on, ${off} turns it off`,
  })
}

/** The secret whose flag people take this for; a token may be any, and a secret that of a client. */
function secretBehind(name: string, { commands }: Typed): Setting | undefined {
  const secrets = namedCommands(commands).flatMap(([, { settings }]) =>
    Object.values(settings).filter(({ secret }) => secret),
  )
  const meant = name === '--token' ? '--access-token' : name === '--secret' ? '--client-secret' : name
  return secrets.find((one) => flagName(one) === `${meant}-file`)
}

/** The flags of the switch that has this one. */
function switchOf(name: string | undefined, settings: readonly Setting[]): readonly string[] | undefined {
  return settings
    .filter(isSwitch)
    .map(flagsOf)
    .find((flags) => name !== undefined && flags.includes(name))
}
