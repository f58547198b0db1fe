// Lays the desired client over the one that a realm has: what changes, what is loosened or tightened by it, what stays.
import { KjitsiError } from '../errors.ts'
import type { Client, ClientSettings } from './client.ts'
import {
  type DesiredClient,
  FRONTCHANNEL_LOGOUT_URL,
  HARMLESS,
  LIFESPAN,
  LIST_DELIMITER,
  POST_LOGOUT_URIS,
} from './desired-client.ts'
import { FIRST_MAPPERS } from './mappers.ts'
import { planMapperRemoval } from './plan-mappers.ts'
import type { Change, ClientPatch, Item } from './plan.ts'

/** Whether people's roles in other clients go on widening the client's tokens. */
export function keepsFullScope({ fullScopeChange }: DesiredClient, client: Client | undefined): boolean {
  return client?.settings.fullScopeAllowed === true && !fullScopeChange
}

/**
 * The client's own item of the plan.
 * @throws KjitsiError `usage` where the client is confidential and may not be made public
 */
export function planClient(realm: string, desired: DesiredClient, client: Client | undefined): Item {
  const { clientId, settings } = desired
  const base = { kind: 'client', name: clientId } as const
  if (client === undefined) {
    return { ...base, action: 'create', client: { clientId, protocol: 'openid-connect', ...settings } }
  }
  if (!client.settings.publicClient) needPublic(`realm ${realm}, client ${clientId}`, desired, client)
  const changes = changesBetween(client.settings, settings, keepsFullScope(desired, client))
  if (changes.length === 0) return { ...base, action: 'keep' }
  return { ...base, action: 'update', changes, client: patchOf(client, changes) }
}

function needPublic(where: string, { makePublic }: DesiredClient, { settings }: Client): void {
  const { authorizationServicesEnabled: losesMore } = settings
  if (makePublic && !losesMore) return
  const why = losesMore
    ? 'Keycloak would delete its authorization settings were it made public'
    : "Jitsi's login is a page in the browser, which can keep no secret"
  const way = losesMore
    ? ''
    : '--make-public makes it public, with PKCE in place of the secret; where something else logs in with that secret, '
  throw new KjitsiError('usage', `${where}: it is confidential, and ${why}`, {
    hint: `${way}give Jitsi a client of its own: --client NAME`,
  })
}

type Effect = Change['effect']

const SWITCHES = [
  ['publicClient', 'loosens'],
  ['standardFlowEnabled', 'loosens'],
  ['implicitFlowEnabled', 'tightens'],
  ['directAccessGrantsEnabled', 'tightens'],
  ['fullScopeAllowed', 'tightens'],
] as const

const ATTRIBUTE_EFFECTS: Readonly<Record<string, Effect>> = {
  'pkce.code.challenge.method': 'tightens',
  'use.refresh.tokens': 'tightens',
  'dpop.bound.access.tokens': 'loosens',
  'require.pushed.authorization.requests': 'loosens',
  'request.object.required': 'loosens',
  'id.token.encrypted.response.alg': 'loosens',
  'tls.client.certificate.bound.access.tokens': 'loosens',
}

function changesBetween(
  have: ClientSettings,
  want: ClientSettings,
  keepFullScope: boolean,
): readonly Change[] {
  const changes: Change[] = []
  for (const [field, effect] of SWITCHES) {
    if (have[field] === want[field] || (field === 'fullScopeAllowed' && keepFullScope)) continue
    changes.push({ field, from: have[field], to: want[field], effect })
  }
  for (const field of ['redirectUris', 'webOrigins'] as const) {
    const added = want[field].filter((one) => !have[field].includes(one))
    if (added.length > 0) changes.push({ field, added, effect: 'loosens' })
  }
  for (const [field, to] of Object.entries(want.attributes)) {
    const from = have.attributes[field]
    if (field === POST_LOGOUT_URIS) changes.push(...postLogoutChanges(from, to))
    else if (from !== to) changes.push(changeOf(field, from, to))
  }
  for (const [field, to] of Object.entries(HARMLESS)) {
    const from = have.attributes[field]
    if (from && from !== to) changes.push(changeOf(field, from, to))
  }
  if (have.frontchannelLogout && have.attributes[FRONTCHANNEL_LOGOUT_URL]) {
    changes.push({ field: 'frontchannelLogout', from: true, to: false })
  }
  return changes
}

function changeOf(field: string, from: string | undefined, to: string): Change {
  const effect = field === LIFESPAN ? lifespanEffect(from, to) : ATTRIBUTE_EFFECTS[field]
  return { field, ...(from === undefined ? {} : { from }), to, ...(effect === undefined ? {} : { effect }) }
}

/** What a realm gives its tokens where nobody has changed it, seconds. */
const USUAL_LIFESPAN = 300

function lifespanEffect(from: string | undefined, to: string): Effect {
  return Number(to) > Number(from ?? USUAL_LIFESPAN) ? 'loosens' : 'tightens'
}

