// Asks for a missing setting on the terminal. The questions go to stderr, since stdout is data.
import { KjitsiError, messageOf } from './errors.ts'
import type { Io } from './io.ts'
import { SETTINGS, type SettingKey, isSecret } from './settings.ts'

/**
 * Asks until the answer can be read.
 * @returns the value as the setting gives it
 * @throws KjitsiError `interrupted` where the person leaves
 */
export async function ask(key: SettingKey, io: Io): Promise<unknown> {
  const { default: inquirer } = await import('inquirer')
  const setting: { parse: (text: string) => unknown; help: string; repeat?: true } = SETTINGS[key]
  const message = `${setting.help.charAt(0).toUpperCase()}${setting.help.slice(1).replace(/; .*/, '')}:`
  const validate = (text: string): string | true => {
    if (text.trim() === '') return 'An answer is needed.'
    try {
      setting.parse(text)
      return true
    } catch (error) {
      return `This ${messageOf(error)}.`
    }
  }
  const prompt = inquirer.createPromptModule({
    input: io.stdin as NodeJS.ReadStream,
    output: io.stderr as NodeJS.WriteStream,
  })
  try {
    const answers = isSecret(key)
      ? await prompt([{ type: 'password', name: 'answer', message, mask: false, validate }])
      : await prompt([{ type: 'input', name: 'answer', message, validate }])
    const value = setting.parse(answers.answer)
    return setting.repeat ? [value] : value
  } catch (error) {
    if (error instanceof Error && error.name === 'ExitPromptError') {
      throw new KjitsiError('interrupted', 'interrupted while asking', { cause: error })
    }
    throw error
  }
}
