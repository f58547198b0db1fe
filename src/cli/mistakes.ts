// What commander refuses, in our words. Nothing of what was typed is repeated but the name of a flag: the rest may be a
// secret in the wrong place.
import type { CommanderError } from 'commander'
import { KjitsiError } from '../errors.ts'
import { COMMON } from './common.ts'
import { type Command, type CommandGroup, namedCommands } from './context.ts'
import { type Setting, flagName, flagsOf, isSwitch, waysToGive } from './setting.ts'

/**
 * The sentence for an error of commander's.
 * @param argv the command line that it is about
 */
export function usageError(
  { code, message }: CommanderError,
  argv: readonly string[],
  commands: readonly (Command | CommandGroup)[],
): KjitsiError {
  const group = groupOf(argv, commands)
  const [about = '', ...suggestion] = message.replace(/^error: /, '').split('\n(Did you mean ')
  const meant = suggestion.map((text) => `\n(Did you mean ${text}`).join('')
  switch (code) {
    case 'commander.help':
      if (group !== undefined) return needsOne(group)
      return new KjitsiError('usage', 'no command was given', { hint: 'kjitsi --help lists them' })
    case 'commander.unknownCommand':
      if (group !== undefined) return needsOne(group, meant)
      return new KjitsiError('usage', `there is no such command${meant}`, {
        hint: 'kjitsi --help lists them',
      })
    case 'commander.unknownOption':
      return unknownOption(
        /^unknown option '(.*)'$/s.exec(about)?.[1] ?? '',
        meant,
        argv,
        namedCommands(commands),
      )
    default:
      // Names of flags and arguments of ours, and numbers.
      return new KjitsiError('usage', about + meant, { hint: SEE_HELP })
  }
}

/** The group that was called, whatever is behind it. */
function groupOf(
  argv: readonly string[],
  commands: readonly (Command | CommandGroup)[],
): CommandGroup | undefined {
  const name = argv.find((word) => !word.startsWith('-'))
  return commands.flatMap((one) => ('subcommands' in one && one.name === name ? one : []))[0]
}

function needsOne({ name, subcommands }: CommandGroup, meant = ''): KjitsiError {
  const names = subcommands.map((one) => one.name).join(', ')
  return new KjitsiError('usage', `${name} needs one of ${names}${meant}`, {
    hint: `see kjitsi ${name} --help`,
  })
}

type Named = ReturnType<typeof namedCommands>

const SEE_HELP = 'see kjitsi --help'

function unknownOption(typed: string, meant: string, argv: readonly string[], commands: Named): KjitsiError {
  const name = /^(?:--[a-z][a-z-]{0,30}(?==|$)|-[a-z])/i.exec(typed)?.[0]
  if (name === undefined) return new KjitsiError('usage', 'unknown option', { hint: SEE_HELP })
  if (name.startsWith('--env-file')) {
    const message = `${name} is not a flag of kjitsi but of Node, which runs what NODE_OPTIONS in that file says`
    return new KjitsiError('usage', message, { hint: `give the file by ${waysToGive(COMMON.settings)}` })
  }
  const secret = secretBehind(name, commands)
  if (secret !== undefined) {
    const message = `${name}: a secret is never given on the command line, which every user of this machine can read`
    const pasted =
      name === '--token' ? '; a token to check is the argument of kjitsi check-token, or its stdin' : ''
    return new KjitsiError('usage', message, { hint: `give it by ${waysToGive(secret)}${pasted}` })
  }
  const flags = typed.includes('=') ? switchOf(name, argv, commands) : undefined
  return flags === undefined
    ? new KjitsiError('usage', `unknown option '${name}'${meant}`, { hint: SEE_HELP })
    : new KjitsiError('usage', `${name} takes no value`, { hint: `give ${flags.join(' or ')} alone` })
}

/** The secret whose flag people take this for; a token may be any, and a secret that of a client. */
function secretBehind(name: string, commands: Named): Setting | undefined {
  const secrets = commands.flatMap(([, { settings }]) =>
    Object.values(settings).filter(({ secret }) => secret),
  )
  const meant = name === '--token' ? '--access-token' : name === '--secret' ? '--client-secret' : name
  return secrets.find((one) => flagName(one) === `${meant}-file`)
}

/** The flags of the switch that has this one, in the command that was called. */
function switchOf(name: string, argv: readonly string[], commands: Named): readonly string[] | undefined {
  const [first, second] = argv.filter((word) => !word.startsWith('-'))
  const called = commands.find(([words]) => words === first || words === `${first} ${second}`)?.[1]
  const settings: readonly Setting[] = [...Object.values(called?.settings ?? {}), ...Object.values(COMMON)]
  return settings
    .filter(isSwitch)
    .map(flagsOf)
    .find((flags) => flags.includes(name))
}
