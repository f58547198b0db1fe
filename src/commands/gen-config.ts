// kjitsi gen-config KIND [DIR]: the files around Jitsi's .env, to stdout or into a folder.
import { join, resolve } from 'node:path'
import { COMMON, type Context, type Run } from '../command.ts'
import { KjitsiError } from '../errors.ts'
import { type Written, readIfThere, writeIfChanged } from '../files.ts'
import { finding } from '../findings.ts'
import { type Facts, envValues, factsOf } from '../jitsi/config.ts'
import { type ConfigFile, KINDS, type Kind, type Place, atJitsi } from '../jitsi/configs.ts'
import { isLoopback, issuerFindings, valueFindings } from '../jitsi/env-findings.ts'
import { issuersOf } from '../keycloak/discovery.ts'
import { table } from '../output.ts'
import { SETTINGS, type SettingKey, type Values } from '../settings.ts'
import { fillTemplate, readTemplate } from '../templates.ts'

type Keys =
  | ('url' | 'realm' | 'jitsiUrl' | 'keyserver' | 'debian' | 'keysDir' | 'image' | 'namespace' | 'cronjob')
  | ('client' | 'issuer' | 'appId' | 'audience' | 'guests' | 'signType' | 'dryRun' | 'check')

export const run: Run<Keys> = async (context) => {
  const { args, settings, output, io } = context
  const [name = '', folder] = args
  const kind = kindOf(name, context)
  // An unset variable in a script must not become the folder that the script happens to run in.
  if (folder === '') throw new KjitsiError('usage', 'DIR is empty', { hint: 'name the folder for the files' })
  const dir = folder === undefined ? undefined : resolve(io.cwd, folder)
  if (dir === undefined && settings.check) {
    throw new KjitsiError('usage', '--check needs DIR: there is nothing else to compare with')
  }
  const dryRun = settings.dryRun || settings.check

  const place = placeOf(kind, context.settings, io.cwd)
  const { keyserver } = place
  const given = await context.need(...wantedBy(kind, keyserver, settings))
  const settled = {
    ...place,
    keyserver: keyserver.startsWith('/') ? atJitsi(given.jitsiUrl, keyserver) : keyserver,
  }
  const files: Made[] = []
  for (const file of await filesOf(kind, settled, given, context)) {
    const text = fillTemplate(await readTemplate(file.template), file.values)
    const result = dir === undefined ? undefined : await write(join(dir, file.name), text, dryRun)
    files.push({ name: file.name, text, result })
  }

  const payload = { config: name, keyserver: settled.keyserver, dir: dir ?? null, dryRun, files }
  output.result('config', payload, () =>
    dir === undefined
      ? files.map((file) => (files.length > 1 ? `# file: ${file.name}\n${file.text}` : file.text)).join('\n')
      : table(files.map((file) => [join(dir, file.name), stateOf(file, dryRun)])),
  )
  if (kind.from === 'keycloak') output.note(`JWT_ASAP_KEYSERVER that goes with it: ${settled.keyserver}`)
  return settings.check && files.some(({ result }) => result !== 'unchanged') ? 'drift' : undefined
}

interface Made {
  readonly name: string
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
    throw new KjitsiError('usage', `there is no kind ${JSON.stringify(name)} of configuration`, { hint })
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

/** Where things are; the key server may still be a path at Jitsi's own address. */
function placeOf(kind: Kind, settings: Context<Keys>['settings'], cwd: string): Place {
  const { debian, cronjob, namespace, image } = settings
  const keysDir = settings.keysDir === undefined ? undefined : resolve(cwd, settings.keysDir)
  const place = { debian, cronjob, namespace, image, keysDir }
  const keyserver = kind.settings.includes('keyserver') ? settings.keyserver : undefined
  return { ...place, keyserver: keyserver ?? kind.keys(place) }
}

type Wanted = 'url' | 'realm' | 'jitsiUrl'
/** Only those are there that `wantedBy` names. */
type Given = { readonly [K in Wanted]: Exclude<Values[K], undefined> }

function wantedBy(kind: Kind, keyserver: string, settings: Context<Keys>['settings']): Wanted[] {
  const asksKeycloak = kind.from === 'keycloak' || settings.issuer.length === 0
  return [
    ...(asksKeycloak ? (['url', 'realm'] as const) : []),
    ...(keyserver.startsWith('/') ? (['jitsiUrl'] as const) : []),
  ]
}

async function filesOf(
  kind: Kind,
  place: Place,
  given: Given,
  context: Context<Keys>,
): Promise<readonly ConfigFile[]> {
  if (kind.from === 'facts') return kind.files(place, await acceptedFacts(place, given, context))
  if (kind.inContainer && isLoopback(given.url)) {
    context.output.find(finding('keycloak-loopback', { url: given.url }))
  }
  return kind.files(place, given)
}

async function acceptedFacts(
  { keyserver }: Place,
  { url, realm }: Given,
  { settings, http, output }: Context<Keys>,
): Promise<Facts> {
  const asked = settings.issuer.length === 0
  const issuers = asked ? await issuersOf(http, url, realm) : settings.issuer
  const facts = factsOf(settings, issuers, keyserver)
  for (const found of [
    ...issuerFindings(issuers, asked ? url : undefined),
    ...valueFindings(envValues(facts, new Map()), facts),
  ]) {
    output.find(found)
  }
  return facts
}

/** Writes a file, or only says what that would do. */
async function write(path: string, text: string, dryRun: boolean): Promise<Written> {
  if (!dryRun) return writeIfChanged(path, text, 0o644)
  const before = await readIfThere(path)
  return before === undefined ? 'created' : before === text ? 'unchanged' : 'updated'
}
