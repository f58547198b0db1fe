// The new text of a `.env` from the facts, with all that is worth saying about it. Nothing is written here.
import type { Finding } from '../finding.ts'
import { finding } from './findings.ts'
import { type Facts, envValues, isOn, moderatedByEnv, ownValues } from './config.ts'
import { readEnv } from '../env-file/parse.ts'
import { keptFindings, neighbourFindings, valueFindings } from './env-findings.ts'
import { type Change, mergeEnv } from '../env-file/merge.ts'
import { commentsOf, envSettings } from './formats.ts'
import type { Own } from './shown-env.ts'

export interface EnvPlan {
  /** What the variables are to be, in the template's order. */
  readonly values: ReadonlyMap<string, string>
  readonly changes: readonly Change[]
  readonly text: string
  /** What of it may be shown, as kjitsi writes it itself. */
  readonly own: Own
  /** The lines of comment among that. */
  readonly comments: ReadonlySet<string>
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
  const { text, changes, duplicates } = mergeEnv(before, envSettings(template, values), file)
  const guests = valuesBefore.get('ENABLE_GUESTS')
  return {
    values,
    changes,
    text,
    own: ownValues(facts, values),
    comments: commentsOf(template),
    findings: [
      ...valueFindings(values, facts),
      ...neighbourFindings(readEnv(text, environment, file), file),
      ...(guests && !isOn(guests) && facts.guests && guestsByDefault
        ? [finding('guests-let-in', { value: guests, file })]
        : []),
      ...(moderatorsByDefault ? keptFindings(moderatedByEnv(valuesBefore), file) : []),
      ...duplicates.map(({ key, lines }) => finding('assigned-twice', { key, lines, file })),
    ],
  }
}
