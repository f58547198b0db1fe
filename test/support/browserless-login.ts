// What a browser does at a Jitsi with Keycloak login, request by request: the popup's authorization request, Keycloak's
// form, the code in the address of sso.html, the token request that this page makes from its origin, and the logout in
// a hidden frame (jitsi-meet's static/sso.html and static/logout.html).
import { createHash, randomBytes } from 'node:crypto'

export interface Site {
  /** Of the realm, without a slash at its end. */
  readonly issuer: string
  readonly clientId: string
  /** Where people open Jitsi. */
  readonly origin: string
}

export interface Person {
  readonly username: string
  readonly password: string
}

/** Keycloak's cookies, as one browser keeps them. */
export type Cookies = Map<string, string>

/** Where a login ended: with tokens, or at the step and with the words that a person would see. */
export type LoginEnd =
  | { readonly tokens: Readonly<Record<string, unknown>>; readonly cookies: Cookies }
  | { readonly failed: 'authorize' | 'form' | 'token'; readonly status: number; readonly said: string }

interface Challenge {
  readonly verifier: string
  readonly query: Readonly<Record<string, string>>
}

function s256(): Challenge {
  const verifier = randomBytes(32).toString('base64url')
  const challenge = createHash('sha256').update(verifier).digest('base64url')
  return { verifier, query: { code_challenge: challenge, code_challenge_method: 'S256' } }
}

/**
 * Logs a person in.
 * @param query what to change in the authorization request; undefined takes a parameter away
 */
export async function logIn(
  site: Site,
  person: Person,
  query: Readonly<Record<string, string | undefined>> = {},
  cookies: Cookies = new Map(),
): Promise<LoginEnd> {
  const { verifier, query: challenge } = s256()
  const redirectUri = `${site.origin}/static/sso.html`
  const nonce = randomBytes(16).toString('hex')
  const state = JSON.stringify({ room: 'team' })
  const asked: Record<string, string | undefined> = {
    client_id: site.clientId,
    response_type: 'code',
    scope: 'openid',
    state,
    redirect_uri: redirectUri,
    ...challenge,
    nonce,
    ...query,
  }
  const given = Object.entries(asked).filter((one): one is [string, string] => one[1] !== undefined)
  const first = await visit(
    `${site.issuer}/protocol/openid-connect/auth?${new URLSearchParams(given).toString()}`,
    cookies,
  )
  const firstError = errorOf(first)
  if (firstError !== undefined) return { failed: 'authorize', status: first.status, said: firstError }

  // Whoever has a session already comes back at once.
  const back = first.location ?? (await fillIn(first, person, cookies))
  if (typeof back !== 'string') return { failed: 'form', ...back }
  const answer = new URL(back)
  if (`${answer.origin}${answer.pathname}` !== redirectUri) throw new Error(`sent to ${back}`)
  if (answer.searchParams.get('state') !== state) throw new Error('another state came back')
  return trade(site, answer.searchParams.get('code') ?? '', verifier, nonce, cookies)
}

/** What static/sso.html does with the code. */
async function trade(
  { issuer, clientId, origin }: Site,
  code: string,
  verifier: string,
  nonce: string,
  cookies: Cookies,
): Promise<LoginEnd> {
  const response = await fetch(`${issuer}/protocol/openid-connect/token`, {
    method: 'POST',
    headers: { origin },
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: clientId,
      code_verifier: verifier,
      redirect_uri: `${origin}/static/sso.html`,
      code,
    }),
  })
  // A browser hands an answer that is not meant for the page to nobody, whatever it says.
  if (response.headers.get('access-control-allow-origin') !== origin) {
    return { failed: 'token', status: response.status, said: 'Failed to fetch' }
  }
  const body = (await response.json()) as Record<string, unknown>
  if (!response.ok) {
    return {
      failed: 'token',
      status: response.status,
      said: String(body['error_description'] ?? body['error']),
    }
  }
  const idToken = typeof body['id_token'] === 'string' ? claimsOf(body['id_token']) : {}
  if (idToken['nonce'] !== nonce) {
    return { failed: 'token', status: 200, said: 'Missing tokens in response' }
  }
  return { tokens: body, cookies }
}

interface Page {
  readonly status: number
  readonly html: string
  /** Where a redirect leads. */
  readonly location: string | undefined
}

/** Follows redirects as long as they stay at Keycloak. */
async function visit(url: string, cookies: Cookies, form?: Readonly<Record<string, string>>): Promise<Page> {
  const response = await fetch(url, {
    redirect: 'manual',
    headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
    ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
  })
  for (const cookie of response.headers.getSetCookie()) {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
    if (value === '' || /;\s*max-age=0/i.test(cookie)) cookies.delete(name)
    else cookies.set(name, value)
  }
  const location = response.headers.get('location') ?? undefined
  const html = await response.text()
  if (location !== undefined && new URL(location).origin === new URL(url).origin)
    return visit(location, cookies)
  return { status: response.status, html, location }
}

async function fillIn(
  page: Page,
  { username, password }: Person,
  cookies: Cookies,
): Promise<string | Refusal> {
  const [, action] = /<form[^>]+id="kc-form-login"[^>]+action="([^"]+)"/.exec(page.html) ?? []
  if (action === undefined) throw new Error(`no login form in ${page.html}`)
  const next = await visit(unescapeHtml(action), cookies, { username, password, credentialId: '' })
  return next.location ?? { status: next.status, said: errorOf(next) ?? titleOf(next) }
}

interface Refusal {
  readonly status: number
  readonly said: string
}

/** The error that Keycloak shows on a page of its own, or sends back to the page that asked. */
function errorOf({ html, location }: Page): string | undefined {
  const query = location === undefined ? undefined : sentBack(new URL(location))
  if (query?.has('error')) return query.get('error_description') ?? query.get('error') ?? ''
  const [, message] =
    /id="kc-error-message">\s*<p class="instruction">([^<]+)</.exec(html) ??
    /kc-feedback-text">([^<]+)</.exec(html) ??
    []
  return message === undefined ? undefined : unescapeHtml(message).trim()
}

/** The implicit flow answers behind the #. */
function sentBack({ searchParams, hash }: URL): URLSearchParams {
  return hash.length > 1 ? new URLSearchParams(hash.slice(1)) : searchParams
}

function titleOf({ html }: Page): string {
  const [, title = ''] = /id="kc-page-title">(?:<!--[^>]*-->)?([^<]+)</.exec(html) ?? []
  return unescapeHtml(title).trim()
}

function unescapeHtml(text: string): string {
  return text.replaceAll('&amp;', '&').replaceAll('&#39;', "'").replaceAll('&quot;', '"')
}

/** What Jitsi's hidden frame meets: the address that it ends at, or the page that it is stuck on. */
export async function logOut(
  { issuer, clientId, origin }: Site,
  idToken: string,
  cookies: Cookies,
): Promise<string | Refusal> {
  const query = new URLSearchParams({
    client_id: clientId,
    post_logout_redirect_uri: `${origin}/static/logout.html`,
    id_token_hint: idToken,
  })
  const page = await visit(`${issuer}/protocol/openid-connect/logout?${query.toString()}`, cookies)
  return page.location ?? { status: page.status, said: errorOf(page) ?? titleOf(page) }
}

/** The claims of a JWT, unverified, as Jitsi's web client reads them. */
export function claimsOf(token: string): Readonly<Record<string, unknown>> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>
}
