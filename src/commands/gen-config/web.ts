// kjitsi gen-config web [DIR]: what the login needs in the web client's config.js.
import { command } from '../../cli/context.ts'
import { under } from '../../cli/setting.ts'
import { CLIENT, GUESTS, KEYCLOAK, PLAN } from '../../settings.ts'
import { DEBIAN, INTO, ISSUER, JITSI, XMPP_DOMAIN, needJitsi } from './settings.ts'
import { DIR, checkFile, put, targetOf } from './target.ts'

export const web = command({
  name: 'web',
  summary: "write what the login needs into the web client's configuration",
  args: [DIR],
  settings: {
    ...KEYCLOAK,
    client: CLIENT,
    ...ISSUER,
    ...JITSI,
    ...under('Web client:', {
      guests: GUESTS,
      debian: DEBIAN,
      xmppDomain: {
        ...XMPP_DOMAIN,
        help: "with --debian, Jitsi's domain in Prosody",
        unset: 'the host of its address',
      },
      into: INTO,
    }),
    ...PLAN,
  },
  examples: [
    [
      'kjitsi gen-config web --into "$CONFIG/web/custom-config.js" --realm meet',
      'merges it into what docker-jitsi-meet puts at the end of config.js',
    ],
  ],
  async run(context) {
    const { settings, http, output } = context
    const { client, debian, guests, issuer } = settings
    const target = await targetOf(context, settings)
    const { url, realm, origin } = await needJitsi(context, { asksKeycloak: issuer.length === 0 })
    const domain = debian ? (settings.xmppDomain ?? new URL(origin).hostname) : undefined
    const { webFile, webFileName } = await import('../../jitsi/web.ts')
    const name = webFileName(domain)
    await checkFile(target, name, debian ? `/etc/jitsi/meet/${name}` : undefined)
    const { acceptedIssuers } = await import('../../keycloak/accepted.ts')
    const { issuers, findings } = await acceptedIssuers(http, { issuer, url, realm })
    const { loginOf } = await import('../../jitsi/login.ts')
    const login = loginOf(issuers[0] ?? '', client, origin)
    findings.forEach(output.find)
    return put(context, target, 'web', undefined, [webFile(login, domain, guests)])
  },
})
