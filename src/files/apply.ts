// Carries out a plan of files, one after the other, and says how far it came where it cannot.
import { access, constants, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { KjitsiError, systemCodeOf, withProgress } from '../errors.ts'
import { encode } from './bytes.ts'
import { type FileItem, changeName, fileChanges } from './plan.ts'
import { readUpTo, statRegular } from './read.ts'
import { CHANGED, fileError, systemError } from './reasons.ts'
import { linkTarget, writeError } from './target.ts'
import { makeFolder, replaceFile } from './write.ts'

const FOLDER_MODE = 0o755

/**
 * Carries out exactly the changes of a plan. Ends between two files where `signal` says so. A file of which somebody else
 * has made something else since the plan was made stays as it is; one whose name is ours is replaced all the same.
 * @param onDone told each item once it is done
 * @throws KjitsiError of several files naming what was done before the failure and what was not
 */
export async function applyFiles(
  items: readonly FileItem[],
  signal: AbortSignal,
  onDone: (item: FileItem) => void = () => undefined,
): Promise<void> {
  const changes = fileChanges(items)
  for (const [i, item] of changes.entries()) {
    try {
      signal.throwIfAborted()
      await apply(item)
    } catch (error) {
      // Of a single file, the error says it all.
      if (!(error instanceof KjitsiError) || changes.length === 1) throw error
      const names = changes.map(changeName)
      throw withProgress(error, { done: names.slice(0, i), notDone: names.slice(i) })
    }
    onDone(item)
  }
}

async function apply(item: FileItem): Promise<void> {
  const { path, own, after, mode } = item
  if (after === undefined) return remove(path)
  if (own) await makeFolder(dirname(path), FOLDER_MODE)
  try {
    if (own) await replaceFile(path, encode(after), mode)
    else await replaceNamed(item, encode(after))
  } catch (error) {
    throw await writeError(path, error)
  }
}

/** A link keeps pointing at the file that gets the content. */
async function replaceNamed({ path, before, mode }: FileItem, bytes: Uint8Array): Promise<void> {
  const old = await statRegular(path)
  const real = await linkTarget(path)
  if (old !== undefined) await access(real, constants.W_OK)
  await replaceFile(real, bytes, mode, old, async () => {
    if (!(await isStill(real, before))) throw systemError(CHANGED)
  })
}

/** Whether a file holds a text, undefined where there was none. */
async function isStill(path: string, text: string | undefined): Promise<boolean> {
  if ((await statRegular(path)) === undefined) return text === undefined
  if (text === undefined) return false
  const bytes = encode(text)
  return bytes.equals(await readUpTo(path, bytes.length))
}

/** What is gone by then was another run's work, and is done. */
async function remove(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT') throw fileError(`cannot remove ${path}`, error)
  }
}
