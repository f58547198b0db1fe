import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ExistingMapper, Mapper } from '../../src/keycloak/mappers.ts'
import { planRole } from '../../src/keycloak/plan-client.ts'
import { planMappers, planMapperRemoval } from '../../src/keycloak/plan-mappers.ts'
import { type Item, changesOf, hasConflict, mappersAfter } from '../../src/keycloak/plan.ts'

const HARDCODED = 'oidc-hardcoded-claim-mapper'

function hardcoded(claim: string, value: string, more: Record<string, string> = {}): Mapper {
  return {
    name: claim,
    protocol: 'openid-connect',
    protocolMapper: HARDCODED,
    config: { 'claim.name': claim, 'claim.value': value, 'access.token.claim': 'true', ...more },
  }
}

function audience(config: Record<string, string>, name = 'audience-meet'): Mapper {
  const declared = { 'access.token.claim': 'true', 'id.token.claim': 'false' }
  return {
    name,
    protocol: 'openid-connect',
    protocolMapper: 'oidc-audience-mapper',
    config: { ...declared, ...config },
  }
}

function existing(mapper: Mapper, changes: Partial<ExistingMapper> = {}): ExistingMapper {
  return { id: `id-${changes.name ?? mapper.name}`, ...mapper, ...changes }
}

const ROOM = hardcoded('room', '*')
const AUDIENCE = audience({ 'included.custom.audience': 'meet', 'included.client.audience': '' })

/** A plan in short: `update room (claim.value)`. */
function short(items: readonly Item[]): readonly string[] {
  return items.map((item) => {
    const detail =
      item.action === 'update'
        ? ` (${item.changes.map(({ field, to }) => (to === undefined ? `no ${field}` : field)).join(', ')})`
        : item.action === 'conflict'
          ? ` (${item.conflict}: ${[item.mappers.join(', '), item.does ?? []].flat().join(' ')})`
          : (item.action === 'keep' || item.action === 'remove') && 'why' in item && item.why
            ? ` (${item.why})`
            : ''
    return `${item.action} ${item.kind === 'role' ? 'role ' : ''}${item.name}${detail}`
  })
}

