// The folder of PEM files: what is there, and the plan that makes it hold what it is to hold.
import { lstat, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { KjitsiError, systemCodeOf } from '../errors.ts'
import { type FileItem, type Target, planFile, planRemoval } from '../files/plan.ts'
import { fileError } from '../files/reasons.ts'
import { readOwnTarget } from '../files/target.ts'
import { TEMPORARY } from '../files/write.ts'
import { MANIFEST_FILE } from './manifest.ts'
import { KEY_FILE, MAX_PEM_BYTES, type PublicPem, shownKid } from './pem.ts'

/** What a folder holds of the files that Prosody may ask for. */
export interface Folder {
  /** Whether users other than its owner can read it; a web server mostly is one. True where it is not there yet. */
  readonly open: boolean
  /** By names of the form `<64 hex>.pem`, whatever they are; those that were asked for, there or not. */
  readonly targets: ReadonlyMap<string, Target>
  /** Temporary files of runs that were killed. */
  readonly leftovers: readonly Target[]
}

// A run that is under way has one for as long as it takes to write some kilobytes.
const LEFT_OVER_MS = 60_000
const FILE_MODE = 0o644

/**
 * Reads the folder; one that is not there is empty.
 * @param dir absolute
 * @param files names of files that are going to be written
 * @throws KjitsiError `file`
 */
export async function readFolder(dir: string, files: readonly string[] = []): Promise<Folder> {
  const { open, names } = await listFolder(dir)
  const targets = new Map<string, Target>()
  for (const name of new Set([...files, ...names.filter((one) => KEY_FILE.test(one))])) {
    targets.set(name, await readOwnTarget(join(dir, name), MAX_PEM_BYTES))
  }
  const leftovers: Target[] = []
  for (const path of names.filter(isTemporary).map((name) => join(dir, name))) {
    if (await isLeftOver(path)) leftovers.push(await readOwnTarget(path, MAX_PEM_BYTES))
  }
  return { open, targets, leftovers }
}

async function listFolder(
  dir: string,
): Promise<{ readonly open: boolean; readonly names: readonly string[] }> {
  try {
    const about = await stat(dir)
    if (!about.isDirectory())
      throw new KjitsiError('file', `${dir} is a file, not a folder`, { hint: 'name a folder' })
    return { open: (about.mode & 0o005) === 0o005, names: await readdir(dir) }
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return { open: true, names: [] }
    throw error instanceof KjitsiError ? error : fileError(`cannot read ${dir}`, error)
  }
}

function isTemporary(name: string): boolean {
  const [, of = ''] = TEMPORARY.exec(name) ?? []
  return of === MANIFEST_FILE || KEY_FILE.test(of)
}

async function isLeftOver(path: string): Promise<boolean> {
  const about = await lstat(path).catch(() => undefined)
  return about?.isFile() === true && about.mtimeMs < Date.now() - LEFT_OVER_MS
}

/**
 * What makes the folder hold these keys, and no file of those that are gone.
 * @param folder read for the files of the keys
 * @param gone names of files
 * @throws KjitsiError `file` where a link or a folder has the name that a key needs: what is no file of ours is not ours
 * to replace; and where the folder takes no file
 */
export function planExport(
  { targets, leftovers }: Folder,
  keys: readonly PublicPem[],
  gone: readonly string[] = [],
): readonly FileItem[] {
  const targetOf = (file: string): readonly Target[] => [targets.get(file) ?? []].flat()
  return [
    ...keys.flatMap((key) => targetOf(key.file).map((target) => planFile(target, fileOf(key)))),
    ...gone.flatMap(targetOf).map((target) => planRemoval(target, 'a key that has left its key set')),
    ...leftovers.map((target) => planRemoval(target, 'left by a run that was killed')),
  ]
}

function fileOf({ pem: text, kid, alg, bits, source }: PublicPem): Parameters<typeof planFile>[1] {
  const what = `key ${shownKid(kid)} of ${source}, ${alg ?? 'no alg'}, ${bits} bits`
  // One key in place of another differs in every line.
  return { what, text, mode: FILE_MODE, mask: () => '', facts: { kid, alg, bits, source } }
}
