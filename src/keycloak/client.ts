// Reads the one client whose tokens Jitsi gets.
import { z } from 'zod'
import { KjitsiError, unless } from '../errors.ts'
import { shellWord } from '../shell.ts'
import { type RealmAdmin, giveRole } from './connect.ts'
import type { ExistingMapper } from './mappers.ts'

export interface Client {
  readonly clientId: string
  /** What the admin API's paths want, where a person says `clientId`. */
  readonly clientUuid: string
  readonly mappers: readonly ExistingMapper[]
  /** Whether the account may change the client. */
  readonly canManage: boolean
  readonly settings: ClientSettings
  /** Members that kjitsi never sets, as they came. */
  readonly rest: Readonly<Record<string, unknown>>
}

/** Keycloak has config values that are null where a form field was emptied; to it they are absent. */
const CONFIG = z
  .record(z.string(), z.string().nullish())
  .transform((config): Readonly<Record<string, string>> =>
    Object.fromEntries(
      Object.entries(config).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
    ),
  )

// Loose: members that we do not know are written back as they came.
const MAPPER = z.looseObject({
  id: z.string(),
  name: z.string(),
  protocol: z.string(),
  protocolMapper: z.string(),
  config: CONFIG.default({}),
})

const SWITCH = z
  .boolean()
  .nullish()
  .transform((on) => on === true)
const LIST = z
  .array(z.string())
  .readonly()
  .nullish()
  .transform((list) => list ?? [])

/** The members of ClientRepresentation.java that kjitsi sets, or must know to set the others; an absent switch is off. */
const SETTINGS = z.object({
  publicClient: SWITCH,
  standardFlowEnabled: SWITCH,
  implicitFlowEnabled: SWITCH,
  directAccessGrantsEnabled: SWITCH,
  serviceAccountsEnabled: SWITCH,
  authorizationServicesEnabled: SWITCH,
  fullScopeAllowed: SWITCH,
  frontchannelLogout: SWITCH,
  redirectUris: LIST,
  webOrigins: LIST,
  attributes: CONFIG.nullish().transform((attributes) => attributes ?? {}),
})
export type ClientSettings = Readonly<z.infer<typeof SETTINGS>>

/** The part of ClientRepresentation.java that kjitsi reads. */
const CLIENT = z.looseObject({
  ...SETTINGS.shape,
  id: z.string(),
  clientId: z.string(),
  protocol: z.string().nullish(),
  bearerOnly: z.boolean().nullish(),
  protocolMappers: z.array(MAPPER).nullish(),
  access: z.object({ manage: z.boolean().optional() }).nullish(),
})
const CLIENTS = z.array(CLIENT)
const ROLES = z.array(z.object({ name: z.string() }))

/**
 * Finds a client by its client id, with its mappers and what this account may do with it: one request.
 * @throws KjitsiError `not-found` where there is none, or none that this account sees, or where the client id is the
 * internal id of one; `usage` where it is of no use to Jitsi
 */
export async function findClient(realm: RealmAdmin, clientId: string): Promise<Client> {
  const client = await lookForClient(realm, clientId)
  if (client !== undefined) return client
  const page = `${realm.url}/admin/master/console/#/${encodeURIComponent(realm.name)}/clients`
  throw new KjitsiError(
    'not-found',
    `client ${clientId} of realm ${realm.name} was not found or is not visible to this account`,
    {
      hint:
        `make it by kjitsi setup-client, or on Keycloak's page Clients (${page}), or name another by --client or ` +
        'KJITSI_CLIENT; client ids are case-sensitive, and an account sees none without the role view-clients, or ' +
        'query-clients and a permission on the client',
    },
  )
}

