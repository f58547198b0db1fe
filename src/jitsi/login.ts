// The addresses of Keycloak and Jitsi that the web client's login goes through, made from one realm, one client and one
// address of Jitsi.
import { KjitsiError } from '../errors.ts'
import { shownAddress } from '../shown.ts'
import { postLogoutUri, redirectUri } from './origin.ts'
import { urlOf } from '../url.ts'

/** What Jitsi's web client (config.js) and its page static/sso.html must know. */
export interface JitsiLogin {
  readonly clientId: string
  /** With the placeholders that the web client fills in, `{state}` and `{code_challenge}`; it adds `&nonce=`. */
  readonly authUrl: string
  /** Where sso.html trades the code; without a scheme, since it puts `https://` before it. */
  readonly tokenService: string
  readonly logoutUrl: string
}

/**
 * @param issuer of a Keycloak realm
 * @param origin as `jitsiOrigin` gives it
 * @throws KjitsiError `usage` where the issuer is no address of a realm
 */
export function loginOf(issuer: string, clientId: string, origin: string): JitsiLogin {
  const endpoints = endpointsOf(issuer)
  const client = `client_id=${encoded(clientId)}`
  return {
    clientId,
    authUrl:
      `${endpoints}/auth?${client}&response_type=code&scope=openid&state={state}` +
      `&redirect_uri=${encoded(redirectUri(origin))}&code_challenge={code_challenge}&code_challenge_method=S256`,
    tokenService: endpoints.replace(/^https?:\/\//, ''),
    // Without the client's id, a logout that knows of no ID token is refused.
    logoutUrl: `${endpoints}/logout?${client}&post_logout_redirect_uri=${encoded(postLogoutUri(origin))}`,
  }
}

/** The key set of a realm, as it publishes it for everybody. */
export function keySetOf(issuer: string): string {
  return `${endpointsOf(issuer)}/certs`
}

/** Where a realm has its OpenID Connect endpoints (Keycloak's OIDCLoginProtocolService.java). */
function endpointsOf(issuer: string): string {
  const url = urlOf(issuer)
  const isRealm = url !== undefined && /^https?:$/.test(url.protocol) && /\/realms\/[^/]+$/.test(url.pathname)
  if (!isRealm || url.search || url.hash || url.username || url.password) {
    const message = `the issuer ${JSON.stringify(shownAddress(issuer))} is no address of a Keycloak realm`
    throw new KjitsiError('usage', message, { hint: 'it looks like https://auth.example.org/realms/meet' })
  }
  // Jitsi's configuration would take a quote for the end of the address, and a comma for the end of a setting.
  return `${url.href.replaceAll("'", '%27').replaceAll(',', '%2C')}/protocol/openid-connect`
}

/** A value of a query, free of what ends a string of JavaScript. */
function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll("'", '%27')
}
