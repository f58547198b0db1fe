// A JWK set (RFC 7517, section 5) as somebody else wrote it: told apart from everything else that a wrong address or
// a wrong file gives. The keys in it are not looked at here, since one that is odd must not spoil the others.
import { z } from 'zod'

export interface KeySet {
  /** What a person calls it: `realm meet`, an address, a file. */
  readonly source: string
  /** The address or the file that the keys really came from. */
  readonly address: string
  readonly keys: readonly unknown[]
}

const SET = z.object({ keys: z.array(z.unknown()) })
const DISCOVERY = z.object({ jwks_uri: z.url() })
const SINGLE_KEY = z.object({ kty: z.string() })

/** Why a text is no key set: goes on after its name, as in `jwks.json is not JSON`. */
export interface NoKeySet {
  readonly wrong: string
  readonly hint?: string
}

/** The keys in `text`, or what it is instead of a key set. */
export function readKeys(text: string): readonly unknown[] | NoKeySet {
  // Takes a byte order mark too, with which files saved on Windows start.
  const bare = text.trim()
  if (bare === '') return { wrong: 'is empty' }
  if (bare.startsWith('<')) return { wrong: 'is a web page, not a key set', hint: WHERE_KEYCLOAK_HAS_IT }
  let json: unknown
  try {
    json = JSON.parse(bare)
  } catch {
    return { wrong: 'is not JSON', hint: WHERE_KEYCLOAK_HAS_IT }
  }
  const set = SET.safeParse(json)
  if (set.success) return set.data.keys
  const discovery = DISCOVERY.safeParse(json)
  if (discovery.success) {
    return {
      wrong: 'is a discovery document, not a key set',
      hint: `its key set is at ${discovery.data.jwks_uri}`,
    }
  }
  if (SINGLE_KEY.safeParse(json).success) {
    return {
      wrong: 'is a single key, not a key set',
      hint: 'a key set is {"keys":[…]} with the key in the list',
    }
  }
  return { wrong: 'has no list named keys, so it is no key set', hint: WHERE_KEYCLOAK_HAS_IT }
}

const WHERE_KEYCLOAK_HAS_IT =
  "a realm's key set is at <keycloak>/realms/<realm>/protocol/openid-connect/certs"
