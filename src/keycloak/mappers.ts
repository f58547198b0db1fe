// Which protocol mappers the options ask for: pure, and the only place that knows their configuration.
import { KjitsiError } from '../errors.ts'
import { FEATURES } from '../jitsi/features.ts'

/** A protocol mapper as Keycloak's admin API takes it (ProtocolMapperRepresentation.java); config values are strings. */
export interface Mapper {
  readonly name: string
  readonly protocol: string
  readonly protocolMapper: string
  readonly config: Readonly<Record<string, string>>
}

/** A mapper that a client has. Members that Keycloak adds besides these are kept when it is written back. */
export interface ExistingMapper extends Mapper {
  readonly id: string
}

/** Where a claim about the user comes from: a property that each user has, or an attribute that a realm may define. */
export type UserField =
  { readonly property: 'id' | 'username' | 'email' | 'firstName' } | { readonly attribute: string }

export interface MapperOptions {
  /** Client id of the client that has the mappers. */
  readonly client: string
  /** Of the claim `room`; `*` opens every room. */
  readonly room: string
  readonly roomAttribute: string | undefined
  readonly bnf: number
  readonly nbf: boolean
  readonly tokenAudience: string | undefined
  readonly userContext: boolean
  readonly nameFrom: UserField
  /** Client role whose holders moderate. */
  readonly moderatorRole: string | undefined
  readonly groupFrom: { readonly attribute: string } | undefined
  readonly feature: readonly { readonly name: string; readonly value: boolean }[]
}

/** Takes something away where it is true (mod_muc_displayname.lua), so `all` leaves it out and nobody must give it. */
const RESTRICTION = 'name-readonly'

/** The client roles that make their holder a moderator (Jitsi's mod_token_affiliation.lua). */
export const MODERATOR_AFFILIATIONS: readonly string[] = ['owner', 'moderator', 'teacher']

/** The claim that a client role is written to. */
const AFFILIATION = 'context.user.affiliation'

/**
 * The mappers that the options ask for, each named after the claim that it writes.
 * @throws KjitsiError `usage` where options contradict each other, or name only a part of the features
 */
export function desiredMappers(options: MapperOptions): readonly Mapper[] {
  if (options.roomAttribute !== undefined && options.room !== '*') {
    throw new KjitsiError(
      'usage',
      '--room and --room-attribute both say what the room claim is: give one of them',
    )
  }
  const mappers = [
    options.roomAttribute === undefined
      ? hardcoded('room', options.room, 'String')
      : from('room', { attribute: options.roomAttribute }),
    hardcoded('bnf', String(options.bnf), integerType(options.bnf)),
  ]
  if (options.nbf) mappers.push(hardcoded('nbf', '0', 'int'))
  if (options.tokenAudience !== undefined) mappers.push(audienceMapper(options.tokenAudience))
  if (options.userContext) {
    mappers.push(
      from('context.user.id', { property: 'id' }),
      from('context.user.name', options.nameFrom),
      from('context.user.email', { property: 'email' }),
      from('context.user.avatar', { attribute: 'picture' }),
    )
  } else if (!('property' in options.nameFrom && options.nameFrom.property === 'username')) {
    throw new KjitsiError(
      'usage',
      '--name-from says where context.user.name comes from: it needs --user-context',
    )
  }
  if (options.moderatorRole !== undefined) mappers.push(affiliationMapper(options.client))
  if (options.groupFrom !== undefined) mappers.push(from('context.group', options.groupFrom))
  for (const [name, on] of features(options.feature)) {
    mappers.push(hardcoded(`context.features.${name}`, String(on), 'boolean'))
  }
  return mappers
}

/** The claims of all tokens that the mapper writes to: those of the access token are what Prosody reads. */
const EVERYWHERE = {
  'access.token.claim': 'true',
  'id.token.claim': 'true',
  'userinfo.token.claim': 'true',
  'introspection.token.claim': 'true',
}

function mapper(name: string, protocolMapper: string, config: Readonly<Record<string, string>>): Mapper {
  return { name, protocol: 'openid-connect', protocolMapper, config }
}

