// kjitsi gen-config helm [DIR]: what jitsi-helm has to know of the tokens.
import { command } from '../../cli/context.ts'
import { setting } from '../../cli/setting.ts'
import { ACCEPTED, KEYCLOAK, KEYSERVER, PLAN } from '../../settings.ts'
import { JITSI_ACCEPTS, NAMESPACE, inCluster } from './settings.ts'
import { DIR, checkFile, put, targetOf } from './target.ts'

export const helm = command({
  name: 'helm',
  summary: 'write the values that have jitsi-helm accept the tokens',
  args: [DIR],
  settings: {
    ...KEYCLOAK,
    issuer: ACCEPTED.issuer,
    ...JITSI_ACCEPTS,
    namespace: NAMESPACE,
    keyserver: setting({ ...KEYSERVER, unset: 'the key server of gen-config kubernetes' }),
    ...PLAN,
  },
  examples: [
    [
      'kjitsi gen-config helm . --url https://auth.example.org --realm meet',
      'writes kjitsi-values.yaml, for helm upgrade --values',
    ],
  ],
  async run(context) {
    const { settings, http, output } = context
    const { issuer, keyserver = inCluster(settings.namespace) } = settings
    const target = await targetOf(context)
    const { url = '', realm = [] } = await context.need([
      ...(issuer.length === 0 ? (['url', 'realm'] as const) : []),
    ])
    const { HELM_FILE, helmFile } = await import('../../jitsi/helm.ts')
    const { acceptedFacts } = await import('../../keycloak/accepted.ts')
    await checkFile(target, HELM_FILE)
    const { facts, findings } = await acceptedFacts(http, { ...settings, url, realm }, keyserver)
    findings.forEach(output.find)
    return put(context, target, 'helm', keyserver, [helmFile(facts)])
  },
})
