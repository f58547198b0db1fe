// How requests get to a server: a CA of one's own and proxies, and an end with the command. Certificates are always verified.
import { Socket } from 'node:net'
import { resolve } from 'node:path'
import { rootCertificates } from 'node:tls'
import type { Pool, buildConnector } from 'undici'
import { KjitsiError, systemCodeOf } from '../errors.ts'
import { readText } from '../files/read.ts'
import type { Io } from '../io.ts'
import { timerOf } from './limit.ts'

/** What a command asks servers with, until it ends. */
export interface Transport {
  readonly fetch: typeof fetch
  /** Ends whatever is still open, connections that never came about too: nothing then keeps the process alive. */
  readonly close: () => Promise<void>
}

/**
 * A `fetch` with a CA of one's own and the proxies of the environment. Node's own knows neither, and gives up connecting
 * after ten seconds, whatever was asked for. undici is loaded with the first request.
 * @param timeout seconds to connect in
 * @throws KjitsiError `usage` where the CA file cannot be read, or a proxy's address is none
 */
export async function openTransport(
  timeout: number,
  caFile: string | undefined,
  { env, cwd }: Pick<Io, 'env' | 'cwd'>,
): Promise<Transport> {
  const proxies = {
    httpProxy: proxyOf(env, 'http_proxy'),
    httpsProxy: proxyOf(env, 'https_proxy'),
    noProxy: (env['no_proxy'] || env['NO_PROXY']) ?? '',
  }
  const extra = env['NODE_EXTRA_CA_CERTS']
  // An agent's `ca` replaces the roots rather than adding to them, those of NODE_EXTRA_CA_CERTS too.
  const ca = caFile && [
    ...rootCertificates,
    // Node itself has warned about a file that cannot be read, and gone on.
    ...(extra ? [await readText(resolve(cwd, extra)).catch(() => '')] : []),
    await readCa(resolve(cwd, caFile)),
  ]
  // A little longer than the limit of the whole request, which says what it is.
  const limit = timerOf(timeout + 1)
  const tls = { timeout: limit, ...(ca ? { ca } : {}) }
  const sockets = new Set<Socket>()
  const load = async () => {
    // CommonJS: bundled, it has its names on the default export only.
    const undici = (await import('undici')).default
    const { EnvHttpProxyAgent, Pool, buildConnector } = undici
    const pool = (origin: string | URL, options: object): Pool => {
      const { connect } = options as { connect: Connector }
      return new Pool(origin, { ...options, connect: tracked(connect, sockets) })
    }
    const agent = new EnvHttpProxyAgent({
      ...proxies,
      // Five minutes by default.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: buildConnector(tls),
      requestTls: tls,
      proxyTls: tls,
      // Without a tunnel for plain http, which many proxies allow to port 443 only.
      proxyTunnel: false,
      factory: pool,
      // Asks the proxy for tunnels, and would wait five minutes for one.
      clientFactory: (origin: URL, options: object) => pool(origin, { ...options, headersTimeout: limit }),
    })
    return { fetch: undici.fetch as unknown as typeof fetch, agent }
  }
  let loaded: ReturnType<typeof load> | undefined
  return {
    async fetch(input, init) {
      loaded ??= load()
      const { fetch, agent } = await loaded
      return fetch(input, { ...init, dispatcher: agent } as unknown as RequestInit)
    },
    async close() {
      if (loaded === undefined) return
      const { agent } = await loaded
      void agent.destroy()
      for (const socket of sockets) socket.destroy()
    },
  }
}

type Connector = buildConnector.connector

/**
 * A connector whose sockets are known from their first moment on, which an agent that is destroyed does not see to, and
 * whose failures are final: a tunnel that the proxy closes has an error that makes undici connect again at once, for ever.
 */
function tracked(connect: Connector, sockets: Set<Socket>): Connector {
  // It returns the socket, which its type does not say.
  const connecting: (...args: Parameters<Connector>) => unknown = connect
  return (options, callback) => {
    const socket = connecting(options, (...[error, connected]) => {
      if (error === null) callback(null, connected)
      else callback(systemCodeOf(error) === 'UND_ERR_SOCKET' ? proxyClosed() : error, null)
    })
    // A tunnel has its own, which is among the sockets of the proxy's pool.
    if (!(socket instanceof Socket)) return
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  }
}

function proxyClosed(): Error {
  return Object.assign(new Error('the proxy closed the connection'), { code: 'UND_ERR_ABORTED' })
}

/** The schemes of proxies that undici knows. */
const PROXY_SCHEMES = ['http:', 'https:', 'socks5:', 'socks:']

/**
 * A proxy's address from the environment, '' where there is none.
 * @throws KjitsiError `usage`, without the value, which may hold a password
 */
function proxyOf(env: Io['env'], lower: 'http_proxy' | 'https_proxy'): string {
  const name = [lower, lower.toUpperCase()].find((one) => env[one])
  const value = name === undefined ? '' : (env[name] ?? '')
  if (name === undefined || isProxy(value)) return value
  throw new KjitsiError('usage', `${name} is not the address of a proxy`, {
    hint: 'write it as http://HOST:PORT, with http://USER:PASSWORD@HOST:PORT where it asks who you are (% as %25, @ as %40)',
  })
}

function isProxy(value: string): boolean {
  try {
    const { protocol, hostname, username, password } = new URL(value)
    decodeURIComponent(username + password)
    return PROXY_SCHEMES.includes(protocol) && hostname !== ''
  } catch {
    return false
  }
}

async function readCa(path: string): Promise<string> {
  const pem = await readText(path, { name: '--ca-file', code: 'usage' })
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) {
    throw new KjitsiError('usage', `--ca-file: ${path} holds no certificate in PEM form`)
  }
  return pem
}
