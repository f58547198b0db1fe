// A folder that export-certs wrote, as a source of keys. It is not watched, since a watch goes silent on network file
// systems and where a mount is replaced: it is read anew.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { KjitsiError, messageOf, systemCodeOf } from '../errors.ts'
import { readBytes } from '../files/read.ts'
import { NOT_REGULAR, TOO_LONG, fileError } from '../files/reasons.ts'
import { type Key, type LeftOut, MAX_PEM_BYTES, isKeyFile, keyOfPem } from './key.ts'
import type { LiveSource, Reading } from './refresh.ts'

/** Reading a folder costs nobody else anything, so a new file is found at once. */
const COOLDOWN = 1
/** With these, a file is certainly no key; with any other error, nobody knows what it holds. */
const NO_KEY = ['EISDIR', NOT_REGULAR, TOO_LONG]

/** The PEM files in `dir`, an absolute path; those that hold no public RSA key are left out. Links are followed. */
export function pemFolder(dir: string, cooldown: number): LiveSource {
  return { name: dir, cooldown: Math.min(cooldown, COOLDOWN), read: () => readKeys(dir) }
}

async function readKeys(dir: string): Promise<Reading> {
  const names = await readdir(dir).catch((error: unknown) => fileError(`cannot read ${dir}`, error))
  if (names instanceof KjitsiError) return failed('unreachable', names)
  const keys: Key[] = []
  const leftOut: LeftOut[] = []
  let isWhole = true
  for (const [i, file] of names.filter(isKeyFile).sort().entries()) {
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

function failed(outcome: 'none' | 'unreachable', error: KjitsiError): Reading {
  return { outcome, keys: [], leftOut: [], findings: [], error }
}
