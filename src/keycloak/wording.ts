// Plans and what became of them as lines of text.
import type { ChalkInstance } from 'chalk'
import { table } from '../table.ts'
import { shownDuration } from '../duration.ts'
import { LIFESPAN, LIST_DELIMITER, type NewClient, POST_LOGOUT_URIS } from './desired-client.ts'
import { whatItWrites } from './mappers.ts'
import { type Change, type Item, changesOf, hasConflict, nameOf } from './plan.ts'
import type { InRealm, RealmOutcome } from './set-up.ts'

const PAST = {
  create: 'created',
  update: 'updated',
  keep: 'kept',
  remove: 'removed',
  conflict: 'conflict',
} as const

/** A line for each item: what is or was done to what, and the detail. */
function itemLines(items: readonly Item[], tense: 'done' | 'to do', paint: ChalkInstance): string {
  const verb = ({ action }: Item): string => (tense === 'done' ? PAST[action] : action)
  const colours = {
    create: paint.green,
    update: paint.yellow,
    keep: paint.dim,
    remove: paint.red,
    conflict: paint.red,
  }
  return table(
    items.flatMap((item) => {
      const [first = '', ...more] = detailsOf(item)
      return [
        ['', colours[item.action](verb(item)), nameOf(item), first],
        ...more.map((detail) => ['', '', '', detail]),
      ]
    }),
  )
}

/** The changes in one line: `create room, bnf; update nbf`. */
export function changesLine(changes: readonly Item[]): string {
  const names = new Map<Item['action'], string[]>()
  for (const item of changes) names.set(item.action, [...(names.get(item.action) ?? []), nameOf(item)])
  return [...names].map(([action, list]) => `${action} ${list.join(', ')}`).join('; ')
}

/** A line for each thing to know about an item: several for a client. */
function detailsOf(item: Item): readonly string[] {
  switch (item.action) {
    case 'keep':
      return [item.why ?? '']
    case 'conflict':
      return [item.does === undefined ? `with ${item.mappers.join(', ')}` : `the one there ${item.does}`]
    case 'create':
      return item.kind === 'client'
        ? whatItIs(item.client)
        : 'mapper' in item
          ? [whatItWrites(item.mapper)]
          : []
    case 'remove':
      return 'mapper' in item ? [item.why ?? whatItWrites(item.mapper)] : []
    case 'update': {
      const changes = item.changes.map(changed)
      return item.kind === 'client' ? changes : [changes.join(', ')]
    }
  }
}

function changed({ field, from, to, added, effect }: Change): string {
  const change = added
    ? `${field} + ${added.map((one) => JSON.stringify(one)).join(', ')}`
    : `${field}: ${shown(from)} → ${shown(to)}`
  return effect === undefined ? change : `${change} (${effect})`
}

function whatItIs({ attributes, redirectUris, webOrigins }: NewClient): readonly string[] {
  const postLogoutUris = attributes[POST_LOGOUT_URIS]?.split(LIST_DELIMITER) ?? []
  return [
    'public; authorization code with PKCE S256 alone; full scope off',
    ...redirectUris.map((uri) => `redirect URI ${uri}`),
    ...postLogoutUris.map((uri) => `post-logout redirect URI ${uri}`),
    ...webOrigins.map((origin) => `web origin ${origin}`),
    `access tokens RS256, for ${shownDuration(Number(attributes[LIFESPAN]))}; no refresh tokens`,
  ]
}

function shown(value: Change['from']): string {
  return value === undefined ? 'absent' : JSON.stringify(value)
}

/** How a realm ended, from what is worth the least attention to what is worth the most. */
const ENDS = ['unchanged', 'changed', 'conflict', 'failed'] as const

/** How a realm ended, or would by its plan. */
export function endOf(one: InRealm<RealmOutcome>): (typeof ENDS)[number] {
  if ('error' in one) return 'failed'
  const { items } = one.result
  return hasConflict(items) ? 'conflict' : changesOf(items).length > 0 ? 'changed' : 'unchanged'
}

/** Whether a reader is to know of an item that is no change: of what was to go, and stays. */
function isSpecial(item: Item): boolean {
  return item.action !== 'keep' || item.why !== undefined
}

/** What became of all realms: those that stay as they are in one number, and what failed last. */
export function outcomesText(
  outcomes: readonly InRealm<RealmOutcome>[],
  { client, dryRun, all }: { readonly client: string; readonly dryRun: boolean; readonly all: boolean },
  paint: ChalkInstance,
): string {
  const isTold = (one: InRealm<RealmOutcome>): boolean =>
    all || outcomes.length === 1 || 'error' in one || one.result.items.some(isSpecial)
  const rank = (one: InRealm<RealmOutcome>): number => ENDS.indexOf(endOf(one))
  const told = outcomes.filter(isTold).toSorted((a, b) => rank(a) - rank(b))
  const titles = { unchanged: ' no changes', changed: '', conflict: ' nothing done', failed: ' failed' }
  return [
    ...(outcomes.length === 1 ? [] : [countLine(outcomes.map(endOf), dryRun)]),
    ...told.flatMap((one) => {
      const end = endOf(one)
      const items = 'error' in one ? [] : one.result.items.filter((item) => all || isSpecial(item))
      const tense = dryRun || end === 'conflict' ? 'to do' : 'done'
      return [
        `realm ${one.realm}, client ${client}:${titles[end]}`,
        ...(items.length === 0 ? [] : [itemLines(items, tense, paint)]),
      ]
    }),
  ].join('\n')
}

/** `30 realms: 27 without changes, 2 changed, 1 failed` */
function countLine(ends: readonly (typeof ENDS)[number][], dryRun: boolean): string {
  const words = {
    unchanged: 'without changes',
    changed: dryRun ? 'would change' : 'changed',
    conflict: 'in conflict',
    failed: 'failed',
  }
  const counts = ENDS.map((end) => [ends.filter((one) => one === end).length, words[end]] as const)
  const told = counts.filter(([count]) => count > 0).map((count) => count.join(' '))
  return `${ends.length} realms: ${ends.every((one) => one === 'unchanged') ? 'no changes' : told.join(', ')}`
}
