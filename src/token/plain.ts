// Verdicts as JSON, for scripts: one document with every rule, or the short form of --batch.
import { type RuleResult, type Verdict, fails } from './verdict.ts'
import { warningsOf } from './warnings.ts'

/** The members of one line of --batch, and the first ones of the document. */
export function plainVerdict({
  auth,
  join,
  answered,
  determined,
}: Verdict): Readonly<Record<string, unknown>> {
  return { auth, join, answered, determined }
}

export function plainRules({ rules }: Verdict): readonly unknown[] {
  return rules.map((result) => {
    const { rule, outcome } = result
    const { code, step, about, reason } = rule
    return {
      code,
      step,
      about,
      reason: reason || null,
      ...outcome,
      ...(fails(result) && { fix: result.fix }),
    }
  })
}

/** Every rule that does not hold, and then the warnings. */
export function plainFindings(verdict: Verdict): readonly unknown[] {
  const rules = verdict.rules.filter(fails).map((result) => {
    const { rule, outcome } = result
    return { code: rule.code, level: outcome.is, message: sentenceOfRule(result), fix: result.fix }
  })
  return [...rules, ...warningsOf(verdict.attempt, verdict.about)]
}

/** What a rule that does not hold comes to, with the values that it looked at. */
export function sentenceOfRule({ rule, outcome }: RuleResult): string {
  switch (outcome.is) {
    case 'refused':
      return [
        outcome.text ?? rule.reason,
        outcome.told ?? `Found ${outcome.found}, accepted ${outcome.expected}`,
      ].join('. ')
    case 'no answer':
    case 'undetermined':
      return outcome.why
    case 'passed':
    case 'skipped':
    case 'hidden':
      return ''
  }
}
