// Logs in to Keycloak and asks its admin API; every way in which that can fail becomes a sentence of ours here.
import KeycloakAdminClient from '@keycloak/keycloak-admin-client'
import { z } from 'zod'
import { KjitsiError } from '../errors.ts'
import {
  type Answer,
  type Http,
  attempt,
  badStatus,
  limitOf,
  postForm,
  responseOf,
  unreachable,
} from '../http.ts'
import { REALM_DISABLED, explainRefusal, keycloakError, notKeycloak, parseJson } from './discovery.ts'
import type { Login } from './login.ts'

/** The admin API of one realm, under one login. */
export interface RealmAdmin {
  readonly url: string
  readonly name: string
  /** The account, as part of a sentence. */
  readonly who: string
  /**
   * Reads, again where a later try may better it.
   * @param path after `/admin/realms/REALM`, for messages
   */
  readonly get: <T>(path: string, shape: z.ZodType<T>, request: Request<unknown>) => Promise<T>
  /** Writes, once. A 409 is a KjitsiError `conflict`. */
  readonly write: (
    method: 'POST' | 'PUT' | 'DELETE',
    path: string,
    request: Request<unknown>,
  ) => Promise<void>
}

type Request<T> = (admin: KeycloakAdminClient) => Promise<T>

/**
 * Logs in once for all realms, or, where a service account logs in at the realm that it administrates, once for each.
 * @returns the admin API of a realm by its name
 * @throws KjitsiError `login`, `not-found` or `unreachable` where the one login for all fails
 */
export async function connect(http: Http, url: string, login: Login): Promise<(realm: string) => RealmAdmin> {
  if (login.by === 'client' && login.authRealm === undefined) {
    return (realm) => realmAdmin(http, url, realm, login, tokenSource(http, url, login, realm))
  }
  const token =
    login.by === 'token'
      ? () => Promise.resolve(login.token)
      : tokenSource(http, url, login, login.authRealm ?? '')
  await token()
  return (realm) => realmAdmin(http, url, realm, login, token)
}

const TOKEN = z.object({ access_token: z.string().min(1), expires_in: z.number() })
const MAX_BYTES = 1_000_000
/** How long before its end a token is no longer used, seconds. */
const MARGIN = 5

/** Gives an access token, and logs in again when it runs out. A login that was refused is not tried again. */
function tokenSource(http: Http, url: string, login: Login, authRealm: string): () => Promise<string> {
  const logIn = async (): Promise<{ token: string; until: number }> => {
    // By our own clock alone, since the server's may differ.
    const start = performance.now()
    const token = await requestToken(http, url, login, authRealm)
    return { token: token.access_token, until: start + (token.expires_in - MARGIN) * 1000 }
  }
  let current: ReturnType<typeof logIn> | undefined
  return async () => {
    const before = (current ??= logIn())
    const { token, until } = await before
    if (performance.now() < until) return token
    if (current === before) current = logIn()
    return (await current).token
  }
}

/** Gets an access token by password (RFC 6749, section 4.3) or client secret (section 4.4). */
async function requestToken(
  http: Http,
  url: string,
  login: Login,
  authRealm: string,
): Promise<z.infer<typeof TOKEN>> {
  const address = `${url}/realms/${encodeURIComponent(authRealm)}/protocol/openid-connect/token`
  const [form, headers] = grantOf(login)
  const answer = await postForm(http, address, form, headers, MAX_BYTES)
  if (answer.status !== 200) throw await loginRefused(http, url, login, authRealm, address, answer)
  const { success, data } = TOKEN.safeParse(parseJson(answer.text))
  if (!success) throw notKeycloak('POST', address, answer)
  return data
}

function grantOf(login: Login): [form: Record<string, string>, headers: Record<string, string>] {
  if (login.by === 'password') {
    return [
      { grant_type: 'password', client_id: 'admin-cli', username: login.user, password: login.password },
      {},
    ]
  }
  if (login.by === 'token') throw new Error('a ready token is no grant')
  // Both are form-encoded before they are joined (RFC 6749, section 2.3.1).
  const basic = [login.clientId, login.clientSecret].map((text) =>
    new URLSearchParams([['', text]]).toString().slice(1),
  )
  const authorization = `Basic ${Buffer.from(basic.join(':')).toString('base64')}`
  return [{ grant_type: 'client_credentials' }, { authorization }]
}

async function loginRefused(
  http: Http,
  url: string,
  login: Login,
  authRealm: string,
  address: string,
  answer: Answer,
): Promise<KjitsiError> {
  const said = keycloakError(answer.text)
  const about = said?.error_description ?? said?.error
  if (said === undefined || answer.status === 404 || about === REALM_DISABLED) {
    return explainRefusal(http, url, authRealm, 'POST', address, answer)
  }
  const message = `POST ${address}: Keycloak refused the login of ${whoIs(login)} in realm ${authRealm}: ${about} (status ${answer.status})`
  return new KjitsiError('login', message, { hint: loginHint(login, authRealm, about ?? '') })
}

