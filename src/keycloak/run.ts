// A run over one realm or many: one login, eight realms at a time, and one report of it all.
import type { ErrorCode } from '../errors.ts'
import type { Finding } from '../finding.ts'
import type { Http } from '../http/http.ts'
import type { Output } from '../io.ts'
import { type RealmAdmin, connect } from './connect.ts'
import type { Login } from './login.ts'
import { type Reported, reportOutcomes } from './report.ts'
import { type Outcome, type Progress, inEachRealm } from './set-up.ts'
import { changesLine } from './wording.ts'

export interface Run extends Reported {
  readonly url: string
  readonly realms: readonly string[]
  readonly login: Login
  /** What is worth knowing about the options themselves, whatever realm they are for. */
  readonly findings: readonly Finding[]
}

/**
 * Sets up each realm, says what is going to be done and what was done.
 * @returns in how many ways it did not end well
 * @throws KjitsiError what went wrong with the login, or in the only realm
 */
export async function runInRealms(
  http: Http,
  output: Output,
  run: Run,
  setUp: (realm: RealmAdmin, onPlan: Progress) => Promise<Outcome>,
): Promise<readonly ErrorCode[]> {
  const admin = await connect(http, run.url, run.login)
  run.findings.forEach(output.find)
  let ended = 0
  const outcomes = await inEachRealm(run.realms, (realm) =>
    setUp(admin(realm), (changes) => {
      output.note(`realm ${realm}, client ${run.client}: going to ${changesLine(changes)}`)
    }).finally(() => {
      output.progress(`${++ended} of ${run.realms.length} realms`)
    }),
  )
  return reportOutcomes(output, outcomes, run)
}