function postLogoutChanges(from: string | undefined, to: string): readonly Change[] {
  const have = (from ?? '').split(LIST_DELIMITER)
  if (have[0] === NOWHERE) return [{ field: POST_LOGOUT_URIS, from: from ?? '', to, effect: 'loosens' }]
  const added = to.split(LIST_DELIMITER).filter((uri) => !have.includes(uri))
  return added.length === 0 ? [] : [{ field: POST_LOGOUT_URIS, added, effect: 'loosens' }]
}

/** At the head of the list of post-logout URIs: none at all, whatever follows. */
const NOWHERE = '-'
/** In the list of post-logout URIs: the redirect URIs, which is also what the absent list means. */
const REDIRECT_URIS = '+'

function patchOf({ clientId, settings: have }: Client, changes: readonly Change[]): ClientPatch {
  const members = changes.flatMap(({ field, to, added = [] }): [string, unknown][] => {
    if (field === 'redirectUris' || field === 'webOrigins') return [[field, [...have[field], ...added]]]
    return typeof to === 'boolean' ? [[field, to]] : []
  })
  const attributes = changes.flatMap(({ field, to, added }): [string, string][] => {
    if (typeof to === 'string') return [[field, to]]
    if (field !== POST_LOGOUT_URIS || added === undefined) return []
    return [[field, [have.attributes[field] || REDIRECT_URIS, ...added].join(LIST_DELIMITER)]]
  })
  return {
    clientId,
    serviceAccountsEnabled: have.serviceAccountsEnabled,
    ...Object.fromEntries(members),
    // Keycloak keeps the attributes that are not among them.
    ...(attributes.length === 0 ? {} : { attributes: Object.fromEntries(attributes) }),
  }
}

/**
 * Removes a client that is, with its mappers, exactly what would be created, and has no roles: people may hold them, and
 * they would go with it. Any other stays as it is.
 */
export function planClientRemoval(
  desired: DesiredClient,
  client: Client | undefined,
  roles: readonly string[],
): Item {
  const base = { kind: 'client', name: desired.clientId } as const
  if (client === undefined) return { ...base, action: 'keep', why: 'not there' }
  const changed = differences(client, desired)
  if (changed.length > 0) {
    return { ...base, action: 'keep', why: `not as these options would create it: ${changed.join(', ')}` }
  }
  if (roles.length > 0) {
    return { ...base, action: 'keep', why: `people may hold its roles: delete ${roles.join(', ')} first` }
  }
  return { ...base, action: 'remove' }
}

function differences({ settings: have, rest, mappers }: Client, desired: DesiredClient): readonly string[] {
  const { settings: want } = desired
  const all = [desired.audienceMapper, ...desired.moderatorMappers, ...FIRST_MAPPERS]
  const ours = planMapperRemoval(all, mappers).flatMap((item) =>
    item.action === 'remove' && item.kind === 'mapper' ? [item.mapper] : [],
  )
  const foreign = mappers.filter((mapper) => !ours.includes(mapper))
  const members = Object.keys(want).filter((field) => field !== 'attributes') as (keyof ClientSettings)[]
  const list = ({ attributes }: ClientSettings, name: string): unknown =>
    attributes[name]?.split(LIST_DELIMITER)
  return [
    ...members.filter((field) => differ(have[field], want[field])),
    ...Object.keys({ ...want.attributes, ...have.attributes }).filter((name) =>
      name in want.attributes
        ? differ(list(have, name), list(want, name))
        : saysSomething(name, have.attributes[name]),
    ),
    ...Object.keys(rest).filter((field) => saysSomething(field, rest[field])),
    ...foreign.map(({ name }) => `mapper ${name}`),
  ]
}

/** Keycloak gives lists in an order of its own. */
function differ(...of: readonly [unknown, unknown]): boolean {
  const [one, other] = of.map((value) => JSON.stringify(Array.isArray(value) ? value.toSorted() : value))
  return one !== other
}

/** Members and attributes that Keycloak itself gives every client; its scopes are the realm's to say. */
const GIVEN = [
  'enabled',
  'clientAuthenticatorType',
  'defaultClientScopes',
  'optionalClientScopes',
  'backchannel.logout.session.required',
]

/** Whether a member that kjitsi does not set is more than Keycloak's own default. */
function saysSomething(field: string, value: unknown): boolean {
  if (HARMLESS[field] === value) return false
  if (GIVEN.includes(field)) return field === 'enabled' && value === false
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0
  return !['', 'false', '0', '-1', 'null', 'undefined'].includes(String(value))
}

/** Whether a plan sets the lifespan of tokens, which a realm may cut. */
export function setsLifespan(item: Item): boolean {
  if (item.kind !== 'client') return false
  return (
    item.action === 'create' ||
    (item.action === 'update' && item.changes.some(({ field }) => field === LIFESPAN))
  )
}

/**
 * The role of the moderators, if there is one, against those that the client has. It is never removed: people may hold it, and
 * other things may count on it.
 */
export function planRole(
  role: string | undefined,
  existing: readonly string[],
  remove: boolean,
): readonly Item[] {
  if (role === undefined) return []
  const base = { kind: 'role', name: role } as const
  if (remove) return [{ ...base, action: 'keep', why: 'a role is never removed' }]
  return [{ ...base, action: existing.includes(role) ? 'keep' : 'create' }]
}
