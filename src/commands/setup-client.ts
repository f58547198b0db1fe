// kjitsi setup-client: plans and applies the Keycloak client that Jitsi logs in with, in one realm or in many.
import { type Context, command } from '../cli/context.ts'
import { onOff, setting, waysToGive } from '../cli/setting.ts'
import { duration } from '../duration.ts'
import { moderatorRoleOf } from '../jitsi/moderation.ts'
import {
  CLIENT,
  JITSI_ENV_FILE,
  JITSI_URLS,
  KEYCLOAK,
  LOGIN,
  MODERATORS,
  MODERATOR_ROLE,
  PLAN,
  REMOVE,
  TOKEN_AUDIENCE,
  needAdmin,
} from '../settings.ts'

/** Keycloak holds it in 31 bits, and no token is issued where it does not fit. */
function lifespan(text: string): number {
  const value = duration(text)
  if (value === 0 || value > 0x7fff_ffff)
    throw new Error('is no lifespan: it is 1s and more, and less than 68 years')
  return value
}

const SETTINGS = {
  ...KEYCLOAK,
  client: CLIENT,
  jitsiUrls: JITSI_URLS,
  jitsiEnv: JITSI_ENV_FILE,
  tokenLifespan: setting({
    flag: '--token-lifespan <duration>',
    env: 'KJITSI_TOKEN_LIFESPAN',
    help: 'how long a token lets its holder (re)join, such as 10h',
    parse: lifespan,
    default: '10h',
  }),
  tokenAudience: TOKEN_AUDIENCE,
  moderators: MODERATORS,
  moderatorRole: MODERATOR_ROLE,
  makePublic: setting({
    flag: '--make-public',
    env: 'KJITSI_MAKE_PUBLIC',
    help: 'make a confidential client public: its secret and service account end',
    parse: onOff,
  }),
  fullScopeChange: setting({
    flag: '--full-scope-change',
    env: 'KJITSI_FULL_SCOPE_CHANGE',
    help: 'turn full scope off on a client that is there, so that its tokens have one audience',
    parse: onOff,
    default: 'true',
  }),
  remove: REMOVE,
  ...PLAN,
  ...LOGIN,
}

/** With --json a document of kind `client`, as keycloak/run.ts says. */
export const setupClient = command({
  name: 'setup-client',
  summary: 'create or correct the Keycloak client that Jitsi logs in with',
  details:
    'A new client also gets the mappers that setup-mappers makes by default (room and bnf); those of a client that is ' +
    'there are left to setup-mappers. Of such a client only what the login needs is changed: other addresses, attributes ' +
    'and mappers stay. --remove deletes a client that is exactly what these options create and has no roles; any other stays.',
  args: [],
  settings: SETTINGS,
  examples: [
    [
      'kjitsi setup-client --realm meet --jitsi-url https://meet.example.org --dry-run',
      'shows the client that Jitsi needs, or what its client lacks',
    ],
    [
      'kjitsi setup-client --realm meet --env /srv/jitsi/.env --moderator-role owner',
      "takes the address from PUBLIC_URL of Jitsi's .env; who holds the client role owner is a moderator",
    ],
  ],
  async run(context) {
    const { http, output, settings } = context
    const [{ desiredClient }, { adviseOptions }, { runInRealms }, { clientPlanner }] = await Promise.all([
      import('../keycloak/desired-client.ts'),
      import('../keycloak/advice.ts'),
      import('../keycloak/run.ts'),
      import('../keycloak/set-up.ts'),
    ])
    const { client, remove, check, dryRun, all } = settings
    const role = moderatorRoleOf(settings)
    const given = await givenOrigins(context)
    const admin = await needAdmin(context, given.length === 0 ? [MISSING_ORIGIN] : [])
    const origins = given.length === 0 ? (await context.need(['jitsiUrls'])).jitsiUrls : given
    const desired = desiredClient([...new Set(origins)], { ...settings, moderatorRole: role })
    const findings = remove ? [] : adviseOptions({ moderatorRole: role })
    const run = { kind: 'client', client, dryRun: dryRun || check, check, all, findings, ...admin }
    return runInRealms(http, output, run, clientPlanner({ clientId: client, desired, role, remove }))
  },
})

/** The addresses of Jitsi that were given, else the one of its `.env`; none where there is none. */
async function givenOrigins({ settings, io }: Context<typeof SETTINGS>): Promise<readonly string[]> {
  if (settings.jitsiUrls.length > 0) return settings.jitsiUrls
  const { originOfEnv } = await import('../jitsi/public-url.ts')
  const origin = await originOfEnv(settings.jitsiEnv, io)
  return origin === undefined ? [] : [origin]
}

const MISSING_ORIGIN = `the address of Jitsi: ${waysToGive(JITSI_URLS)}, or PUBLIC_URL in Jitsi's .env (${waysToGive(JITSI_ENV_FILE)}; default ./.env)`
