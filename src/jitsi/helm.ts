// The values of jitsi-helm that make its Jitsi accept the tokens.
import { type Facts, envValues } from './config.ts'
import type { ConfigFile } from './config-file.ts'
import { helmString, yamlBoolean } from './literals.ts'

export const HELM_FILE = 'kjitsi-values.yaml'

export function helmFile(facts: Facts): ConfigFile {
  // A chart's values have no earlier ones: the signature type is always named.
  const env = new Map([
    // Empty where nothing has to be loaded.
    ...([
      ['XMPP_MODULES', ''],
      ['XMPP_MUC_MODULES', ''],
    ] as const),
    ...envValues(facts, new Map([['JWT_SIGN_TYPE', facts.signType]])),
  ])
  // Members and guests are values of the chart's own, for all of its containers.
  for (const key of ['ENABLE_AUTH', 'ENABLE_GUESTS']) env.delete(key)
  const written = [...env].map(([key, value]) => [key, helmString(key, value)] as const)
  const values = { ...Object.fromEntries(written), GUESTS: yamlBoolean(facts.guests) }
  return { name: HELM_FILE, template: 'helm-values.yaml', values }
}
