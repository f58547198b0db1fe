// kjitsi gen-config KIND [DIR]: the files around Jitsi's .env, to stdout or into a folder.
import { join, resolve } from 'node:path'
import { type Context, command } from '../cli/context.ts'
import { dnsLabel, plain } from '../cli/readers.ts'
import { flagName, onOff, setting, wordsFor } from '../cli/setting.ts'
import { KjitsiError } from '../errors.ts'
import { type Written, checkTarget, readIfThere, writeIfChanged } from '../files.ts'
import { finding } from '../jitsi/findings.ts'
import { agreeOnKeys, besideEnv } from '../prosody/beside-env.ts'
import { mergeBlock } from '../jitsi/block.ts'
import { type Facts, envValues, factsOf } from '../jitsi/config.ts'
import { type ConfigFile, type Place, TOLD, type Told } from '../jitsi/config-file.ts'
import { KINDS, type Kind } from '../jitsi/configs.ts'
import { isLoopback, issuerFindings, valueFindings } from '../jitsi/env-findings.ts'
import { moderatorRoleOf } from '../jitsi/moderation.ts'
import { JITSI_ENV, givenOrigin, readJitsiEnv } from '../jitsi/public-url.ts'
import { adviseOptions } from '../keycloak/advice.ts'
import { table } from '../table.ts'
import {
  ACCEPTED,
  ALLOW_KEYS_FROM,
  CLIENT,
  GUESTS,
  JITSI_ENV_FILE,
  JITSI_URLS,
  KEYCLOAK,
  KEYS,
  KEYSERVER,
  MODERATORS,
  PLAN,
} from '../settings.ts'
import { fillTemplate, readTemplate } from '../templates.ts'

const SETTINGS = {
  ...KEYCLOAK,
  client: CLIENT,
  jitsiUrls: JITSI_URLS,
  jitsiEnv: JITSI_ENV_FILE,
  keyserver: KEYSERVER,
  allowKeysFrom: ALLOW_KEYS_FROM,
  debian: setting({
    flag: '--debian',
    env: 'KJITSI_DEBIAN',
    help: "for Jitsi's Debian packages, in place of docker-jitsi-meet",
    parse: onOff,
  }),
  xmppDomain: setting({
    flag: '--xmpp-domain <name>',
    env: 'XMPP_DOMAIN',
    help: "Jitsi's domain in Prosody (default: meet.jitsi, and with --debian the host of its address)",
    parse: plain,
  }),
  into: setting({
    flag: '--into <file>',
    env: 'KJITSI_INTO',
    help: 'file to merge the lines into as a marked block; the rest of it stays as it is',
    parse: plain,
  }),
  keysDir: setting({
    flag: '--keys-dir <path>',
    env: 'KJITSI_KEYS_DIR',
    help: 'folder for the keys (default: /etc/jitsi/meet/public, which the Debian packages serve)',
    parse: plain,
  }),
  image: setting({
    flag: '--image <name>',
    env: 'KJITSI_IMAGE',
    help: "container image of kjitsi (default: kjitsi with this kjitsi's version as its tag)",
    parse: plain,
  }),
  namespace: setting({
    flag: '--namespace <name>',
    env: 'KJITSI_NAMESPACE',
    help: 'Kubernetes namespace of Jitsi',
    parse: dnsLabel,
    default: 'jitsi',
  }),
  cronjob: setting({
    flag: '--cronjob',
    env: 'KJITSI_CRONJOB',
    help: 'keep the keys in a ConfigMap by a CronJob, in place of running a key server',
    parse: onOff,
  }),
  roomClaim: setting({
    flag: '--room-claim',
    env: 'KJITSI_ROOM_CLAIM',
    help: 'refuse tokens without the claim `room`, as Prosody does',
    parse: onOff,
    default: 'true',
  }),
  ...ACCEPTED,
  guests: GUESTS,
  moderators: MODERATORS,
  keys: KEYS,
  ...PLAN,
}