test.each<[what: string, want: readonly Mapper[], have: readonly ExistingMapper[], plan: readonly string[]]>([
  ['nothing there', [ROOM], [], ['create room']],
  ['all there', [ROOM], [existing(ROOM)], ['keep room']],
  ['another value', [ROOM], [existing(hardcoded('room', 'x'))], ['update room (claim.value)']],
  ['a field that is absent', [hardcoded('room', '*', { a: 'true' })], [existing(ROOM)], ['update room (a)']],
  [
    'absent and false are one',
    [hardcoded('room', '*', { multivalued: 'false' })],
    [existing(ROOM)],
    ['keep room'],
  ],
  [
    'false and absent are one',
    [ROOM],
    [existing(hardcoded('room', '*', { 'lightweight.claim': 'false' }))],
    ['keep room'],
  ],
  [
    'an undeclared field',
    [ROOM],
    [existing(hardcoded('room', '*', { 'lightweight.claim': 'true' }))],
    ['keep room'],
  ],
  [
    'strangers',
    [ROOM],
    [existing(hardcoded('roomy', 'x')), existing(hardcoded('context', '{}'))],
    ['create room'],
  ],
  [
    'adopted by its claim',
    [ROOM],
    [existing(hardcoded('room', 'x'), { name: 'mine' })],
    ['update mine (claim.value)'],
  ],
  ['adopted as it is', [ROOM], [existing(ROOM, { name: 'mine' })], ['keep mine']],
  [
    'of our name, with another claim',
    [ROOM],
    [existing(hardcoded('building.room', '*'), { name: 'room' })],
    ['conflict room (taken-name: room writes the claim building.room)'],
  ],
  [
    'of our name, without a claim',
    [ROOM],
    [existing(ROOM, { config: { 'claim.value': '*' } })],
    [`conflict room (taken-name: room names no claim (${HARDCODED}))`],
  ],
  [
    'of our name, and of a type that does not read its claim.name',
    [ROOM],
    [existing(ROOM, { protocolMapper: 'oidc-address-mapper' })],
    ['conflict room (taken-name: room writes the claim address)'],
  ],
  [
    'of our name, inside our claim',
    [ROOM],
    [existing(hardcoded('room.id', '*'), { name: 'room' })],
    ['conflict room (nested-claim: room)'],
  ],
  [
    'twice, which two runs at once leave behind: one goes, the same for every run',
    [ROOM],
    [existing(ROOM, { id: 'b' }), existing(ROOM, { id: 'a' }), existing(ROOM, { id: 'c' })],
    ['keep room', ...Array<string>(2).fill('remove room (a duplicate, equal in all)')],
  ],
  [
    'twice, and not equal',
    [ROOM],
    [existing(ROOM, { id: 'a' }), existing(hardcoded('room', 'x'), { id: 'b' })],
    ['conflict room (same-claim: room, room)'],
  ],
  [
    'twice, equal to one another, and not to ours',
    [ROOM],
    [existing(hardcoded('room', 'x'), { id: 'a' }), existing(hardcoded('room', 'x'), { id: 'b' })],
    ['conflict room (same-claim: room, room)'],
  ],
  [
    'twice, with a field more',
    [ROOM],
    ['a', 'b'].map((id) => existing(hardcoded('room', '*', { 'lightweight.claim': 'true' }), { id })),
    ['conflict room (same-claim: room, room)'],
  ],
  [
    'of another type: the fields of that type go',
    [ROOM],
    [
      existing(ROOM, {
        protocolMapper: 'oidc-usermodel-attribute-mapper',
        config: { 'claim.name': 'room', 'user.attribute': 'r' },
      }),
    ],
    ['update room (protocolMapper, claim.value, access.token.claim, no user.attribute)'],
  ],
  [
    'two that write the claim',
    [ROOM],
    [existing(ROOM, { name: 'a' }), existing(ROOM, { name: 'b' })],
    ['conflict room (same-claim: a, b)'],
  ],
  [
    'one of the name, one of the claim: the claim counts',
    [ROOM],
    [existing(hardcoded('raum', '*'), { name: 'room' }), existing(ROOM, { name: 'b' })],
    ['keep b'],
  ],
  [
    'one that has one of our names and writes another of our claims',
    [ROOM, hardcoded('bnf', '0')],
    [existing(hardcoded('bnf', '0'), { name: 'room' })],
    ['conflict room (taken-name: room writes the claim bnf)', 'keep room'],
  ],
  [
    'a claim around ours',
    [hardcoded('context.user.id', 'x')],
    [existing(hardcoded('context', '{}'))],
    ['conflict context.user.id (nested-claim: context)'],
  ],
  [
    'a claim inside ours',
    [ROOM],
    [existing(hardcoded('room.id', 'x'))],
    ['conflict room (nested-claim: room.id)'],
  ],
  [
    'a claim beside ours',
    [hardcoded('context.user.id', 'x')],
    [existing(hardcoded('context.users', 'x'))],
    ['create context.user.id'],
  ],
  ['of another protocol', [ROOM], [existing(ROOM, { protocol: 'saml' })], ['create room']],
  [
    'the full name, whatever its claim.name says',
    [hardcoded('name', 'x'), ROOM],
    [
      existing(ROOM, {
        name: 'full',
        protocolMapper: 'oidc-full-name-mapper',
        config: { 'claim.name': 'room' },
      }),
    ],
    ['update full (protocolMapper, claim.name, claim.value, access.token.claim)', 'create room'],
  ],
  ['the audience', [AUDIENCE], [existing(AUDIENCE)], ['keep audience-meet']],
  [
    'the audience under another name',
    [AUDIENCE],
    [existing(audience({ 'included.custom.audience': 'meet' }, 'aud'))],
    ['keep aud'],
  ],
  [
    'the audience as a client of the realm',
    [AUDIENCE],
    [existing(audience({ 'included.client.audience': 'meet' }, 'aud'))],
    ['keep aud'],
  ],
  [
    'another audience under our name, as a client of the realm',
    [AUDIENCE],
    [existing(audience({ 'included.client.audience': 'other' }))],
    ['conflict audience-meet (taken-name: audience-meet adds other to aud)'],
  ],
  [
    'another type under the name of our audience',
    [AUDIENCE],
    [existing(hardcoded('meet', 'x'), { name: 'audience-meet' })],
    ['conflict audience-meet (taken-name: audience-meet writes the claim meet)'],
  ],
  [
    'the audience twice',
    [AUDIENCE],
    [existing(AUDIENCE, { id: 'a' }), existing(AUDIENCE, { id: 'b' })],
    ['keep audience-meet', 'remove audience-meet (a duplicate, equal in all)'],
  ],
  [
    'another audience',
    [AUDIENCE],
    [existing(audience({ 'included.custom.audience': 'meet.x' }, 'x'))],
    ['create audience-meet'],
  ],
])('plan: %s', (_, want, have, plan) => {
  expect(short(planMappers(want, have))).toEqual(plan)
})

test('an update has each change, and keeps what it does not declare', () => {
  const have = {
    ...existing(hardcoded('room', 'x', { 'lightweight.claim': 'true' })),
    consentRequired: false,
  }
  const [item] = planMappers([hardcoded('room', '*', { 'id.token.claim': 'true' })], [have])
  expect(item).toEqual({
    action: 'update',
    kind: 'mapper',
    name: 'room',
    changes: [
      { field: 'claim.value', from: 'x', to: '*' },
      { field: 'id.token.claim', to: 'true' },
    ],
    mapper: {
      ...have,
      config: { ...have.config, 'claim.value': '*', 'id.token.claim': 'true' },
    },
  })
})

test.each([[['a', 'b', 'c']], [['c', 'b', 'a']], [['b', 'c', 'a']]])(
  'of duplicates %j the first id stays',
  (ids) => {
    const have = ids.map((id) => existing(ROOM, { id }))
    const plan = planMappers([ROOM], have)
    expect(mappersAfter(have, plan)).toEqual([existing(ROOM, { id: 'a' })])
    expect(changesOf(plan)).toHaveLength(2)
  },
)

