// What is worth knowing about the options, and about a client once its plan is carried out.
import type { Finding } from '../finding.ts'
import { type ClientArgs, keycloakFinding } from './findings.ts'
import { FEATURES } from '../jitsi/features.ts'
import type { Client, SessionLimits } from './client.ts'
import { type DesiredClient, LIFESPAN } from './desired-client.ts'
import { type ExistingMapper, MODERATOR_AFFILIATIONS, type Mapper } from './mappers.ts'
import { keepsFullScope } from './plan-client.ts'
import { audienceOf, claimOf } from './plan-mappers.ts'
import { type Item, mappersAfter } from './plan.ts'

/** What is worth knowing about the role of the moderators, whatever realm it is of. */
export function adviseRole(role: string | undefined): readonly Finding[] {
  if (role === undefined || MODERATOR_AFFILIATIONS.includes(role)) return []
  return [keycloakFinding('affiliation-unknown', { role, known: MODERATOR_AFFILIATIONS.join(', ') })]
}

/**
 * What is worth knowing about a client's mappers and roles once its plan is carried out.
 * @param role of the moderators
 * @param roles names of the client's roles, as far as they were asked for
 */
export function advisePlan(
  client: ClientArgs,
  items: readonly Item[],
  existing: readonly ExistingMapper[],
  role: string | undefined,
  roles: readonly string[],
): readonly Finding[] {
  const findings = items.flatMap((item): Finding[] => {
    if (item.action !== 'conflict') return []
    const { name, conflict, does = '' } = item
    const mappers = item.mappers.join(', ')
    return conflict === 'taken-name'
      ? [keycloakFinding('mapper-taken-name', { ...client, name, does })]
      : [keycloakFinding(`mapper-${conflict}`, { ...client, name, mappers })]
  })
  const claims = mappersAfter(existing, items).map((mapper) => claimOf(mapper) ?? '')
  if (claims.some((claim) => claim.startsWith('context.')) && !claims.includes('context.user.name')) {
    findings.push(keycloakFinding('name-unmapped', client))
  }
  const off = FEATURES.filter((feature) => !claims.includes(`context.features.${feature}`))
  if (off.length > 0 && claims.some((claim) => claim.startsWith('context.features.'))) {
    findings.push(keycloakFinding('features-partial', { ...client, off: off.join(', ') }))
  }
  const alike = roles.filter((name) => name.toLowerCase() === role?.toLowerCase())
  if (role !== undefined && alike.length > 0 && !alike.includes(role)) {
    findings.push(keycloakFinding('role-case', { ...client, role, alike: alike.join(', ') }))
  }
  const others = role === undefined ? [] : rolesBefore(role, roles)
  if (role !== undefined && others.length > 0) {
    findings.push(keycloakFinding('roles-compete', { ...client, role, others: others.join(', ') }))
  }
  return findings
}

/** The sizes that the table of Java's HashSet has for so many texts: it doubles when it is three quarters full. */
function tableSizes(count: number): readonly number[] {
  const sizes = [16]
  for (let size = 16; count > size * 0.75; size *= 2) sizes.push(size * 2)
  return sizes
}

/** What Java's HashMap takes the place of a text in its table from: String.hashCode, with its upper half on the lower. */
function spreadHash(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
  return hash ^ (hash >>> 16)
}

/**
 * The roles that make nobody a moderator and that Keycloak may put into the claim of somebody who has `role` too. Of a
 * person's roles it takes the first of a Java HashSet, which goes by the place in its table (seen on Keycloak 26.7.3);
 * of two in one place, either can be first. The table is larger for somebody who has more roles.
 */
function rolesBefore(role: string, roles: readonly string[]): readonly string[] {
  const sizes = tableSizes(new Set([role, ...roles]).size)
  const place = (name: string, size: number): number => spreadHash(name) & (size - 1)
  return roles.filter(
    (name) =>
      name !== role &&
      !MODERATOR_AFFILIATIONS.includes(name) &&
      sizes.some((size) => place(name, size) <= place(role, size)),
  )
}

/**
 * What is worth knowing about a client that Jitsi logs in with, once its plan is carried out.
 * @param client as it was found
 * @param mappers those that it has then
 * @param limits of the realm's sessions, where they were asked for
 */
