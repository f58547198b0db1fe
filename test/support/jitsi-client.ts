// A client as setup-client leaves it, to spoil.
import type { Client, ClientSettings } from '../../src/keycloak/client.ts'
import { type ClientOptions, desiredClient } from '../../src/keycloak/desired-client.ts'
import { type ExistingMapper, FIRST_MAPPERS, type Mapper } from '../../src/keycloak/mappers.ts'

export const ORIGIN = 'https://meet.example.org'
export const OPTIONS: ClientOptions = {
  client: 'jitsi',
  tokenAudience: undefined,
  moderatorRole: undefined,
  tokenLifespan: 36_000,
  makePublic: false,
  fullScopeChange: true,
}
export const DESIRED = desiredClient([ORIGIN], OPTIONS)
export const ALL_MAPPERS = [DESIRED.audienceMapper, ...FIRST_MAPPERS]

export function existing(mapper: Mapper): ExistingMapper {
  return { id: `id-${mapper.name}`, ...mapper }
}

/** The client as setup-client leaves it, but for some settings and attributes. */
export function client(
  settings: Partial<ClientSettings> = {},
  attributes: Record<string, string | undefined> = {},
  more: Partial<Client> = {},
): Client {
  const all = Object.entries({ ...DESIRED.settings.attributes, ...settings.attributes, ...attributes })
  const given = all.filter((entry): entry is [string, string] => entry[1] !== undefined)
  return {
    clientId: 'jitsi',
    clientUuid: 'uuid',
    canManage: true,
    mappers: ALL_MAPPERS.map(existing),
    settings: { ...DESIRED.settings, ...settings, attributes: Object.fromEntries(given) },
    // As Keycloak gives them for a new client.
    rest: {
      enabled: true,
      clientAuthenticatorType: 'client-secret',
      notBefore: 0,
      nodeReRegistrationTimeout: -1,
    },
    ...more,
  }
}
