// What came of a job in one realm or in many: findings, the result in both forms of output, and the exit code.
import type { ErrorCode } from '../errors.ts'
import { finding } from './findings.ts'
import type { Output } from '../io.ts'
import type { InRealm, Outcome } from './set-up.ts'
import { outcomeLines, summaryLine } from './wording.ts'

export interface Reported {
  /** Of the JSON document. */
  readonly kind: string
  readonly client: string
  readonly dryRun: boolean
  /** Changes that a dry run finds are a failure. */
  readonly check: boolean
}

/**
 * Prints it all. With --json: `{kind, client, dryRun, changed, realms: [{realm, changed, conflict, items} | {realm,
 * failure}]}`, where `items` is the plan that was carried out (`Item` of plan.ts), `changed` and `conflict` whether it has
 * changes, or something that a person must decide first, and `failure` the code of the finding `realm-failed` that says
 * what went wrong.
 * @returns in how many ways it did not end well
 * @throws KjitsiError what went wrong in the only realm
 */
export function reportOutcomes(
  output: Output,
  outcomes: readonly InRealm<Outcome>[],
  { kind, client, dryRun, check }: Reported,
): readonly ErrorCode[] {
  const codes = outcomes.flatMap((one): ErrorCode[] => {
    if ('result' in one) {
      one.result.findings.forEach(output.find)
      return one.result.conflict ? ['conflict'] : check && one.result.changed ? ['drift'] : []
    }
    if (outcomes.length === 1) throw one.error
    const { code, message, hint } = one.error
    output.find(finding('realm-failed', { realm: one.realm, failure: code, message, hint }))
    return [code]
  })
  const changed = outcomes.some((one) => 'result' in one && one.result.changed)
  output.result(kind, { client, dryRun, changed, realms: outcomes.map(plain) }, (paint) =>
    [
      ...outcomes.map((one) => outcomeLines(one, client, dryRun, paint)),
      ...summaryLine(outcomes, dryRun),
    ].join('\n'),
  )
  return codes
}

function plain(one: InRealm<Outcome>): object {
  if ('error' in one) return { realm: one.realm, failure: one.error.code }
  const { realm, changed, conflict, items } = one.result
  return { realm, changed, conflict, items }
}
