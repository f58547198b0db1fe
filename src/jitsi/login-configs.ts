// The files of Jitsi's web client and of Prosody that `.env` cannot be, from the same facts as `.env`.
import { type Facts, keySet } from './config.ts'
import type { ConfigFile, Place } from './configs.ts'
import { type Literal, jsString, luaBoolean, luaList, luaNames, luaString } from './literals.ts'
import { moderationOf } from './moderation.ts'
import { type Section, moduleFindings } from './prosody-modules.ts'

/** Lines for the end of the web client's config.js. */
export function web({ debian, domain }: Place, { login, guests }: Facts): readonly ConfigFile[] {
  if (login === undefined) throw new Error('the web client has no login')
  const values = {
    TOKEN_SERVICE: jsString("Keycloak's address", login.tokenService),
    CLIENT: jsString('--client', login.clientId),
    LOGOUT_URL: jsString("Keycloak's address", login.logoutUrl),
  }
  if (!debian) return [{ name: 'custom-config.js', template: 'web.js', values }]
  const more = {
    AUTH_URL: jsString("Keycloak's address", login.authUrl),
    GUEST_DOMAIN: guests ? jsString('--xmpp-domain', guestDomain(domain)) : UNDEFINED,
  }
  return [{ name: `${domain}-config.js`, template: 'web-debian.js', values: { ...values, ...more } }]
}

/** What Prosody is told besides `.env`; all of it, where there is no `.env`. */
export function prosody(place: Place, facts: Facts): readonly ConfigFile[] {
  const { debian, domain, roomClaim } = place
  const url = keySet(facts)
  const values = {
    DOMAIN: luaString('--xmpp-domain', domain),
    KEY_SET: url === undefined ? NIL : luaString('cache_keys_url', url),
    ROOM_CLAIM: luaBoolean(roomClaim),
  }
  if (!debian) return [{ name: 'zz-kjitsi.cfg.lua', template: 'prosody.cfg.lua', values }]
  const { sections, ...moderation } = debianModeration(domain, facts)
  const name = `${domain}.cfg.lua`
  return [
    {
      name,
      template: 'prosody-debian.cfg.lua',
      values: { ...values, ...moderation, ...debianTokens(domain, facts) },
      advise: (text, file) => moduleFindings(text, sections, file),
    },
  ]
}

function debianTokens(domain: string, facts: Facts): Readonly<Record<string, Literal>> {
  const { appId, issuers, audiences, signType, keys, keyserver, guests } = facts
  return {
    GUEST_DOMAIN: luaString('--xmpp-domain', guestDomain(domain)),
    APP_ID: luaString('--app-id', appId),
    ISSUERS: luaList('--issuer', issuers),
    AUDIENCES: luaList('--audience', audiences),
    SIGN_TYPE: luaString('--sign-type', signType),
    KEYSERVER: keys === 'jwks' ? NIL : luaString('--keyserver', keyserver),
    GUESTS: luaBoolean(guests),
  }
}

function debianModeration(domain: string, { moderators, guests }: Facts) {
  const { hostsAreOwners, autoOwner, modules, mucModules, mucModulesNot } = moderationOf(moderators, guests)
  const muc = `conference.${domain}`
  // The Debian packages have it as a comment only; without it, nobody looks at a token's room.
  const all = ['token_verification', ...mucModules]
  const sections: readonly Section[] = [
    { host: domain, modules, modulesNot: [] },
    { host: muc, modules: all, modulesNot: mucModulesNot },
  ]
  return {
    MUC_DOMAIN: luaString('--xmpp-domain', muc),
    NO_AUTO_OWNERS: luaBoolean(!hostsAreOwners),
    AUTO_OWNER: luaBoolean(autoOwner),
    MODULES: luaNames(modules),
    MUC_MODULES: luaNames(all),
    MODULES_NOT: luaNames(mucModulesNot),
    sections,
  }
}

function guestDomain(domain: string): string {
  return `guest.${domain}`
}

const NIL = 'nil' as Literal
const UNDEFINED = 'undefined' as Literal
