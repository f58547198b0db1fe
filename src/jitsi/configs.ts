// The files around Jitsi's .env, which publish the keys, or name them and the login to Jitsi: THE table of their kinds, each from facts to files.
import packageJson from '../../package.json' with { type: 'json' }
import { KjitsiError } from '../errors.ts'
import { type ConfigFile, type Keycloak, type Place, TOLD, TOLD_TO_HELM } from './config-file.ts'
import { type Facts, envValues } from './config.ts'
import {
  type Literal,
  helmString,
  luaString,
  nginxString,
  settingList,
  shellFolder,
  shellWords,
  unitArgument,
  unitAssignment,
  unitPath,
  yamlBoolean,
  yamlExpanded,
  yamlString,
} from './literals.ts'
import { prosody, prosodyFile, web, webFile } from './login-configs.ts'

interface About {
  /** The settings that it reads; any other that is given is a mistake. */
  readonly settings: readonly string[]
  /** Where Prosody finds the keys, without --keyserver: an address, or a path at Jitsi's own; empty where it is not said. */
  readonly keys: (place: Pick<Place, 'debian' | 'cronjob' | 'namespace'>) => string
  /** Settings that it cannot do without, besides those that find Keycloak and the keys. */
  readonly needs: (debian: boolean) => readonly 'jitsiUrls'[]
  /** What it makes is read beside Jitsi's `.env`, and has to agree with it. */
  readonly besideEnv?: (debian: boolean) => boolean
  /** Whether it goes by more of Jitsi's `.env` than its address. */
  readonly readsEnv: (place: Pick<Place, 'debian' | 'cronjob'>) => boolean
  /** What it makes runs in a container, where localhost is the container itself. */
  readonly inContainer: boolean
}

/** What a kind is made from: where Keycloak is, or the facts of a Jitsi that accepts its tokens. */
export type Kind = About &
  (
    | {
        readonly from: 'keycloak'
        readonly files: (place: Place, keycloak: Keycloak) => readonly ConfigFile[]
      }
    | {
        readonly from: 'facts'
        /** Of its one file, known before a server is asked for what is in it. */
        readonly file: (place: Place) => string
        readonly files: (place: Place, facts: Facts) => readonly ConfigFile[]
      }
  )

const HELM_FILE = 'kjitsi-values.yaml'
const ADDRESS = ['jitsiUrls', 'jitsiEnv'] as const

export const KINDS: Readonly<Record<string, Kind>> = {
  nginx: {
    settings: ['url', 'realm', 'allowKeysFrom', ...TOLD, ...ADDRESS, 'keyserver', 'debian'],
    keys: ({ debian }) => (debian ? '/_api/public' : '/kjitsi-keys'),
    needs: nothing,
    readsEnv: ({ debian }) => !debian,
    inContainer: false,
    from: 'keycloak',
    files: nginx,
  },
  systemd: {
    settings: ['url', 'realm', 'allowKeysFrom', 'keysDir'],
    keys: () => 'http://127.0.0.1:9000/certs',
    needs: nothing,
    readsEnv: no,
    inContainer: false,
    from: 'keycloak',
    files: systemd,
  },
  compose: {
    settings: ['url', 'realm', 'allowKeysFrom', ...TOLD, 'jitsiEnv', 'image'],
    keys: () => 'http://kjitsi:9000/certs',
    needs: nothing,
    readsEnv: no,
    inContainer: true,
    from: 'keycloak',
    files: compose,
  },
  kubernetes: {
    settings: ['url', 'realm', 'allowKeysFrom', ...TOLD, 'image', 'namespace', 'cronjob', ...ADDRESS],
    keys: (place) => (place.cronjob ? '/kjitsi-keys' : inCluster(place)),
    needs: nothing,
    readsEnv: ({ cronjob }) => cronjob,
    inContainer: true,
    from: 'keycloak',
    files: kubernetes,
  },
  helm: {
    settings: ['url', 'realm', 'issuer', ...TOLD_TO_HELM, 'namespace', 'keyserver'],
    keys: inCluster,
    needs: nothing,
    readsEnv: no,
    inContainer: false,
    from: 'facts',
    file: () => HELM_FILE,
    files: helm,
  },
  web: {
    settings: ['url', 'realm', 'issuer', 'client', 'guests', 'debian', 'xmppDomain', ...ADDRESS, 'into'],
    keys: () => '',
    needs: () => ['jitsiUrls'],
    readsEnv: no,
    inContainer: false,
    from: 'facts',
    file: webFile,
    files: web,
  },
  prosody: {
    settings: [
      ...(['url', 'realm', 'issuer', ...TOLD] as const),
      ...(['roomClaim', 'keyserver', 'debian', 'xmppDomain', ...ADDRESS, 'into'] as const),
    ],
    keys: ({ debian }) => (debian ? '/_api/public' : ''),
    needs: (debian) => (debian ? ['jitsiUrls'] : []),
    besideEnv: (debian) => !debian,
    readsEnv: no,
    inContainer: false,
    from: 'facts',
    file: prosodyFile,
    files: prosody,
  },
}

