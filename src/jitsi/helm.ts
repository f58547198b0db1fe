// The values of jitsi-helm that make its Jitsi accept the tokens.
import { type Facts, envValues } from './config.ts'
import type { ConfigFile } from './config-file.ts'
import { helmString, booleanLiteral } from './literals.ts'

export const HELM_FILE = 'kjitsi-values.yaml'

export function helmFile(facts: Facts): ConfigFile {
  // A chart's values have no earlier ones: the signature type is always named.
  const values = envValues(facts, new Map([['JWT_SIGN_TYPE', facts.signType]]))
  // Empty where nothing has to be loaded.
  const env = new Map([['XMPP_MODULES', ''] as const, ['XMPP_MUC_MODULES', ''] as const, ...values])
  // Members and guests are values of the chart's own, for all of its containers.
  for (const key of ['ENABLE_AUTH', 'ENABLE_GUESTS']) env.delete(key)
  const written = [...env].map(([key, value]) => [key, helmString(key, value)] as const)
  const filled = { ...Object.fromEntries(written), GUESTS: booleanLiteral(facts.guests) }
  return { name: HELM_FILE, template: 'helm-values.yaml', values: filled }
}
