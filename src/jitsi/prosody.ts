// What Prosody is told besides `.env`; for the Debian packages, which have none, all of it.
import type { BesideEnv } from '../prosody/beside-env.ts'
import { type Section, adviseModules, refuseOptions } from '../prosody/modules.ts'
import { type Facts, keySet } from './config.ts'
import { type ConfigFile, guestDomain } from './config-file.ts'
import { type Literal, luaList, luaNames, luaString, booleanLiteral } from './literals.ts'
import { moderationOf } from './moderation.ts'

/** Known before a server is asked for what is in it; `domain` for the Debian packages. */
export function prosodyFileName(domain: string | undefined): string {
  return domain === undefined ? 'zz-kjitsi.cfg.lua' : `${domain}.cfg.lua`
}

type Host = Omit<BesideEnv, 'keyserver'>
type Values = Readonly<Record<string, Literal>>

export function prosodyFile(host: Host, facts: Facts): ConfigFile {
  return { name: prosodyFileName(undefined), template: 'prosody.cfg.lua', values: hostValues(host, facts) }
}

export function debianProsodyFile(host: Host, facts: Facts): ConfigFile {
  const { domain } = host
  const { sections, ...moderation } = moderationValues(domain, facts)
  return {
    name: prosodyFileName(domain),
    template: 'prosody-debian.cfg.lua',
    values: { ...hostValues(host, facts), ...moderation, ...tokenValues(domain, facts) },
    refuse: (text, file) => {
      const { keys = 'pem' } = facts
      const unused = { pem: ['cache_keys_url'], jwks: ['asap_key_server'], both: [] }[keys]
      refuseOptions(text, { host: domain, options: unused, unused: `--keys ${keys}` }, file)
    },
    advise: (text, file) => adviseModules(text, sections, file),
  }
}

function hostValues({ domain, roomClaim, keySet: before }: Host, facts: Facts): Values {
  const url = keySet(facts) ?? before
  return {
    DOMAIN: luaString('--xmpp-domain', domain),
    KEY_SET: url === undefined ? NIL : luaString('cache_keys_url', url),
    ROOM_CLAIM: booleanLiteral(roomClaim),
  }
}

function tokenValues(domain: string, facts: Facts): Values {
  const { appId, issuers, audiences, signType, keys, keyserver, guests } = facts
  return {
    GUEST_DOMAIN: luaString('--xmpp-domain', guestDomain(domain)),
    APP_ID: luaString('--app-id', appId),
    ISSUERS: luaList('--issuer', issuers),
    AUDIENCES: luaList('--accept-audience', audiences),
    SIGN_TYPE: luaString('--sign-type', signType),
    KEYSERVER: keys === 'jwks' ? NIL : luaString('--keyserver', keyserver),
    GUESTS: booleanLiteral(guests),
  }
}

function moderationValues(domain: string, { moderators, guests }: Facts) {
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
    NO_AUTO_OWNERS: booleanLiteral(!hostsAreOwners),
    AUTO_OWNER: booleanLiteral(autoOwner),
    MODULES: luaNames(modules),
    MUC_MODULES: luaNames(all),
    MODULES_NOT: luaNames(mucModulesNot),
    sections,
  }
}

const NIL = 'nil' as Literal
