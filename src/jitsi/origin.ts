// The one address under which people open a Jitsi. Redirect URI, web origin and post-logout URI are all built from it:
// Keycloak and the browser compare them character by character.
import { urlOf } from '../url.ts'

/**
 * Reads the address of a Jitsi as people type it, and as docker-jitsi-meet's PUBLIC_URL has it: there the `https://` may
 * be missing, since its templates take it away anyway.
 * @returns the origin (RFC 6454) as browsers write it: lower case, no slash at its end, a port only where it is not 443
 * @throws Error whose message goes on after the text
 */
export function jitsiOrigin(text: string): string {
  const typed = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`
  const url = urlOf(typed)
  if (url === undefined) throw new Error('is no address: it looks like https://meet.example.org')
  if (url.protocol === 'http:') {
    throw new Error("is not https: browsers keep back what Jitsi's login needs from pages that came by http")
  }
  if (url.protocol !== 'https:') throw new Error('is no https address')
  if (url.username || url.password) throw new Error('holds a user name or password: leave them out')
  if (url.search || url.hash) throw new Error('has a ? or # part: leave it out')
  if (/[^/]/.test(url.pathname)) throw new Error('has a path: give the address of the host alone')
  // Keycloak reads a * in a redirect URI as a wildcard.
  if (url.hostname.includes('*')) throw new Error('has a *: give each address by itself')
  return url.origin
}

/** The page to which Keycloak sends the browser back after the login, with the code. */
export function redirectUri(origin: string): string {
  return `${origin}/static/sso.html`
}

/** The page to which Keycloak sends the browser after the logout; Jitsi waits for it in a hidden frame. */
export function postLogoutUri(origin: string): string {
  return `${origin}/static/logout.html`
}
