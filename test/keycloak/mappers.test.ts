import { expect, test } from 'vitest'
import { FEATURES } from '../../src/jitsi/features.ts'
import { type MapperOptions, desiredMappers } from '../../src/keycloak/mappers.ts'

const DEFAULTS: MapperOptions = {
  client: 'jitsi',
  room: '*',
  roomAttribute: undefined,
  bnf: 0,
  nbf: false,
  tokenAudience: undefined,
  userContext: false,
  nameFrom: { property: 'username' },
  moderatorRole: undefined,
  groupFrom: undefined,
  feature: [],
}

const ALL_TOKENS = {
  'access.token.claim': 'true',
  'id.token.claim': 'true',
  'userinfo.token.claim': 'true',
  'introspection.token.claim': 'true',
}

const feature = (name: string, value = true) => ({ name, value })
const EVERY_FEATURE = FEATURES.map((name) => feature(name))

test('without options it is room = * and bnf = 0, hardcoded, in every token', () => {
  expect(desiredMappers(DEFAULTS)).toEqual([
    {
      name: 'room',
      protocol: 'openid-connect',
      protocolMapper: 'oidc-hardcoded-claim-mapper',
      config: { 'claim.name': 'room', 'claim.value': '*', 'jsonType.label': 'String', ...ALL_TOKENS },
    },
    {
      name: 'bnf',
      protocol: 'openid-connect',
      protocolMapper: 'oidc-hardcoded-claim-mapper',
      config: { 'claim.name': 'bnf', 'claim.value': '0', 'jsonType.label': 'int', ...ALL_TOKENS },
    },
  ])
})

const HARDCODED = 'oidc-hardcoded-claim-mapper'
const ATTRIBUTE = 'oidc-usermodel-attribute-mapper'
const PROPERTY = 'oidc-usermodel-property-mapper'

test.each<
  [what: string, options: Partial<MapperOptions>, name: string, type: string, config: Record<string, string>]
>([
  [
    '--room',
    { room: 'standup' },
    'room',
    HARDCODED,
    { 'claim.value': 'standup', 'jsonType.label': 'String' },
  ],
  [
    '--room-attribute',
    { roomAttribute: 'r' },
    'room',
    ATTRIBUTE,
    { 'user.attribute': 'r', multivalued: 'false' },
  ],
  ['--bnf', { bnf: -5 }, 'bnf', HARDCODED, { 'claim.value': '-5', 'jsonType.label': 'int' }],
  ['--bnf of 32 bits', { bnf: 2 ** 31 - 1 }, 'bnf', HARDCODED, { 'jsonType.label': 'int' }],
  [
    '--bnf beyond 32 bits',
    { bnf: 2 ** 31 },
    'bnf',
    HARDCODED,
    { 'claim.value': '2147483648', 'jsonType.label': 'long' },
  ],
  ['--nbf', { nbf: true }, 'nbf', HARDCODED, { 'claim.value': '0', 'jsonType.label': 'int' }],
  ['--user-context', { userContext: true }, 'context.user.id', PROPERTY, { 'user.attribute': 'id' }],
  ['--user-context', { userContext: true }, 'context.user.name', PROPERTY, { 'user.attribute': 'username' }],
  ['--user-context', { userContext: true }, 'context.user.email', PROPERTY, { 'user.attribute': 'email' }],
  [
    '--user-context',
    { userContext: true },
    'context.user.avatar',
    ATTRIBUTE,
    { 'user.attribute': 'picture' },
  ],
  [
    '--name-from firstName',
    { userContext: true, nameFrom: { property: 'firstName' } },
    'context.user.name',
    PROPERTY,
    { 'user.attribute': 'firstName' },
  ],
  [
    '--name-from attribute:nick',
    { userContext: true, nameFrom: { attribute: 'nick' } },
    'context.user.name',
    ATTRIBUTE,
    { 'user.attribute': 'nick' },
  ],
  [
    '--moderators',
    { moderatorRole: 'owner', client: 'meet' },
    'context.user.affiliation',
    'oidc-usermodel-client-role-mapper',
    { 'usermodel.clientRoleMapping.clientId': 'meet', multivalued: 'false' },
  ],
  [
    '--group-from',
    { groupFrom: { attribute: 'team' } },
    'context.group',
    ATTRIBUTE,
    { 'user.attribute': 'team' },
  ],
])('%s writes its claim to every token (%o)', (_, options, name, protocolMapper, config) => {
  const found = desiredMappers({ ...DEFAULTS, ...options }).find((mapper) => mapper.name === name)
  expect(found).toMatchObject({ protocolMapper, config: { 'claim.name': name, ...config, ...ALL_TOKENS } })
})

