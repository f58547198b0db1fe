// Gets the keys of every source: a realm (by its discovery document), an address, or a file.
import pLimit from 'p-limit'
import { KjitsiError } from '../errors.ts'
import { readText } from '../files/read.ts'
import { type Http, getText } from '../http/http.ts'
import { badStatus } from '../http/reasons.ts'
import { certsFinding } from './findings.ts'
import { discover } from '../keycloak/discovery.ts'
import { shownAddress } from '../shown.ts'
import { type KeySet, readKeys } from './jwks.ts'
import { type LeftOut, keysOf, nameOfKey } from './key.ts'
import { type LiveSource, type Reading, failed } from './reading.ts'
import { type KeySource, type RealmSource, nameOfSource } from './sources.ts'

/** What one source gave. */
export type Fetched = Reading & {
  readonly source: string
  /** The address or the file that the keys came from. */
  readonly address?: string
}

const AT_ONCE = 8
const REASONS_IN_AN_ERROR = 10

/** Reads all sources, at most eight at a time; one that fails stops no other. */
export async function fetchAll(http: Http, sources: readonly KeySource[]): Promise<readonly Fetched[]> {
  const limit = pLimit(AT_ONCE)
  return Promise.all(sources.map((source) => limit(() => fetchKeys(http, source))))
}

/**
 * Reads one source and takes the keys that Jitsi can use.
 * @throws KjitsiError `interrupted` only; every other failure is in the result
 */
export async function fetchKeys(http: Http, source: KeySource): Promise<Fetched> {
  const name = nameOfSource(source)
  let set: KeySet
  try {
    set = source.kind === 'file' ? await readSet(name, source.path) : await getSet(http, name, source)
  } catch (error) {
    http.signal.throwIfAborted()
    if (!(error instanceof KjitsiError)) throw error
    return { source: name, ...failed('unreachable', error) }
  }
  const { keys, leftOut, leaks } = keysOf(set)
  const findings = leaks.map((leak) =>
    certsFinding('private-key-published', { source: name, key: nameOfKey(leak), members: leak.members }),
  )
  const about = { source: name, address: set.address }
  return keys.length === 0
    ? { ...about, ...failed('none', noUsableKey(set, leftOut)), findings }
    : { ...about, outcome: 'keys', keys, leftOut, findings }
}

/**
 * A source that is read again and again.
 *
 * Where a key is asked for that is not known, a realm costs one request: its key set is read from where its discovery
 * document said last. In all other cases discovery is asked first, so that a server that moves its keys is followed.
 * @param cooldown seconds
 */
export function liveSource(http: Http, source: KeySource, cooldown: number): LiveSource {
  let jwksUri: string | undefined
  // It is asked again in any case, and nobody looks at a progress line.
  const quiet = { ...http, wait: 0, retries: 0, onRetry: () => undefined }
  return {
    name: nameOfSource(source),
    cooldown,
    async read(why) {
      const known = why === 'asked' ? jwksUri : undefined
      const place = source.kind === 'realm' && known !== undefined ? { ...source, jwksUri: known } : source
      const fetched = await fetchKeys(quiet, place)
      jwksUri = fetched.error === undefined ? fetched.address : undefined
      return fetched
    },
  }
}

async function getSet(
  http: Http,
  name: string,
  source: Exclude<KeySource, { kind: 'file' }>,
): Promise<KeySet> {
  let address = source.url
  try {
    if (source.kind === 'realm') {
      address = allowed(source, source.jwksUri ?? (await discover(http, source.url, source.realm)).jwksUri)
    }
    const answer = await getText(http, address)
    if (answer.status === 404) {
      const { message, hint, cause } = badStatus(answer)
      throw new KjitsiError('not-found', `${message}, there is no key set`, { hint, cause })
    }
    if (answer.status !== 200) throw badStatus(answer)
    const keys = readKeys(answer.text)
    if ('wrong' in keys) {
      throw new KjitsiError('unreachable', `GET ${shownAddress(address)}: what it answers ${keys.wrong}`, {
        hint: keys.hint,
      })
    }
    return { source: name, address, keys }
  } catch (error) {
    if (source.kind === 'realm' && error instanceof KjitsiError) throw ofRealm(source, address, error)
    throw error
  }
}

/**
 * The address of a realm's keys, if they may come from there. Whoever answers at it decides whose tokens Jitsi accepts,
 * and a discovery document is made of what headers a proxy sends: so it leads to no other host without consent, and from https
 * never to http.
 * @throws KjitsiError `keys`
 */
function allowed({ url, allowKeysFrom }: RealmSource, jwksUri: string): string {
  const [asked, named] = [new URL(url), new URL(jwksUri)]
  const shown = `${named.protocol}//${named.host}${named.pathname}`
  const about = `the Keycloak at ${url} says that its keys are at ${shown}`
  if (named.protocol !== 'https:' && (named.protocol !== 'http:' || asked.protocol === 'https:')) {
    throw new KjitsiError(
      'keys',
      `${about}: not https, so anybody on the way could put in keys; they are not fetched`,
      {
        hint:
          'behind a reverse proxy start Keycloak with KC_PROXY_HEADERS=xforwarded (and have the proxy send X-Forwarded-Proto), ' +
          'or with KC_HOSTNAME set to its https address',
      },
    )
  }
  const port = named.port || (named.protocol === 'https:' ? '443' : '80')
  const isAllowed = [named.hostname, `${named.hostname}:${port}`].some((host) => allowKeysFrom.includes(host))
  if (named.host === asked.host || isAllowed) return jwksUri
  throw new KjitsiError('keys', `${about}, another host; they are not fetched`, {
    hint:
      `where that is Keycloak's own address, --allow-keys-from ${named.host} (or KJITSI_ALLOW_KEYS_FROM) allows it; ` +
      "otherwise correct --url, or Keycloak's KC_HOSTNAME",
  })
}

/** A failure with the realm's name before it; one on another host than the one that was asked says whose word it is. */
function ofRealm(source: { url: string; realm: string }, address: string, error: KjitsiError): KjitsiError {
  const hints = error.hint === undefined ? [] : [error.hint]
  if (hostOf(address) !== hostOf(source.url)) {
    hints.push(`or give --jwks: it was ${source.url} (its hostname setting) that named this address`)
  }
  return new KjitsiError(error.code, `realm ${source.realm}: ${error.message}`, {
    hint: hints.length === 0 ? undefined : hints.join('; '),
    cause: error.cause,
  })
}

async function readSet(name: string, path: string): Promise<KeySet> {
  const text = await readText(path, {
    hint: '--jwks takes the path of a file, or an address that starts with https:// or http://',
  })
  const keys = readKeys(text)
  if ('wrong' in keys) throw new KjitsiError('keys', `${path} ${keys.wrong}`, { hint: keys.hint })
  return { source: name, address: path, keys }
}

function noUsableKey(set: KeySet, leftOut: readonly LeftOut[]): KjitsiError {
  const reasons = leftOut.slice(0, REASONS_IN_AN_ERROR).map((key) => `\n  ${nameOfKey(key)}: ${key.reason}`)
  const more = leftOut.length - reasons.length
  const which = leftOut.length === 0 ? 'the key set is empty' : 'no key in it is one that Jitsi can use:'
  return new KjitsiError(
    'keys',
    `${set.source}: ${which}${reasons.join('')}${more > 0 ? `\n  and ${more} more` : ''}`,
    {
      hint: 'it takes an RSA key of 2048 bits or more that signs with RS256 (in Keycloak: the provider rsa-generated)',
    },
  )
}

/** Host and port. */
function hostOf(url: string): string {
  return new URL(url).host
}
