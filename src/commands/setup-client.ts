// kjitsi setup-client: plans and applies the Keycloak client that Jitsi logs in with, in one realm or in many.
import { type Context, command } from '../cli/context.ts'
import { setting, under, waysToGive } from '../cli/setting.ts'
import { duration } from '../duration.ts'
import { moderatorRoleOf } from '../jitsi/moderation.ts'
import { LOGIN, needAdmin } from '../login-settings.ts'
import { CLIENT, JITSI, KEYCLOAK, MODERATOR_ROLE, PLAN, REMOVE, TOKEN_AUDIENCE } from '../settings.ts'

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
  ...LOGIN,
  ...under('The client:', {
    ...JITSI,
    tokenLifespan: setting({
      flag: '--token-lifespan <duration>',
      env: 'KJITSI_TOKEN_LIFESPAN',
      help: 'how long a token lets its holder (re)join',
      parse: lifespan,
      default: '10h',
    }),
    tokenAudience: { ...TOKEN_AUDIENCE, unset: 'the client id' },
    moderators: MODERATOR_ROLE,
    makePublic: setting({
      flag: '--make-public',
      env: 'KJITSI_MAKE_PUBLIC',
      help: 'make a confidential client public: its secret and service account end',
    }),
    fullScopeChange: setting({
      flag: '--full-scope-change',
      env: 'KJITSI_FULL_SCOPE_CHANGE',
      help: 'turn full scope off on an existing client: one audience',
      default: 'true',
    }),
  }),
  ...PLAN,
  remove: REMOVE,
}

/** With --json a document of kind `client`, as keycloak/run.ts says. */
export const setupClient = command({
  name: 'setup-client',
  summary: 'create or correct the Keycloak client that Jitsi logs in with',
  details:
    'A new client gets the mappers room and bnf too; those of an existing client are left to setup-mappers, and only ' +
    'what the login needs is changed of it.',
  args: [],
  settings: SETTINGS,
  examples: [
    ['kjitsi setup-client --realm meet --jitsi-url meet.example.org --dry-run', 'shows what is missing'],
    [
      'kjitsi setup-client --jitsi-env jitsi/.env --moderators role:owner',
      "takes the address from Jitsi's .env; holders of the role owner moderate",
    ],
  ],
  async run(context) {
    const { http, output, settings } = context
    const [{ desiredClient }, { runInRealms }, { clientPlanner }] = await Promise.all([
      import('../keycloak/desired-client.ts'),
      import('../keycloak/run.ts'),
      import('../keycloak/set-up.ts'),
    ])
    const role = moderatorRoleOf(settings.moderators)
    const given = await givenOrigins(context)
    const admin = await needAdmin(context, given.length === 0 ? [MISSING_ORIGIN] : [])
    const origins = given.length === 0 ? (await context.need(['jitsiUrls'])).jitsiUrls : given
    const desired = desiredClient([...new Set(origins)], { ...settings, moderatorRole: role })
    const run = { ...settings, ...admin, kind: 'client', role }
    return runInRealms(http, output, run, clientPlanner(desired, settings.remove))
  },
})

/** The addresses of Jitsi that were given, else the one of its `.env`; none where there is none. */
async function givenOrigins({ settings, io }: Context<typeof SETTINGS>): Promise<readonly string[]> {
  if (settings.jitsiUrls.length > 0) return settings.jitsiUrls
  const { originOfEnv } = await import('../jitsi/public-url.ts')
  const origin = await originOfEnv(settings.jitsiEnv, io)
  return origin === undefined ? [] : [origin]
}

const MISSING_ORIGIN = `the address of Jitsi: ${waysToGive(JITSI.jitsiUrls)}, or PUBLIC_URL in Jitsi's .env (${waysToGive(JITSI.jitsiEnv)}; default ./.env)`