function loginHint(login: Login, authRealm: string, about: string): string {
  if (about === 'HTTPS required')
    return 'use the https:// address, or set Require SSL in the settings of the realm'
  if (/not fully set up/i.test(about))
    return 'log in once in the browser and do what Keycloak asks for, such as a new password'
  if (/disabled/i.test(about)) return 'enable the account in Keycloak'
  if (login.by === 'client') {
    return (
      `correct KEYCLOAK_CLIENT_ID and KEYCLOAK_CLIENT_SECRET; the client must be of realm ${authRealm} ` +
      '(another: --auth-realm), with client authentication and service account roles on'
    )
  }
  return (
    `correct KEYCLOAK_USER and KEYCLOAK_PASSWORD; the user must be of realm ${authRealm} (another: --auth-realm), and ` +
    'is locked for a while after many failed logins'
  )
}

function whoIs(login: Login): string {
  switch (login.by) {
    case 'token':
      return 'the account of the access token'
    case 'client':
      return `the service account of client ${login.clientId}`
    case 'password':
      return `user ${login.user}`
  }
}

function realmAdmin(
  http: Http,
  url: string,
  name: string,
  login: Login,
  token: () => Promise<string>,
): RealmAdmin {
  const perRequest = {
    // A redirect is an answer like any other bad one: what is sent never goes to another server.
    redirect: 'manual' as const,
    // Read anew for each request, which the client's own `timeout` could not combine with an interrupt.
    get signal() {
      return limitOf(http)
    },
  }
  const admin = new KeycloakAdminClient({ baseUrl: url, realmName: name, requestOptions: perRequest })
  admin.registerTokenProvider({ getAccessToken: token })
  const who = whoIs(login)
  const addressOf = (path: string): string => `${url}/admin/realms/${encodeURIComponent(name)}${path}`
  return {
    url,
    name,
    who,
    async get(path, shape, request) {
      const answer = await attempt(http, () => request(admin)).catch((error: unknown) => {
        throw requestFailed(http, { url, realm: name, who, method: 'GET', address: addressOf(path) }, error)
      })
      const { success, data } = shape.safeParse(answer)
      if (success) return data
      const contentType = typeof answer === 'string' ? 'a text' : 'JSON of another kind'
      throw notKeycloak('GET', addressOf(path), { status: 200, contentType }, PROXY_HINT)
    },
    async write(method, path, request) {
      await request(admin).catch((error: unknown) => {
        throw requestFailed(http, { url, realm: name, who, method, address: addressOf(path) }, error)
      })
    },
  }
}

const PROXY_HINT = 'does a reverse proxy keep /admin from you? Give the address behind it'

interface Asked {
  readonly url: string
  readonly realm: string
  readonly who: string
  readonly method: string
  readonly address: string
}

/** A request of the admin client that failed, as a sentence. */
function requestFailed(http: Http, { url, realm, who, method, address }: Asked, error: unknown): KjitsiError {
  if (error instanceof KjitsiError) return error
  if (http.signal.aborted)
    return new KjitsiError('interrupted', `${method} ${address}: interrupted`, { cause: error })
  const response = responseOf(error)
  if (response === undefined) return unreachable(method, address, error)
  // A web server in between, and not Keycloak, which always speaks JSON here.
  const contentType = response.headers.get('content-type') ?? ''
  if (response.status >= 400 && response.status < 500 && contentType.includes('html')) {
    return notKeycloak(method, address, { status: response.status, contentType }, PROXY_HINT)
  }
  const about = saidBy(error)
  switch (response.status) {
    case 401:
      return new KjitsiError(
        'login',
        `${method} ${address}: Keycloak does not accept the access token (status 401)`,
        {
          hint: 'it may have run out, or be of another realm or another address of this Keycloak: get a new one',
          cause: error,
        },
      )
    case 403: {
      const role = method === 'GET' ? 'view-clients' : 'manage-clients'
      const message = `${method} ${address}: ${who} lacks the right to ${method === 'GET' ? 'see' : 'change'} clients in realm ${realm} (status 403)`
      return new KjitsiError('right', message, { hint: giveRole(realm, role), cause: error })
    }
    case 404:
      return /^realm /i.test(about ?? '')
        ? new KjitsiError('not-found', `${method} ${address}: there is no realm ${realm} on ${url}`, {
            hint: 'realm names are case-sensitive; correct --realm or KEYCLOAK_REALM',
            cause: error,
          })
        : new KjitsiError('not-found', `${method} ${address}: status 404${about ? `: ${about}` : ''}`, {
            hint: 'it was there a moment ago: run again',
            cause: error,
          })
    case 409:
      return new KjitsiError('conflict', `${method} ${address}: status 409${about ? `: ${about}` : ''}`, {
        hint: 'somebody else is changing it at the same time: run again',
        cause: error,
      })
    case 400:
      return new KjitsiError(
        'usage',
        `${method} ${address}: Keycloak refused a value: ${about ?? 'status 400'}`,
        {
          cause: error,
        },
      )
    default:
      return badStatus(method, address, response)
  }
}

/** What Keycloak's answer says about the refusal; its admin API has three names for it. */
function saidBy(error: unknown): string | undefined {
  const data = error instanceof Error && 'responseData' in error ? error.responseData : undefined
  const said = z
    .object({ errorMessage: z.string(), error_description: z.string(), error: z.string() })
    .partial()
    .safeParse(data).data
  return said?.errorMessage ?? said?.error_description ?? said?.error
}

/** How an account gets a right in a realm; for an account in master the same role is of another client. */
export function giveRole(realm: string, role: string): string {
  return (
    `give the account the role ${role} of client realm-management in realm ${realm} ` +
    `(an account in realm master: of client ${realm}-realm)`
  )
}
