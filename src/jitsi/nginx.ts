// What has Jitsi's own web server serve the keys.
import { KjitsiError } from '../errors.ts'
import { type ConfigFile, DEBIAN_KEYS, type Published, commandLine, sourceWords } from './config-file.ts'
import { type Literal, luaString, nginxString, shellFolder, shellWords } from './literals.ts'
import { urlOf } from '../url.ts'

/**
 * Where that server has the keys: for the Debian packages where theirs serves a folder; else where `.env` has Prosody ask for
 * them already, if that is there (`web` is its name among the containers), or at a path of ours.
 * @param env what compose reads from it; undefined for the Debian packages
 */
export function keysAt(origin: string, env: ReadonlyMap<string, string> | undefined): string {
  if (env === undefined) return `${origin}${DEBIAN_KEYS}`
  const asked = (env.get('JWT_ASAP_KEYSERVER') ?? '').replace(/\/+$/, '')
  const url = urlOf(asked)
  const isJitsi = url !== undefined && (url.origin === origin || url.hostname === 'web')
  return isJitsi && url.pathname !== '/' ? asked : `${origin}/kjitsi-keys`
}

/**
 * @param envFile Jitsi's `.env` as it was named
 * @param env what compose reads from it; undefined for the Debian packages
 */
export function nginxFile(
  published: Published,
  envFile: string,
  env: ReadonlyMap<string, string> | undefined,
): ConfigFile {
  const { keyserver, allowKeysFrom } = published
  const allowed = allowKeysFrom.flatMap((host) => ['--allow-keys-from', host])
  const exported = { KEY_OPTIONS: shellWords('--url or --realm', [...sourceWords(published), ...allowed]) }
  const name = 'kjitsi.conf'
  if (env === undefined)
    return { name, template: 'nginx-debian.conf', values: { ...exported, ...debian(keyserver) } }
  const values = {
    ...exported,
    LOCATION: nginxString("the key server's path", `${pathOf(keyserver)}/`),
    KEYSERVER: shellWords('--keyserver', [keyserver]),
    CONFIG: shellFolder('CONFIG', env.get('CONFIG') || '~/.jitsi-meet-cfg'),
    GEN_ENV: commandLine(['gen-env', envFile], published),
  }
  return { name, template: 'nginx.conf', values }
}

function debian(keyserver: string): Readonly<Record<string, Literal>> {
  if (!keyserver.endsWith(DEBIAN_KEYS)) {
    const message = `--keyserver ${keyserver} does not end in ${DEBIAN_KEYS}, where the Debian packages serve their folder`
    throw new KjitsiError('usage', message, { hint: 'leave --keyserver out, and give --jitsi-url' })
  }
  return {
    PUBLIC: shellWords('the key server', [keyserver]),
    KEYSERVER: luaString('the key server', keyserver),
  }
}

/** The path of an address as nginx compares it: decoded, in one form only. */
function pathOf(keyserver: string): string {
  const { pathname } = new URL(keyserver)
  let path: string
  try {
    path = decodeURIComponent(pathname)
  } catch {
    throw new KjitsiError('usage', `the path of --keyserver ${keyserver} is no UTF-8`)
  }
  if (/^\/+$/.test(path)) {
    const hint = `give one, such as ${new URL('/kjitsi-keys', keyserver).href}`
    throw new KjitsiError(
      'usage',
      `--keyserver ${keyserver} has no path: the keys would take the place of Jitsi`,
      { hint },
    )
  }
  // Once decoded, nginx takes these for other paths, and the location would never be asked for.
  if (/\/\/|\/\.{1,2}(?:\/|$)/.test(path)) {
    throw new KjitsiError('usage', `--keyserver ${keyserver} has an empty part, . or .. in its path`)
  }
  return path
}
