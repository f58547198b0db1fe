// Where the files of gen-config go: to stdout, into a folder, or into a file that is there; and what is said of it.
import { join, resolve } from 'node:path'
import type { Context, Ended } from '../../cli/context.ts'
import { KjitsiError } from '../../errors.ts'
import { type FileItem, planFile } from '../../files/plan.ts'
import { readTarget } from '../../files/target.ts'
import type { Finding } from '../../finding.ts'
import { mergeBlock } from '../../jitsi/block.ts'
import type { ConfigFile } from '../../jitsi/config-file.ts'
import type { PLAN } from '../../settings.ts'
import { fillTemplate, readTemplate } from '../../templates.ts'

type Planning = Context<typeof PLAN>

export const DIR = ['[dir]', 'folder to write the files into; without it they go to stdout'] as const

/** Absolute paths; stdout where there is neither. */
interface Target {
  readonly dir: string | undefined
  readonly into: string | undefined
  /** What is a part of somebody's file takes the place of its own earlier part only, in a folder too. */
  readonly merges: boolean
  /** Whether a whole file may take the place of one that kjitsi did not make. */
  readonly force: boolean
}

/**
 * Where the files go, as far as it can be said before they are known.
 * @param how with --into of a kind whose lines are part of somebody's file, with --force of one that makes whole files
 * @throws KjitsiError `usage`; `file` where nothing can be written there
 */
export async function targetOf(
  { args: [folder], settings, io }: Planning,
  how: { readonly into: string | undefined } | { readonly force: boolean },
): Promise<Target> {
  // An unset variable in a script must not become the folder that the script happens to run in.
  if (folder === '') throw new KjitsiError('usage', 'DIR is empty', { hint: 'name the folder for the files' })
  const absolute = (path: string | undefined) => (path === undefined ? path : resolve(io.cwd, path))
  const merges = 'into' in how
  const [dir, into] = [absolute(folder), absolute(merges ? how.into : undefined)]
  if (into !== undefined && dir !== undefined) {
    throw new KjitsiError('usage', 'DIR and --into were both given', { hint: 'leave one of them out' })
  }
  if (settings.check && into === undefined && dir === undefined) {
    const needed = merges ? 'DIR or --into' : 'DIR'
    throw new KjitsiError('usage', `--check needs ${needed}: there is nothing else to compare with`)
  }
  if (into !== undefined) await readTarget(into)
  return { dir, into, merges, force: !merges && how.force }
}

function pathIn({ dir, into }: Target, name: string): string | undefined {
  return into ?? (dir === undefined ? undefined : join(dir, name))
}

/**
 * Sees to it that a file can be put there, before a server is asked for what goes into it.
 * @param usual where a file of that kind is that others make, and kjitsi only adds to
 * @throws KjitsiError `file`; `usage` where there is no such file to add to
 */
export async function checkFile(target: Target, name: string, usual?: string): Promise<void> {
  const path = pathIn(target, name)
  if (path === undefined) return
  const { there } = await readTarget(path)
  if (usual === undefined || there === 'file') return
  throw new KjitsiError('usage', `${path}: not found, and kjitsi only merges lines into this file`, {
    hint: `Jitsi's Debian packages create it, usually as ${usual}`,
  })
}

/**
 * Writes the files and says so, or prints them.
 * @param config the kind
 * @param keyserver where Prosody finds the keys, as far as that is said
 */
export async function put(
  { settings, output, io }: Planning,
  target: Target,
  config: string,
  keyserver: string | undefined,
  files: readonly ConfigFile[],
): Promise<Ended> {
  const payload = { config, keyserver: keyserver ?? null, dir: target.dir ?? null }
  if (target.dir === undefined && target.into === undefined) {
    const made = await Promise.all(files.map(async (file) => ({ name: file.name, text: await textOf(file) })))
    const texts = made.map(({ name, text }) => (files.length > 1 ? `# file: ${name}\n${text}` : text))
    output.data('config', { ...payload, files: made }, texts.join('\n'))
    return undefined
  }
  const items: FileItem[] = []
  for (const file of files) {
    const { item, findings } = await planConfig(target, config, file)
    items.push(item)
    findings.forEach(output.find)
  }
  const { runFiles } = await import('../../files/run.ts')
  const { dryRun, check, all } = settings
  return runFiles(items, { kind: 'config', payload, dryRun, check, all, output, signal: io.signal })
}

/** @throws KjitsiError `file`; `usage` where the file that is there must not get these lines */
async function planConfig(
  target: Target,
  config: string,
  file: ConfigFile,
): Promise<{ readonly item: FileItem; readonly findings: readonly Finding[] }> {
  const { merges, force } = target
  const at = await readTarget(pathIn(target, file.name) ?? file.name)
  const made = await textOf(file)
  const text = merges ? mergeBlock(at.text ?? '', made, at.path) : made
  file.refuse?.(text, at.path)
  const desired = { what: `${config} configuration`, text, mode: 0o644, onlyMarked: !merges && !force }
  return { item: planFile(at, desired), findings: file.advise?.(text, at.path) ?? [] }
}

async function textOf({ template, values }: ConfigFile): Promise<string> {
  return fillTemplate(await readTemplate(template), values)
}

/** As `put`, for a kind that publishes the keys: Jitsi has to be told the same address. */
export async function putPublished(
  context: Planning,
  target: Target,
  config: string,
  keyserver: string,
  planned: readonly ConfigFile[],
): Promise<Ended> {
  const ended = await put(context, target, config, keyserver, planned)
  context.output.note(`JWT_ASAP_KEYSERVER that goes with it: ${keyserver}`)
  return ended
}
