// A folder that export-certs wrote, as a source of keys. It is not watched, since a watch goes silent on network file
// systems and where a mount is replaced: it is listed anew, and what has changed by size, time or inode is read.
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { KjitsiError, messageOf, systemCodeOf } from '../errors.ts'
import { readBytes } from '../files/read.ts'
import { fileError } from '../files/reasons.ts'
import { type Key, type LeftOut, MAX_PEM_BYTES, isKeyFile, keyOfPem } from './key.ts'
import type { LiveSource, Reading } from './refresh.ts'

const UNREAD = ''
/** Listing a folder costs nobody else anything, so a new file is found at once. */
const COOLDOWN = 1

interface Known {
  /** Tells whether the file is still the same one. */
  readonly mark: string
  readonly key: Key | string
}

/** The PEM files in `dir`, an absolute path; those that hold no public RSA key are left out. Links are followed. */
export function pemFolder(dir: string, cooldown: number): LiveSource {
  let known: ReadonlyMap<string, Known> = new Map()
  let isWhole = true
  return {
    name: dir,
    cooldown: Math.min(cooldown, COOLDOWN),
    async read() {
      try {
        ;({ found: known, isWhole } = await readAll(dir, known))
      } catch (error) {
        return failed(
          'unreachable',
          error instanceof KjitsiError ? error : fileError(`cannot read ${dir}`, error),
        )
      }
      const keys: Key[] = []
      const leftOut: LeftOut[] = []
      let position = 0
      for (const [file, { key }] of known) {
        position++
        if (typeof key !== 'string') keys.push(key)
        else leftOut.push({ kid: file, position, source: dir, reason: key })
      }
      if (keys.length > 0) return { outcome: 'keys', keys, leftOut, findings: [] }
      return failed(
        isWhole ? 'none' : 'unreachable',
        new KjitsiError('keys', `${dir} holds no key: no file <64 hex>.pem with a public RSA key in it`, {
          hint: `kjitsi export-certs ${dir} writes them`,
        }),
      )
    },
  }
}

function failed(outcome: 'none' | 'unreachable', error: KjitsiError): Reading {
  return { outcome, keys: [], leftOut: [], findings: [], error }
}

/** `isWhole` is false where a file that was listed could not be looked at: then nobody knows what it holds. */
async function readAll(
  dir: string,
  known: ReadonlyMap<string, Known>,
): Promise<{ readonly found: ReadonlyMap<string, Known>; readonly isWhole: boolean }> {
  const found = new Map<string, Known>()
  let isWhole = true
  for (const file of (await readdir(dir)).sort()) {
    if (!isKeyFile(file)) continue
    const one = await readOne(dir, file, known.get(file))
    if (one !== undefined) found.set(file, one)
    if (one === undefined || one.mark === UNREAD) isWhole = false
  }
  return { found, isWhole }
}

async function readOne(dir: string, file: string, before: Known | undefined): Promise<Known | undefined> {
  const path = join(dir, file)
  try {
    const about = await stat(path)
    const mark = `${about.mtimeMs} ${about.ctimeMs} ${about.size} ${about.ino}`
    if (before?.mark === mark) return before
    if (!about.isFile()) return { mark, key: 'it is no file' }
    if (about.size > MAX_PEM_BYTES) return { mark, key: `it is longer than ${MAX_PEM_BYTES} bytes` }
    const pem = (await readBytes(path, { maxBytes: MAX_PEM_BYTES })).toString('latin1')
    return { mark, key: keyOfPem(pem, file, dir, null) }
  } catch (error) {
    // Removed since the folder was listed.
    if (systemCodeOf(error) === 'ENOENT') return undefined
    return {
      mark: UNREAD,
      key: messageOf(error instanceof KjitsiError ? error : fileError(`cannot read ${path}`, error)),
    }
  }
}
