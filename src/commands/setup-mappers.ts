// Plans and applies the claim mappers of a Keycloak client, in one realm or in many.
import type { Run } from '../command.ts'
import { connect } from '../keycloak/connect.ts'
import { type LoginKey, needAdmin } from '../keycloak/login.ts'
import { adviseOptions } from '../keycloak/advice.ts'
import { type MapperOptions, desiredMappers } from '../keycloak/mappers.ts'
import { reportOutcomes } from '../keycloak/report.ts'
import { inEachRealm, setUpMappers } from '../keycloak/set-up.ts'
import { moderatorRoleOf } from '../jitsi/moderation.ts'
import { changesLine } from '../keycloak/wording.ts'

type Key = LoginKey | keyof MapperOptions | 'moderators' | 'url' | 'realm' | 'remove' | 'dryRun' | 'check'

/** With --json a document of kind `mappers`, as `reportOutcomes` says. */
export const run: Run<Key> = async (context) => {
  const { output, http } = context
  const role = moderatorRoleOf(context.settings)
  const settings = { ...context.settings, moderatorRole: role }
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
    const job = { clientId: client, desired, role, remove, dryRun, onPlan }
    return setUpMappers(admin(realm), job).finally(() => {
      output.progress(`${++ended} of ${realms.length} realms`)
    })
  })

  return reportOutcomes(output, outcomes, { kind: 'mappers', client, dryRun, check: settings.check })
}