test('a plan with a conflict changes nothing at all', () => {
  const plan = planMappers(
    [ROOM, hardcoded('bnf', '0')],
    [existing(ROOM, { name: 'a' }), existing(ROOM, { name: 'b' })],
  )
  expect([hasConflict(plan), short(plan), changesOf(plan)]).toEqual([
    true,
    ['conflict room (same-claim: a, b)', 'create bnf'],
    [],
  ])
})

test.each<[what: string, have: readonly ExistingMapper[], plan: readonly string[]]>([
  ['nothing there', [], []],
  ['ours', [existing(ROOM)], ['remove room']],
  [
    'ours, with a field that is off',
    [existing(hardcoded('room', '*', { 'lightweight.claim': 'false' }))],
    ['remove room'],
  ],
  [
    'another value',
    [existing(hardcoded('room', 'x'))],
    ['keep room (not as these options would create it: claim.value)'],
  ],
  [
    'another field',
    [existing(hardcoded('room', '*', { 'lightweight.claim': 'true' }))],
    ['keep room (not as these options would create it: lightweight.claim)'],
  ],
  ['another name', [existing(ROOM, { name: 'mine' })], ['keep mine (not ours: ours is named room)']],
  [
    'another claim',
    [existing(hardcoded('building.room', '*'), { name: 'room' })],
    ['keep room (not ours: it writes the claim building.room)'],
  ],
  ['ours, twice', [existing(ROOM, { id: 'a' }), existing(ROOM, { id: 'b' })], ['remove room', 'remove room']],
  ['strangers', [existing(hardcoded('bnf', '0'))], []],
  [
    'ours beside another of the claim',
    [existing(ROOM), existing(ROOM, { name: 'b' })],
    ['remove room', 'keep b (not ours: ours is named room)'],
  ],
])('removal: %s', (_, have, plan) => {
  expect(short(planMapperRemoval([ROOM], have))).toEqual(plan)
})

test.each<[role: string | undefined, have: string[], remove: boolean, plan: string[]]>([
  ['owner', [], false, ['create role owner']],
  ['owner', ['owner', 'x'], false, ['keep role owner']],
  ['owner', ['owner'], true, ['keep role owner (a role is never removed)']],
  [undefined, ['owner'], true, []],
])('the role %j among %j, to be removed: %j', (role, have, remove, plan) => {
  expect(short(planRole(role, have, remove))).toEqual(plan)
})

describe('whatever a client has', () => {
  const claims = ['room', 'bnf', 'nbf', 'context', 'context.user.id', 'context.group', 'name']
  const field = fc.constantFrom('true', 'false', '', 'x')
  const mapper = fc
    .record({
      name: fc.constantFrom(...claims, 'mine', 'yours'),
      protocol: fc.constantFrom('openid-connect', 'openid-connect', 'saml'),
      protocolMapper: fc.constantFrom(HARDCODED, 'oidc-full-name-mapper', 'oidc-audience-mapper'),
      claim: fc.option(fc.constantFrom(...claims), { nil: undefined }),
      config: fc.dictionary(fc.constantFrom('claim.value', 'access.token.claim', 'lightweight.claim'), field),
    })
    .map(({ claim, config, ...rest }) => ({
      ...rest,
      config: { ...config, ...(claim && { 'claim.name': claim }) },
    }))
  const client = fc
    .uniqueArray(mapper, { selector: ({ name, protocol }) => `${protocol} ${name}`, maxLength: 6 })
    .map((mappers) => mappers.map((one, i) => ({ ...one, id: String(i) })))
  const desired = fc
    .uniqueArray(fc.constantFrom('room', 'bnf', 'context.user.id', 'context.group'), { minLength: 1 })
    .map((names) => names.map((claim) => hardcoded(claim, '*')))

  test('a second run has nothing to do, and strangers stay as they are', () => {
    fc.assert(
      fc.property(desired, client, (want, have) => {
        const plan = planMappers(want, have)
        fc.pre(!hasConflict(plan))
        const after = mappersAfter(have, plan).map((one, i) => ({ ...one, id: `after-${i}` }))
        expect(changesOf(planMappers(want, after))).toEqual([])
        const touched = plan.map(({ name }) => name)
        for (const { id, ...stranger } of have.filter(({ name }) => !touched.includes(name))) {
          expect({ id, after }).toEqual({
            id,
            after: expect.arrayContaining([expect.objectContaining(stranger)]) as unknown,
          })
        }
      }),
    )
  })

  test('what was created is removed again, and nothing else', () => {
    fc.assert(
      fc.property(desired, client, (want, have) => {
        const plan = planMappers(want, have)
        fc.pre(!hasConflict(plan) && plan.every(({ action }) => action === 'create'))
        const after = mappersAfter(have, plan).map((one, i) => ({ ...one, id: `after-${i}` }))
        const removed = mappersAfter(after, planMapperRemoval(want, after))
        expect(removed.map(({ name, protocol }) => `${protocol} ${name}`)).toEqual(
          have.map(({ name, protocol }) => `${protocol} ${name}`),
        )
      }),
    )
  })
})
