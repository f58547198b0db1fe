// Plans as lines of text.
import type { ChalkInstance } from 'chalk'
import { table } from '../output.ts'
import { whatItWrites } from './mappers.ts'
import type { Item } from './plan.ts'

const DONE = {
  create: 'created',
  update: 'updated',
  keep: 'kept',
  remove: 'removed',
  conflict: 'conflict',
} as const
const TO_DO = {
  create: 'create',
  update: 'update',
  keep: 'keep',
  remove: 'remove',
  conflict: 'conflict',
} as const

/** A line for each item: what is or was done to what, and the detail. */
export function itemLines(items: readonly Item[], tense: 'done' | 'to do', paint: ChalkInstance): string {
  const verbs = tense === 'done' ? DONE : TO_DO
  const colours = {
    create: paint.green,
    update: paint.yellow,
    keep: paint.dim,
    remove: paint.red,
    conflict: paint.red,
  }
  return table(
    items.map((item) => ['', colours[item.action](verbs[item.action]), nameOf(item), detailOf(item)]),
  )
}

/** The changes in one line: `create room, bnf; update nbf`. */
export function changesLine(changes: readonly Item[]): string {
  const names = new Map<Item['action'], string[]>()
  for (const item of changes) names.set(item.action, [...(names.get(item.action) ?? []), nameOf(item)])
  return [...names].map(([action, list]) => `${action} ${list.join(', ')}`).join('; ')
}

function nameOf({ kind, name }: Item): string {
  return kind === 'role' ? `role ${name}` : name
}

function detailOf(item: Item): string {
  if (item.action === 'keep') return item.why ?? ''
  if (item.kind === 'role') return ''
  switch (item.action) {
    case 'create':
    case 'remove':
      return whatItWrites(item.mapper)
    case 'update':
      return item.changes.map(({ field, from, to }) => `${field}: ${shown(from)} → ${shown(to)}`).join(', ')
    case 'conflict':
      return `with ${item.mappers.join(', ')}`
  }
}

function shown(value: string | undefined): string {
  return value === undefined ? 'absent' : JSON.stringify(value)
}
