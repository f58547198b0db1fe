// Reads the one client whose tokens Jitsi gets.
import { z } from 'zod'
import { KjitsiError } from '../errors.ts'
import { type RealmAdmin, giveRole } from './connect.ts'
import type { ExistingMapper } from './mappers.ts'

export interface Client {
  readonly clientId: string
  /** What the admin API's paths want, where a person says `clientId`. */
  readonly clientUuid: string
  readonly mappers: readonly ExistingMapper[]
  /** Whether the account may change the client. */
  readonly canManage: boolean
}

/** Keycloak has config values that are null where a form field was emptied; to it they are absent. */
const CONFIG = z
  .record(z.string(), z.string().nullish())
  .transform((config) =>
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

/** The part of ClientRepresentation.java that kjitsi uses. */
const CLIENTS = z.array(
  z.object({
    id: z.string(),
    clientId: z.string(),
    protocol: z.string().nullish(),
    bearerOnly: z.boolean().nullish(),
    protocolMappers: z.array(MAPPER).nullish(),
    access: z.object({ manage: z.boolean().optional() }).nullish(),
  }),
)
const ROLES = z.array(z.object({ name: z.string() }))

/**
 * Finds a client by its client id, with its mappers and what this account may do with it: one request.
 * @throws KjitsiError `not-found` where there is none, or none that this account sees; `usage` where it is of no use to
 * Jitsi
 */
export async function findClient(realm: RealmAdmin, clientId: string): Promise<Client> {
  const path = `/clients?clientId=${encodeURIComponent(clientId)}`
  const clients = await realm.get(path, CLIENTS, (admin) => admin.clients.find({ clientId }))
  const found = clients.find((client) => client.clientId === clientId)
  if (found === undefined) throw noClient(realm, clientId)
  const where = `realm ${realm.name}, client ${clientId}`
  if (found.protocol && found.protocol !== 'openid-connect') {
    throw new KjitsiError(
      'usage',
      `${where}: it speaks ${found.protocol}, and Jitsi needs one of openid-connect`,
      {
        hint: 'name another client by --client or KJITSI_CLIENT',
      },
    )
  }
  if (found.bearerOnly === true) {
    throw new KjitsiError(
      'usage',
      `${where}: it is bearer-only, so nobody can log in with it and no token is its own`,
      {
        hint: 'name the client that users log in with by --client or KJITSI_CLIENT',
      },
    )
  }
  return {
    clientId,
    clientUuid: found.id,
    // Keycloak gives them in an order of its own, another each time.
    mappers: (found.protocolMappers ?? []).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    canManage: found.access?.manage === true,
  }
}

function noClient(realm: RealmAdmin, clientId: string): KjitsiError {
  const page = `${realm.url}/admin/master/console/#/${encodeURIComponent(realm.name)}/clients`
  return new KjitsiError(
    'not-found',
    `client ${clientId} of realm ${realm.name} was not found or is not visible to this account`,
    {
      hint:
        `make it on Keycloak's page Clients (${page}), or name another by --client or KJITSI_CLIENT; client ids are ` +
        'case-sensitive, and an account without the role view-clients sees none',
    },
  )
}

/** The names of a client's own roles. */
export async function rolesOf(realm: RealmAdmin, client: Client): Promise<readonly string[]> {
  const path = `/clients/${client.clientUuid}/roles`
  const roles = await realm.get(path, ROLES, (admin) => admin.clients.listRoles({ id: client.clientUuid }))
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
