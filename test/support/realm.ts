// A realm of its own for each test, on the real Keycloak, with the admin client that made it.
import KeycloakAdminClient from '@keycloak/keycloak-admin-client'
import { UnmanagedAttributePolicy } from '@keycloak/keycloak-admin-client/lib/defs/userProfileMetadata.js'
import { randomUUID } from 'node:crypto'
import { afterAll, expect, inject } from 'vitest'

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

/**
 * Makes an enabled realm; `await using` removes it at the end of the test. Of the keys of a new realm it lacks
 * the one for encryption, which takes as long to make as all the rest.
 */
export async function makeRealm(prefix = 'kjitsi', more: RealmRepresentation = {}): Promise<TestRealm> {
  const name = `${prefix}-${randomUUID().slice(0, 8)}`
  const admin = adminClient()
  await admin.realms.create({ realm: name, enabled: true, components: KEYS, ...more })
  admin.setConfig({ realmName: name })
  return {
    name,
    admin,
    async [Symbol.asyncDispose]() {
      await adminClient().realms.del({ realm: name })
    },
  }
}

// The admin client has the type of one component where a realm has a list of them.
const KEYS = {
  'org.keycloak.keys.KeyProvider': [
    { name: 'rsa-generated', providerId: 'rsa-generated', config: { priority: ['100'] } },
    { name: 'aes-generated', providerId: 'aes-generated', config: { priority: ['100'] } },
    {
      name: 'hmac-generated-hs512',
      providerId: 'hmac-generated',
      config: { priority: ['100'], algorithm: ['HS512'] },
    },
  ],
} as object as NonNullable<RealmRepresentation['components']>

let shared: Promise<Shared> | undefined
let lent = false
afterAll(async () => {
  await (await shared)?.realm[Symbol.asyncDispose]()
})

type RealmRepresentation = NonNullable<Parameters<KeycloakAdminClient['realms']['create']>[0]>

interface Shared {
  readonly realm: TestRealm
  readonly untouched: Contents
}

/**
 * The realm of this file; what a test has put into it is gone at the end of its `await using`.
 * @throws Error at that end, where the test changed what the realm had: such a test needs one of its own
 */
export async function fileRealm(): Promise<TestRealm> {
  shared ??= makeRealm().then(async (realm) => ({ realm, untouched: await contentsOf(realm) }))
  const { realm, untouched } = await shared
  if (lent) throw new Error('the realm of this file is in use: a second one is made by makeRealm')
  lent = true
  return {
    ...realm,
    async [Symbol.asyncDispose]() {
      const { clients, clientScopes, roles, groups, users } = realm.admin
      lent = false
      const left = await contentsOf(realm)
      const added = (kind: keyof Contents): readonly string[] =>
        Object.keys(left[kind]).filter((id) => !(id in untouched[kind]))
      // One after the other: Keycloak's database of a developer's server takes them for a deadlock otherwise.
      for (const id of added('clients')) await clients.del({ id })
      for (const id of added('clientScopes')) await clientScopes.del({ id })
      for (const id of added('roles')) await roles.delById({ id })
      for (const id of added('groups')) await groups.del({ id })
      for (const id of added('users')) await users.del({ id })
      // What a test gives to a realm beside these, such as a key, is never taken back.
      const kinds = Object.entries(left) as [keyof Contents, Things][]
      const remaining = kinds.map(([kind, things]) => [
        kind,
        Object.fromEntries(
          Object.entries(things).filter(([id]) => kind === 'components' || id in untouched[kind]),
        ),
      ])
      expect(Object.fromEntries(remaining), 'a test that changes its realm needs one of its own').toEqual(
        untouched,
      )
    },
  }
}

type Things = Readonly<Record<string, unknown>>

type Contents = Readonly<Record<Kind, Things>>
type Kind = 'realm' | 'components' | 'clients' | 'clientScopes' | 'roles' | 'groups' | 'users'

async function contentsOf({ admin, name }: TestRealm): Promise<Contents> {
  const byId = (things: readonly { readonly id?: string }[]): Things =>
    Object.fromEntries(things.map((thing) => [thing.id ?? '', thing]))
  const [realm, components, clients, clientScopes, roles, groups, users] = await Promise.all([
    admin.realms.findOne({ realm: name }).then((found) => byId([found ?? {}])),
    admin.components.find().then(byId),
    admin.clients.find().then(byId),
    admin.clientScopes.find().then(byId),
    admin.roles.find().then(byId),
    admin.groups.find().then(byId),
    admin.users.find().then(byId),
  ])
  return { realm, components, clients, clientScopes, roles, groups, users }
}

const HALF_A_LOGIN_MS = 30_000
let token: Promise<string> | undefined
let renewAt = 0

/** A client of the administrator's; all of a file share one login, which always has half of its minute before it. */
function adminClient(): KeycloakAdminClient {
  const { url: baseUrl } = keycloak
  const admin = new KeycloakAdminClient({ baseUrl, realmName: 'master' })
  admin.registerTokenProvider({
    getAccessToken() {
      if (performance.now() > renewAt) {
        renewAt = performance.now() + HALF_A_LOGIN_MS
        token = logIn()
      }
      return token ?? logIn()
    },
  })
  return admin
}

async function logIn(): Promise<string> {
  const { url: baseUrl, user: username, password } = keycloak
  const client = new KeycloakAdminClient({ baseUrl, realmName: 'master' })
  await client.auth({ grantType: 'password', clientId: 'admin-cli', username, password })
  return client.accessToken ?? ''
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