export function adviseClient(
  where: ClientArgs,
  desired: DesiredClient,
  client: Client | undefined,
  mappers: readonly Mapper[],
  limits: SessionLimits | undefined,
): readonly Finding[] {
  const { audience } = desired
  const findings: Finding[] = []
  if (client?.rest['enabled'] === false) findings.push(keycloakFinding('client-disabled', where))
  if (client?.settings.publicClient === false && client.settings.serviceAccountsEnabled) {
    findings.push(keycloakFinding('service-account-lost', where))
  }
  if (client !== undefined) findings.push(...adviseFound(where, client))
  if (keepsFullScope(desired, client))
    findings.push(keycloakFinding('full-scope-stays', { ...where, audience }))
  const others = mappers.filter((mapper) => addsAudience(mapper, audience)).map(({ name }) => name)
  if (others.length > 0) {
    findings.push(keycloakFinding('audience-list', { ...where, audience, mappers: others.join(', ') }))
  }
  if (!mappers.some((mapper) => claimOf(mapper) === 'room'))
    findings.push(keycloakFinding('room-unmapped', where))
  return limits === undefined ? findings : [...findings, ...adviseLifespan(where, desired, client, limits)]
}

/** What a client had before kjitsi, which no plan of its takes away. */
function adviseFound(where: ClientArgs, { settings, rest, mappers }: Client): readonly Finding[] {
  const findings: Finding[] = []
  const uris = settings.redirectUris.filter((uri) => uri.includes('*'))
  if (uris.length > 0)
    findings.push(keycloakFinding('redirect-wildcard', { ...where, uris: uris.join(', ') }))
  // A + stands for the origins of the redirect URIs, of which Keycloak compares none as a pattern.
  if (settings.webOrigins.includes('*')) findings.push(keycloakFinding('origin-wildcard', where))
  if (rest['consentRequired'] === true) findings.push(keycloakFinding('consent-required', where))
  const { defaultClientScopes: scopes } = rest
  if (Array.isArray(scopes) && !scopes.includes('basic') && !mappers.some(writesSub)) {
    findings.push(keycloakFinding('basic-scope-missing', where))
  }
  const foreign = mappers.filter(isForeign).map((mapper) => `${mapper.name} (${claimOf(mapper) ?? ''})`)
  if (foreign.length > 0)
    findings.push(keycloakFinding('claims-foreign', { ...where, mappers: foreign.join(', ') }))
  return findings
}

function isInAccessToken({ config }: Mapper): boolean {
  return config['access.token.claim'] === 'true'
}

function writesSub(mapper: Mapper): boolean {
  return isInAccessToken(mapper) && claimOf(mapper) === 'sub'
}

/** What begins the claims that kjitsi maps and Jitsi takes rights from. */
const RIGHTS = ['room', 'context']
/** Claims that hold several of these, and that no mapper of kjitsi's writes as a whole. */
const PARENTS = ['context', 'context.user', 'context.features']

/** Whether a mapper writes a claim that is kjitsi's to write, and kjitsi makes none such. */
function isForeign(mapper: Mapper): boolean {
  const claim = claimOf(mapper)
  if (claim === undefined || !isInAccessToken(mapper)) return false
  return RIGHTS.includes(claim.split('.')[0] ?? '') && (mapper.name !== claim || PARENTS.includes(claim))
}

/** Whether a mapper puts another audience than `audience` into access tokens. */
function addsAudience(mapper: Mapper, audience: string): boolean {
  if (!isInAccessToken(mapper)) return false
  if (mapper.protocolMapper === 'oidc-audience-mapper') return audienceOf(mapper.config) !== audience
  return claimOf(mapper) === 'aud'
}

/** A token lasts no longer than the sessions of the person and of the client (Keycloak's SessionExpirationUtils.java). */
function adviseLifespan(
  where: ClientArgs,
  { settings }: DesiredClient,
  client: Client | undefined,
  { ssoSessionMaxLifespan: sso = Infinity, clientSessionMaxLifespan: ofRealm = 0 }: SessionLimits,
): readonly Finding[] {
  const lifespan = Number(settings.attributes[LIFESPAN])
  const ofClient = Number(client?.settings.attributes['client.session.max.lifespan'] ?? 0)
  const own = [ofClient, ofRealm].find((limit) => limit > 0) ?? Infinity
  const most = Math.min(sso, own)
  if (lifespan > most) {
    return [
      keycloakFinding('lifespan-cut', { ...where, lifespan, most, session: own < sso ? 'Client' : 'SSO' }),
    ]
  }
  return sso === Infinity ? [keycloakFinding('session-max-unseen', { ...where, lifespan })] : []
}
