// Whether a Content-Security-Policy of Jitsi's pages lets them log people out, which they do in a frame: at Keycloak first, then
// at Jitsi's own logout page (CSP Level 3, sections 6.1.6 frame-src and 6.7.2 matching).
import { urlOf } from '../url.ts'

/** What a policy does not let into a frame. */
export interface Blocked {
  /** The directive that counts. */
  readonly directive: string
  /** What to add to it: `'self'`, Keycloak's origin, or both. */
  readonly missing: readonly string[]
}

/**
 * What keeps the logout from ending; undefined where nothing does.
 * @param authUrl TOKEN_AUTH_URL, which names Keycloak, and Jitsi by its redirect_uri
 */
export function blockedLogout(policies: string, authUrl: string): Blocked | undefined {
  const login = urlOf(authUrl)
  const self = urlOf(login?.searchParams.get('redirect_uri') ?? '')
  if (login === undefined || self === undefined) return undefined
  const logout = new URL(login.pathname.replace(/\/[^/]*$/, '/logout'), login)
  for (const policy of policies.split(',')) {
    const directives = directivesOf(policy)
    const directive = ['frame-src', 'child-src', 'default-src'].find((name) => directives.has(name))
    if (directive === undefined) continue
    const sources = directives.get(directive) ?? []
    const isAllowed = (url: URL, path: string): boolean =>
      sources.some((source) => matches(source, url, path, self))
    const missing = [
      // After a redirect, the path of a source does not count.
      ...(isAllowed(self, '') ? [] : ["'self'"]),
      ...(isAllowed(logout, logout.pathname) ? [] : [logout.origin]),
    ]
    if (missing.length > 0) return { directive, missing }
  }
  return undefined
}

/** Names in small letters; of one name that is there twice, the first counts. */
function directivesOf(policy: string): ReadonlyMap<string, readonly string[]> {
  const directives = new Map<string, readonly string[]>()
  for (const part of policy.split(';')) {
    const [name = '', ...sources] = part.trim().split(/\s+/)
    if (!directives.has(name.toLowerCase())) directives.set(name.toLowerCase(), sources)
  }
  return directives
}

const SOURCE = /^(?:(?<scheme>[a-z][a-z0-9+.-]*):\/\/)?(?<host>[^:/']+)(?::(?<port>\d+|\*))?(?<path>\/.*)?$/i
const SCHEME = /^[a-z][a-z0-9+.-]*:$/i

/** @param path the one that a source with a path is held against; empty where no path counts */
function matches(source: string, url: URL, path: string, self: URL): boolean {
  if (source === '*') return true
  if (source.toLowerCase() === "'self'") return url.origin === self.origin
  if (SCHEME.test(source)) return covers(source.toLowerCase(), url.protocol)
  const groups = SOURCE.exec(source)?.groups
  if (groups === undefined) return false
  const { scheme, host = '', port, path: prefix = '' } = groups
  const name = host.toLowerCase()
  const isHost =
    name === '*' || (name.startsWith('*.') ? url.hostname.endsWith(name.slice(1)) : url.hostname === name)
  const isPort = port === '*' || (port ?? defaultPort(url)) === (url.port || defaultPort(url))
  const isPath =
    path === '' || prefix === '' || (prefix.endsWith('/') ? path.startsWith(prefix) : path === prefix)
  return (
    isHost &&
    isPort &&
    isPath &&
    covers(scheme === undefined ? self.protocol : `${scheme.toLowerCase()}:`, url.protocol)
  )
}

/** http as a source means https as well. */
function covers(scheme: string, protocol: string): boolean {
  return scheme === protocol || (scheme === 'http:' && protocol === 'https:')
}

function defaultPort(url: URL): string {
  return url.protocol === 'https:' ? '443' : '80'
}
