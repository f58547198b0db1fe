// Plans and applies the claim mappers of a Keycloak client, in one realm or in many.
import type { Run } from '../command.ts'
import { type ErrorCode, worstOf } from '../errors.ts'
import { finding } from '../findings.ts'
import { connect } from '../keycloak/connect.ts'
import { type LoginKey, needAdmin } from '../keycloak/login.ts'
import { type MapperOptions, adviseOptions, desiredMappers } from '../keycloak/mappers.ts'
import { type InRealm, type MapperOutcome, inEachRealm, setUpMappers } from '../keycloak/set-up.ts'
import { changesLine, outcomeLines, summaryLine } from '../keycloak/wording.ts'

type Key = LoginKey | keyof MapperOptions | 'url' | 'realm' | 'remove' | 'dryRun' | 'check'

/**
 * With --json: `{kind: 'mappers', client, dryRun, changed, realms: [{realm, changed, conflict, items} | {realm, failure}]}`,
 * where `items` is the plan that was carried out (`Item` of keycloak/plan.ts), `changed` and `conflict` whether it has
 * changes, or something that a person must decide first, and `failure` the code of the finding `realm-failed` that says
 * what went wrong. Where the login for all fails, or the only realm, the document is of kind `error`.
 */
export const run: Run<Key> = async (context) => {
  const { settings, output, http } = context
  const { client, remove } = settings
  const dryRun = settings.dryRun || settings.check
  const desired = desiredMappers(settings)
  const { url, realms, login } = await needAdmin(context)
  const admin = await connect(http, url, login)
  if (!remove) adviseOptions(settings).forEach(output.find)

  let ended = 0
  const outcomes = await inEachRealm(realms, async (realm) => {
    const onPlan = (name: string, changes: Parameters<typeof changesLine>[0]): void => {
      output.note(`realm ${name}, client ${client}: going to ${changesLine(changes)}`)
    }
    const job = { clientId: client, desired, role: settings.moderatorRole, remove, dryRun, onPlan }
    return setUpMappers(admin(realm), job).finally(() => {
      output.progress(`${++ended} of ${realms.length} realms`)
    })
  })

  const codes = outcomes.flatMap((one): ErrorCode[] => {
    if ('result' in one) {
      one.result.findings.forEach(output.find)
      return one.result.conflict ? ['conflict'] : settings.check && one.result.changed ? ['drift'] : []
    }
    if (outcomes.length === 1) throw one.error
    const { code, message, hint } = one.error
    output.find(finding('realm-failed', { realm: one.realm, failure: code, message, hint }))
    return [code]
  })
  const changed = outcomes.some((one) => 'result' in one && one.result.changed)
  output.result('mappers', { client, dryRun, changed, realms: outcomes.map(plain) }, (paint) =>
    [
      ...outcomes.map((one) => outcomeLines(one, client, dryRun, paint)),
      ...summaryLine(outcomes, dryRun),
    ].join('\n'),
  )
  const [first, ...others] = codes
  return first === undefined ? undefined : worstOf([first, ...others])
}

function plain(one: InRealm<MapperOutcome>): object {
  if ('error' in one) return { realm: one.realm, failure: one.error.code }
  const { realm, changed, conflict, items } = one.result
  return { realm, changed, conflict, items }
}
