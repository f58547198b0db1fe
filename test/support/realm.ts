// A realm of its own for each test, on the real Keycloak, with the admin client that made it.
import KeycloakAdminClient from '@keycloak/keycloak-admin-client'
import { UnmanagedAttributePolicy } from '@keycloak/keycloak-admin-client/lib/defs/userProfileMetadata.js'
import { randomUUID } from 'node:crypto'
import { inject } from 'vitest'

export const keycloak = inject('keycloak')

/** Environment of a kjitsi that logs in as the server's administrator. */
export const ADMIN_ENV = {
  KEYCLOAK_URL: keycloak.url,
  KEYCLOAK_USER: keycloak.user,
  KEYCLOAK_PASSWORD: keycloak.password,
}

export interface TestRealm extends AsyncDisposable {
  readonly name: string
  /** Logged in as the server's administrator, set on this realm. */
  readonly admin: KeycloakAdminClient
}

/** Makes an enabled realm; `await using` removes it at the end of the test. */
export async function makeRealm(prefix = 'kjitsi'): Promise<TestRealm> {
  const name = `${prefix}-${randomUUID().slice(0, 8)}`
  const admin = await adminClient()
  await admin.realms.create({ realm: name, enabled: true })
  admin.setConfig({ realmName: name })
  return {
    name,
    admin,
    async [Symbol.asyncDispose]() {
      await (await adminClient()).realms.del({ realm: name })
    },
  }
}

async function adminClient(): Promise<KeycloakAdminClient> {
  const { url: baseUrl, user: username, password } = keycloak
  const login = new KeycloakAdminClient({ baseUrl, realmName: 'master' })
  await login.auth({ grantType: 'password', clientId: 'admin-cli', username, password })
  const admin = new KeycloakAdminClient({ baseUrl, realmName: 'master' })
  // A login lasts a minute, and a client renews it at the realm that it is set on: only one that stays on master can.
  admin.registerTokenProvider({ getAccessToken: () => login.getAccessToken() })
  return admin
}

/** Makes a public client that also takes direct grants, so that a test can get a token without a browser. */
export async function makeClient(realm: TestRealm, clientId = 'jitsi'): Promise<string> {
  const { id } = await realm.admin.clients.create({
    clientId,
    publicClient: true,
    directAccessGrantsEnabled: true,
  })
  return id
}

/** Makes a user who can log in at once; the password is the user name. */
export async function makeUser(realm: TestRealm, username = 'alice'): Promise<string> {
  const { id } = await realm.admin.users.create({
    username,
    enabled: true,
    email: `${username}@example.org`,
    emailVerified: true,
    firstName: username,
    lastName: 'Example',
    credentials: [{ type: 'password', value: username, temporary: false }],
  })
  return id
}

export type ClientRepresentation = Awaited<ReturnType<KeycloakAdminClient['clients']['find']>>[number]

export async function clientOf(
  realm: TestRealm,
  clientId: string,
): Promise<ClientRepresentation & { readonly id: string }> {
  const [client] = await realm.admin.clients.find({ clientId })
  if (client?.id === undefined) throw new Error(`no client ${clientId}`)
  return { ...client, id: client.id }
}

/** Gives a user a role of a client. */
export async function giveRole(
  realm: TestRealm,
  userId: string,
  clientId: string,
  roleName: string,
): Promise<void> {
  const { id } = await clientOf(realm, clientId)
  const role = await realm.admin.clients.findRole({ id, roleName })
  if (!role?.id || !role.name) throw new Error(`no role ${roleName}`)
  await realm.admin.users.addClientRoleMappings({
    id: userId,
    clientUniqueId: id,
    roles: [{ id: role.id, name: role.name }],
  })
}

/** Something of a client taken away. */
export type Spoil = (client: ClientRepresentation) => Partial<ClientRepresentation>

export async function spoilClient(realm: TestRealm, clientId: string, spoil: Spoil): Promise<void> {
  const client = await clientOf(realm, clientId)
  await realm.admin.clients.update({ id: client.id }, { ...client, ...spoil(client) })
}

export const attribute =
  (name: string, value: string): Spoil =>
  ({ attributes }) => ({ attributes: { ...(attributes as object), [name]: value } })

/** @param name how the mapper's name begins */
export const withoutMapper =
  (name: string): Spoil =>
  ({ protocolMappers = [] }) => ({
    protocolMappers: protocolMappers.filter((mapper) => !mapper.name?.startsWith(name)),
  })

export interface Tokens {
  readonly accessToken: string
  readonly idToken: string
}

/** Logs a user of `makeUser` in by a direct grant. */
export async function tokensOf(realm: TestRealm, username = 'alice', clientId = 'jitsi'): Promise<Tokens> {
  const response = await fetch(`${keycloak.url}/realms/${realm.name}/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'password',
      client_id: clientId,
      username,
      password: username,
      scope: 'openid',
    }),
  })
  if (!response.ok) throw new Error(`no token for ${username}: ${response.status} ${await response.text()}`)
  const body = (await response.json()) as { access_token: string; id_token: string }
  return { accessToken: body.access_token, idToken: body.id_token }
}

/** Makes a client with a secret whose service account has these roles of realm-management; gives what logs it in. */
export async function makeServiceAccount(
  realm: TestRealm,
  clientId: string,
  roles: readonly string[],
  secret = 'a secret of a service account',
): Promise<{ readonly KEYCLOAK_CLIENT_ID: string; readonly KEYCLOAK_CLIENT_SECRET: string }> {
  const { clients } = realm.admin
  const { id } = await clients.create({ clientId, secret, publicClient: false, serviceAccountsEnabled: true })
  const { id: userId = '' } = await clients.getServiceAccountUser({ id })
  for (const roleName of roles) await giveRole(realm, userId, 'realm-management', roleName)
  return { KEYCLOAK_CLIENT_ID: clientId, KEYCLOAK_CLIENT_SECRET: secret }
}

/** Lets users have any attribute, which a new realm does not. */
export async function allowAttributes(realm: TestRealm): Promise<void> {
  const profile = await realm.admin.users.getProfile()
  await realm.admin.users.updateProfile({
    ...profile,
    unmanagedAttributePolicy: UnmanagedAttributePolicy.Enabled,
  })
}
