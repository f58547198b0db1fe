// kjitsi serve-certs: the key server. GET <path>/<sha256(kid)>.pem is what Prosody asks for.
import { resolve } from 'node:path'
import type { LiveSource } from '../certs/refresh.ts'
import { type Context, command } from '../cli/context.ts'
import { plain, port, urlPath } from '../cli/readers.ts'
import { setting, under } from '../cli/setting.ts'
import { duration, pause } from '../duration.ts'
import { SOURCES } from '../cli/resolve.ts'
import { KjitsiError } from '../errors.ts'
import { ALLOW_KEYS_FROM, GRACE, JWKS, KEYCLOAK, LOG, needKeySources } from '../settings.ts'

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
      parse: plain,
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
  }),
  ...under('Server:', {
    host: setting({
      flag: '--host <address>',
      // A Kubernetes service called kjitsi sets KJITSI_PORT, to something else.
      env: 'KJITSI_LISTEN_HOST',
      help: 'address to listen on; in a container 0.0.0.0',
      parse: plain,
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
      parse: plain,
    }),
    tlsKey: setting({
      flag: '--tls-key <path>',
      env: 'KJITSI_TLS_KEY',
      help: 'PEM file of the private key of --tls-cert',
      parse: plain,
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
    const { host, port, path, tlsCert: cert, tlsKey: key, refresh } = settings
    if ((cert === undefined) !== (key === undefined)) {
      throw new KjitsiError('usage', '--tls-cert and --tls-key go together: one of them is missing')
    }
    const { sources, grace } = await sourcesOf(context)
    await runKeyServer({
      sources,
      place: {
        host,
        port,
        tls:
          cert !== undefined && key !== undefined
            ? { cert: resolve(io.cwd, cert), key: resolve(io.cwd, key) }
            : undefined,
      },
      path,
      refresh,
      grace: settings.grace ?? grace,
      signal: io.signal,
      say: (line) => {
        sayLine(output, line)
      },
      onListening: (address) => {
        output.result('key-server', { address, sources: sources.map(({ name }) => name) }, () => '')
        output.log('note', `serving ${address}/<sha256(kid)>.pem`, { address })
      },
      ...(settings.verbose && {
        onAnswer: ({ method = '', url = '' }, status) => {
          output.detail(`${method} ${url.slice(0, LONGEST_SHOWN_URL)} ${status}`)
        },
      }),
    })
    return undefined
  },
})

/** The folder, unless realms or key sets were given more directly than it; else those, read live. */
async function sourcesOf(
  context: Context<typeof SETTINGS>,
): Promise<{ readonly sources: readonly LiveSource[]; readonly grace: number }> {
  const { settings, sources, output, http, io } = context
  const [{ liveSource }, { pemFolder }, { jwksSources, nameOfSource }] = await Promise.all([
    import('../certs/fetch.ts'),
    import('../certs/pem-folder.ts'),
    import('../certs/sources.ts'),
  ])
  const { dir, realm, jwks, cooldown } = settings
  const rank = (key: 'dir' | 'realm' | 'jwks'): number => SOURCES.indexOf(sources[key] ?? 'default')
  const others = [...realm.map((name) => `realm ${name}`), ...jwksSources(jwks, io.cwd).map(nameOfSource)]
  if (dir !== undefined && rank('dir') <= Math.min(rank('realm'), rank('jwks'))) {
    if (others.length > 0) output.log('note', `not read, since there is --dir: ${others.join(', ')}`)
    // Who takes a file out of the folder means it: no grace.
    return { sources: [pemFolder(resolve(io.cwd, dir), cooldown)], grace: 0 }
  }
  if (dir !== undefined) output.log('note', `not read, since there are other sources: ${dir}`)
  const live = await needKeySources(context).catch(orFolder)
  return { sources: live.map((source) => liveSource(http, source, cooldown)), grace: DAY }
}

function orFolder(error: unknown): never {
  if (!(error instanceof KjitsiError) || error.hint === undefined) throw error
  throw new KjitsiError(error.code, error.message, {
    hint: `${error.hint}, or --dir, the folder that export-certs wrote`,
  })
}
