// The key server in a container: beside docker-jitsi-meet, or in Kubernetes.
import type { Finding } from '../finding.ts'
import { type ConfigFile, type Published, commandLine } from './config-file.ts'
import { isLoopback } from './advice.ts'
import { jitsiFinding } from './findings.ts'
import { type Literal, settingList, shellWords, yamlExpanded, yamlString } from './literals.ts'

/** @param envFile Jitsi's `.env` as it was named */
export function composeFile(published: Published, image: string, envFile: string): ConfigFile {
  const values = {
    ...container(published, image),
    TAG: shellWords('--image', [image]),
    GEN_ENV: commandLine(['gen-env', envFile], published),
  }
  return { name: 'kjitsi.yml', template: 'compose.yml', values }
}

/** A key server, or with `cronjob` a ConfigMap of the keys that a CronJob renews. */
export function kubernetesFile(
  published: Published,
  about: {
    readonly image: string
    readonly namespace: string
    readonly cronjob: boolean
    /** What gen-config helm is told, which takes less than gen-env. */
    readonly toldToHelm: readonly string[]
  },
): ConfigFile {
  const { image, namespace, cronjob, toldToHelm } = about
  const values = {
    ...container(published, image),
    // In a manifest, the name of an image is no place for variables.
    IMAGE: yamlString('--image', image),
    NAMESPACE: yamlString('--namespace', namespace),
    KEYSERVER: shellWords('the key server', [published.keyserver]),
    GEN_HELM: commandLine(['gen-config', 'helm', '.'], { ...published, told: toldToHelm }),
  }
  if (!cronjob) return { name: 'kjitsi.yaml', template: 'kubernetes.yaml', values }
  const more = {
    SHOWN_NAMESPACE: shellWords('--namespace', [namespace]),
    GEN_NGINX: commandLine(['gen-config', 'nginx', '.'], published),
  }
  return { name: 'kjitsi-cronjob.yaml', template: 'kubernetes-cronjob.yaml', values: { ...values, ...more } }
}

/** What is worth a warning about a Keycloak that a container is to ask. */
export function adviseContainer(url: string): readonly Finding[] {
  return isLoopback(url) ? [jitsiFinding('keycloak-loopback', { url })] : []
}

function container(
  { url, realm, allowKeysFrom }: Published,
  image: string,
): Readonly<Record<string, Literal>> {
  return {
    IMAGE: yamlExpanded('--image', image),
    KEYCLOAK_URL: yamlExpanded('--url', url),
    KEYCLOAK_REALM: yamlExpanded('--realm', settingList('--realm', realm)),
    ALLOW_KEYS_FROM: yamlExpanded('--allow-keys-from', allowKeysFrom.join(',')),
  }
}
