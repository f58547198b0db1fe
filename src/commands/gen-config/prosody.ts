// kjitsi gen-config prosody [DIR]: what Prosody is told besides Jitsi's .env.
import { type Context, command } from '../../cli/context.ts'
import { under } from '../../cli/setting.ts'
import { DEBIAN_KEYS } from '../../jitsi/config-file.ts'
import { JITSI_ENV, readJitsiEnv } from '../../jitsi/public-url.ts'
import type { BesideEnv, Said } from '../../prosody/beside-env.ts'
import { KEYCLOAK, KEYS, KEYSERVER, PLAN, ROOM_CLAIM } from '../../settings.ts'
import { DEBIAN, INTO, ISSUER, JITSI, JITSI_ACCEPTS, XMPP_DOMAIN, needJitsi } from './settings.ts'
import { DIR, checkFile, put, targetOf } from './target.ts'

const SETTINGS = {
  ...KEYCLOAK,
  ...JITSI_ACCEPTS,
  ...ISSUER,
  ...under('Jitsi:', {
    ...JITSI,
    keys: KEYS,
    keyserver: { ...KEYSERVER, unset: "what the .env has, with --debian /_api/public at Jitsi's address" },
    roomClaim: ROOM_CLAIM,
    debian: DEBIAN,
    xmppDomain: { ...XMPP_DOMAIN, unset: 'what the .env has, with --debian the host of its address' },
    into: INTO,
  }),
  ...PLAN,
}

export const prosody = command({
  name: 'prosody',
  summary: "write what Prosody is told besides Jitsi's .env; for the Debian packages, all of it",
  args: [DIR],
  settings: SETTINGS,
  examples: [
    [
      'kjitsi gen-config prosody --debian --into HOST.cfg.lua --jitsi-url HOST',
      'merges it into the file of the Debian packages',
    ],
    [
      'kjitsi gen-config prosody "$CONFIG/prosody/config/conf.d" --no-room-claim',
      'for docker-jitsi-meet, what .env has no variable for',
    ],
  ],
  async run(context) {
    const { settings, http, output, io } = context
    const { debian, issuer, jitsiEnv } = settings
    const target = await targetOf(context, settings)
    const wanted = { asksKeycloak: issuer.length === 0, isAddressed: debian }
    const { url, realm, origin } = await needJitsi(context, wanted)
    const { debianProsodyFile, prosodyFile, prosodyFileName } = await import('../../jitsi/prosody.ts')
    const { agreeOnKeys, besideEnv } = await import('../../prosody/beside-env.ts')
    const { acceptedFacts } = await import('../../keycloak/accepted.ts')
    // What `.env` has is the default of what goes beside it; the Debian packages have none.
    const env = debian ? undefined : await readJitsiEnv(jitsiEnv, io)
    const envName = jitsiEnv ?? JITSI_ENV
    const host =
      env === undefined ? debianHost(settings, origin) : besideEnv(saidBesideEnv(context), env, envName)
    const name = prosodyFileName(debian ? host.domain : undefined)
    await checkFile(target, name, debian ? `/etc/prosody/conf.avail/${name}` : undefined)
    const found = await acceptedFacts(
      http,
      { ...settings, url, realm },
      host.keyserver,
      debian ? origin : undefined,
    )
    found.findings.forEach(output.find)
    if (env !== undefined) agreeOnKeys(found.facts, env, envName)
    const file = debian ? debianProsodyFile(host, found.facts) : prosodyFile(host, found.facts)
    return put(context, target, 'prosody', host.keyserver, [file])
  },
})

type Asked = Context<typeof SETTINGS>

function debianHost({ xmppDomain, roomClaim, keyserver }: Asked['settings'], origin: string): BesideEnv {
  return {
    domain: xmppDomain ?? new URL(origin).hostname,
    roomClaim,
    keyserver: keyserver ?? `${origin}${DEBIAN_KEYS}`,
    keySet: undefined,
  }
}

function saidBesideEnv({ settings, sources }: Asked): Said {
  const { xmppDomain, roomClaim, keyserver } = settings
  return {
    // XMPP_DOMAIN is a name of Jitsi's own: the settings file has it as Jitsi's `.env`, and --jitsi-env may name another one.
    xmppDomain: sources.xmppDomain === 'settings file' ? undefined : xmppDomain,
    roomClaim: sources.roomClaim === 'default' ? undefined : roomClaim,
    keyserver,
  }
}
