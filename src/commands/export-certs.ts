// kjitsi export-certs DIR: writes the public keys of realms into a folder, one file a key.
import { resolve } from 'node:path'
import { COMMON } from '../cli/common.ts'
import { command } from '../cli/context.ts'
import { flagName, setting, under } from '../cli/setting.ts'
import { pause } from '../duration.ts'
import { KjitsiError } from '../errors.ts'
import { ALLOW_KEYS_FROM, GRACE, JWKS, MAX_AGE, needKeySources } from '../key-settings.ts'
import { KEYCLOAK, LOG, PLAN } from '../settings.ts'

const DAY = 86_400

const SETTINGS = {
  ...KEYCLOAK,
  ...under('Keys:', { jwks: JWKS, allowKeysFrom: ALLOW_KEYS_FROM }),
  ...under('Folder:', {
    prune: setting({
      flag: '--prune',
      env: 'KJITSI_PRUNE',
      help: 'remove the files that kjitsi wrote for keys which have left their key sets',
    }),
    watch: setting({
      flag: '--watch',
      env: 'KJITSI_WATCH',
      help: 'export again at every --interval, until stopped',
    }),
    interval: setting({
      flag: '--interval <duration>',
      env: 'KJITSI_INTERVAL',
      help: 'how often --watch exports, give or take a tenth',
      parse: pause,
      default: '5m',
    }),
    grace: { ...GRACE, unset: '0s, with --watch 24h' },
    maxAge: MAX_AGE,
    log: LOG,
  }),
  ...PLAN,
}

export const exportCerts = command({
  name: 'export-certs',
  summary: "write the realm's public keys as DIR/<sha256(kid)>.pem",
  args: [['<dir>', 'folder for the PEM files; made if missing']],
  settings: SETTINGS,
  examples: [
    ['kjitsi export-certs ./certs --url https://auth.example.org --realm meet', 'writes a file for each key'],
    [
      'kjitsi export-certs ./certs --realm meet --watch --prune',
      'goes on, and removes a key that has been gone for a day',
    ],
  ],
  async run(context) {
    const { args, settings, http, output, io } = context
    const { watch } = settings
    // An unset variable in a script must not become the folder that the script happens to run in.
    if (!args[0])
      throw new KjitsiError('usage', 'DIR is empty', { hint: 'name the folder for the PEM files' })
    const others = { json: COMMON.json, ...PLAN }
    const given = (Object.keys(others) as (keyof typeof others)[]).filter((key) => settings[key])
    const flags = given.map((key) => flagName(others[key]))
    if (watch && flags.length > 0) {
      throw new KjitsiError('usage', `--watch does not go with ${flags.join(', ')}`, {
        hint: '--log json has each line on stderr as a JSON document',
      })
    }
    const sources = await needKeySources(context)
    const { exportFolder, watchFolder } = await import('../certs/export-run.ts')
    const dir = resolve(io.cwd, args[0])
    const grace = settings.grace ?? (watch ? DAY : 0)
    const run = { ...settings, dir, sources, grace, http, output, signal: io.signal }
    if (!watch) return exportFolder(run, settings)
    await watchFolder(run, settings.interval)
    return undefined
  },
})
