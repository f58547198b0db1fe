// THE reader of folders of PEM files: of one that kjitsi writes, through no link, and of one that it serves from, through
// links. Neither is watched, since a watch goes silent on network file systems and where a mount is replaced: it is read anew.
import { lstat, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { KjitsiError, messageOf, systemCodeOf } from '../errors.ts'
import type { Target } from '../files/plan.ts'
import { readBytes } from '../files/read.ts'
import { NOT_REGULAR, FILE_TOO_LONG, fileError } from '../files/reasons.ts'
import { readOwnTarget } from '../files/target.ts'
import { TEMPORARY } from '../files/write.ts'
import { type Key, type LeftOut, MAX_PEM_BYTES, isKeyFile, keyOfPem } from './key.ts'
import { MANIFEST_FILE } from './manifest.ts'
import { type LiveSource, type Reading, failed } from './reading.ts'

/** Reading a folder costs nobody else anything, so a new file is found at once. */
const COOLDOWN = 1
/** With these, a file is certainly no key; with any other error, nobody knows what it holds. */
const NO_KEY = ['EISDIR', NOT_REGULAR, FILE_TOO_LONG]

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

/**
 * Reads the folder; one that is not there is empty.
 * @param dir absolute
 * @param files names of files that are going to be written
 * @throws KjitsiError `file`
 */
export async function readFolder(dir: string, files: readonly string[] = []): Promise<Folder> {
  const { open, keyFiles, temporary } = await listFolder(dir).catch((error: unknown) => {
    if (systemCodeOf(error) !== 'ENOENT') throw error
    return { open: true, keyFiles: [], temporary: [] }
  })
  const targets = new Map<string, Target>()
  for (const name of new Set([...files, ...keyFiles])) {
    targets.set(name, await readOwnTarget(join(dir, name), MAX_PEM_BYTES))
  }
  const leftovers: Target[] = []
  for (const path of temporary.map((name) => join(dir, name))) {
    if (await isLeftOver(path)) leftovers.push(await readOwnTarget(path, MAX_PEM_BYTES))
  }
  return { open, targets, leftovers }
}

interface Listed {
  readonly open: boolean
  readonly keyFiles: readonly string[]
  readonly temporary: readonly string[]
}

/** @throws KjitsiError `file`, with the system's own error as its cause */
async function listFolder(dir: string): Promise<Listed> {
  try {
    const about = await stat(dir)
    if (!about.isDirectory())
      throw new KjitsiError('file', `${dir} is a file, not a folder`, { hint: 'name a folder' })
    const names = (await readdir(dir)).sort()
    return {
      open: (about.mode & 0o005) === 0o005,
      keyFiles: names.filter(isKeyFile),
      temporary: names.filter(isTemporary),
    }
  } catch (error) {
    throw error instanceof KjitsiError ? error : fileError(`cannot read ${dir}`, error)
  }
}

function isTemporary(name: string): boolean {
  const [, of = ''] = TEMPORARY.exec(name) ?? []
  return of === MANIFEST_FILE || isKeyFile(of)
}

async function isLeftOver(path: string): Promise<boolean> {
  const about = await lstat(path).catch(() => undefined)
  return about?.isFile() === true && about.mtimeMs < Date.now() - LEFT_OVER_MS
}

/** The PEM files in `dir`, an absolute path; those that hold no public RSA key are left out. Links are followed. */
export function pemFolder(dir: string, cooldown: number): LiveSource {
  return { name: dir, cooldown: Math.min(cooldown, COOLDOWN), read: () => readKeys(dir) }
}

async function readKeys(dir: string): Promise<Reading> {
  const listed = await listFolder(dir).catch((error: unknown) => {
    if (error instanceof KjitsiError) return error
    throw error
  })
  if (listed instanceof KjitsiError) return failed('unreachable', listed)
  const keys: Key[] = []
  const leftOut: LeftOut[] = []
  let isWhole = true
  for (const [i, file] of listed.keyFiles.entries()) {
    const about = { kid: file, position: i + 1, source: dir }
    try {
      const pem = await readBytes(join(dir, file), { maxBytes: MAX_PEM_BYTES })
      const key = keyOfPem(pem.toString('latin1'), file, dir, null)
      if (typeof key === 'string') leftOut.push({ ...about, reason: key })
      else keys.push(key)
    } catch (error) {
      const code = systemCodeOf(error) ?? ''
      isWhole &&= NO_KEY.includes(code)
      // Removed since the folder was listed, or a link to nothing.
      if (code !== 'ENOENT') leftOut.push({ ...about, reason: messageOf(error) })
    }
  }
  if (keys.length > 0) return { outcome: 'keys', keys, leftOut, findings: [] }
  return failed(
    isWhole ? 'none' : 'unreachable',
    new KjitsiError('keys', `${dir} holds no key: no file <64 hex>.pem with a public RSA key in it`, {
      hint: `kjitsi export-certs ${dir} writes them`,
    }),
  )
}
