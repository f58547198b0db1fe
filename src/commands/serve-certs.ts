// kjitsi serve-certs: the key server. GET <path>/<sha256(kid)>.pem is what Prosody asks for.
import { resolve } from 'node:path'
import { runKeyServer } from '../certs/key-server.ts'
import { liveSource } from '../certs/live.ts'
import type { Line } from '../certs/news.ts'
import { pemFolder } from '../certs/pem-folder.ts'
import type { Source } from '../certs/refresh.ts'
import { WAYS, jwksSources, keySources, nameOfSource } from '../certs/sources.ts'
import type { Context, Run } from '../cli/context.ts'
import { KjitsiError } from '../errors.ts'
import type { Output } from '../cli/output.ts'

type SourceKeys = 'url' | 'realm' | 'jwks' | 'allowKeysFrom' | 'dir' | 'cooldown'
type Keys = SourceKeys | 'host' | 'port' | 'path' | 'tlsCert' | 'tlsKey' | 'refresh' | 'grace' | 'log'

const DAY = 86_400
const LONGEST_SHOWN_URL = 200

export const run: Run<Keys> = async (context) => {
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
}

/** The folder, unless realms or key sets were given more directly than it; else those, read live. */
async function sourcesOf(
  context: Context<SourceKeys>,
): Promise<{ readonly sources: readonly Source[]; readonly grace: number }> {
  const { settings, sources, output, http, io } = context
  const { dir, realm, jwks, cooldown } = settings
  const rank = (key: SourceKeys): number => WAYS.indexOf(sources[key] ?? 'default')
  const others = [...realm.map((name) => `realm ${name}`), ...jwksSources(jwks, io.cwd).map(nameOfSource)]
  if (dir !== undefined && rank('dir') <= Math.min(rank('realm'), rank('jwks'))) {
    if (others.length > 0) output.log('note', `not read, since there is --dir: ${others.join(', ')}`)
    // Who takes a file out of the folder means it: no grace.
    return { sources: [pemFolder(resolve(io.cwd, dir), cooldown)], grace: 0 }
  }
  if (dir !== undefined) output.log('note', `not read, since there are other sources: ${dir}`)
  // A source that fails is asked again in any case, and nobody looks at a progress line here.
  const quiet = { ...http, wait: 0, onRetry: () => undefined }
  const live = await keySources(context).catch(orFolder)
  return { sources: live.map((source) => liveSource(quiet, source, cooldown)), grace: DAY }
}

function orFolder(error: unknown): never {
  if (!(error instanceof KjitsiError) || error.hint === undefined) throw error
  throw new KjitsiError(error.code, error.message, {
    hint: `${error.hint}, or --dir, the folder that export-certs wrote`,
  })
}

function sayLine(output: Output, line: Line): void {
  if (typeof line === 'string') output.log('note', line)
  else output.log(line.level, line.message, { fix: line.fix, code: line.code, args: line.args })
}