function no(): boolean {
  return false
}

function nothing(): readonly [] {
  return []
}

/** The whole name: Prosody's resolver does not search the cluster's domains. */
function inCluster({ namespace }: Pick<Place, 'namespace'>): string {
  return `http://kjitsi.${namespace}.svc.cluster.local:9000/certs`
}

function nginx(place: Place, keycloak: Keycloak): readonly ConfigFile[] {
  const { keyserver, debian, configFolder } = place
  const exported = { KEY_OPTIONS: keyOptions(keycloak) }
  const name = 'kjitsi.conf'
  if (debian) {
    if (!keyserver.endsWith('/_api/public')) {
      const message = `--keyserver ${keyserver} does not end in /_api/public, where the Debian packages serve their folder`
      throw new KjitsiError('usage', message, { hint: 'leave --keyserver out, and give --jitsi-url' })
    }
    const values = {
      ...exported,
      PUBLIC: shellWords('the key server', [keyserver]),
      KEYSERVER: luaString('the key server', keyserver),
    }
    return [{ name, template: 'nginx-debian.conf', values }]
  }
  const values = {
    ...exported,
    LOCATION: nginxString("the key server's path", `${pathOf(keyserver)}/`),
    KEYSERVER: shellWords('--keyserver', [keyserver]),
    CONFIG: shellFolder('CONFIG', configFolder),
    GEN_ENV: genEnv(place, keycloak),
  }
  return [{ name, template: 'nginx.conf', values }]
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

function systemd({ keysDir = '/etc/jitsi/meet/public' }: Place, keycloak: Keycloak): readonly ConfigFile[] {
  const source = {
    KEYCLOAK_URL: unitAssignment('KEYCLOAK_URL', keycloak.url),
    KEYCLOAK_REALM: unitAssignment('KEYCLOAK_REALM', settingList('--realm', keycloak.realm)),
    ALLOW_KEYS_FROM: unitAssignment('KJITSI_ALLOW_KEYS_FROM', keycloak.allowKeysFrom.join(',')),
  }
  const what = '--keys-dir'
  const folder = {
    DIR: unitArgument(what, keysDir),
    WRITABLE: unitPath(what, keysDir),
    SHOWN_DIR: shellWords(what, [keysDir]),
  }
  return [
    ['kjitsi-serve-certs.service', source] as const,
    ['kjitsi-export-certs.service', { ...source, ...folder }] as const,
    ['kjitsi-export-certs.timer', {}] as const,
  ].map(([name, values]) => ({ name, template: `systemd/${name}`, values }))
}

function compose(place: Place, keycloak: Keycloak): readonly ConfigFile[] {
  const values = {
    ...container(place, keycloak),
    TAG: shellWords('--image', [imageOf(place)]),
    GEN_ENV: genEnv(place, keycloak),
  }
  return [{ name: 'kjitsi.yml', template: 'compose.yml', values }]
}

function kubernetes(place: Place, keycloak: Keycloak): readonly ConfigFile[] {
  const values = {
    ...container(place, keycloak),
    // In a manifest, the name of an image is no place for variables.
    IMAGE: yamlString('--image', imageOf(place)),
    NAMESPACE: yamlString('--namespace', place.namespace),
    KEYSERVER: shellWords('the key server', [place.keyserver]),
    GEN_HELM: kjitsi(['gen-config', 'helm', '.'], place, keycloak, TOLD_TO_HELM),
  }
  if (!place.cronjob) return [{ name: 'kjitsi.yaml', template: 'kubernetes.yaml', values }]
  const more = {
    SHOWN_NAMESPACE: shellWords('--namespace', [place.namespace]),
    GEN_NGINX: kjitsi(['gen-config', 'nginx', '.'], place, keycloak, TOLD),
  }
  return [
    { name: 'kjitsi-cronjob.yaml', template: 'kubernetes-cronjob.yaml', values: { ...values, ...more } },
  ]
}

function container(place: Place, { url, realm, allowKeysFrom }: Keycloak): Readonly<Record<string, Literal>> {
  return {
    IMAGE: yamlExpanded('--image', imageOf(place)),
    KEYCLOAK_URL: yamlExpanded('--url', url),
    KEYCLOAK_REALM: yamlExpanded('--realm', settingList('--realm', realm)),
    ALLOW_KEYS_FROM: yamlExpanded('--allow-keys-from', allowKeysFrom.join(',')),
  }
}

function imageOf({ image }: Place): string {
  return image ?? `kjitsi:${packageJson.version}`
}

function helm(_: Place, facts: Facts): readonly ConfigFile[] {
  // A chart's values have no earlier ones: the signature type is always named.
  const env = new Map([
    // Empty where nothing has to be loaded.
    ...([
      ['XMPP_MODULES', ''],
      ['XMPP_MUC_MODULES', ''],
    ] as const),
    ...envValues(facts, new Map([['JWT_SIGN_TYPE', facts.signType]])),
  ])
  // Members and guests are values of the chart's own, for all of its containers.
  for (const key of ['ENABLE_AUTH', 'ENABLE_GUESTS']) env.delete(key)
  const written = [...env].map(([key, value]) => [key, helmString(key, value)] as const)
  const values = { ...Object.fromEntries(written), GUESTS: yamlBoolean(facts.guests) }
  return [{ name: HELM_FILE, template: 'helm-values.yaml', values }]
}

/** `--url … --realm …`, as the commands take them that read keys. */
function keyOptions(keycloak: Keycloak): Literal {
  const allowed = keycloak.allowKeysFrom.flatMap((host) => ['--allow-keys-from', host])
  return shellWords('--url or --realm', [...sourceWords(keycloak), ...allowed])
}

function sourceWords({ url, realm }: Keycloak): readonly string[] {
  return ['--url', url, ...realm.flatMap((name) => ['--realm', name])]
}

/** The command that names the keys of this run to Prosody, and accepts the tokens that this run speaks of. */
function genEnv(place: Place, keycloak: Keycloak): Literal {
  return kjitsi(['gen-env', place.envFile], place, keycloak, TOLD)
}

/** A command line that works as it stands: whatever it does not name is what it takes by default. */
function kjitsi(
  command: readonly string[],
  { told, keyserver }: Place,
  keycloak: Keycloak,
  keys: readonly (typeof TOLD)[number][],
): Literal {
  const options = keys.flatMap((key) => told[key])
  return shellWords('an option of this run', [
    ...['kjitsi', ...command, ...sourceWords(keycloak)],
    ...options,
    ...['--keyserver', keyserver],
  ])
}
