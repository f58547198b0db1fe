// Asks for a missing setting on the terminal. The questions go to stderr, since stdout is data.
import { KjitsiError, messageOf } from '../errors.ts'
import type { Http } from '../http/http.ts'
import type { Io, Output } from '../io.ts'
import type { Setting } from './setting.ts'

/**
 * Asks until the answer can be read, and the setting's own check has nothing against it.
 * @param known the values of the other settings
 * @param find told what is worth knowing about the answer
 * @returns the value as the setting gives it
 * @throws KjitsiError `interrupted` where the person leaves
 */
export async function ask(
  setting: Setting,
  known: Readonly<Record<string, unknown>>,
  http: Http,
  io: Io,
  find: Output['find'],
): Promise<unknown> {
  const { default: inquirer } = await import('inquirer')
  const message = `${setting.question ?? setting.help}:`
  // Either would be shown on the very line on which the question stands.
  const quiet = { ...http, onRetry: () => undefined, onWait: () => undefined }
  // A blank may be part of a secret, and was pasted by mistake into anything else.
  const bare = (text: string): string => (setting.secret ? text : text.trim())
  const validate = async (text: string): Promise<string | true> => {
    if (text.trim() === '') return 'An answer is needed.'
    let value: unknown
    try {
      value = setting.parse(bare(text))
    } catch (error) {
      return `This ${messageOf(error)}.`
    }
    return (await setting.check?.(value, known, quiet)) ?? true
  }
  const prompt = inquirer.createPromptModule({
    input: io.stdin,
    output: io.stderr,
    signal: io.signal,
  })
  try {
    const { answer }: { answer: string } = setting.secret
      ? await prompt([{ type: 'password', name: 'answer', message, mask: false, validate }])
      : await prompt([{ type: 'input', name: 'answer', message, validate }])
    const value = setting.parse(bare(answer))
    const advice = setting.advise?.(bare(answer))
    if (advice !== undefined) find(advice)
    return setting.repeat ? [value] : value
  } catch (error) {
    if (error instanceof Error && /^(Exit|Abort)Prompt/.test(error.name)) {
      throw new KjitsiError('interrupted', 'interrupted while asking', { cause: error })
    }
    throw error
  }
}
