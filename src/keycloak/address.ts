// The address of a Keycloak in what people copy from a browser.
import type { Finding } from '../finding.ts'
import { withoutTokens } from '../shown.ts'
import { keycloakFinding } from './findings.ts'

/** What Keycloak itself has behind its address: realms, and the admin console and API. */
const OWN_PATH = /^([a-z][a-z0-9+.-]*:\/\/[^/?#]+(?:\/[^/?#]+)*?)(\/+(?:admin|realms)(?=[/?#]|$).*)$/is

/** The address of the server, without a page of Keycloak's, a query and a fragment. */
export function serverAddress(text: string): string {
  return (OWN_PATH.exec(text)?.[1] ?? text).replace(/[?#].*$/s, '')
}

/** Tells what `serverAddress` left out. */
export function adviseAddress(text: string): Finding | undefined {
  const address = serverAddress(text)
  if (address === text) return undefined
  const [left = ''] = /^[^?#]*/.exec(withoutTokens(text.slice(address.length))) ?? []
  return keycloakFinding('address-shortened', { address: address.replace(/\/+$/, ''), left })
}
