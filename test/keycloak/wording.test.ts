import { Chalk } from 'chalk'
import { expect, test } from 'vitest'
import { KjitsiError } from '../../src/errors.ts'
import type { Item } from '../../src/keycloak/plan.ts'
import type { InRealm, RealmOutcome } from '../../src/keycloak/set-up.ts'
import { outcomesText } from '../../src/keycloak/wording.ts'

const ROLE: Item = { action: 'create', kind: 'role', name: 'owner' }
const SAME: Item = { action: 'keep', kind: 'mapper', name: 'room' }
const STAYS: Item = { action: 'keep', kind: 'mapper', name: 'bnf', why: 'not ours' }
const CONFLICT: Item = {
  action: 'conflict',
  kind: 'mapper',
  name: 'nbf',
  conflict: 'same-claim',
  mappers: ['a', 'b'],
}
const CLIENT: Item = {
  action: 'update',
  kind: 'client',
  name: 'jitsi',
  changes: [
    { field: 'publicClient', from: false, to: true, effect: 'loosens' },
    { field: 'use.refresh.tokens', to: 'false' },
  ],
  client: { clientId: 'jitsi', serviceAccountsEnabled: false },
}

const did = (realm: string, ...items: readonly Item[]): InRealm<RealmOutcome> => ({
  realm,
  result: { items, findings: [] },
})
const FAILED = { realm: 'f', error: new KjitsiError('not-found', 'no realm f') }

test.each<
  [what: string, outcomes: readonly InRealm<RealmOutcome>[], options: object, lines: readonly string[]]
>([
  ['one without changes', [did('a', SAME)], {}, ['realm a, client jitsi: no changes']],
  [
    'one without changes, all of it',
    [did('a', SAME)],
    { all: true },
    ['realm a, client jitsi: no changes', '  kept  room'],
  ],
  ['what stays as it is', [did('a', SAME, ROLE)], {}, ['realm a, client jitsi:', '  created  role owner']],
  [
    'what would change',
    [did('a', ROLE)],
    { dryRun: true },
    ['realm a, client jitsi:', '  create  role owner'],
  ],
  [
    'what was to go and stays',
    [did('a', STAYS)],
    {},
    ['realm a, client jitsi: no changes', '  kept  bnf  not ours'],
  ],
  [
    'values as Keycloak has them',
    [did('a', CLIENT)],
    {},
    [
      'realm a, client jitsi:',
      '  updated  client jitsi  publicClient: false → true (loosens)',
      '                         use.refresh.tokens: absent → "false"',
    ],
  ],
  ['many without changes', [did('a', SAME), did('b', SAME)], {}, ['2 realms: no changes']],
  [
    'many, what differs alone, what failed last',
    [FAILED, did('b', CONFLICT, ROLE), did('c', SAME), did('d', ROLE), did('e', SAME)],
    {},
    [
      '5 realms: 2 without changes, 1 changed, 1 in conflict, 1 failed',
      'realm d, client jitsi:',
      '  created  role owner',
      'realm b, client jitsi: nothing done',
      '  conflict  nbf         with a, b',
      '  create    role owner',
      'realm f, client jitsi: failed',
    ],
  ],
  [
    'many, with all of it',
    [did('a', ROLE), did('b', SAME)],
    { all: true, dryRun: true },
    [
      '2 realms: 1 without changes, 1 would change',
      'realm b, client jitsi: no changes',
      '  keep  room',
      'realm a, client jitsi:',
      '  create  role owner',
    ],
  ],
])('%s', (_, outcomes, options, lines) => {
  const about = { client: 'jitsi', dryRun: false, all: false, ...options }
  expect(outcomesText(outcomes, about, new Chalk({ level: 0 })).split('\n')).toEqual(lines)
})
