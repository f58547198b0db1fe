// kjitsi gen-config compose [DIR]: the key server beside docker-jitsi-meet.
import { command } from '../../cli/context.ts'
import { JITSI_ENV } from '../../jitsi/public-url.ts'
import { FORCE, PLAN } from '../../settings.ts'
import { IMAGE, KEYS_OF, ONE_JITSI, TOLD, wordsOf } from './settings.ts'
import { DIR, putPublished, targetOf } from './target.ts'

export const compose = command({
  name: 'compose',
  summary: 'run the key server beside docker-jitsi-meet, on its network',
  args: [DIR],
  settings: { ...KEYS_OF, jitsiEnv: ONE_JITSI.jitsiEnv, image: IMAGE, ...TOLD, ...PLAN, force: FORCE },
  examples: [
    [
      'kjitsi gen-config compose . --url https://auth.example.org --realm meet',
      'writes kjitsi.yml, which goes beside docker-compose.yml',
    ],
  ],
  async run(context) {
    const { settings, output } = context
    const { allowKeysFrom, image, jitsiEnv = JITSI_ENV } = settings
    const target = await targetOf(context)
    const { url, realm } = await context.need(['url', 'realm'])
    const { composeFile, adviseContainer } = await import('../../jitsi/containers.ts')
    adviseContainer(url).forEach(output.find)
    const keyserver = 'http://kjitsi:9000/certs'
    const published = { url, realm, allowKeysFrom, keyserver, told: wordsOf(TOLD, settings) }
    return putPublished(context, target, 'compose', keyserver, [composeFile(published, image, jitsiEnv)])
  },
})
