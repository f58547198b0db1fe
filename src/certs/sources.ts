// Where keys are read from: realms, and what --jwks names.
import { resolve } from 'node:path'
import type { Context } from '../cli/context.ts'
import { KjitsiError } from '../errors.ts'
import type { Source } from '../cli/resolve.ts'
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
export function lastingNameOf(source: KeySource): string {
  if (source.kind === 'realm') return `realm ${source.realm} of ${source.url}`
  if (source.kind === 'file') return source.path
  const { origin, pathname } = new URL(source.url)
  return origin + pathname
}

/** How directly a setting was given: the first is the most direct. */
export const WAYS: readonly Source[] = ['flag', 'environment', 'settings file', 'default']

/**
 * The sources that a command was given. Realms and --jwks add up where both were given in the same way (as flags, in the
 * environment, in the settings file); otherwise those that were given more directly take the place of the others.
 * @throws KjitsiError `usage` where there are none and nobody can be asked
 */
export async function keySources(
  context: Context<'url' | 'realm' | 'jwks' | 'allowKeysFrom'>,
): Promise<readonly KeySource[]> {
  const { settings, sources, io, output } = context
  const rank = (key: 'realm' | 'jwks'): number =>
    settings[key].length === 0 ? Infinity : WAYS.indexOf(sources[key] ?? 'default')
  const fromJwks = jwksSources(settings.jwks, io.cwd)
  if (rank('realm') > rank('jwks')) {
    if (settings.realm.length > 0)
      output.note(`not read, since there is --jwks: realm ${settings.realm.join(', ')}`)
    return fromJwks
  }
  const { url, realm } = await context.need('url', 'realm').catch(orJwks)
  const { allowKeysFrom } = settings
  const fromRealms = unique(realm).map((name): KeySource => ({
    kind: 'realm',
    url,
    realm: name,
    allowKeysFrom,
  }))
  if (rank('jwks') === rank('realm')) return [...fromRealms, ...fromJwks]
  if (fromJwks.length > 0)
    output.note(`not read, since there is --realm: ${fromJwks.map(nameOfSource).join(', ')}`)
  return fromRealms
}

function unique(names: readonly string[]): readonly string[] {
  return [...new Set(names)]
}

function orJwks(error: unknown): never {
  if (!(error instanceof KjitsiError) || error.code !== 'usage') throw error
  throw new KjitsiError('usage', error.message, {
    hint: 'or give --jwks, the address or the file of a key set',
  })
}