export const genConfig = command({
  name: 'gen-config',
  summary: 'write the other files: web, prosody, nginx, systemd, compose, kubernetes or helm',
  args: [
    ['<kind>', 'web, prosody, nginx, systemd, compose, kubernetes or helm'],
    ['[dir]', 'folder to write the files into; without it they go to stdout'],
  ],
  settings: SETTINGS,
  examples: [
    [
      'kjitsi gen-config web --into "$CONFIG/web/custom-config.js" --jitsi-env ./.env --realm meet',
      "merges what the login needs into the web client's configuration",
    ],
    [
      'kjitsi gen-config nginx --url https://auth.example.org --realm meet --jitsi-url https://meet.example.org',
      "prints what makes Jitsi's own nginx serve the keys",
    ],
    [
      'kjitsi gen-config systemd /etc/systemd/system --url https://auth.example.org --realm meet',
      'writes the units of the key server, and of an export every 5 minutes',
    ],
  ],
  async run(context) {
    const { args, settings, output } = context
    const [name = ''] = args
    const kind = kindOf(name, context)
    const target = targetOf(kind, context)
    const dryRun = settings.dryRun || settings.check

    if (target?.into !== undefined) await checkTarget(target.into)
    const found = await placeOf(kind, context)
    const { given, origin } = found
    const env = kind.besideEnv?.(found.place.debian)
      ? await readJitsiEnv(settings.jitsiEnv, context.io)
      : undefined
    const place = env === undefined ? found.place : besideEnvPlace(found.place, env, context)
    if (target?.dir !== undefined && kind.from === 'facts')
      await checkTarget(join(target.dir, kind.file(place)))
    // What is a part of somebody's file takes the place of its own earlier part only, in a folder too.
    const merge = kind.settings.includes('into')
    const planned = await filesOf(kind, place, given, origin, env, context)
    // All of them, before the first is written.
    if (target?.dir !== undefined)
      for (const { name: file } of planned) await checkTarget(join(target.dir, file))
    const files: Made[] = []
    for (const file of planned) {
      const text = fillTemplate(await readTemplate(file.template), file.values)
      const path = target?.into ?? (target && join(target.dir, file.name))
      if (path === undefined) files.push({ name: file.name, path, text, result: undefined })
      else {
        const { result, after } = await write(path, text, merge, dryRun, file.refuse)
        files.push({ name: file.name, path, text, result })
        file.advise?.(after, path).forEach(output.find)
      }
    }

    const { keyserver } = place
    const payload = {
      config: name,
      keyserver: keyserver === '' ? null : keyserver,
      dir: target?.dir ?? null,
      dryRun,
      files: files.map(({ path, ...file }) => (target?.into === undefined ? file : { ...file, into: path })),
    }
    if (target === undefined) {
      const texts = files.map(({ name: file, text }) =>
        files.length > 1 ? `# file: ${file}\n${text}` : text,
      )
      output.data('config', payload, texts.join('\n'))
    } else {
      output.result('config', payload, () =>
        table(files.map((file) => [file.path ?? '', stateOf(file, dryRun)])),
      )
    }
    if (kind.from === 'keycloak') output.note(`JWT_ASAP_KEYSERVER that goes with it: ${keyserver}`)
    return settings.check && files.some(({ result }) => result !== 'unchanged') ? 'drift' : undefined
  },
})

/**
 * Where the files go: into a folder, or merged into one that is there; undefined for stdout.
 * @throws KjitsiError `usage`
 */
function targetOf(
  kind: Kind,
  { args, settings, io }: Context<typeof SETTINGS>,
):
  | { readonly dir: string; readonly into?: never }
  | { readonly into: string; readonly dir?: never }
  | undefined {
  const [, folder] = args
  // An unset variable in a script must not become the folder that the script happens to run in.
  if (folder === '') throw new KjitsiError('usage', 'DIR is empty', { hint: 'name the folder for the files' })
  const into = kind.settings.includes('into') ? settings.into : undefined
  if (into !== undefined && folder !== undefined) {
    throw new KjitsiError('usage', 'DIR and --into were both given', { hint: 'leave one of them out' })
  }
  if (into !== undefined) return { into: resolve(io.cwd, into) }
  if (folder !== undefined) return { dir: resolve(io.cwd, folder) }
  if (!settings.check) return undefined
  const needed = kind.settings.includes('into') ? 'DIR or --into' : 'DIR'
  throw new KjitsiError('usage', `--check needs ${needed}: there is nothing else to compare with`)
}

