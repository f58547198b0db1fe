// The files of Jitsi's web client and of Prosody that `.env` cannot be, from the same facts as `.env`.
import { type Facts, keySet } from './config.ts'
import type { ConfigFile, Place } from './config-file.ts'
import { type Literal, jsString, luaBoolean, luaList, luaNames, luaString } from './literals.ts'
import { moderationOf } from './moderation.ts'
import { type Section, moduleFindings, refuseOptions } from '../prosody/modules.ts'

/** Lines for the end of the web client's config.js. */
export function web(place: Place, { login, guests }: Facts): readonly ConfigFile[] {
  const { debian, domain } = place
  if (login === undefined) throw new Error('the web client has no login')
  const values = {
    TOKEN_SERVICE: jsString("Keycloak's address", login.tokenService),
    CLIENT: jsString('--client', login.clientId),
    LOGOUT_URL: jsString("Keycloak's address", login.logoutUrl),
  }
  if (!debian) return [{ name: webFile(place), template: 'web.js', values }]
  const more = {
    AUTH_URL: jsString("Keycloak's address", login.authUrl),
    GUEST_DOMAIN: guests ? jsString('--xmpp-domain', guestDomain(domain)) : UNDEFINED,
  }
  return [{ name: webFile(place), template: 'web-debian.js', values: { ...values, ...more } }]
}

export function webFile({ debian, domain }: Place): string {
  return debian ? `${domain}-config.js` : 'custom-config.js'
}

export function prosodyFile({ debian, domain }: Place): string {
  return debian ? `${domain}.cfg.lua` : 'zz-kjitsi.cfg.lua'
}

/** What Prosody is told besides `.env`; all of it, where there is no `.env`. */
export function prosody(place: Place, facts: Facts): readonly ConfigFile[] {
  const { debian, domain, roomClaim } = place
  const url = keySet(facts) ?? place.keySet
  const values = {
    DOMAIN: luaString('--xmpp-domain', domain),
    KEY_SET: url === undefined ? NIL : luaString('cache_keys_url', url),
    ROOM_CLAIM: luaBoolean(roomClaim),
  }
  if (!debian) return [{ name: prosodyFile(place), template: 'prosody.cfg.lua', values }]
  const { sections, ...moderation } = debianModeration(domain, facts)
  return [
    {
      name: prosodyFile(place),
      template: 'prosody-debian.cfg.lua',
      values: { ...values, ...moderation, ...debianTokens(domain, facts) },
      refuse: (text, file) => {
        const { keys = 'pem' } = facts
        const unused = { pem: ['cache_keys_url'], jwks: ['asap_key_server'], both: [] }[keys]
        refuseOptions(text, { host: domain, options: unused, unused: `--keys ${keys}` }, file)
      },
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
    AUDIENCES: luaList('--accept-audience', audiences),
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
