// Facts as the text of each file that Jitsi reads, with the words of templates/.
import { fillTemplate } from '../templates.ts'
import { BLOCK_END, BLOCK_START, type Setting } from '../env-file/merge.ts'
import { envLiteral } from '../env-file/literal.ts'

/**
 * Variables of a `.env` with their lines: the comment that the template has for each, and the assignment.
 * @param template `# comment` and `KEY={{KEY}}` for each variable
 * @throws KjitsiError `usage` where `.env` cannot hold a value
 */
export function envSettings(template: string, values: ReadonlyMap<string, string>): readonly Setting[] {
  const entries = new Map([...template.matchAll(/^#.*\n(\w+)=.*$/gm)].map(([entry, key]) => [key, entry]))
  return [...values].map(([key, value]) => {
    const entry = entries.get(key)
    if (entry === undefined) throw new Error(`the template has no entry for ${key}`)
    return { key, value, lines: fillTemplate(entry, { [key]: envLiteral(key, value) }).split('\n') }
  })
}

/** The lines of comment that kjitsi writes into a `.env`. */
export function commentsOf(template: string): ReadonlySet<string> {
  return new Set([BLOCK_START, BLOCK_END, ...(template.match(/^#.*$/gm) ?? [])])
}
