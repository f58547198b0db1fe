// Asks for a missing setting on the terminal. The questions go to stderr, since stdout is data.
import { KjitsiError, messageOf } from '../errors.ts'
import type { Io } from '../io.ts'
import { SETTINGS, type SettingKey, isSecret } from '../settings.ts'

/** The settings that are asked for, as questions; any other is asked for by its help text. */
const QUESTIONS: Partial<Record<SettingKey, string>> = {
  url: 'Address of Keycloak',
  realm: 'Realm',
  user: 'Log in as user',
  password: 'Password',
  loginClient: 'Log in as the service account of client',
  clientSecret: 'Secret of that client',
  jitsiUrls: 'Address of Jitsi',
}

/**
 * Asks until the answer can be read and `check` has nothing against it.
 * @param check looks at the value: true, or a sentence about what is wrong with it
 * @returns the value as the setting gives it
 * @throws KjitsiError `interrupted` where the person leaves
 */
export async function ask(
  key: SettingKey,
  io: Io,
  check: (value: unknown) => Promise<string | true>,
): Promise<unknown> {
  const { default: inquirer } = await import('inquirer')
  const setting: { parse: (text: string) => unknown; help: string; repeat?: true } = SETTINGS[key]
  const message = `${QUESTIONS[key] ?? setting.help}:`
  // A blank may be part of a secret, and was pasted by mistake into anything else.
  const read = (text: string): unknown => setting.parse(isSecret(key) ? text : text.trim())
  const validate = async (text: string): Promise<string | true> => {
    if (text.trim() === '') return 'An answer is needed.'
    let value: unknown
    try {
      value = read(text)
    } catch (error) {
      return `This ${messageOf(error)}.`
    }
    return check(value)
  }
  const prompt = inquirer.createPromptModule({
    input: io.stdin,
    output: io.stderr,
    signal: io.signal,
  })
  try {
    const { answer }: { answer: string } = isSecret(key)
      ? await prompt([{ type: 'password', name: 'answer', message, mask: false, validate }])
      : await prompt([{ type: 'input', name: 'answer', message, validate }])
    const value = read(answer)
    return setting.repeat ? [value] : value
  } catch (error) {
    if (error instanceof Error && /^(Exit|Abort)Prompt/.test(error.name)) {
      throw new KjitsiError('interrupted', 'interrupted while asking', { cause: error })
    }
    throw error
  }
}
