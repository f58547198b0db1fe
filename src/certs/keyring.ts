// THE policy of keys: which are published, which have left a short while ago, and which of two under one kid counts.
// Pure: times are milliseconds of a clock that never steps back, and are handed in.
//
// Nothing in a ring depends on the order in which sources answered, so servers that share no state, and folders, agree
// about every key that is published.
import { KjitsiError } from '../errors.ts'
import type { Key } from './key.ts'

/** The last good set of each source, in the order in which they were named; undefined where none is known. */
export type Sets = ReadonlyMap<string, readonly Key[] | undefined>

/** A key that is published, or was a short while ago. */
export interface Held {
  readonly key: Key
  /** By source: since when it publishes the key no more; null while it does. */
  readonly sources: ReadonlyMap<string, number | null>
}

export interface Ring {
  /** By name of the file. */
  readonly held: ReadonlyMap<string, Held>
  readonly clashes: readonly Clash[]
}

/** Two keys under one kid: Prosody, which asks by kid alone, can be given one of them only. */
interface Clash {
  readonly kept: Key
  readonly refused: Key
}

export type KeyChange =
  | { readonly change: 'new' | 'back' | 'left' | 'dropped'; readonly key: Key }
  /** Another key has taken the place of one that was held under the same kid. */
  | { readonly change: 'replaced'; readonly key: Key; readonly before: Key }
  | { readonly change: 'clash'; readonly clash: Clash }

export interface Turn {
  readonly ring: Ring
  readonly changes: readonly KeyChange[]
}

export const EMPTY_RING: Ring = { held: new Map(), clashes: [] }
// What nobody has is a mistake or an attack; of so many, one source can neither fill the memory nor the folder.
const MAX_KEYS = 10_000
const MAX_IN_GRACE = 1000

/**
 * The ring once its sources publish these sets. Where two publish different keys under one kid, the source that was named
 * first wins. What a source of an unknown set has published stays, and so does what no source here has to do with.
 * @param graceMs how long a key is held after no source publishes it any more
 */
export function turn(ring: Ring, sets: Sets, now: number, graceMs: number): Turn {
  const published = new Map<string, { readonly key: Key; readonly sources: Set<string> }>()
  const clashes: Clash[] = []
  for (const [source, keys = []] of sets) {
    for (const key of keys) {
      const kept = published.get(key.file)
      if (kept === undefined) published.set(key.file, { key, sources: new Set([source]) })
      else if (kept.key.pem === key.pem) kept.sources.add(source)
      else clashes.push({ kept: kept.key, refused: key })
    }
  }
  const held = new Map<string, Held>()
  const changes: KeyChange[] = []
  for (const file of new Set([...published.keys(), ...ring.held.keys()])) {
    const before = ring.held.get(file)
    const found = published.get(file)
    const key = found?.key ?? before?.key
    if (key === undefined) continue
    const sources = new Map(before?.sources)
    for (const [name, since] of sources) if (sets.get(name) !== undefined) sources.set(name, since ?? now)
    for (const name of found?.sources ?? []) sources.set(name, null)
    const one = { key, sources }
    changes.push(...changesOf(one, before))
    if (isDecided(one, sets) && goneSince(one) + graceMs <= now) changes.push({ change: 'dropped', key })
    else held.set(file, one)
  }
  const known = new Set(ring.clashes.map(nameOfClash))
  for (const clash of clashes) {
    if (!known.has(nameOfClash(clash))) changes.push({ change: 'clash', clash })
  }
  return { ring: { held, clashes }, changes }
}

/** Whether these sets say what is to become of a key: one of them has to do with it, and none that has is unknown. */
export function isDecided({ sources }: Held, sets: Sets): boolean {
  const names = [...sources.keys()].filter((name) => sets.has(name))
  return names.length > 0 && names.every((name) => sets.get(name) !== undefined)
}

/** Since when no source publishes a key any more; Infinity while one does. */
export function goneSince({ sources }: Held): number {
  return Math.max(...[...sources.values()].map((since) => since ?? Infinity))
}

/** Why these keys are not taken as the set of a source, if they are not. */
export function whyTooMany(
  ring: Ring,
  sets: Sets,
  source: string,
  keys: readonly Key[],
  now: number,
  graceMs: number,
): KjitsiError | undefined {
  const count = `${source}: ${keys.length} keys`
  if (keys.length > MAX_KEYS) {
    return new KjitsiError('keys', `${count}: more than ${MAX_KEYS} of one source are not taken`)
  }
  const { held } = turn(ring, new Map(sets).set(source, keys), now, graceMs).ring
  const left = [...held.values()].filter((one) => one.sources.has(source) && goneSince(one) < Infinity)
  if (left.length <= MAX_IN_GRACE) return undefined
  const most = `${left.length} others would have left and be in their grace; ${MAX_IN_GRACE} is the most`
  return new KjitsiError('keys', `${count}, with which ${most}`, {
    hint: 'a key set that changes like this is none of Keycloak: look who answers at its address',
  })
}

/** When the next key that has left is to be dropped; Infinity where none has. */
export function nextExpiry({ held }: Ring, graceMs: number): number {
  return [...held.values()].map(goneSince).reduce((a, b) => Math.min(a, b), Infinity) + graceMs
}

/** What each of these sources published last, as far as a ring knows it. */
export function lastSets({ held }: Ring, sources: readonly string[]): Sets {
  const sets = new Map<string, Key[] | undefined>(sources.map((source) => [source, undefined]))
  for (const { key, sources } of held.values()) {
    if (key.pem === '') continue
    for (const [source, since] of sources) {
      if (since === null && sets.has(source))
        sets.set(source, [...(sets.get(source) ?? []), { ...key, source }])
    }
  }
  return sets
}

function changesOf(one: Held, before: Held | undefined): readonly KeyChange[] {
  const { key } = one
  if (before === undefined) return [{ change: 'new', key }]
  if (before.key.pem !== key.pem) return [{ change: 'replaced', key, before: before.key }]
  const [isGone, wasGone] = [one, before].map((held) => goneSince(held) < Infinity)
  return isGone === wasGone ? [] : [{ change: isGone ? 'left' : 'back', key }]
}

function nameOfClash({ kept, refused }: Clash): string {
  return JSON.stringify([kept.source, kept.pem, refused.source, refused.pem, refused.file])
}
