// kjitsi setup-mappers: plans and applies the claim mappers of a Keycloak client, in one realm or in many.
import { command } from '../cli/context.ts'
import { integer } from '../cli/readers.ts'
import { setting, under } from '../cli/setting.ts'
import { moderatorRoleOf } from '../jitsi/moderation.ts'
import { adviseRoom, roomClaim } from '../jitsi/room.ts'
import type { UserField } from '../keycloak/mappers.ts'
import { LOGIN, needAdmin } from '../login-settings.ts'
import { CLIENT, KEYCLOAK, MODERATOR_ROLE, PLAN, REMOVE, TOKEN_AUDIENCE } from '../settings.ts'

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
  ...LOGIN,
  ...under('Claims:', {
    room: setting({
      flag: '--room <value>',
      env: 'KJITSI_ROOM',
      help: 'room that tokens open, as in its address; * opens all',
      parse: roomClaim,
      advise: adviseRoom,
      default: '*',
    }),
    roomAttribute: setting({
      flag: '--room-attribute <name>',
      env: 'KJITSI_ROOM_ATTRIBUTE',
      help: 'user or group attribute to take the room from',
    }),
    bnf: setting({
      flag: '--bnf <value>',
      env: 'KJITSI_BNF',
      help: 'claim bnf',
      parse: integer,
      default: '0',
    }),
    nbf: setting({
      flag: '--nbf',
      env: 'KJITSI_NBF',
      help: 'also write nbf = 0, which Jitsi reads',
    }),
    tokenAudience: TOKEN_AUDIENCE,
    userContext: setting({
      flag: '--user-context',
      env: 'KJITSI_USER_CONTEXT',
      help: 'write context.user: id, name, email, avatar',
    }),
    nameFrom: setting({
      flag: '--name-from <source>',
      env: 'KJITSI_NAME_FROM',
      help: 'source of context.user.name: username, firstName or attribute:NAME',
      parse: nameField,
      default: 'username',
    }),
    moderators: MODERATOR_ROLE,
    groupFrom: setting({
      flag: '--group-from <source>',
      env: 'KJITSI_GROUP_FROM',
      help: 'source of context.group: attribute:NAME',
      parse: attributeField,
    }),
    feature: setting({
      flag: '--feature <name=bool>',
      env: 'KJITSI_FEATURE',
      help: 'write context.features.NAME as true or false; all=true goes before its exceptions',
      parse: keyValue,
      repeat: true,
    }),
  }),
  ...PLAN,
  remove: REMOVE,
}

/** With --json a document of kind `mappers`, as keycloak/run.ts says. */
export const setupMappers = command({
  name: 'setup-mappers',
  summary: 'create the claim mappers that Jitsi needs on a Keycloak client',
  args: [],
  settings: SETTINGS,
  examples: [
    ['kjitsi setup-mappers --realm meet --user admin --dry-run', 'shows what is missing'],
    [
      'kjitsi setup-mappers --realm meet --user-context --moderators role:owner',
      'also names and avatars; holders of the role owner moderate',
    ],
  ],
  async run(context) {
    const { http, output, settings } = context
    const [{ desiredMappers }, { runInRealms }, { mapperPlanner }] = await Promise.all([
      import('../keycloak/mappers.ts'),
      import('../keycloak/run.ts'),
      import('../keycloak/set-up.ts'),
    ])
    const role = moderatorRoleOf(settings.moderators)
    const mappers = desiredMappers({ ...settings, moderatorRole: role })
    const admin = await needAdmin(context)
    const planner = mapperPlanner(settings.client, mappers, role, settings.remove)
    return runInRealms(http, output, { ...settings, ...admin, kind: 'mappers', role }, planner)
  },
})
