// kjitsi serve-certs: the key server. GET <path>/<sha256(kid)>.pem is what Prosody asks for.
import { resolve } from 'node:path'
import type { KeyServerOptions } from '../certs/serve.ts'
import type { KeySource } from '../certs/sources.ts'
import { type Context, command } from '../cli/context.ts'
import { oneOf, port, urlPath } from '../cli/readers.ts'
import { setting, under } from '../cli/setting.ts'
import { duration, pause } from '../duration.ts'
import { KjitsiError } from '../errors.ts'
import { ALLOW_KEYS_FROM, GRACE, JWKS, MAX_AGE, needKeySources, rankOf } from '../key-settings.ts'
import { KEYCLOAK, LOG } from '../settings.ts'

const DAY = 86_400
const LONGEST_SHOWN_URL = 200

const SETTINGS = {
  ...KEYCLOAK,
  ...under('Keys:', {
    jwks: JWKS,
    allowKeysFrom: ALLOW_KEYS_FROM,
    dir: setting({
      flag: '--dir <folder>',
      env: 'KJITSI_DIR',
      help: 'serve the files that export-certs wrote there, in place of asking Keycloak',
    }),
    refresh: setting({
      flag: '--refresh <duration>',
      env: 'KJITSI_REFRESH',
      help: 'how often the key sets are read',
      parse: pause,
      default: '5m',
    }),
    cooldown: setting({
      flag: '--cooldown <duration>',
      env: 'KJITSI_COOLDOWN',
      help: 'shortest time between two readings for unknown keys',
      parse: duration,
      default: '30s',
    }),
    grace: { ...GRACE, unset: '24h, with --dir 0s' },
    maxAge: MAX_AGE,
    keep: setting({
      flag: '--keep <folder>',
      env: 'KJITSI_KEEP_DIR',
      help: 'folder that keeps the last good keys for a restart while Keycloak is down',
    }),
  }),
  ...under('Server:', {
    host: setting({
      flag: '--host <address>',
      // A Kubernetes service called kjitsi sets KJITSI_PORT, to something else.
      env: 'KJITSI_LISTEN_HOST',
      help: 'address to listen on; in a container 0.0.0.0',
      default: '127.0.0.1',
    }),
    port: setting({
      flag: '--port <number>',
      env: 'KJITSI_LISTEN_PORT',
      help: 'port to listen on',
      parse: port,
      default: '9000',
    }),
    path: setting({
      flag: '--path <path>',
      env: 'KJITSI_LISTEN_PATH',
      help: 'path of the keys, at the end of JWT_ASAP_KEYSERVER',
      parse: urlPath,
      default: '/certs',
    }),
    tlsCert: setting({
      flag: '--tls-cert <path>',
      env: 'KJITSI_TLS_CERT',
      help: 'PEM file of the certificate chain to serve https with',
    }),
    tlsKey: setting({
      flag: '--tls-key <path>',
      env: 'KJITSI_TLS_KEY',
      help: 'PEM file of the private key of --tls-cert',
    }),
    adminPort: setting({
      flag: '--admin-port <number>',
      env: 'KJITSI_ADMIN_PORT',
      help: '/healthz, /readyz and /metrics on a port of their own',
      parse: port,
    }),
    ready: setting({
      flag: '--ready <which>',
      env: 'KJITSI_READY',
      help: '/readyz is 200 once all sources have answered, or any',
      parse: oneOf('all', 'any'),
      default: 'all',
    }),
    drain: setting({
      flag: '--drain <duration>',
      env: 'KJITSI_DRAIN',
      help: 'go on serving this long after SIGTERM; /readyz is 503 already',
      parse: duration,
      default: '0s',
    }),
    log: LOG,
  }),
}

