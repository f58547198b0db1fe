// kjitsi gen-config systemd [DIR]: the units of the key server, and of an export every 5 minutes.
import { resolve } from 'node:path'
import { command } from '../../cli/context.ts'
import { plain } from '../../cli/readers.ts'
import { setting } from '../../cli/setting.ts'
import { FORCE, PLAN } from '../../settings.ts'
import { KEYS_OF } from './settings.ts'
import { DIR, putPublished, targetOf } from './target.ts'

export const systemd = command({
  name: 'systemd',
  summary: 'write the units of the key server, and of an export every 5 minutes',
  args: [DIR],
  settings: {
    ...KEYS_OF,
    keysDir: setting({
      flag: '--keys-dir <path>',
      env: 'KJITSI_KEYS_DIR',
      help: 'folder for the exported keys, such as the Debian packages serve',
      parse: plain,
      default: '/etc/jitsi/meet/public',
    }),
    ...PLAN,
    force: FORCE,
  },
  examples: [
    [
      'kjitsi gen-config systemd /etc/systemd/system --realm meet',
      'writes both, of which one is to be enabled',
    ],
  ],
  async run(context) {
    const { settings, io } = context
    const { allowKeysFrom, keysDir } = settings
    const target = await targetOf(context, settings)
    const { url, realm } = await context.need(['url', 'realm'])
    const { systemdFiles } = await import('../../jitsi/systemd.ts')
    const files = systemdFiles({ url, realm, allowKeysFrom }, resolve(io.cwd, keysDir))
    return putPublished(context, target, 'systemd', 'http://127.0.0.1:9000/certs', files)
  },
})
