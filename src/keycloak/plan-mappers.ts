// Lays the desired mappers over those that a client has.
import type { ExistingMapper, Mapper } from './mappers.ts'
import type { Change, Conflict, Item } from './plan.ts'

/**
 * Keycloak's types of mapper that read no `claim.name`, each with the claim that it writes alone; undefined where there is
 * none. An audience mapper adds to what others write.
 */
const FIXED_CLAIMS: ReadonlyMap<string, string | undefined> = new Map([
  ['oidc-acr-mapper', 'acr'],
  ['oidc-address-mapper', 'address'],
  ['oidc-allowed-origins-mapper', 'allowed-origins'],
  ['oidc-amr-mapper', 'amr'],
  ['oidc-audience-mapper', undefined],
  ['oidc-audience-resolve-mapper', undefined],
  ['oidc-claims-param-token-mapper', undefined],
  ['oidc-full-name-mapper', 'name'],
  ['oidc-hardcoded-role-mapper', undefined],
  ['oidc-nonce-backwards-compatible-mapper', 'nonce'],
  ['oidc-organization-group-membership-mapper', undefined],
  ['oidc-role-name-mapper', undefined],
  ['oidc-session-state-mapper', 'session_state'],
  ['oidc-sha256-pairwise-sub-mapper', 'sub'],
  ['oidc-sub-mapper', 'sub'],
])

/** The claim that a mapper writes alone, whatever a `claim.name` says that its type does not read. */
export function claimOf({ protocolMapper, config }: Mapper): string | undefined {
  if (FIXED_CLAIMS.has(protocolMapper)) return FIXED_CLAIMS.get(protocolMapper)
  return config['claim.name'] || undefined
}

/** A client's audience wins over a custom one (Keycloak's AudienceProtocolMapper.java). */
export function audienceOf(config: Mapper['config']): string | undefined {
  return config['included.client.audience'] || config['included.custom.audience']
}

/**
 * Finds each desired mapper on the client by what it writes, under whatever name: such a mapper is adopted, which means
 * updated in place under its own name, since Keycloak renames no mapper. Others are none of our business, and where one has
 * the name that a new mapper needs, nothing can be done. Of several that are all as we would create them, which two runs at
 * once can leave behind, every run keeps the same one.
 */
export function planMappers(
  desired: readonly Mapper[],
  existing: readonly ExistingMapper[],
): readonly Item[] {
  const rivals = existing.filter(({ protocol }) => protocol === 'openid-connect')
  return desired.flatMap((want): readonly Item[] => {
    const inTheWay = (conflict: Conflict, mappers: readonly ExistingMapper[], does = {}): readonly Item[] => [
      {
        action: 'conflict',
        kind: 'mapper',
        name: want.name,
        conflict,
        mappers: mappers.map((one) => one.name),
        ...does,
      },
    ]
    const found = rivals.filter((have) => writesTheSame(want, have))
    const nested = rivals.filter((have) => isNested(want, have))
    const [match, ...duplicates] = found.toSorted((a, b) => (a.id < b.id ? -1 : 1))
    if (duplicates.length > 0 && found.some((have) => whyToKeep(want, have) !== undefined))
      return inTheWay('same-claim', found)
    if (nested.length > 0) return inTheWay('nested-claim', nested)
    if (match === undefined) {
      const taken = rivals.find(({ name }) => name === want.name)
      if (taken !== undefined) return inTheWay('taken-name', [taken], { does: whatItDoes(taken) })
      return [{ action: 'create', kind: 'mapper', name: want.name, mapper: want }]
    }
    const { name } = match
    const changes = changesBetween(match, want)
    return [
      changes.length === 0
        ? { action: 'keep', kind: 'mapper', name }
        : { action: 'update', kind: 'mapper', name, changes, mapper: changedBy(changes, match) },
      ...duplicates.map((mapper): Item => ({
        action: 'remove',
        kind: 'mapper',
        name,
        mapper,
        why: 'a duplicate, equal in all',
      })),
    ]
  })
}