export const serveCerts = command({
  name: 'serve-certs',
  summary: "serve the realm's public keys as GET /certs/<sha256(kid)>.pem",
  args: [],
  settings: SETTINGS,
  examples: [
    [
      'kjitsi serve-certs --url https://auth.example.org --realm meet',
      'serves http://127.0.0.1:9000/certs/<sha256(kid)>.pem',
    ],
    [
      'kjitsi serve-certs --dir ./certs --host 0.0.0.0',
      'serves what export-certs wrote, to other machines too',
    ],
  ],
  async run(context) {
    const [{ runKeyServer }, { sayLine }] = await Promise.all([
      import('../certs/serve.ts'),
      import('../certs/log.ts'),
    ])
    const { settings, output, io } = context
    const { host, port, tlsCert: cert, tlsKey: key, keep, drain } = settings
    if ((cert === undefined) !== (key === undefined)) {
      throw new KjitsiError('usage', '--tls-cert and --tls-key go together: one of them is missing')
    }
    const tls = cert && key ? { cert: resolve(io.cwd, cert), key: resolve(io.cwd, key) } : undefined
    const { sources, places, grace } = await sourcesOf(context)
    const kept = keep === undefined ? undefined : await keepIn(context, keep, places, grace)
    io.needToEnd?.(drain)
    await runKeyServer({
      ...settings,
      sources,
      place: { host, port, tls },
      readyWith: settings.ready,
      kept,
      onReload: io.onHangup,
      grace,
      signal: io.signal,
      say: (line) => {
        sayLine(output, line)
      },
      onListening: (address, admin) => {
        output.result('key-server', { address, admin, sources: sources.map(({ name }) => name) }, () => '')
        output.log('note', `serving ${address}/<sha256(kid)>.pem`, { address })
        if (!address.startsWith(admin)) output.log('note', `health and metrics at ${admin}`, { admin })
      },
      ...(settings.verbose && {
        onAnswer: (status, { method = '', url = '' }) => {
          output.detail(`${method} ${url.slice(0, LONGEST_SHOWN_URL)} ${status}`)
        },
      }),
    })
  },
})

/**
 * The folder, unless realms or key sets were given more directly than it; else those, asked again and again.
 * @returns with where the keys come from, none for a folder, and the grace in seconds
 * @throws KjitsiError `usage` where there are none and nobody can be asked
 */
async function sourcesOf(context: Context<typeof SETTINGS>) {
  const { settings, output, http, io } = context
  const [{ liveSource }, { pemFolder }, { jwksSources, nameOfSource }] = await Promise.all([
    import('../certs/fetch.ts'),
    import('../certs/folder.ts'),
    import('../certs/sources.ts'),
  ])
  const { dir, realm, jwks, cooldown, grace } = settings
  const byOthers = Math.min(rankOf(context, 'realm'), rankOf(context, 'jwks'))
  const others = [...realm.map((name) => `realm ${name}`), ...jwksSources(jwks, io.cwd).map(nameOfSource)]
  if (dir !== undefined && rankOf(context, 'dir') <= byOthers) {
    if (others.length > 0) output.log('note', `not read, since there is --dir: ${others.join(', ')}`)
    // Who takes a file out of the folder means it: no grace.
    return { sources: [pemFolder(resolve(io.cwd, dir), cooldown)], places: [], grace: grace ?? 0 }
  }
  if (dir !== undefined) output.log('note', `not read, since there are other sources: ${dir}`)
  const live = await needKeySources(context, ', or --dir, the folder that export-certs wrote')
  const asked = live.map((source) => liveSource(http, source, cooldown))
  return { sources: asked, places: live, grace: grace ?? DAY }
}

/** @throws KjitsiError `usage` where the keys come from a folder already; `file` */
async function keepIn(
  { settings, http, output, io }: Context<typeof SETTINGS>,
  keep: string,
  sources: readonly KeySource[],
  grace: number,
): Promise<KeyServerOptions['kept']> {
  if (sources.length === 0) {
    throw new KjitsiError('usage', '--keep does not go with --dir: that folder is kept already', {
      hint: 'leave --keep out',
    })
  }
  const { readKept, startFolder } = await import('../certs/export-run.ts')
  const dir = resolve(io.cwd, keep)
  const run = { ...settings, dir, sources, prune: true, grace, http, output, signal: io.signal }
  return { remembered: await readKept(dir, sources), folder: startFolder(run, settings.refresh) }
}
