// Where keys are read from: realms, and what --jwks names.
import { resolve } from 'node:path'
import { shownAddress } from '../shown.ts'

export type KeySource =
  | RealmSource
  /** `number` tells it from others before it that differ by what is not shown. */
  | { readonly kind: 'address'; readonly url: string; readonly number?: number }
  /** `path` is absolute. */
  | { readonly kind: 'file'; readonly path: string }

export interface RealmSource {
  readonly kind: 'realm'
  readonly url: string
  readonly realm: string
  /** Hosts other than that of `url` that its keys may come from: `host`, or `host:port`. */
  readonly allowKeysFrom: readonly string[]
  /** What its discovery document says; where that is known, it is not asked for again. */
  readonly jwksUri?: string
}

/**
 * What a person calls a source: `realm meet`, an address, a file. Everybody who asks the key server how it is may read
 * it, so an address is without its query, where an API key may be.
 */
export function nameOfSource(source: KeySource): string {
  if (source.kind === 'realm') return `realm ${source.realm}`
  if (source.kind === 'file') return source.path
  const place = shownAddress(source.url.replace(/[?#].*$/s, ''))
  return source.number === undefined ? place : `${place} (${source.number})`
}

/** What --jwks names, as sources with names of their own. */
export function jwksSources(jwks: readonly string[], cwd: string): readonly KeySource[] {
  const named = new Map<string, number>()
  return unique(jwks).map((one) => {
    if (!/^https?:\/\//i.test(one)) return { kind: 'file', path: resolve(cwd, one) }
    const source = { kind: 'address', url: one } as const
    const name = nameOfSource(source)
    const number = (named.get(name) ?? 0) + 1
    named.set(name, number)
    return number === 1 ? source : { ...source, number }
  })
}

/** What the manifest of a folder calls a source: the same in every run, another for each Keycloak, and without secrets. */
function lastingNameOf(source: KeySource): string {
  if (source.kind === 'realm') return `realm ${source.realm} of ${source.url}`
  if (source.kind === 'file') return source.path
  const { origin, pathname } = new URL(source.url)
  return origin + pathname
}

/** The lasting name of each source, by its name: two that differ by a query alone share one. */
export function lastingNames(sources: readonly KeySource[]): ReadonlyMap<string, string> {
  return new Map(sources.map((source) => [nameOfSource(source), lastingNameOf(source)]))
}

/** Each realm once, as a source. */
export function realmSources(
  url: string,
  realms: readonly string[],
  allowKeysFrom: readonly string[],
): readonly KeySource[] {
  return unique(realms).map((realm) => ({ kind: 'realm', url, realm, allowKeysFrom }))
}

function unique(names: readonly string[]): readonly string[] {
  return [...new Set(names)]
}
