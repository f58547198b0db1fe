// A folder that export-certs wrote, as a source of keys. It is not watched, since a watch goes silent on network file
// systems and where a mount is replaced: it is listed anew, and what has changed is read.
import { KjitsiError, messageOf } from '../errors.ts'
import { type Entry, type Folder, readFolder } from './export.ts'
import { type Key, type LeftOut, keyOfPem } from './key.ts'
import type { LiveSource, Reading } from './refresh.ts'

/** Listing a folder costs nobody else anything, so a new file is found at once. */
const COOLDOWN = 1

/** The PEM files in `dir`, an absolute path; those that hold no usable key are left out. Links are followed. */
export function pemFolder(dir: string, cooldown: number): LiveSource {
  let folder: Folder | undefined
  const judged = new WeakMap<Entry, Key | string>()
  const keyIn = (entry: Entry, file: string): Key | string => {
    if (entry.kind === 'other') return 'it is no file, or a link to none'
    return entry.unread ?? keyOfPem(entry.content, file, dir, null)
  }
  return {
    name: dir,
    cooldown: Math.min(cooldown, COOLDOWN),
    async read() {
      try {
        folder = await readFolder(dir, true, folder)
      } catch (error) {
        return failed(
          'unreachable',
          error instanceof KjitsiError ? error : new KjitsiError('file', messageOf(error)),
        )
      }
      if (!folder.exists) {
        return failed('unreachable', new KjitsiError('file', `cannot read ${dir}: no such file or folder`))
      }
      const keys: Key[] = []
      const leftOut: LeftOut[] = []
      let position = 0
      for (const [file, entry] of folder.entries) {
        position++
        const key = judged.get(entry) ?? keyIn(entry, file)
        judged.set(entry, key)
        if (typeof key !== 'string') keys.push(key)
        else leftOut.push({ kid: file, position, source: dir, reason: key })
      }
      if (keys.length > 0) return { outcome: 'keys', keys, leftOut, findings: [] }
      // What could not be looked at may hold a key.
      const isWhole = [...folder.entries.values()].every(
        (entry) => entry.kind === 'file' && entry.mark !== '',
      )
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
