// A plan as data: what is shown is what is applied.
import type { ClientSettings } from './client.ts'
import type { NewClient } from './desired-client.ts'
import type { ExistingMapper, Mapper } from './mappers.ts'

/** One field that an update changes; `from` is absent where the field is missing, `to` where it goes. */
export interface Change<V extends string | boolean = string | boolean> {
  readonly field: string
  readonly from?: V
  readonly to?: V
  /** What a list gets besides what it has, in place of `from` and `to`. */
  readonly added?: readonly string[]
  /** What it means for who can do what, where that is clear. */
  readonly effect?: 'loosens' | 'tightens'
}

/** What is sent of a client that changes: what is absent stays as it is. */
export type ClientPatch = Partial<ClientSettings> & {
  readonly clientId: string
  // Some versions of Keycloak's ClientResource.java delete the service account where this is absent.
  readonly serviceAccountsEnabled: boolean
}

/** Why nothing can be done about a mapper without a person: see `planMappers`. */
export type Conflict = 'same-claim' | 'nested-claim' | 'taken-name'

type Kind = 'client' | 'role' | 'mapper'

/** What is done to one thing, or why nothing is. */
export type Item = { readonly name: string } & (
  | {
      readonly action: 'keep'
      readonly kind: Kind
      /** Why what was to be removed stays; absent where it is as wanted. */
      readonly why?: string
    }
  | { readonly action: 'create'; readonly kind: 'role' }
  /** Its mappers are items of their own. */
  | { readonly action: 'create'; readonly kind: 'client'; readonly client: NewClient }
  | {
      readonly action: 'update'
      readonly kind: 'client'
      readonly changes: readonly Change[]
      readonly client: ClientPatch
    }
  | { readonly action: 'remove'; readonly kind: 'client' }
  | { readonly action: 'create'; readonly kind: 'mapper'; readonly mapper: Mapper }
  | {
      readonly action: 'update'
      readonly kind: 'mapper'
      readonly changes: readonly Change<string>[]
      /** The whole mapper as it will be. */
      readonly mapper: ExistingMapper
    }
  | {
      readonly action: 'remove'
      readonly kind: 'mapper'
      readonly mapper: ExistingMapper
      /** Why it goes although mappers are being created; absent where these are being removed. */
      readonly why?: string
    }
  /** Of a desired mapper that cannot be had. */
  | {
      readonly action: 'conflict'
      readonly kind: 'mapper'
      readonly conflict: Conflict
      /** The names of the client's mappers that are in the way. */
      readonly mappers: readonly string[]
      /** What the one that has the name does: `writes the claim building.room`. Of `taken-name` only. */
      readonly does?: string
    }
)

/** An item by which something becomes another. */
export type ItemChange = Exclude<Item, { readonly action: 'keep' | 'conflict' }>

/** What a plan changes; one with a conflict changes nothing at all. */
export function changesOf(items: readonly Item[]): readonly ItemChange[] {
  return hasConflict(items)
    ? []
    : items.filter((item): item is ItemChange => item.action !== 'keep' && item.action !== 'conflict')
}

export function hasConflict(items: readonly Item[]): boolean {
  return items.some(({ action }) => action === 'conflict')
}

/** An item within a list of them. */
export function nameOf({ kind, name }: Item): string {
  return kind === 'mapper' ? name : `${kind} ${name}`
}

/** The mappers that a client has once a plan is carried out. */
export function mappersAfter(existing: readonly ExistingMapper[], items: readonly Item[]): readonly Mapper[] {
  const changes = changesOf(items).flatMap((item) => ('mapper' in item ? [item] : []))
  const touched = changes.flatMap(({ mapper }) => ('id' in mapper ? [mapper.id] : []))
  const made = changes.flatMap(({ action, mapper }) => (action === 'remove' ? [] : [mapper]))
  return [...existing.filter(({ id }) => !touched.includes(id)), ...made]
}