/** As `findClient`, but undefined where there is no client, or none that this account sees. */
export async function lookForClient(realm: RealmAdmin, clientId: string): Promise<Client | undefined> {
  const clients = await realm.get(CLIENTS, (admin) => admin.clients.find({ clientId }))
  const found = clients.find((client) => client.clientId === clientId)
  if (found === undefined) {
    if (UUID.test(clientId)) await refuseUuid(realm, clientId)
    return undefined
  }
  const useless = (why: string, which: string): KjitsiError =>
    new KjitsiError('usage', `realm ${realm.name}, client ${clientId}: ${why}`, {
      hint: `name ${which} by --client or KJITSI_CLIENT`,
    })
  if (found.protocol && found.protocol !== 'openid-connect') {
    throw useless(`it speaks ${found.protocol}, and Jitsi needs one of openid-connect`, 'another client')
  }
  if (found.bearerOnly === true) {
    const why = 'it is bearer-only, so nobody can log in with it and no token is its own'
    throw useless(why, 'the client that users log in with')
  }
  return {
    clientId,
    clientUuid: found.id,
    // Keycloak gives them in an order of its own, another each time.
    mappers: (found.protocolMappers ?? []).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    canManage: found.access?.manage === true,
    settings: SETTINGS.parse(found),
    rest: Object.fromEntries(Object.entries(found).filter(([name]) => !(name in CLIENT.shape))),
  }
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** @throws KjitsiError `not-found` where it is the internal id of a client, which Keycloak's pages show in their addresses */
async function refuseUuid(realm: RealmAdmin, id: string): Promise<void> {
  const client = await unless(
    'not-found',
    realm.get(CLIENT, (admin) => admin.clients.findOne({ id })),
  )
  if (client === undefined) return
  const { clientId } = client
  throw new KjitsiError(
    'not-found',
    `realm ${realm.name}: ${id} is the internal id of a client, and its client id is ${clientId}`,
    { hint: `give --client ${shellWord(clientId)}, or KJITSI_CLIENT` },
  )
}

/** Which Keycloak gives every realm. */
const BUILT_IN = 'account'

/**
 * Sees to it that a client that was not found is not only hidden: to an account with query-clients alone Keycloak answers
 * with no client at all.
 * @throws KjitsiError `not-found`
 */
export async function needSight(realm: RealmAdmin, clientId: string): Promise<void> {
  if ((await lookForClient(realm, BUILT_IN)) !== undefined) return
  throw new KjitsiError(
    'not-found',
    `client ${clientId} of realm ${realm.name} was not found or is not visible: ${realm.who} does not see the client ` +
      `${BUILT_IN} either; nothing was removed`,
    { hint: giveRole(realm.name, 'view-clients') },
  )
}

/** How long sessions last at most, seconds, 0 where the realm sets nothing; absent where the account may not see it. */
const LIMITS = z.object({ ssoSessionMaxLifespan: z.int(), clientSessionMaxLifespan: z.int() }).partial()
export type SessionLimits = Readonly<z.infer<typeof LIMITS>>

/** Reads what cuts the lifespan of tokens. Without the role view-realm Keycloak answers with little more than the name. */
export async function sessionLimitsOf(realm: RealmAdmin): Promise<SessionLimits> {
  return realm.get(LIMITS, (admin) => admin.realms.findOne({ realm: realm.name }))
}

/** The names of a client's own roles. */
export async function rolesOf(realm: RealmAdmin, client: Client): Promise<readonly string[]> {
  const roles = await realm.get(ROLES, (admin) => admin.clients.listRoles({ id: client.clientUuid }))
  return roles.map(({ name }) => name)
}

/**
 * Sees to it, before the first write, that the account may change the client.
 * @throws KjitsiError `right`
 */
export function needManage(realm: RealmAdmin, client: Client): void {
  if (client.canManage) return
  throw new KjitsiError(
    'right',
    `realm ${realm.name}: ${realm.who} may see client ${client.clientId}, but not change it`,
    {
      hint: `${giveRole(realm.name, 'manage-clients')}; --dry-run and --check do without`,
    },
  )
}
