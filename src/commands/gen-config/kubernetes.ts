// kjitsi gen-config kubernetes [DIR]: the key server in Kubernetes, or the keys in a ConfigMap.
import { command } from '../../cli/context.ts'
import { setting, under } from '../../cli/setting.ts'
import { readJitsiEnv } from '../../jitsi/public-url.ts'
import { FORCE, PLAN } from '../../settings.ts'
import {
  IMAGE,
  JITSI_ACCEPTS,
  KEYS_OF,
  NAMESPACE,
  ONE_JITSI,
  TOLD,
  inCluster,
  needJitsi,
  wordsOf,
} from './settings.ts'
import { DIR, putPublished, targetOf } from './target.ts'

export const kubernetes = command({
  name: 'kubernetes',
  summary: 'run the key server in Kubernetes, or keep the keys in a ConfigMap',
  args: [DIR],
  settings: {
    ...KEYS_OF,
    ...under('Kubernetes:', {
      namespace: NAMESPACE,
      image: IMAGE,
      cronjob: setting({
        flag: '--cronjob',
        env: 'KJITSI_CRONJOB',
        help: 'keep the keys in a ConfigMap by a CronJob, in place of running a key server',
      }),
    }),
    ...ONE_JITSI,
    ...TOLD,
    ...PLAN,
    force: FORCE,
  },
  examples: [
    ['kjitsi gen-config kubernetes --realm meet | kubectl apply --filename -', 'runs the key server'],
    [
      'kjitsi gen-config kubernetes . --cronjob --jitsi-url meet.example.org',
      "for the web server of jitsi-helm's web pod to serve",
    ],
  ],
  async run(context) {
    const { settings, io, output } = context
    const { allowKeysFrom, cronjob, namespace } = settings
    const target = await targetOf(context)
    const { keysAt } = await import('../../jitsi/nginx.ts')
    const { adviseContainer, kubernetesFile } = await import('../../jitsi/containers.ts')
    const env = cronjob ? await readJitsiEnv(settings.jitsiEnv, io) : undefined
    const { url, realm, origin } = await needJitsi(context, { isAddressed: cronjob })
    const keyserver = env === undefined ? inCluster(namespace) : keysAt(origin, env)
    adviseContainer(url).forEach(output.find)
    const published = { url, realm, allowKeysFrom, keyserver, told: wordsOf(TOLD, settings) }
    const file = kubernetesFile(published, { ...settings, toldToHelm: wordsOf(JITSI_ACCEPTS, settings) })
    return putPublished(context, target, 'kubernetes', keyserver, [file])
  },
})
