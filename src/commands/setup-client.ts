// Plans and applies the Keycloak client that Jitsi logs in with, in one realm or in many.
import type { Context, Run } from '../command.ts'
import { connect } from '../keycloak/connect.ts'
import { type ClientOptions, clientWish, mapperOptions } from '../keycloak/desired-client.ts'
import { type LoginKey, needAdmin } from '../keycloak/login.ts'
import { adviseOptions } from '../keycloak/advice.ts'
import { reportOutcomes } from '../keycloak/report.ts'
import { inEachRealm, setUpClient } from '../keycloak/set-up.ts'
import { changesLine } from '../keycloak/wording.ts'
import { moderatorRoleOf } from '../jitsi/moderation.ts'
import { originOfEnv } from '../jitsi/public-url.ts'
import { waysToGive } from '../settings.ts'

type Key =
  | LoginKey
  | keyof ClientOptions
  | 'moderators'
  | 'url'
  | 'realm'
  | 'jitsiUrls'
  | 'jitsiEnv'
  | 'remove'
  | 'dryRun'
  | 'check'

/** With --json a document of kind `client`, as `reportOutcomes` says. */
export const run: Run<Key> = async (context) => {
  const { output, http } = context
  const role = moderatorRoleOf(context.settings)
  const settings = { ...context.settings, moderatorRole: role }
  const { client, remove, check } = settings
  const dryRun = settings.dryRun || check
  const given = await givenOrigins(context)
  const { url, realms, login } = await needAdmin(context, given.length === 0 ? [MISSING_ORIGIN] : [])
  const origins = given.length === 0 ? (await context.need('jitsiUrls')).jitsiUrls : given
  const wish = clientWish([...new Set(origins)], settings)
  const admin = await connect(http, url, login)
  if (!remove) adviseOptions(mapperOptions(settings)).forEach(output.find)

  let ended = 0
  const outcomes = await inEachRealm(realms, async (realm) => {
    const onPlan = (name: string, changes: Parameters<typeof changesLine>[0]): void => {
      output.note(`realm ${name}: going to ${changesLine(changes)}`)
    }
    const job = { clientId: client, wish, role, remove, dryRun, onPlan }
    return setUpClient(admin(realm), job).finally(() => {
      output.progress(`${++ended} of ${realms.length} realms`)
    })
  })
  return reportOutcomes(output, outcomes, { kind: 'client', client, dryRun, check })
}

/** The addresses of Jitsi that were given, else the one of its `.env`; none where there is none. */
async function givenOrigins({ settings, io }: Context<Key>): Promise<readonly string[]> {
  if (settings.jitsiUrls.length > 0) return settings.jitsiUrls
  const origin = await originOfEnv(settings.jitsiEnv, io)
  return origin === undefined ? [] : [origin]
}

const MISSING_ORIGIN = `the address of Jitsi: ${waysToGive('jitsiUrls')}, or PUBLIC_URL in Jitsi's .env (${waysToGive('jitsiEnv')}; default ./.env)`
