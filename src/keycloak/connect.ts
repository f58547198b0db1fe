// Asks Keycloak's admin API under one login; every way in which that can fail becomes a sentence of ours here.
import { AsyncLocalStorage } from 'node:async_hooks'
import KeycloakAdminClient from '@keycloak/keycloak-admin-client'
import { z } from 'zod'
import { KjitsiError } from '../errors.ts'
import { type Http, attempt, badStatus, limitOf, responseOf, unreachable } from '../http.ts'
import { notKeycloak } from './discovery.ts'
import { type Login, whoIs } from './login.ts'
import { tokenSource } from './token.ts'

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
  /** Writes, once; it is done where the answer is 201 or 204. A 409 is a KjitsiError `conflict`. */
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
  const under = (token: () => Promise<string>, realm: string): RealmAdmin =>
    realmAdmin(http, url, realm, whoIs(login), token)
  if (login.by === 'token') return (realm) => under(() => Promise.resolve(login.token), realm)
  const { authRealm } = login
  if (authRealm === undefined) return (realm) => under(tokenSource(http, url, login, realm), realm)
  const token = tokenSource(http, url, login, authRealm)
  await token()
  return (realm) => under(token, realm)
}

function realmAdmin(
  http: Http,
  url: string,
  name: string,
  who: string,
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
  const addressOf = (path: string): string => `${url}/admin/realms/${encodeURIComponent(name)}${path}`
  return {
    url,
    name,
    who,
    async get(path, shape, request) {
      const answer = await attempt(http, () => by(http.fetch, () => request(admin))).catch(
        (error: unknown) => {
          throw requestFailed(http, { url, realm: name, who, method: 'GET', address: addressOf(path) }, error)
        },
      )
      const { success, data } = shape.safeParse(answer)
      if (success) return data
      const contentType = typeof answer === 'string' ? 'a text' : 'JSON of another kind'
      throw notKeycloak('GET', addressOf(path), { status: 200, contentType }, PROXY_HINT)
    },
    async write(method, path, request) {
      await by(writesOnly(http.fetch), () => request(admin)).catch((error: unknown) => {
        throw requestFailed(http, { url, realm: name, who, method, address: addressOf(path) }, error)
      })
    },
  }
}

/** What the admin client asks with. It calls the global `fetch`, takes none of its caller's, and gives no status. */
const askedBy = new AsyncLocalStorage<typeof fetch>()
const globalFetch = globalThis.fetch
globalThis.fetch = (input, init) => {
  const own = askedBy.getStore()
  return own === undefined ? globalFetch(input, init) : askedBy.exit(() => own(input, init))
}

function by<T>(own: typeof fetch, request: () => Promise<T>): Promise<T> {
  return askedBy.run(own, request)
}

/** Keycloak answers a write with 201 or 204. Any other success is somebody else's: a proxy's page, a login. */
function writesOnly(own: typeof fetch): typeof fetch {
  return async (input, init) => {
    const response = await own(input, init)
    if (!response.ok || response.status === 201 || response.status === 204) return response
    await response.body?.cancel()
    throw Object.assign(new Error(`status ${response.status}`), { response })
  }
}

const PROXY_HINT = 'does a reverse proxy keep /admin from you? Give the address behind it'

/** Keycloak looks at permissions on single clients only for accounts that may ask for clients at all. */
const PERMISSION_HINT = '; one that has a permission on this client alone needs query-clients instead'

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
  if (response.ok || (response.status >= 400 && response.status < 500 && contentType.includes('html'))) {
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
      const hint = giveRole(realm, role) + (method === 'GET' ? PERMISSION_HINT : '')
      return new KjitsiError('right', message, { hint, cause: error })
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
  if (realm === 'master') return `give the account the role ${role} of client master-realm`
  return (
    `give the account the role ${role} of client realm-management in realm ${realm} ` +
    `(an account in realm master: of client ${realm}-realm)`
  )
}
