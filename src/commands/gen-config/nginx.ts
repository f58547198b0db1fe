// kjitsi gen-config nginx [DIR]: Jitsi's own web server serves the keys.
import { command } from '../../cli/context.ts'
import { under } from '../../cli/setting.ts'
import { JITSI_ENV, readJitsiEnv } from '../../jitsi/public-url.ts'
import { FORCE, KEYSERVER, PLAN } from '../../settings.ts'
import { DEBIAN, JITSI, KEYS_OF, TOLD, needJitsi, wordsOf } from './settings.ts'
import { DIR, putPublished, targetOf } from './target.ts'

export const nginx = command({
  name: 'nginx',
  summary: "have Jitsi's own web server serve the keys",
  args: [DIR],
  settings: {
    ...KEYS_OF,
    ...under('Jitsi:', {
      ...JITSI,
      debian: DEBIAN,
      keyserver: {
        ...KEYSERVER,
        unset: "what the .env has if it is Jitsi's, else /kjitsi-keys there; with --debian /_api/public",
      },
    }),
    ...TOLD,
    ...PLAN,
    force: FORCE,
  },
  examples: [
    [
      'kjitsi gen-config nginx --realm meet --jitsi-url https://meet.example.org',
      'prints what makes the nginx of docker-jitsi-meet serve them',
    ],
    [
      'kjitsi gen-config nginx "$CONFIG/web/nginx-custom" --realm meet',
      'writes it where that nginx reads it',
    ],
  ],
  async run(context) {
    const { settings, io } = context
    const { allowKeysFrom, debian, jitsiEnv } = settings
    const target = await targetOf(context, settings)
    const { keysAt, nginxFile } = await import('../../jitsi/nginx.ts')
    const env = debian ? undefined : await readJitsiEnv(jitsiEnv, io)
    const isAddressed = settings.keyserver === undefined
    const { url, realm, origin } = await needJitsi(context, { isAddressed })
    const { keyserver = keysAt(origin, env) } = settings
    const published = { url, realm, allowKeysFrom, keyserver, told: wordsOf(TOLD, settings) }
    return putPublished(context, target, 'nginx', keyserver, [
      nginxFile(published, jitsiEnv ?? JITSI_ENV, env),
    ])
  },
})
