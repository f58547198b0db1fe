// Asks Keycloak's admin API under one login; every way in which that can fail becomes a sentence of ours here.
import { AsyncLocalStorage } from 'node:async_hooks'
import KeycloakAdminClient from '@keycloak/keycloak-admin-client'
import { z } from 'zod'
import { type ErrorCode, KjitsiError, unless } from '../errors.ts'
import type { Answer } from '../http/answer.ts'
import { type Http, type HttpRequest, send } from '../http/http.ts'
import { badStatus, statusError } from '../http/reasons.ts'
import { isMissingRealm, noRealm, notKeycloak, parseJson, saidBy } from './discovery.ts'
import { type Login, whoIs } from './login.ts'
import { realmOfToken, tokenHint, tokenSource } from './token.ts'

/** A realm of the Keycloak at `url`, and who asks. */
interface Asking {
  readonly url: string
  readonly name: string
  /** The account, as part of a sentence. */
  readonly who: string
}

/** The admin API of one realm, under one login. */
export interface RealmAdmin extends Asking {
  /** Reads, again where a later try may better it. */
  readonly get: <T>(shape: z.ZodType<T>, request: Request) => Promise<T>
  /** Writes, once; it is done where the answer is 201 or 204. A 409 is a KjitsiError `conflict`. */
  readonly write: (request: Request) => Promise<void>
}

/** A call of the admin client, which makes one request. */
type Request = (admin: KeycloakAdminClient) => Promise<unknown>

/**
 * Logs in once for all realms, or, where a service account logs in at the realm that it administrates, once for each.
 * @returns the admin API of a realm by its name
 * @throws KjitsiError `login`, `not-found` or `unreachable` where the one login for all fails, or a token has run out
 */
export async function connect(http: Http, url: string, login: Login): Promise<(realm: string) => RealmAdmin> {
  standInForFetch()
  const tokenIn = (realm: string): (() => Promise<string>) => tokenSource(http, url, login, realm)
  const one = login.by === 'client' && login.authRealm === undefined ? undefined : tokenIn('')
  await one?.()
  return (name) => realmAdmin(http, { url, name, who: whoIs(login) }, one ?? tokenIn(name))
}

/** No answer that kjitsi reads of the admin API comes near it. */
const MAX_BYTES = 10_000_000

function realmAdmin(http: Http, asking: Asking, token: () => Promise<string>): RealmAdmin {
  const { url, name } = asking
  const admin = new KeycloakAdminClient({ baseUrl: url, realmName: name })
  admin.registerTokenProvider({ getAccessToken: token })
  const ask = async (request: Request, isDone: (status: number) => boolean): Promise<Answer> => {
    let answer = undefined as Answer | undefined
    const own: OwnFetch = async (address, { method = 'GET', headers, body }) => {
      const isRepeatable = method === 'GET'
      const asked = { method, url: address.href, headers, body, maxBytes: MAX_BYTES, isRepeatable }
      const sent = await send(http, asked)
      if (isMissingRealm(sent)) throw noRealm(url, name, sent, await seenRealms(http, url, asked))
      if (!isDone(sent.status)) throw refused(asking, sent, await token())
      answer = sent
      const { status, location, text } = sent
      return new Response(text || null, { status, headers: location === undefined ? {} : { location } })
    }
    try {
      await askedBy.run(own, () => request(admin))
    } catch (error) {
      // The client misses something in the answer, such as where that is which was created.
      throw answer === undefined ? error : notKeycloak(answer, PROXY_HINT)
    }
    if (answer === undefined) throw new Error('a call of the admin client made no request')
    return answer
  }
  return {
    ...asking,
    async get(shape, request) {
      const answer = await ask(request, (status) => status < 300)
      const json = parseJson(answer.text)
      const { success, data } = shape.safeParse(json)
      if (success) return data
      const contentType = json === undefined ? 'a text' : 'JSON of another kind'
      throw notKeycloak({ ...answer, contentType }, PROXY_HINT)
    },
    async write(request) {
      // Any other success is somebody else's: a proxy's page, a login.
      await ask(request, (status) => status === 201 || status === 204)
    },
  }
}

const REALMS = z.array(z.object({ realm: z.string() }))
const MOST_REALMS = 20

