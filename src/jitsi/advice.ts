// What is worth a warning in the settings that Jitsi gets, and in those that it finds beside them in its `.env`.
import type { Finding } from '../finding.ts'
import { jitsiFinding } from './findings.ts'
import { shownAddress } from '../shown.ts'
import { type Facts, isOn } from './config.ts'
import { blockedLogout } from './framed-logout.ts'
import { shownEnvValue } from './shown-env.ts'
import type { ModeratedBy } from './moderation.ts'
import { urlOf } from '../url.ts'

/**
 * Warnings about the issuers that Keycloak named.
 * @param url the address that it was asked at, undefined where nobody was asked
 */
export function adviseIssuers(issuers: readonly string[], url: string | undefined): readonly Finding[] {
  return issuers.flatMap((issuer) => [
    ...(/^http:/i.test(issuer) ? [jitsiFinding('issuer-http', { issuer })] : []),
    ...(url !== undefined && hostOf(issuer) !== hostOf(url)
      ? [jitsiFinding('issuer-host', { issuer, url })]
      : []),
  ])
}

function hostOf(address: string): string | undefined {
  return urlOf(address)?.host
}

/** Warnings about the values that kjitsi writes. */
export function adviseValues(
  values: ReadonlyMap<string, string>,
  { keyserver, keys }: Facts,
): readonly Finding[] {
  const wildcards = [...values].filter(([key, value]) => key.startsWith('JWT_') && value.includes('*'))
  return [
    ...wildcards.map(([key, value]) =>
      jitsiFinding('wildcard', { key, value: shownEnvValue(key, value, new Map()) }),
    ),
    ...(keys !== 'jwks' && isLoopback(keyserver)
      ? [jitsiFinding('keyserver-default', { keyserver: shownAddress(keyserver) })]
      : []),
  ]
}

/** What to know about the moderators that a `.env` had, and that nobody spoke of: they stay. */
export function adviseKept(moderators: ModeratedBy | undefined, file: string): readonly Finding[] {
  if (moderators === 'role') return [jitsiFinding('role-kept', { file })]
  return moderators === 'first' ? [jitsiFinding('first-kept', { file })] : []
}

export function isLoopback(address: string): boolean {
  return /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(urlOf(address)?.hostname ?? '')
}

/**
 * Warnings about variables that kjitsi leaves as they are, and that work against what it writes.
 * @param values what compose reads from the `.env`
 */
export function adviseNeighbours(values: ReadonlyMap<string, string>, file: string): readonly Finding[] {
  const found: Finding[] = []
  const { XMPP_MUC_MODULES, ENABLE_LOBBY } = Object.fromEntries(values)
  const { JWT_ALLOW_EMPTY, JWT_ENABLE_DOMAIN_VERIFICATION, JWT_APP_SECRET } = Object.fromEntries(values)
  if (isOn(JWT_ALLOW_EMPTY)) found.push(jitsiFinding('allow-empty', { value: JWT_ALLOW_EMPTY ?? '', file }))
  if (isOn(JWT_ENABLE_DOMAIN_VERIFICATION)) {
    found.push(jitsiFinding('domain-verification', { value: JWT_ENABLE_DOMAIN_VERIFICATION ?? '', file }))
  }
  if (isOn(JWT_APP_SECRET)) found.push(jitsiFinding('app-secret-unused', { file }))
  if (XMPP_MUC_MODULES?.split(',').includes('muc_wait_for_host') && !isOn(ENABLE_LOBBY, true)) {
    found.push(jitsiFinding('lobby-off', { value: ENABLE_LOBBY ?? '', file }))
  }
  for (const key of ['PROSODY_AUTH_TYPE', 'JICOFO_AUTH_TYPE']) {
    const value = values.get(key) ?? ''
    if (value !== '' && value !== 'jwt')
      found.push(jitsiFinding('auth-type-overridden', { key, value, file }))
  }
  const { CSP_HEADER = '', TOKEN_AUTH_URL = '' } = Object.fromEntries(values)
  const blocked = blockedLogout(CSP_HEADER, TOKEN_AUTH_URL)
  if (blocked !== undefined) found.push(jitsiFinding('logout-blocked', { ...blocked, file }))
  const { JWT_ASAP_KEYSERVER = '', ENABLE_HTTP_REDIRECT, PUBLIC_URL = '' } = Object.fromEntries(values)
  if (isOn(ENABLE_HTTP_REDIRECT) && isJitsiByHttp(JWT_ASAP_KEYSERVER, PUBLIC_URL)) {
    const keyserver = shownAddress(JWT_ASAP_KEYSERVER)
    found.push(jitsiFinding('keyserver-redirected', { keyserver, value: ENABLE_HTTP_REDIRECT ?? '', file }))
  }
  return found
}

/** Whether an address is that of Jitsi's own web server (`web` is its name among the containers), without TLS. */
function isJitsiByHttp(address: string, publicUrl: string): boolean {
  const url = urlOf(address)
  if (url?.protocol !== 'http:') return false
  return url.hostname === 'web' || url.hostname === urlOf(publicUrl)?.hostname
}
