// Asks a realm for its OpenID Connect discovery document: the issuer and the address of its keys, never computed here.
import { z } from 'zod'
import { KjitsiError } from '../errors.ts'
import { type Answer, type Http, getText } from '../http.ts'

/** The part of a discovery document that kjitsi uses (OpenID Connect Discovery 1.0, section 3). */
export interface Discovery {
  readonly issuer: string
  readonly jwksUri: string
}

const DOCUMENT = z.object({ issuer: z.url(), jwks_uri: z.url() })
const MAX_BYTES = 1_000_000

/**
 * Reads the discovery document of `realm` on the Keycloak at `url`.
 * @throws KjitsiError `not-found` where the realm is not there, `unreachable` where what answers is no Keycloak
 */
export async function discover(http: Http, url: string, realm: string): Promise<Discovery> {
  const address = discoveryUrl(url, realm)
  const answer = await getText(http, address, MAX_BYTES)
  if (answer.status !== 200) throw await notThere(http, url, realm, answer)
  const document = DOCUMENT.safeParse(parseJson(answer.text))
  if (!document.success) throw notKeycloak(address, answer)
  return { issuer: document.data.issuer, jwksUri: document.data.jwks_uri }
}

function discoveryUrl(url: string, realm: string): string {
  return `${url}/realms/${encodeURIComponent(realm)}/.well-known/openid-configuration`
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** What a 4xx on the discovery document means. One more request tells a wrong base path from a wrong realm. */
async function notThere(http: Http, url: string, realm: string, answer: Answer): Promise<KjitsiError> {
  const address = discoveryUrl(url, realm)
  if (answer.status === 404 && isJsonError(answer.text)) {
    return new KjitsiError('not-found', `GET ${address}: there is no realm ${realm} on ${url}`, {
      hint: 'realm names are case-sensitive; the realm must be enabled',
    })
  }
  const other = url.endsWith('/auth') ? url.slice(0, -'/auth'.length) : `${url}/auth`
  const there = await getText(http, discoveryUrl(other, realm), MAX_BYTES).catch(() => undefined)
  if (there?.status === 200 && DOCUMENT.safeParse(parseJson(there.text)).success) {
    return new KjitsiError('not-found', `GET ${address}: status ${answer.status}; this Keycloak is at ${other}`, {
      hint: `set KEYCLOAK_URL or --url to ${other}`,
    })
  }
  return notKeycloak(address, answer)
}

/** Keycloak says why it refuses in JSON; a web server without one answers a page. */
function isJsonError(text: string): boolean {
  return z.object({ error: z.string() }).safeParse(parseJson(text)).success
}

function notKeycloak(address: string, answer: Answer): KjitsiError {
  const what = answer.contentType.split(';', 1)[0] || 'something'
  return new KjitsiError('unreachable', `GET ${address}: status ${answer.status} and ${what}, not a Keycloak's answer`, {
    hint: 'is KEYCLOAK_URL or --url the address of Keycloak itself, with its base path (such as /auth) where it has one?',
  })
}
