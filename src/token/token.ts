// What the rules look at: the token taken apart once, beside the settings, the key and the room.
import { fileNameOf } from '../certs/key.ts'
import type { ProsodySettings } from '../prosody/settings.ts'
import { type Decoded, type Json, decodeBase64url, decodeJson } from './decode.ts'
import { type PublicKey, type KeysByKid, type PublishedKeys, type Unseen, readPem } from './keys.ts'
import { luaNumber } from './lua.ts'
import type { Room } from '../jitsi/room.ts'
import { shownAddress } from '../shown.ts'

export interface Attempt {
  /** null where nobody sent one. */
  readonly token: string | null
  readonly prosody: ProsodySettings
  /** undefined where no join is asked about. */
  readonly room: Room | undefined
  /** Prosody's clock, whole Unix seconds. */
  readonly now: number
  /** Whether the key is found by the header's kid, rather than being JWT_APP_SECRET. */
  readonly byKey: boolean
  /** The header as it is read to find the key: all before the first dot. undefined without a dot. */
  readonly first: Decoded | undefined
  /** The parts between the dots; empty ones are left out. */
  readonly parts: readonly string[]
  readonly header: Decoded | undefined
  readonly body: Decoded | undefined
  readonly signature: Buffer | undefined
  /** undefined where there is no kid to look for. */
  readonly key: KeySearch | undefined
  /** Whether the token is so long that nothing in it was looked into. */
  readonly unread: boolean
  /** Whether the token is an example, which has no signature and names no key. */
  readonly unsigned: boolean
}

/**
 * What the search for a key comes to. A kid that is no text is a Lua error, and so is one that a key set
 * alone lacks.
 */
type KeySearch =
  | PublicKey
  | Unseen
  | { readonly is: 'no text' | 'not in set'; readonly what: string }
  /** `what` is a sentence without its full stop. */
  | { readonly is: 'absent'; readonly what: string; readonly file: string }

/** Tokens far beyond what Prosody takes are not looked into. */
const MAX_LOOKED_INTO = 65_536

export function attemptOf(
  token: string | null,
  prosody: ProsodySettings,
  keys: PublishedKeys,
  room: Room | undefined,
  now: number,
  unsigned: boolean,
): Attempt {
  const byKey = prosody.keyServer !== undefined || prosody.keysUrl !== undefined
  const unread = token !== null && token.length > MAX_LOOKED_INTO
  const text = token === null || unread ? '' : token
  // Lua's own split: at dots and, by a slip in its pattern, at backslashes.
  const parts = text.split(/[\\.]/).filter((part) => part !== '')
  const [header, body, signature] = parts
  const first = firstPart(text)
  const decodedFirst = first === undefined ? undefined : decodeJson(first)
  return {
    token,
    prosody,
    room,
    now,
    byKey,
    first: decodedFirst,
    parts,
    header: header === first ? decodedFirst : header === undefined ? undefined : decodeJson(header),
    body: body === undefined ? undefined : decodeJson(body),
    signature: signature === undefined ? undefined : decodeBase64url(signature),
    key: byKey ? findKey(membersOf(decodedFirst)?.['kid'], prosody, keys) : secretAsKey(prosody),
    unread,
    unsigned,
  }
}

function firstPart(token: string): string | undefined {
  const dot = token.indexOf('.')
  return dot < 0 ? undefined : token.slice(0, dot)
}

/**
 * The members that Lua finds by name: those of an object. A list and a text have none, undefined is for what
 * cannot be asked: Lua throws at null, numbers and booleans.
 */
export function membersOf(decoded: Decoded | undefined): Readonly<Record<string, Json>> | undefined {
  if (decoded?.is !== 'json') return undefined
  return membersOfValue(decoded.value)
}

export function membersOfValue(value: Json | undefined): Readonly<Record<string, Json>> | undefined {
  if (typeof value === 'string' || Array.isArray(value)) return {}
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, Json>>) : undefined
}

/** The kid that a key is looked for by, undefined where the token does not get that far. */
export function kidOf(token: string | null): Json | undefined {
  if (token === null || token.length > MAX_LOOKED_INTO) return undefined
  const first = firstPart(token)
  return first === undefined ? undefined : membersOf(decodeJson(first))?.['kid']
}

/** The file that Prosody asks the key server for, undefined where it asks for none, or for what is not known. */
export function keyFileOf(
  token: string | null,
  prosody: ProsodySettings,
  keys: PublishedKeys,
): string | undefined {
  const kid = kidOf(token)
  if (!prosody.keyServerAskable || kid === undefined) return undefined
  const { set, failure } = setOf(prosody, keys)
  return failure !== undefined || set === 'undetermined' || set?.has(kid) ? undefined : fileOf(kid)
}

/** The key set, where these settings make Prosody ask for one. */
function setOf(
  { keysUrlAskable }: ProsodySettings,
  { set, setFailure: failure }: PublishedKeys,
): { readonly set?: KeysByKid | undefined; readonly failure?: string | undefined } {
  return keysUrlAskable ? { set, failure } : {}
}

/** sha256 takes texts, and numbers as Lua writes them: 7 is asked for as `7.0`. */
function fileOf(kid: Json | undefined): string | undefined {
  if (typeof kid === 'number') return fileNameOf(luaNumber(kid))
  return typeof kid === 'string' ? fileNameOf(kid) : undefined
}

function findKey(
  kid: Json | undefined,
  prosody: ProsodySettings,
  keys: PublishedKeys,
): KeySearch | undefined {
  if (kid === undefined) return undefined
  const { set, failure } = setOf(prosody, keys)
  if (set === 'undetermined')
    return { is: 'undetermined', what: 'a key set that only Prosody itself can read' }
  const inSet = set?.get(kid)
  if (inSet !== undefined) return inSet
  if (failure !== undefined) return { is: 'unseen', what: failure }
  const { keyServer, keyServerAskable } = prosody
  const file = fileOf(kid)
  if (file === undefined) return { is: 'no text', what: 'a kid that is no text' }
  if (keyServer === undefined) return { is: 'not in set', what: 'a kid that is not in the key set' }
  if (!keyServerAskable) {
    const what = `Prosody cannot ask ${shownAddress(keyServer)} for a file: an address takes a scheme and a host, and no query or fragment`
    return { is: 'absent', what, file }
  }
  const place = keys.folder === undefined ? `at ${shownAddress(keyServer)}` : `in ${keys.folder}`
  return keys.file(file) ?? { is: 'absent', what: `There is no ${file} ${place}`, file }
}

function secretAsKey({ secret, signType }: ProsodySettings): KeySearch | undefined {
  // With RS256 the secret is read as a public key.
  return secret === undefined || signType.startsWith('HS') ? undefined : readPem(secret)
}