/** The realms that the account sees, as part of a sentence. */
async function seenRealms(http: Http, base: string, { headers, maxBytes }: HttpRequest): Promise<string> {
  const url = `${base}/admin/realms?briefRepresentation=true`
  const asked = { method: 'GET', url, headers, maxBytes, isRepeatable: false }
  const answer = await unless('unreachable', send(http, asked))
  const names = (REALMS.safeParse(parseJson(answer?.text ?? '')).data ?? []).map(({ realm }) => realm)
  if (names.length === 0) return ''
  const more = names.length > MOST_REALMS ? ` and ${names.length - MOST_REALMS} more` : ''
  return `, and this account sees ${names.slice(0, MOST_REALMS).join(', ')}${more}`
}

type OwnFetch = (url: URL, init: RequestInit) => Promise<Response>

/** What the admin client asks with. It calls the global `fetch`, with a URL, and takes none of its caller's. */
const askedBy = new AsyncLocalStorage<OwnFetch>()
let standIn: typeof fetch | undefined

/** Puts a `fetch` in the admin client's way; to everybody else it is the one that was there. */
function standInForFetch(): void {
  const globalFetch = globalThis.fetch
  if (globalFetch === standIn) return
  standIn = globalThis.fetch = (input, init = {}) => {
    const own = askedBy.getStore()
    return own === undefined ? globalFetch(input, init) : askedBy.exit(() => own(input as URL, init))
  }
}

const PROXY_HINT = 'does a reverse proxy keep /admin from you? Give the address behind it'

/** Keycloak looks at permissions on single clients only for accounts that may ask for clients at all. */
const PERMISSION_HINT = '; one that has a permission on this client alone needs query-clients instead'

/** An answer of the admin API that does not do what was asked for, as a sentence. */
function refused({ url, name: realm, who }: Asking, answer: Answer, token: string): KjitsiError {
  const { method, status } = answer
  // A web server in between, and not Keycloak, which always speaks JSON here.
  if (status < 400 || answer.contentType.includes('html')) return notKeycloak(answer, PROXY_HINT)
  const said = saidBy(answer)
  const withReason = `status ${status}${said === undefined ? '' : `: ${said}`}`
  const failed = (code: ErrorCode, what: string, hint: string): KjitsiError =>
    new KjitsiError(code, `${method} ${answer.url}: ${what}`, { hint, cause: statusError(answer) })
  switch (status) {
    case 400:
    case 422:
      return failed(
        'usage',
        `Keycloak refused a value: ${said ?? withReason}`,
        "correct the setting that it comes from; where the reason is not said here, Keycloak's log has it",
      )
    case 401:
      return failed('login', 'Keycloak does not accept the access token (status 401)', tokenHint(token, url))
    case 403: {
      const home = realmOfToken(token) ?? realm
      if (home !== realm && home !== 'master') {
        const what = `${who} is of realm ${home}, and realm ${realm} is administered by accounts of its own and of master (status 403)`
        return failed(
          'right',
          what,
          'log in with one of these: --auth-realm or KEYCLOAK_AUTH_REALM says where',
        )
      }
      const [toDo, role, more] = neededFor(method, answer.url)
      const what = `${who} lacks the right to ${toDo} in realm ${realm} (status 403)`
      return failed('right', what, giveRole(realm, role) + more)
    }
    case 404:
      return failed('not-found', withReason, 'it was there a moment ago: run again')
    case 409:
      return failed('conflict', withReason, 'somebody else is changing it at the same time: run again')
    default:
      return badStatus(answer)
  }
}

/** What a request does, the role that allows it, and what else is worth a hint. */
function neededFor(method: string, url: string): readonly [toDo: string, role: string, more: string] {
  if (method !== 'GET') return ['change clients', 'manage-clients', '']
  return /\/realms\/[^/]+\/users\b/.test(url)
    ? ['see users', 'view-users', '']
    : ['see clients', 'view-clients', PERMISSION_HINT]
}

/** How an account gets a right in a realm; for an account in master the same role is of another client. */
export function giveRole(realm: string, role: string): string {
  if (realm === 'master') return `give the account the role ${role} of client master-realm`
  return (
    `give the account the role ${role} of client realm-management in realm ${realm} ` +
    `(an account in realm master: of client ${realm}-realm)`
  )
}