test('--audience adds an audience to the access token, and leaves the ID token its one', () => {
  expect(desiredMappers({ ...DEFAULTS, tokenAudience: 'meet' }).slice(2)).toEqual([
    {
      name: 'audience-meet',
      protocol: 'openid-connect',
      protocolMapper: 'oidc-audience-mapper',
      config: {
        'included.custom.audience': 'meet',
        'included.client.audience': '',
        'access.token.claim': 'true',
        'id.token.claim': 'false',
        'introspection.token.claim': 'true',
      },
    },
  ])
})

test.each([
  ['every feature by name', EVERY_FEATURE, []],
  ['all', [feature('all')], []],
  ['none', [feature('all', false)], FEATURES],
  ['all but one', [feature('all'), feature('recording', false)], ['recording']],
  ['the last word counts', [feature('all'), feature('lobby', false), feature('lobby')], []],
])('--feature, %s: a boolean for each feature', (_, given, off) => {
  const mappers = desiredMappers({ ...DEFAULTS, feature: given }).slice(2)
  expect(mappers.map(({ name }) => name).sort()).toEqual(
    FEATURES.map((name) => `context.features.${name}`).sort(),
  )
  for (const { name, protocolMapper, config } of mappers) {
    const value = String(!off.some((one) => `context.features.${one}` === name))
    expect({ protocolMapper, config }).toEqual({
      protocolMapper: HARDCODED,
      config: { 'claim.name': name, 'claim.value': value, 'jsonType.label': 'boolean', ...ALL_TOKENS },
    })
  }
})

test('name-readonly takes something away, so it is written only where it is asked for by name', () => {
  const mappers = desiredMappers({ ...DEFAULTS, feature: [feature('all'), feature('name-readonly')] })
  expect(mappers.map(({ name }) => name)).toContain('context.features.name-readonly')
})

test.each<[what: string, options: Partial<MapperOptions>, message: RegExp, hint: RegExp | undefined]>([
  [
    'two sources of room',
    { room: 'a', roomAttribute: 'b' },
    /^--room and --room-attribute both say/,
    undefined,
  ],
  [
    'a name without a context',
    { nameFrom: { property: 'firstName' } },
    /it needs --user-context$/,
    undefined,
  ],
  [
    'an unknown feature',
    { feature: [feature('fly')] },
    /^--feature fly: Jitsi knows no such feature$/,
    /branding, .*name-readonly/,
  ],
  [
    'a part of the features',
    { feature: EVERY_FEATURE.filter(({ name }) => name !== 'lobby' && name !== 'room') },
    /turns off every feature that is not named; missing are lobby, room$/,
    /--feature all=true/,
  ],
  [
    'a part of them with a restriction',
    { feature: [feature('name-readonly')] },
    /missing are branding, /,
    /--feature all=true/,
  ],
  [
    'all after an exception',
    { feature: [feature('lobby', false), feature('all')] },
    /^--feature all=true comes first/,
    undefined,
  ],
])('%s is a usage error', (_, options, message, hint) => {
  expect(() => desiredMappers({ ...DEFAULTS, ...options })).toThrow(
    expect.objectContaining({
      code: 'usage',
      message: expect.stringMatching(message) as string,
      hint: hint === undefined ? undefined : (expect.stringMatching(hint) as string),
    }),
  )
})
