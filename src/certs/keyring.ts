// The keys that a key server answers with: those that its sources publish, and those that have left a short while ago.
// Pure: times are milliseconds of a clock that never steps back, and are handed in.
//
// Nothing in a ring depends on the order in which sources answered, so servers that share no state agree about every
// key that is published.

export interface Key {
  /** `<hex sha256(kid)>.pem`, the name by which Prosody asks for it. */
  readonly file: string
  readonly pem: string
  /** Null where it is not known, as with a file. */
  readonly kid: string | null
}

export interface Served extends Key {
  /** The source that publishes it, or did last. */
  readonly source: string
  /** Since when no source publishes it. */
  readonly goneAt?: number
}

export interface Ring {
  /** The last good set of each source. Where two publish different keys under one kid, the one named first wins. */
  readonly sets: ReadonlyMap<string, readonly Key[]>
  /** By `file`. */
  readonly served: ReadonlyMap<string, Served>
  readonly clashes: readonly Clash[]
}

/** Two keys under one kid: Prosody, which asks by kid alone, can be given one of them only. */
interface Clash {
  readonly kept: Served
  readonly refused: Served
}

export type Change =
  | { readonly change: 'new' | 'back' | 'left' | 'dropped'; readonly key: Served }
  /** Another key has taken the place of one that was served under the same kid. */
  | { readonly change: 'replaced'; readonly key: Served; readonly before: Served }
  | { readonly change: 'clash'; readonly clash: Clash }

export interface Turned {
  readonly ring: Ring
  readonly changes: readonly Change[]
}

/** A ring without a key. */
export function emptyRing(sources: readonly string[]): Ring {
  return { sets: new Map(sources.map((source) => [source, []])), served: new Map(), clashes: [] }
}

/**
 * The ring after one source has given a good set: a set that the ring keeps until there is another good one.
 * @param graceMs how long a key is served after no source publishes it any more
 */
export function turn(ring: Ring, source: string, keys: readonly Key[], now: number, graceMs: number): Turned {
  return settle({ ...ring, sets: new Map(ring.sets).set(source, keys) }, now, graceMs)
}

/** The ring without those keys whose time is over by now. */
export function expire(ring: Ring, now: number, graceMs: number): Turned {
  return settle(ring, now, graceMs)
}

/** When the next key that has left is to be dropped; Infinity where none has. */
export function nextExpiry(ring: Ring, graceMs: number): number {
  let next = Infinity
  for (const { goneAt } of ring.served.values()) {
    if (goneAt !== undefined) next = Math.min(next, goneAt + graceMs)
  }
  return next
}

function settle(ring: Ring, now: number, graceMs: number): Turned {
  const served = new Map<string, Served>()
  const clashes: Clash[] = []
  for (const [source, keys] of ring.sets) {
    for (const { file, pem, kid } of keys) {
      const key = { file, pem, kid, source }
      const kept = served.get(file)
      if (kept === undefined) served.set(file, key)
      else if (kept.pem !== pem) clashes.push({ kept, refused: key })
    }
  }
  const changes: Change[] = [...served.values()].flatMap((key) => arrival(key, ring.served.get(key.file)))
  for (const before of ring.served.values()) {
    if (served.has(before.file)) continue
    const gone = { ...before, goneAt: before.goneAt ?? now }
    if (before.goneAt === undefined) changes.push({ change: 'left', key: gone })
    if (now - gone.goneAt >= graceMs) changes.push({ change: 'dropped', key: gone })
    else served.set(gone.file, gone)
  }
  const known = new Set(ring.clashes.map(nameOfClash))
  for (const clash of clashes) {
    if (!known.has(nameOfClash(clash))) changes.push({ change: 'clash', clash })
  }
  return { ring: { sets: ring.sets, served, clashes }, changes }
}

function arrival(key: Served, before: Served | undefined): readonly Change[] {
  if (before === undefined) return [{ change: 'new', key }]
  if (before.pem !== key.pem) return [{ change: 'replaced', key, before }]
  return before.goneAt === undefined ? [] : [{ change: 'back', key }]
}

function nameOfClash({ kept, refused }: Clash): string {
  return JSON.stringify([kept.source, kept.pem, refused.source, refused.pem, refused.file])
}
