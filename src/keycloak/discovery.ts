// Asks a realm for its OpenID Connect discovery document: the issuer and the address of its keys, never computed here.
import pLimit from 'p-limit'
import { z } from 'zod'
import { KjitsiError, unless } from '../errors.ts'
import type { Answer } from '../http/answer.ts'
import { type Http, getText } from '../http/http.ts'

/** The part of a discovery document that kjitsi uses (OpenID Connect Discovery 1.0, section 3). */
export type Discovery = Readonly<z.infer<typeof DOCUMENT>>

const DOCUMENT = z
  .object({ issuer: z.url(), jwks_uri: z.url() })
  .transform(({ issuer, jwks_uri: jwksUri }) => ({ issuer, jwksUri }))
const ERROR = z
  .object({ errorMessage: z.string(), error_description: z.string(), error: z.string() })
  .partial()

/** What Keycloak says about every request to a realm that is switched off. */
export const REALM_DISABLED = 'Realm not enabled'

/**
 * Reads the discovery document of `realm` on the Keycloak at `url`.
 * @throws KjitsiError `not-found` where the realm is not there, `unreachable` where what answers is no Keycloak
 */
export async function discover(http: Http, url: string, realm: string): Promise<Discovery> {
  const answer = await getText(http, discoveryUrl(url, realm))
  const document = readDocument(answer)
  if (document !== undefined) return document
  throw answer.status === 200 ? notKeycloak(answer) : await explainRefusal(http, url, realm, answer)
}

/**
 * Sees to it that a Keycloak answers at `url`, whatever realms it has.
 * @throws KjitsiError as `discover`
 */
export async function checkServer(http: Http, url: string): Promise<void> {
  const answer = await getText(http, discoveryUrl(url, 'master'))
  if (readDocument(answer) !== undefined || isMissingRealm(answer)) return
  throw await explainRefusal(http, url, 'master', answer)
}

/**
 * The issuer of each realm, in their order.
 * @throws KjitsiError as `discover` does, for the first realm that fails
 */
export async function issuersOf(
  http: Http,
  url: string,
  realms: readonly string[],
): Promise<readonly string[]> {
  const limit = pLimit(8)
  const found = await Promise.all(realms.map((realm) => limit(() => discover(http, url, realm))))
  return found.map(({ issuer }) => issuer)
}

/**
 * What a 4xx answer on a realm's own address means: no such realm, or another base path, or no Keycloak at all. Where
 * the answer does not say, one more request tells whether the Keycloak is with or without `/auth`.
 */
export async function explainRefusal(
  http: Http,
  url: string,
  realm: string,
  answer: Answer,
): Promise<KjitsiError> {
  const asked = `${answer.method} ${answer.url}`
  if (isMissingRealm(answer)) return noRealm(url, realm, answer)
  if (saidBy(answer) === REALM_DISABLED) {
    return new KjitsiError('not-found', `${asked}: the realm ${realm} is disabled`, {
      hint: 'enable it in Keycloak: Realm settings > Enabled',
    })
  }
  const other = url.endsWith('/auth') ? url.slice(0, -'/auth'.length) : `${url}/auth`
  const there = await unless('unreachable', getText(http, discoveryUrl(other, realm)))
  if (there !== undefined && (readDocument(there) !== undefined || isMissingRealm(there))) {
    return new KjitsiError('not-found', `${asked}: status ${answer.status}; this Keycloak is at ${other}`, {
      hint: `set KEYCLOAK_URL or --url to ${other}`,
    })
  }
  return notKeycloak(answer)
}

function discoveryUrl(url: string, realm: string): string {
  return `${url}/realms/${encodeURIComponent(realm)}/.well-known/openid-configuration`
}

function readDocument({ status, text }: Answer): Discovery | undefined {
  return status === 200 ? DOCUMENT.safeParse(parseJson(text)).data : undefined
}

/** That a realm is not there, as a sentence. */
export function noRealm(url: string, realm: string, { method, url: asked }: Answer, seen = ''): KjitsiError {
  const settings = [
    '--realm or KEYCLOAK_REALM',
    ...(method === 'POST' ? ['--auth-realm or KEYCLOAK_AUTH_REALM'] : []),
  ]
  return new KjitsiError('not-found', `${method} ${asked}: there is no realm ${realm} on ${url}`, {
    hint: `realm names are case-sensitive${seen}; correct ${settings.join(', or ')}`,
  })
}

/** Keycloak also answers a path that it does not have with 404 and JSON, but in other words. */
export function isMissingRealm(answer: Answer): boolean {
  return answer.status === 404 && /^realm (?!not enabled)/i.test(saidBy(answer) ?? '')
}

/**
 * Why Keycloak refuses, as it says in JSON (RFC 6749, section 5.2), for which its admin API has one more name. Undefined
 * for what is not from Keycloak: a web server answers a page.
 */
export function saidBy({ text }: Answer): string | undefined {
  const said = ERROR.safeParse(parseJson(text)).data
  return said?.errorMessage ?? said?.error_description ?? said?.error
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** An answer that no Keycloak gives, as a sentence. */
export function notKeycloak(
  { method, url, status, contentType }: Answer,
  hint = 'is KEYCLOAK_URL or --url the address of Keycloak itself, with its base path (such as /auth) where it has one?',
): KjitsiError {
  const what = contentType.split(';', 1)[0] || 'something'
  const message = `${method} ${url}: status ${status} and ${what}, not a Keycloak's answer`
  return new KjitsiError('unreachable', message, { hint })
}
