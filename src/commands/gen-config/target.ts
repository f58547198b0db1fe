// Where the files of gen-config go: to stdout, into a folder, or into a file that is there; and what is said of it.
import { join, resolve } from 'node:path'
import type { Context, Ended } from '../../cli/context.ts'
import { KjitsiError } from '../../errors.ts'
import { type Written, checkTarget, readIfThere, writeIfChanged } from '../../files.ts'
import { mergeBlock } from '../../jitsi/block.ts'
import type { ConfigFile } from '../../jitsi/config-file.ts'
import type { PLAN } from '../../settings.ts'
import { table } from '../../table.ts'
import { fillTemplate, readTemplate } from '../../templates.ts'

type Planning = Context<typeof PLAN>

export const DIR = ['[dir]', 'folder to write the files into; without it they go to stdout'] as const

/** Absolute paths; stdout where there is neither. */
interface Target {
  readonly dir: string | undefined
  readonly into: string | undefined
  /** What is a part of somebody's file takes the place of its own earlier part only, in a folder too. */
  readonly merges: boolean
}

/**
 * Where the files go, as far as it can be said before they are known.
 * @param merging for a kind whose lines are part of somebody's file
 * @throws KjitsiError `usage`; `file` where nothing can be written there
 */
export async function targetOf(
  { args: [folder], settings, io }: Planning,
  merging?: { readonly into: string | undefined },
): Promise<Target> {
  // An unset variable in a script must not become the folder that the script happens to run in.
  if (folder === '') throw new KjitsiError('usage', 'DIR is empty', { hint: 'name the folder for the files' })
  const absolute = (path: string | undefined) => (path === undefined ? path : resolve(io.cwd, path))
  const [dir, into] = [absolute(folder), absolute(merging?.into)]
  if (into !== undefined && dir !== undefined) {
    throw new KjitsiError('usage', 'DIR and --into were both given', { hint: 'leave one of them out' })
  }
  if (settings.check && into === undefined && dir === undefined) {
    const needed = merging === undefined ? 'DIR' : 'DIR or --into'
    throw new KjitsiError('usage', `--check needs ${needed}: there is nothing else to compare with`)
  }
  if (into !== undefined) await checkTarget(into)
  return { dir, into, merges: merging !== undefined }
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
  await checkTarget(path)
  if (usual === undefined || (await readIfThere(path)) !== undefined) return
  throw new KjitsiError('usage', `${path}: not found, and kjitsi only merges lines into this file`, {
    hint: `Jitsi's Debian packages create it, usually as ${usual}`,
  })
}

interface Made {
  readonly name: string
  readonly path: string | undefined
  readonly text: string
  /** Undefined where it went to stdout. */
  readonly result: Written | undefined
}

/**
 * Writes the files and says so, or prints them.
 * @param config the kind
 * @param keyserver where Prosody finds the keys, as far as that is said
 */
export async function put(
  { settings, output }: Planning,
  target: Target,
  config: string,
  keyserver: string | undefined,
  planned: readonly ConfigFile[],
): Promise<Ended> {
  const dryRun = settings.dryRun || settings.check
  // All of them, before the first is written.
  for (const { name } of planned) await checkFile(target, name)
  const files: Made[] = []
  for (const file of planned) {
    const text = fillTemplate(await readTemplate(file.template), file.values)
    const path = pathIn(target, file.name)
    if (path === undefined) files.push({ name: file.name, path, text, result: undefined })
    else {
      const { result, after } = await write(path, text, target.merges, dryRun, file.refuse)
      files.push({ name: file.name, path, text, result })
      file.advise?.(after, path).forEach(output.find)
    }
  }
  const payload = {
    config,
    keyserver: keyserver ?? null,
    dir: target.dir ?? null,
    dryRun,
    files: files.map(({ path, ...file }) => (target.into === undefined ? file : { ...file, into: path })),
  }
  if (target.dir === undefined && target.into === undefined) {
    const texts = files.map(({ name, text }) => (files.length > 1 ? `# file: ${name}\n${text}` : text))
    output.data('config', payload, texts.join('\n'))
  } else {
    output.result('config', payload, () =>
      table(files.map((file) => [file.path ?? '', stateOf(file, dryRun)])),
    )
  }
  return settings.check && files.some(({ result }) => result !== 'unchanged') ? 'drift' : undefined
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

function stateOf({ result = 'unchanged' }: Made, dryRun: boolean): string {
  return dryRun && result !== 'unchanged' ? `to be ${result}` : result
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
