// Gets access tokens from Keycloak by password or client secret, and says why one that was given is of no use.
import { unescape } from 'node:querystring'
import { z } from 'zod'
import { KjitsiError } from '../errors.ts'
import type { Answer } from '../http/answer.ts'
import { type Http, postForm } from '../http/http.ts'
import { REALM_DISABLED, explainRefusal, notKeycloak, parseJson, saidBy } from './discovery.ts'
import { type Grant, type Login, whoIs } from './login.ts'
import { roughSpan } from '../duration.ts'
import { shownAddress } from '../shown.ts'

const TOKEN = z.object({ access_token: z.string().min(1), expires_in: z.number() })
/** How long before its end a token is no longer used, seconds. */
const MARGIN = 5

interface Token {
  readonly token: string
  /** By `performance.now`. */
  readonly until: number
}

/**
 * Gives an access token, and logs in again when it runs out. A login that was refused is not tried again.
 * @param realm where an account logs in that says no other
 * @throws KjitsiError `login` where the token that was given has run out; what it returns `login`, `not-found` or `unreachable`
 */
export function tokenSource(http: Http, url: string, login: Login, realm: string): () => Promise<string> {
  if (login.by === 'token') {
    const ranOut = ranOutBefore(login.token, CLOCK_SKEW)
    if (ranOut !== undefined)
      throw new KjitsiError('login', `the access token ${ranOut}`, { hint: NEW_TOKEN })
    return () => Promise.resolve(login.token)
  }
  const logIn = (): Promise<Token> => requestToken(http, url, login, login.authRealm ?? realm)
  let current: Promise<Token> | undefined
  return async () => {
    const before = (current ??= logIn())
    const { token, until } = await before
    if (performance.now() < until) return token
    if (current === before) current = logIn()
    return (await current).token
  }
}

/** Gets an access token by password (RFC 6749, section 4.3) or client secret (section 4.4). */
async function requestToken(http: Http, url: string, login: Grant, authRealm: string): Promise<Token> {
  // By our own clock alone, since the server's may differ.
  const start = performance.now()
  const address = `${url}/realms/${encodeURIComponent(authRealm)}/protocol/openid-connect/token`
  const [form, headers] = grantOf(login)
  for (const secret of basicForms(login)) http.onSecret?.(secret)
  const answer = await postForm(http, address, form, headers)
  if (answer.status !== 200) throw await loginRefused(http, url, login, authRealm, answer)
  const { success, data } = TOKEN.safeParse(parseJson(answer.text))
  if (!success) throw notKeycloak(answer)
  http.onSecret?.(data.access_token)
  return { token: data.access_token, until: start + (data.expires_in - MARGIN) * 1000 }
}

const CLAIMS = z.object({ iss: z.string(), exp: z.number().min(0).max(8.64e12) }).partial()

/** What an access token says of itself (RFC 7519, section 4.1): nothing where it is no JWT. */
function claimsOf(token: string): z.infer<typeof CLAIMS> {
  const [, body = ''] = token.split('.')
  return CLAIMS.safeParse(parseJson(Buffer.from(body, 'base64url').toString())).data ?? {}
}

/** The name of the realm that issued an access token, undefined where it does not say. */
export function realmOfToken(token: string): string | undefined {
  const [, name] = /\/realms\/([^/]+)$/.exec(claimsOf(token).iss ?? '') ?? []
  return name === undefined ? undefined : unescape(name)
}

/** How far this machine's clock may be ahead of Keycloak's, seconds. */
const CLOCK_SKEW = 60

const NEW_TOKEN =
  'get a new one, or let kjitsi log in by itself: KEYCLOAK_CLIENT_ID with KEYCLOAK_CLIENT_SECRET, or KEYCLOAK_USER with ' +
  'KEYCLOAK_PASSWORD'

/** When an access token ran out, as part of a sentence; undefined where it did not, or does not say. */
function ranOutBefore(token: string, skew: number): string | undefined {
  const { exp = Infinity } = claimsOf(token)
  const since = Date.now() / 1000 - exp
  return since > skew
    ? `ran out ${roughSpan(since)} ago (${new Date(exp * 1000).toISOString().slice(0, 19)}Z)`
    : undefined
}

/** What mends that the Keycloak at `url` does not accept an access token. */
export function tokenHint(token: string, url: string): string {
  const ranOut = ranOutBefore(token, 0)
  if (ranOut !== undefined) return `it ${ranOut}: ${NEW_TOKEN}`
  const { iss } = claimsOf(token)
  return iss === undefined || iss.startsWith(`${url}/realms/`)
    ? `it may have been revoked, or be of another Keycloak: ${NEW_TOKEN}`
    : `it was issued by ${shownAddress(iss)}, and Keycloak accepts it under that address only: correct KEYCLOAK_URL or --url, or get a new one`
}

function grantOf(login: Grant): [form: Record<string, string>, headers: Record<string, string>] {
  if (login.by === 'password') {
    return [
      { grant_type: 'password', client_id: 'admin-cli', username: login.user, password: login.password },
      {},
    ]
  }
  const [basic = ''] = basicForms(login)
  return [{ grant_type: 'client_credentials' }, { authorization: `Basic ${basic}` }]
}

/**
 * Name and secret as the credentials of HTTP Basic, which a server may repeat: form-encoded before they are joined
 * (RFC 6749, section 2.3.1), which is what is sent, and as they are.
 */
function basicForms(login: Grant): readonly string[] {
  const pair = login.by === 'client' ? [login.clientId, login.clientSecret] : [login.user, login.password]
  const encoded = pair.map((text) => new URLSearchParams([['', text]]).toString().slice(1))
  return [encoded, pair].map((parts) => Buffer.from(parts.join(':')).toString('base64'))
}

async function loginRefused(
  http: Http,
  url: string,
  login: Grant,
  authRealm: string,
  answer: Answer,
): Promise<KjitsiError> {
  const said = saidBy(answer)
  if (said === undefined || answer.status === 404 || said === REALM_DISABLED) {
    return explainRefusal(http, url, authRealm, answer)
  }
  const message = `POST ${answer.url}: Keycloak refused the login of ${whoIs(login)} in realm ${authRealm}: ${said} (status ${answer.status})`
  return new KjitsiError('login', message, { hint: loginHint(login, authRealm, said) })
}

function loginHint(login: Grant, authRealm: string, about: string): string {
  if (about === 'HTTPS required')
    return 'use the https:// address, or set Require SSL in the settings of the realm'
  if (/not fully set up/i.test(about))
    return 'log in once in the browser and do what Keycloak asks for, such as a new password'
  if (/disabled/i.test(about)) return 'enable the account in Keycloak'
  const [kind, secret] = login.by === 'client' ? ['secret', login.clientSecret] : ['password', login.password]
  // A file with the line ends of Windows leaves one, and so does a quick copy.
  const blank = secret === secret.trim() ? undefined : /[\r\n]/.test(secret) ? 'a line break' : 'a blank'
  const hint = blank && `the ${kind} begins or ends with ${blank}: remove it unless it belongs there; or `
  return `${hint ?? ''}${settingsHint(login, authRealm)}`
}

function settingsHint(login: Grant, authRealm: string): string {
  return login.by === 'client'
    ? `correct KEYCLOAK_CLIENT_ID and KEYCLOAK_CLIENT_SECRET; the client must be of realm ${authRealm} ` +
        '(another: --auth-realm), with client authentication and service account roles on'
    : `correct KEYCLOAK_USER and KEYCLOAK_PASSWORD; the user must be of realm ${authRealm} (another: --auth-realm), and ` +
        'is locked for a while after many failed logins'
}