interface Made {
  readonly name: string
  readonly path: string | undefined
  readonly text: string
  /** Undefined where it went to stdout. */
  readonly result: Written | undefined
}

function stateOf({ result = 'unchanged' }: Made, dryRun: boolean): string {
  return dryRun && result !== 'unchanged' ? `to be ${result}` : result
}

/** @throws KjitsiError `usage` where there is no such kind, or a flag was given that it does not read */
function kindOf(name: string, { sources }: Context<typeof SETTINGS>): Kind {
  const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined
  if (kind === undefined) {
    const hint = `the kinds are ${Object.keys(KINDS).join(', ')}`
    throw new KjitsiError('usage', 'there is no such kind of configuration', { hint })
  }
  const read: readonly string[] = [...kind.settings, ...Object.keys(PLAN)]
  const flags = Object.entries(SETTINGS)
    .filter(([key]) => sources[key as keyof typeof SETTINGS] === 'flag' && !read.includes(key))
    .map(([, setting]) => flagName(setting))
  if (flags.length === 0) return kind
  throw new KjitsiError('usage', `gen-config ${name} does not read ${flags.join(', ')}`, {
    hint: 'leave it out',
  })
}

/** Where things are, with the settings that cannot be done without. */
async function placeOf(
  kind: Kind,
  context: Context<typeof SETTINGS>,
): Promise<{ readonly place: Place; readonly given: Given; readonly origin: string | undefined }> {
  const { settings, io } = context
  const { debian, cronjob, namespace, image, roomClaim, jitsiEnv } = settings
  const keysDir = settings.keysDir === undefined ? undefined : resolve(io.cwd, settings.keysDir)
  const about = { debian, cronjob, namespace, image, keysDir, roomClaim }
  const wanted = (kind.settings.includes('keyserver') ? settings.keyserver : undefined) ?? kind.keys(about)
  const needs = kind.needs(debian)
  const env = kind.readsEnv(about) ? await readJitsiEnv(jitsiEnv, io) : NO_ENV
  const isAddressed = wanted.startsWith('/') || needs.includes('jitsiUrls')
  const found = isAddressed ? await givenOrigin(settings.jitsiUrls, settings.jitsiEnv, io) : undefined
  const asksKeycloak = kind.from === 'keycloak' || settings.issuer.length === 0
  const needed = [
    ...(asksKeycloak ? (['url', 'realm'] as const) : []),
    ...(isAddressed && found === undefined ? (['jitsiUrls'] as const) : []),
  ]
  const given = { url: '', realm: [], jitsiUrls: [], ...(await context.need(needed)) }
  const origin = isAddressed ? (found ?? given.jitsiUrls.join()) : undefined
  const keyserver = wanted.startsWith('/') ? keysAt(origin ?? '', wanted, env) : wanted
  const envFile = jitsiEnv ?? JITSI_ENV
  const configFolder = env.get('CONFIG') || '~/.jitsi-meet-cfg'
  const host = debian && origin !== undefined ? new URL(origin).hostname : 'meet.jitsi'
  const domain = settings.xmppDomain ?? host
  const place = { ...about, keyserver, domain, told: toldBy(settings), envFile, configFolder }
  return { place, given, origin }
}

/** What the commands that a file names are to be told. */
function toldBy(settings: Context<typeof SETTINGS>['settings']): Told {
  const words = TOLD.map((key) => [key, wordsFor(SETTINGS[key], settings[key])])
  return Object.fromEntries(words) as Told
}

