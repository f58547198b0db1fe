// kjitsi setup-mappers: plans and applies the claim mappers of a Keycloak client, in one realm or in many.
import { command } from '../cli/context.ts'
import { integer, plain } from '../cli/readers.ts'
import { onOff, setting } from '../cli/setting.ts'
import { moderatorRoleOf } from '../jitsi/moderation.ts'
import type { UserField } from '../keycloak/mappers.ts'
import {
  CLIENT,
  KEYCLOAK,
  LOGIN,
  MODERATORS,
  MODERATOR_ROLE,
  PLAN,
  REMOVE,
  TOKEN_AUDIENCE,
  needAdmin,
} from '../settings.ts'

/** `NAME=true` or `NAME=false`. */
function keyValue(text: string): { readonly name: string; readonly value: boolean } {
  const [, name, value] = /^([^=]+)=(true|false)$/.exec(text) ?? []
  if (name === undefined) throw new Error('is not of the form NAME=true or NAME=false')
  return { name, value: value === 'true' }
}

/** `attribute:NAME` */
function attributeField(text: string): { readonly attribute: string } {
  const [, attribute] = /^attribute:(.+)$/.exec(text) ?? []
  if (attribute === undefined) throw new Error('is not of the form attribute:NAME')
  return { attribute }
}

/** `username`, `firstName` or `attribute:NAME`. */
function nameField(text: string): UserField {
  if (text === 'username' || text === 'firstName') return { property: text }
  if (/^attribute:.+$/.test(text)) return attributeField(text)
  throw new Error('is none of username, firstName and attribute:NAME')
}

const SETTINGS = {
  ...KEYCLOAK,
  client: CLIENT,
  room: setting({
    flag: '--room <value>',
    env: 'KJITSI_ROOM',
    help: 'value of the `room` claim; * opens every room',
    parse: plain,
    default: '*',
  }),
  roomAttribute: setting({
    flag: '--room-attribute <name>',
    env: 'KJITSI_ROOM_ATTRIBUTE',
    help: 'take the `room` claim from this user or group attribute instead',
    parse: plain,
  }),
  bnf: setting({
    flag: '--bnf <value>',
    env: 'KJITSI_BNF',
    help: 'value of the `bnf` claim',
    parse: integer,
    default: '0',
  }),
  nbf: setting({
    flag: '--nbf',
    env: 'KJITSI_NBF',
    help: 'also write `nbf` = 0, the not-before claim that Jitsi reads',
    parse: onOff,
  }),
  tokenAudience: TOKEN_AUDIENCE,
  userContext: setting({
    flag: '--user-context',
    env: 'KJITSI_USER_CONTEXT',
    help: 'write context.user.id, name, email and avatar',
    parse: onOff,
  }),
  nameFrom: setting({
    flag: '--name-from <source>',
    env: 'KJITSI_NAME_FROM',
    help: 'where context.user.name comes from: username, firstName or attribute:NAME',
    parse: nameField,
    default: 'username',
  }),
  moderators: MODERATORS,
  moderatorRole: MODERATOR_ROLE,
  groupFrom: setting({
    flag: '--group-from <source>',
    env: 'KJITSI_GROUP_FROM',
    help: 'where context.group comes from: attribute:NAME',
    parse: attributeField,
  }),
  feature: setting({
    flag: '--feature <name=true|false>',
    env: 'KJITSI_FEATURE',
    help: 'write context.features.NAME; all=true first, then the exceptions',
    parse: keyValue,
    repeat: true,
  }),
  remove: REMOVE,
  ...PLAN,
  ...LOGIN,
}

/** With --json a document of kind `mappers`, as keycloak/run.ts says. */
export const setupMappers = command({
  name: 'setup-mappers',
  summary: 'create the claim mappers that Jitsi needs on a Keycloak client',
  args: [],
  settings: SETTINGS,
  examples: [
    [
      'kjitsi setup-mappers --url https://auth.example.org --realm meet --user admin --dry-run',
      'shows what is missing',
    ],
    [
      'kjitsi setup-mappers --realm meet --user-context --moderator-role owner',
      'also names, and moderators by role',
    ],
  ],
  async run(context) {
    const { http, output, settings } = context
    const [{ adviseOptions }, { desiredMappers }, { runInRealms }, { mapperPlanner }] = await Promise.all([
      import('../keycloak/advice.ts'),
      import('../keycloak/mappers.ts'),
      import('../keycloak/run.ts'),
      import('../keycloak/set-up.ts'),
    ])
    const { client, remove, check, dryRun, all } = settings
    const role = moderatorRoleOf(settings)
    const mappers = desiredMappers({ ...settings, moderatorRole: role })
    const admin = await needAdmin(context)
    const findings = remove ? [] : adviseOptions({ moderatorRole: role })
    const run = { kind: 'mappers', client, dryRun: dryRun || check, check, all, findings, ...admin }
    return runInRealms(http, output, run, mapperPlanner({ clientId: client, mappers, role, remove }))
  },
})
