// kjitsi gen-config KIND [DIR]: the files around Jitsi's .env, to stdout or into a folder.
import { join, resolve } from 'node:path'
import { COMMON, type Context, type Run } from '../command.ts'
import { KjitsiError } from '../errors.ts'
import { type Written, checkTarget, readIfThere, writeIfChanged } from '../files.ts'
import { finding } from '../findings.ts'
import { agreeOnKeys, besideEnv } from '../jitsi/beside-env.ts'
import { mergeBlock } from '../jitsi/block.ts'
import { type FactKey, type Facts, envValues, factsOf } from '../jitsi/config.ts'
import { type ConfigFile, KINDS, type Kind, type Place } from '../jitsi/configs.ts'
import { isLoopback, issuerFindings, valueFindings } from '../jitsi/env-findings.ts'
import { moderatorRoleOf } from '../jitsi/moderation.ts'
import { JITSI_ENV, givenOrigin, readJitsiEnv } from '../jitsi/public-url.ts'
import { issuersOf } from '../keycloak/discovery.ts'
import { adviseOptions } from '../keycloak/advice.ts'
import { table } from '../output.ts'
import { SETTINGS, type SettingKey, type Values } from '../settings.ts'
import { fillTemplate, readTemplate } from '../templates.ts'

type Keys =
  | FactKey
  | (
      | 'url'
      | 'realm'
      | 'allowKeysFrom'
      | 'jitsiUrls'
      | 'jitsiEnv'
      | 'keyserver'
      | 'debian'
      | 'keysDir'
      | 'image'
      | 'namespace'
    )
  | ('cronjob' | 'issuer' | 'moderators' | 'keys' | 'xmppDomain' | 'roomClaim' | 'into' | 'dryRun' | 'check')

export const run: Run<Keys> = async (context) => {
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
  output.result('config', payload, () =>
    target === undefined
      ? files.map((file) => (files.length > 1 ? `# file: ${file.name}\n${file.text}` : file.text)).join('\n')
      : table(files.map((file) => [file.path ?? '', stateOf(file, dryRun)])),
  )
  if (kind.from === 'keycloak') output.note(`JWT_ASAP_KEYSERVER that goes with it: ${keyserver}`)
  return settings.check && files.some(({ result }) => result !== 'unchanged') ? 'drift' : undefined
}

/**
 * Where the files go: into a folder, or merged into one that is there; undefined for stdout.
 * @throws KjitsiError `usage`
 */
function targetOf(
  kind: Kind,
  { args, settings, io }: Context<Keys>,
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
function kindOf(name: string, { sources }: Context<Keys>): Kind {
  const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined
  if (kind === undefined) {
    const hint = `the kinds are ${Object.keys(KINDS).join(', ')}`
    throw new KjitsiError('usage', 'there is no such kind of configuration', { hint })
  }
  const read: readonly SettingKey[] = [...kind.settings, 'dryRun', 'check', ...COMMON]
  const strangers = (Object.keys(sources) as Keys[]).filter(
    (key) => sources[key] === 'flag' && !read.includes(key),
  )
  if (strangers.length === 0) return kind
  const flags = strangers.map((key) => SETTINGS[key].flag.replace(/ .*/, ''))
  throw new KjitsiError('usage', `gen-config ${name} does not read ${flags.join(', ')}`, {
    hint: 'leave it out',
  })
}

/** Where things are, with the settings that cannot be done without. */
async function placeOf(
  kind: Kind,
  context: Context<Keys>,
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
  const given = await context.need(
    ...(asksKeycloak ? (['url', 'realm'] as const) : []),
    ...(isAddressed && found === undefined ? (['jitsiUrls'] as const) : []),
  )
  const origin = isAddressed ? (found ?? given.jitsiUrls.join()) : undefined
  const keyserver = wanted.startsWith('/') ? keysAt(origin ?? '', wanted, env) : wanted
  const envFile = jitsiEnv ?? JITSI_ENV
  const configFolder = env.get('CONFIG') || '~/.jitsi-meet-cfg'
  const host = debian && origin !== undefined ? new URL(origin).hostname : 'meet.jitsi'
  const domain = settings.xmppDomain ?? host
  const place = { ...about, keyserver, domain, told: settings, envFile, configFolder }
  return { place, given, origin }
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

/** Only those are there that `placeOf` needs. */
type Given = { readonly [K in 'url' | 'realm' | 'jitsiUrls']: Exclude<Values[K], undefined> }

type Env = ReadonlyMap<string, string>

/** What `.env` has is the default of what goes beside it. */
function besideEnvPlace(place: Place, env: Env, { settings, sources }: Context<Keys>): Place {
  const { xmppDomain, roomClaim } = sources
  const said = {
    // XMPP_DOMAIN is a name of Jitsi's own: the settings file has it as Jitsi's `.env`, and --env may name another one.
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
  context: Context<Keys>,
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
  { settings, http, output }: Context<Keys>,
): Promise<Facts> {
  const asked = settings.issuer.length === 0
  const issuers = asked ? await issuersOf(http, url, realm) : settings.issuer
  const moderators = kind.settings.includes('moderators') ? settings.moderators : undefined
  const keys = kind.settings.includes('keys') ? settings.keys : undefined
  const facts = factsOf({ ...settings, moderators, keys }, issuers, keyserver, origin)
  for (const found of [
    ...issuerFindings(issuers, asked ? url : undefined),
    ...valueFindings(envValues(facts, new Map()), facts),
    ...adviseOptions({ moderatorRole: moderatorRoleOf({ moderators, moderatorRole: undefined }) }),
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
  if (!dryRun) return { after, result: await writeIfChanged(path, after, 0o644) }
  return { after, result: before === undefined ? 'created' : before === after ? 'unchanged' : 'updated' }
}
