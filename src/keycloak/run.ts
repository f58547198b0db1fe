// A run over one realm or many: one login, eight realms at a time, and one report of it all.
import type { ErrorCode } from '../errors.ts'
import type { Http } from '../http/http.ts'
import type { Output } from '../io.ts'
import { adviseRole } from './advice.ts'
import { connect } from './connect.ts'
import { keycloakFinding } from './findings.ts'
import type { Login } from './login.ts'
import { changesOf } from './plan.ts'
import { type InRealm, type RealmOutcome, type Planner, carryOut, inEachRealm } from './set-up.ts'
import { changesLine, endOf, outcomesText } from './wording.ts'

export interface Run {
  /** Of the JSON document. */
  readonly kind: string
  readonly client: string
  readonly url: string
  readonly realms: readonly string[]
  readonly login: Login
  /** The client role of the moderators. */
  readonly role: string | undefined
  readonly remove: boolean
  readonly dryRun: boolean
  /** Changes are a failure, and none is made. */
  readonly check: boolean
  /** Show what stays as it is as well. */
  readonly all: boolean
}

/**
 * Plans each realm and, unless that is all, carries the plan out; says what is going to be done and what was done. With
 * --json: `{kind, client, dryRun, changes, realms: [{realm, changes, conflict, items} | {realm, failure}]}`, where `items`
 * is the plan that was carried out (`Item` of plan.ts), `changes` says whether it has any: `none`, `planned` (a dry run)
 * or `made`; `conflict` whether a person must decide first, and nothing was done; `failure` is the code of the finding
 * `realm-failed` that says what went wrong.
 * @returns in how many ways it did not end well
 * @throws KjitsiError what went wrong with the login, or in the only realm
 */
export async function runInRealms(
  http: Http,
  output: Output,
  run: Run,
  planner: Planner,
): Promise<readonly ErrorCode[]> {
  const { kind, client, url, realms, login, role, remove, check, all } = run
  const dryRun = run.dryRun || check
  const admin = await connect(http, url, login)
  if (!remove) adviseRole(role).forEach(output.find)
  let ended = 0
  const outcomes = await inEachRealm(realms, async (name) => {
    const realm = admin(name)
    try {
      if (dryRun) return await planner(realm)
      return await carryOut(realm, planner, (changes) => {
        output.note(`realm ${name}, client ${client}: going to ${changesLine(changes)}`)
      })
    } finally {
      output.progress(`${++ended} of ${realms.length} realms`)
    }
  })
  // What failed is said last.
  const byEnd = outcomes.toSorted((a, b) => Number('error' in a) - Number('error' in b))
  const codes = byEnd.flatMap((one): ErrorCode[] => {
    if ('error' in one) {
      if (outcomes.length === 1) throw one.error
      const { code, message, hint } = one.error
      output.find(keycloakFinding('realm-failed', { realm: one.realm, failure: code, message, hint }))
      return [code]
    }
    const { items, findings } = one.result
    findings.forEach(output.find)
    const end = endOf(one)
    if (end === 'conflict') return [end]
    if (!check || end === 'unchanged') return []
    const changes = changesLine(changesOf(items))
    output.find(keycloakFinding('drift', { url, realm: one.realm, client, changes }))
    return ['drift']
  })
  const changesIn = (some: readonly InRealm<RealmOutcome>[]): string => {
    if (!some.some((one) => endOf(one) === 'changed')) return 'none'
    return dryRun ? 'planned' : 'made'
  }
  const plain = (one: InRealm<RealmOutcome>): object => {
    if ('error' in one) return { realm: one.realm, failure: one.error.code }
    const { items } = one.result
    return { realm: one.realm, changes: changesIn([one]), conflict: endOf(one) === 'conflict', items }
  }
  const payload = { client, dryRun, changes: changesIn(outcomes), realms: outcomes.map(plain) }
  output.result(kind, payload, (paint) => outcomesText(outcomes, { client, dryRun, all }, paint))
  return codes
}