function hardcoded(claim: string, value: string, type: 'String' | 'int' | 'long' | 'boolean'): Mapper {
  return mapper(claim, 'oidc-hardcoded-claim-mapper', {
    'claim.name': claim,
    'claim.value': value,
    'jsonType.label': type,
    ...EVERYWHERE,
  })
}

/**
 * What a token needs to open any room: setup-mappers makes them where nothing else is asked for, setup-client for a client
 * that is new.
 */
export const FIRST_MAPPERS: readonly Mapper[] = [
  hardcoded('room', '*', 'String'),
  hardcoded('bnf', '0', 'int'),
]

/** Keycloak reads an `int` as 32 bits, and no token is issued where the value does not fit. */
function integerType(value: number): 'int' | 'long' {
  return value === (value | 0) ? 'int' : 'long'
}

/** An attribute is looked for on the user, then on the user's groups; of several values the first counts. */
function from(claim: string, source: UserField): Mapper {
  const declared = { 'claim.name': claim, 'jsonType.label': 'String', ...EVERYWHERE }
  return 'property' in source
    ? mapper(claim, 'oidc-usermodel-property-mapper', { 'user.attribute': source.property, ...declared })
    : mapper(claim, 'oidc-usermodel-attribute-mapper', {
        'user.attribute': source.attribute,
        multivalued: 'false',
        ...declared,
      })
}

/** Writes the client role of whoever has one. */
export function affiliationMapper(clientId: string): Mapper {
  return mapper(AFFILIATION, 'oidc-usermodel-client-role-mapper', {
    'usermodel.clientRoleMapping.clientId': clientId,
    'claim.name': AFFILIATION,
    'jsonType.label': 'String',
    multivalued: 'false',
    ...EVERYWHERE,
  })
}

/** Not in the ID token, whose one audience is the client by OpenID Connect Core 1.0, section 2. */
export function audienceMapper(name: string): Mapper {
  return mapper(`audience-${name}`, 'oidc-audience-mapper', {
    'included.custom.audience': name,
    // It would win over the custom one.
    'included.client.audience': '',
    'access.token.claim': 'true',
    'id.token.claim': 'false',
    'introspection.token.claim': 'true',
  })
}

/** Every feature with its value, from `all=…` and the exceptions after it, or from one option for each. */
function features(given: MapperOptions['feature']): ReadonlyMap<string, boolean> {
  const values = new Map<string, boolean>()
  given.forEach(({ name, value }, i) => {
    if (name === 'all') {
      if (i > 0)
        throw new KjitsiError('usage', `--feature all=${value} comes first, and the exceptions after it`)
      for (const feature of FEATURES) values.set(feature, value)
    } else if (name === RESTRICTION || FEATURES.some((feature) => feature === name)) {
      values.set(name, value)
    } else {
      throw new KjitsiError('usage', `--feature ${name}: Jitsi knows no such feature`, {
        hint: `it knows ${FEATURES.join(', ')} and ${RESTRICTION}`,
      })
    }
  })
  const missing = FEATURES.filter((feature) => !values.has(feature))
  if (values.size > 0 && missing.length > 0) {
    throw new KjitsiError(
      'usage',
      `--feature: Jitsi turns off every feature that is not named; missing are ${missing.join(', ')}`,
      {
        hint: 'name them too, or begin with --feature all=true (or all=false) and give the exceptions after it',
      },
    )
  }
  return values
}

/** What a mapper of ours writes to the claim that it is named after. */
export function whatItWrites({ protocolMapper, config }: Mapper): string {
  const value = (key: string): string => config[key] ?? ''
  switch (protocolMapper) {
    case 'oidc-hardcoded-claim-mapper':
      return `= ${value('jsonType.label') === 'String' ? JSON.stringify(value('claim.value')) : value('claim.value')}`
    case 'oidc-usermodel-attribute-mapper':
      return `from the attribute ${value('user.attribute')} of the user or a group`
    case 'oidc-usermodel-property-mapper':
      return `from the user's ${value('user.attribute')}`
    case 'oidc-usermodel-client-role-mapper':
      return `from the roles of client ${value('usermodel.clientRoleMapping.clientId')}`
    case 'oidc-audience-mapper':
      return `adds ${value('included.custom.audience')} to aud`
    default:
      return ''
  }
}
