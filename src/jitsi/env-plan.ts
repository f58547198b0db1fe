// The new text of a `.env` from the facts, with all that is worth saying about it. Nothing is written here.
import type { Finding } from '../finding.ts'
import { jitsiFinding } from './findings.ts'
import { type Facts, envValues, isOn, moderatedByEnv, ownValues } from './config.ts'
import { readEnv } from '../env-file/parse.ts'
import { adviseKept, adviseNeighbours, adviseValues } from './advice.ts'
import { maskEnv } from '../env-file/mask.ts'
import { BLOCK_END, BLOCK_START, type EnvSetting, mergeEnv } from '../env-file/merge.ts'
import { shownEnvValue } from './shown-env.ts'
import { fillTemplate } from '../templates.ts'
import { envLiteral } from '../env-file/literal.ts'

export interface EnvPlan {
  /** What the variables are to be, in the template's order, as they may be shown. */
  readonly settings: Readonly<Record<string, string>>
  readonly text: string
  /** A text of the file as it may be shown: kjitsi's own values, and of the others their names. */
  readonly mask: (text: string) => string
  readonly findings: readonly Finding[]
}

export interface PlanOptions {
  /** The text of `templates/jitsi.env`. */
  readonly template: string
  /** Of the process that runs compose, for the values that name a variable. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** What to call the file. */
  readonly file: string
  /** Whether nobody said that guests may come in. */
  readonly guestsByDefault: boolean
  /** Whether nobody said who moderates. */
  readonly moderatorsByDefault: boolean
}

/**
 * @param before the text of the `.env`, empty where there is none
 * @throws KjitsiError `usage` where compose cannot read it, or Jitsi or compose cannot hold one of the facts
 */
export function planEnv(facts: Facts, before: string, options: PlanOptions): EnvPlan {
  const { template, environment, file, guestsByDefault, moderatorsByDefault } = options
  const valuesBefore = readEnv(before, environment, file)
  const values = envValues(facts, valuesBefore)
  const { text, duplicates } = mergeEnv(before, envSettings(template, values), file)
  const guests = valuesBefore.get('ENABLE_GUESTS')
  const own = ownValues(facts, values)
  const shown = (key: string, value: string): string => shownEnvValue(key, value, own)
  const comments = commentsOf(template)
  return {
    settings: Object.fromEntries([...values].map(([key, value]) => [key, shown(key, value)])),
    text,
    mask: (one) => maskEnv(one, shown, comments),
    findings: [
      ...adviseValues(values, facts),
      ...adviseNeighbours(readEnv(text, environment, file), file),
      ...(guests && !isOn(guests) && facts.guests && guestsByDefault
        ? [jitsiFinding('guests-let-in', { value: guests, file })]
        : []),
      ...(moderatorsByDefault ? adviseKept(moderatedByEnv(valuesBefore), file) : []),
      ...duplicates.map(({ key, lines }) => jitsiFinding('assigned-twice', { key, lines, file })),
    ],
  }
}

/**
 * Variables of a `.env` with their lines: the comment that the template has for each, and the assignment.
 * @param template `# comment` and `KEY={{KEY}}` for each variable
 * @throws KjitsiError `usage` where `.env` cannot hold a value
 */
export function envSettings(template: string, values: ReadonlyMap<string, string>): readonly EnvSetting[] {
  const entries = new Map([...template.matchAll(/^#.*\n(\w+)=.*$/gm)].map(([entry, key]) => [key, entry]))
  return [...values].map(([key, value]) => {
    const entry = entries.get(key)
    if (entry === undefined) throw new Error(`the template has no entry for ${key}`)
    return { key, value, lines: fillTemplate(entry, { [key]: envLiteral(key, value) }).split('\n') }
  })
}

/** The lines of comment that kjitsi writes into a `.env`. */
function commentsOf(template: string): ReadonlySet<string> {
  return new Set([BLOCK_START, BLOCK_END, ...(template.match(/^#.*$/gm) ?? [])])
}