/** Whether two mappers write one claim, or add one audience. */
function writesTheSame(want: Mapper, have: ExistingMapper): boolean {
  const claim = claimOf(want)
  if (claim !== undefined) return claim === claimOf(have)
  return have.protocolMapper === want.protocolMapper && audienceOf(have.config) === audienceOf(want.config)
}

/** What somebody's mapper does, as part of a sentence about it. */
function whatItDoes(mapper: Mapper): string {
  const claim = claimOf(mapper)
  if (claim !== undefined) return `writes the claim ${claim}`
  if (mapper.protocolMapper === 'oidc-audience-mapper')
    return `adds ${audienceOf(mapper.config) ?? 'nothing'} to aud`
  return `names no claim (${mapper.protocolMapper})`
}

/**
 * Whether one of two claims lies inside the other, as `context.user` does in `context`. Keycloak 26.7.3 runs mappers in
 * an order of its own, and either drops one of the two or answers every login with `unknown_error`.
 */
function isNested(want: Mapper, have: ExistingMapper): boolean {
  const [ours, theirs] = [claimOf(want), claimOf(have)]
  if (!ours || !theirs) return false
  return ours.startsWith(`${theirs}.`) || theirs.startsWith(`${ours}.`)
}

/** The fields that an update changes; to Keycloak an absent field, '' and 'false' are one. */
function changesBetween(have: ExistingMapper, want: Mapper): readonly Change<string>[] {
  const changes: Change<string>[] = []
  const sameType = have.protocolMapper === want.protocolMapper
  if (!sameType) changes.push({ field: TYPE, from: have.protocolMapper, to: want.protocolMapper })
  const sameAudience = sameType && audienceOf(have.config) === audienceOf(want.config)
  for (const [field, to] of Object.entries(want.config)) {
    if (sameAudience && /^included\..*audience$/.test(field)) continue
    const from = have.config[field]
    if (setting(from) !== setting(to)) changes.push({ field, ...(from === undefined ? {} : { from }), to })
  }
  // Undeclared fields are somebody's own and stay, but those of another type of mapper mean nothing to the new one.
  const lost = sameType ? [] : Object.entries(have.config).filter(([field]) => !(field in want.config))
  return [...changes, ...lost.map(([field, from]) => ({ field, from }))]
}

/** The field of a mapper that is no part of its configuration. */
const TYPE = 'protocolMapper'

function changedBy(changes: readonly Change<string>[], have: ExistingMapper): ExistingMapper {
  const changed = Object.fromEntries(changes.map(({ field, to }) => [field, to]))
  const { [TYPE]: protocolMapper = have.protocolMapper, ...fields } = changed
  const config = Object.entries({ ...have.config, ...fields }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  )
  return { ...have, protocolMapper, config: Object.fromEntries(config) }
}

function setting(value: string | undefined): string {
  return value === undefined || value === 'false' ? '' : value
}

/**
 * Removes those of the desired mappers that the client has under our name and exactly as we would create them; one
 * that somebody changed, or that was adopted under another name, is somebody's own and stays.
 */
export function planMapperRemoval(
  desired: readonly Mapper[],
  existing: readonly ExistingMapper[],
): readonly Item[] {
  return desired.flatMap((want) =>
    existing
      .filter(
        (have) =>
          have.protocol === 'openid-connect' && (have.name === want.name || writesTheSame(want, have)),
      )
      .map((have): Item => {
        const why = whyToKeep(want, have)
        const { name } = have
        return why === undefined
          ? { action: 'remove', kind: 'mapper', name, mapper: have }
          : { action: 'keep', kind: 'mapper', name, why }
      }),
  )
}

function whyToKeep(want: Mapper, have: ExistingMapper): string | undefined {
  if (have.name !== want.name) return `not ours: ours is named ${want.name}`
  if (!writesTheSame(want, have)) return `not ours: it ${whatItDoes(have)}`
  const declared = changesBetween(have, want).map(({ field }) => field)
  const added = Object.keys(have.config).filter(
    (field) => !(field in want.config) && setting(have.config[field]) !== '',
  )
  const others = new Set([...declared, ...added])
  return others.size === 0 ? undefined : `not as these options would create it: ${[...others].join(', ')}`
}
