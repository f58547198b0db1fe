// Plans and what became of them as lines of text.
import type { ChalkInstance } from 'chalk'
import { table } from '../table.ts'
import { shownDuration } from '../duration.ts'
import { LIFESPAN, LIST_DELIMITER, type NewClient, POST_LOGOUT_URIS } from './desired-client.ts'
import { whatItWrites } from './mappers.ts'
import type { Change, Item } from './plan.ts'
import type { InRealm, Outcome } from './set-up.ts'

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

function nameOf({ kind, name }: Item): string {
  return kind === 'mapper' ? name : `${kind} ${name}`
}

/** A line for each thing to know about an item: several for a client. */
function detailsOf(item: Item): readonly string[] {
  if (item.kind !== 'client' || item.action === 'keep' || item.action === 'remove') return [detailOf(item)]
  return item.action === 'create' ? whatItIs(item.client) : item.changes.map(changed)
}

function detailOf(item: Item): string {
  if (item.action === 'keep') return item.why ?? ''
  if (item.kind === 'role' || item.kind === 'client') return ''
  switch (item.action) {
    case 'create':
      return whatItWrites(item.mapper)
    case 'remove':
      return item.why ?? whatItWrites(item.mapper)
    case 'update':
      return item.changes.map(changed).join(', ')
    case 'conflict':
      return item.does === undefined ? `with ${item.mappers.join(', ')}` : `the one there ${item.does}`
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

function shown(value: string | undefined): string {
  return value === undefined ? 'absent' : JSON.stringify(value)
}

/** What became of one realm. */
export function outcomeLines(
  one: InRealm<Outcome>,
  client: string,
  dryRun: boolean,
  paint: ChalkInstance,
): string {
  const head = `realm ${one.realm}, client ${client}:`
  if ('error' in one) return `${head} failed`
  const { items, changed, conflict } = one.result
  const shown = changed || conflict ? items : items.filter((item) => item.action === 'keep' && 'why' in item)
  const title = conflict ? `${head} nothing done` : changed ? head : `${head} no changes`
  return [
    title,
    ...(shown.length === 0 ? [] : [itemLines(shown, dryRun || conflict ? 'to do' : 'done', paint)]),
  ].join('\n')
}

/** One line about several realms, none about one. */
export function summaryLine(outcomes: readonly InRealm<Outcome>[], dryRun: boolean): readonly string[] {
  if (outcomes.length === 1) return []
  const results = outcomes.flatMap((one) => ('result' in one ? [one.result] : []))
  const count = (what: string, n: number): string[] => (n === 0 ? [] : [`${n} ${what}`])
  const counts = [
    ...count(dryRun ? 'would change' : 'changed', results.filter(({ changed }) => changed).length),
    ...count('without changes', results.filter(({ changed, conflict }) => !changed && !conflict).length),
    ...count('in conflict', results.filter(({ conflict }) => conflict).length),
    ...count('failed', outcomes.length - results.length),
  ]
  return [`${outcomes.length} realms: ${counts.join(', ')}`]
}
