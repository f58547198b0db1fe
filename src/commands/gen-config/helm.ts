// kjitsi gen-config helm [DIR]: what jitsi-helm has to know of the tokens.
import { command } from '../../cli/context.ts'
import { under } from '../../cli/setting.ts'
import { FORCE, KEYCLOAK, KEYSERVER, PLAN } from '../../settings.ts'
import { ISSUER, JITSI_ACCEPTS, NAMESPACE, inCluster } from './settings.ts'
import { DIR, checkFile, put, targetOf } from './target.ts'

export const helm = command({
  name: 'helm',
  summary: 'write the values that have jitsi-helm accept the tokens',
  args: [DIR],
  settings: {
    ...KEYCLOAK,
    ...JITSI_ACCEPTS,
    ...ISSUER,
    ...under('Kubernetes:', {
      namespace: NAMESPACE,
      keyserver: { ...KEYSERVER, unset: 'the one in --namespace' },
    }),
    ...PLAN,
    force: FORCE,
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
    const target = await targetOf(context, settings)
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