const NO_ENV: ReadonlyMap<string, string> = new Map()

/**
 * Where Jitsi's own web server has the keys: where its `.env` has Prosody ask for them already, if that is there (`web` is
 * its name among the containers), else at this path.
 */
function keysAt(origin: string, path: string, env: ReadonlyMap<string, string>): string {
  const asked = (env.get('JWT_ASAP_KEYSERVER') ?? '').replace(/\/+$/, '')
  const url = URL.canParse(asked) ? new URL(asked) : undefined
  const isJitsi = url !== undefined && (url.origin === origin || url.hostname === 'web')
  return isJitsi && url.pathname !== '/' ? asked : `${origin}${path}`
}

/** Empty where `placeOf` does not need them. */
interface Given {
  readonly url: string
  readonly realm: readonly string[]
  readonly jitsiUrls: readonly string[]
}

type Env = ReadonlyMap<string, string>

/** What `.env` has is the default of what goes beside it. */
function besideEnvPlace(place: Place, env: Env, { settings, sources }: Context<typeof SETTINGS>): Place {
  const { xmppDomain, roomClaim } = sources
  const said = {
    // XMPP_DOMAIN is a name of Jitsi's own: the settings file has it as Jitsi's `.env`, and --jitsi-env may name another one.
    xmppDomain: xmppDomain === 'settings file' ? undefined : settings.xmppDomain,
    roomClaim: roomClaim === 'default' ? undefined : settings.roomClaim,
    keyserver: settings.keyserver,
  }
  const { keyserver = '', ...found } = besideEnv(said, env, place.envFile)
  return { ...place, ...found, keyserver }
}

async function filesOf(
  kind: Kind,
  place: Place,
  given: Given,
  origin: string | undefined,
  env: Env | undefined,
  context: Context<typeof SETTINGS>,
): Promise<readonly ConfigFile[]> {
  if (kind.from === 'facts') {
    const facts = await acceptedFacts(kind, place, given, origin, context)
    if (env !== undefined) agreeOnKeys(facts, env, place.envFile)
    return kind.files(place, facts)
  }
  if (kind.inContainer && isLoopback(given.url)) {
    context.output.find(finding('keycloak-loopback', { url: given.url }))
  }
  return kind.files(place, { ...given, allowKeysFrom: context.settings.allowKeysFrom })
}

async function acceptedFacts(
  kind: Kind,
  { keyserver }: Place,
  { url, realm }: Given,
  origin: string | undefined,
  { settings, http, output }: Context<typeof SETTINGS>,
): Promise<Facts> {
  const asked = settings.issuer.length === 0
  const { issuersOf } = await import('../keycloak/discovery.ts')
  const issuers = asked ? await issuersOf(http, url, realm) : settings.issuer
  const moderators = kind.settings.includes('moderators') ? settings.moderators : undefined
  const keys = kind.settings.includes('keys') ? settings.keys : undefined
  const facts = factsOf({ ...settings, moderators, keys }, issuers, keyserver, origin)
  for (const found of [
    ...issuerFindings(issuers, asked ? url : undefined),
    ...valueFindings(envValues(facts, new Map()), facts),
    ...adviseOptions({ moderatorRole: moderatorRoleOf(moderators) }),
  ]) {
    output.find(found)
  }
  return facts
}

/**
 * Writes a file, or only says what that would do.
 * @param merge into what is there, in place of putting `text` in its place
 * @param refuse throws where the file must not be written
 */
async function write(
  path: string,
  text: string,
  merge: boolean,
  dryRun: boolean,
  refuse: ConfigFile['refuse'],
): Promise<{ readonly after: string; readonly result: Written }> {
  const before = await readIfThere(path)
  const after = merge ? mergeBlock(before ?? '', text, path) : text
  refuse?.(after, path)
  if (!dryRun) return { after, result: await writeIfChanged(path, after, 0o644, { text: before }) }
  return { after, result: before === undefined ? 'created' : before === after ? 'unchanged' : 'updated' }
}
