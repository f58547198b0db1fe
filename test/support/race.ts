// Two runs at once on one client of a real Keycloak, and what is left by them.
import type KeycloakAdminClient from '@keycloak/keycloak-admin-client'
import { type Ran, run } from './run.ts'

export interface Raced {
  readonly both: readonly Ran[]
  /** Names of the client's mappers, in order, a name as often as it is there. */
  readonly mappers: readonly string[]
  readonly roles: readonly string[]
  /** What a `--check` after it ends with: 0 where all is as wanted. */
  readonly checked: Ran
}

/**
 * @param admin set on the realm
 * @param argv of both, without realm and client
 */
export async function race(
  admin: KeycloakAdminClient,
  clientId: string,
  argv: readonly string[],
): Promise<Raced> {
  const env = {
    KEYCLOAK_URL: admin.baseUrl,
    KEYCLOAK_REALM: admin.realmName,
    KEYCLOAK_ACCESS_TOKEN: (await admin.getAccessToken()) ?? '',
    KJITSI_CLIENT: clientId,
  }
  const both = await Promise.all([run(argv, { env }), run(argv, { env })])
  const [client] = await admin.clients.find({ clientId })
  const roles = client?.id === undefined ? [] : await admin.clients.listRoles({ id: client.id })
  return {
    both,
    mappers: (client?.protocolMappers ?? []).map(({ name = '' }) => name).sort(),
    roles: roles.map(({ name = '' }) => name),
    checked: await run([...argv, '--check'], { env }),
  }
}

export const MAPPERS = ['setup-mappers', '--user-context', '--moderators', 'role:owner']
export const CLIENT = [
  'setup-client',
  '--jitsi-url',
  'https://meet.example.org',
  '--moderators',
  'role:owner',
]
