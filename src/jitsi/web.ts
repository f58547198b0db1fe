// Lines for the end of the web client's config.js, which hold the login.
import { type ConfigFile, guestDomain } from './config-file.ts'
import { type Literal, jsString } from './literals.ts'
import type { JitsiLogin } from './login.ts'

/** @param domain Jitsi's in Prosody; undefined for docker-jitsi-meet, whose `.env` has the rest of it */
export function webFile(login: JitsiLogin, domain: string | undefined, guests: boolean): ConfigFile {
  const name = webFileName(domain)
  const values = {
    TOKEN_SERVICE: jsString("Keycloak's address", login.tokenService),
    CLIENT: jsString('--client', login.clientId),
    LOGOUT_URL: jsString("Keycloak's address", login.logoutUrl),
  }
  if (domain === undefined) return { name, template: 'web.js', values }
  const more = {
    AUTH_URL: jsString("Keycloak's address", login.authUrl),
    GUEST_DOMAIN: guests ? jsString('--xmpp-domain', guestDomain(domain)) : ('undefined' as Literal),
  }
  return { name, template: 'web-debian.js', values: { ...values, ...more } }
}

/** Known before a server is asked for what is in it. */
export function webFileName(domain: string | undefined): string {
  return domain === undefined ? 'custom-config.js' : `${domain}-config.js`
}
