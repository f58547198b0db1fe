// Gets the keys that Prosody would find: the key set once, and each `.pem` file when the first token asks for
// it.
import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { KjitsiError, messageOf } from '../errors.ts'
import { readIfThere } from '../files.ts'
import { type Http, getText } from '../http.ts'
import { type Key, type KeySet, type Keys, readKeySet, readPem } from './keys.ts'
import { shownAddress } from '../shown.ts'

export interface KeySource {
  readonly keys: Keys
  /** Gets a file before a verdict asks for it. */
  readonly load: (file: string) => Promise<void>
  /** Why the key set or a file could not be had, where that says nothing about what Prosody can see. */
  readonly failureOf: (file: string | undefined) => string | undefined
}

interface Loaded {
  readonly key: Key | undefined
  readonly failure?: string
}

/** Jitsi's own front page, which some answer in place of a 404, is about 20 kB. */
const MAX_BYTES = 1_000_000
/** Files in memory at once; a batch may hold any number of kids. */
const MAX_FILES = 1000

export interface Places {
  /** Folder to read files from in place of the key server. */
  readonly certs: string | undefined
  readonly keyServer: string | undefined
  /** Addresses or paths of key sets, which are taken together. */
  readonly sets: readonly string[]
}

/** @throws KjitsiError `file` where the folder or a key set is a path that cannot be read */
export async function openKeySource(
  http: Http,
  { certs, keyServer, sets }: Places,
  cwd: string,
): Promise<KeySource> {
  const folder = certs === undefined ? undefined : await existingFolder(resolve(cwd, certs))
  const files = new Map<string, Loaded>()
  const set = await loadSets(http, sets, cwd)
  return {
    keys: { set: set.keys, file: (name) => files.get(name)?.key },
    async load(file) {
      if (files.has(file)) return
      if (files.size >= MAX_FILES) files.delete(files.keys().next().value ?? '')
      files.set(
        file,
        folder === undefined ? await fetchFile(http, keyServer, file) : await readPemFile(join(folder, file)),
      )
    },
    failureOf: (file) => (file === undefined ? undefined : files.get(file)?.failure) ?? set.failure,
  }
}

async function existingFolder(path: string): Promise<string> {
  const found = await stat(path).catch((error: unknown) => messageOf(error))
  if (typeof found !== 'string' && found.isDirectory()) return path
  const why = typeof found === 'string' ? found : 'it is no folder'
  throw new KjitsiError('file', `--certs: cannot read ${path}: ${why}`, {
    hint: 'kjitsi export-certs DIR makes one',
  })
}

async function readPemFile(path: string): Promise<Loaded> {
  const text = await readIfThere(path)
  return { key: text === undefined ? undefined : readPem(text) }
}

/** As Prosody does: 200 alone counts, no redirect is followed, and nobody looks at the content type. */
async function fetchFile(http: Http, keyServer: string | undefined, file: string): Promise<Loaded> {
  if (keyServer === undefined) return { key: undefined }
  try {
    const { status, text } = await getText(http, `${keyServer}/${file}`, MAX_BYTES)
    return status === 200
      ? { key: readPem(text) }
      : { key: undefined, failure: `GET ${shownAddress(`${keyServer}/${file}`)}: status ${status}` }
  } catch (error) {
    return { key: undefined, failure: failureIn(error) }
  }
}

function failureIn(error: unknown): string {
  if (error instanceof KjitsiError && error.code === 'unreachable') return error.message
  throw error
}

async function loadSets(
  http: Http,
  sets: readonly string[],
  cwd: string,
): Promise<{ keys: KeySet | undefined; failure?: string }> {
  let keys: KeySet | undefined
  let failure: string | undefined
  for (const place of sets) {
    let text: string
    try {
      text = await textOf(http, place, cwd)
    } catch (error) {
      failure = failureIn(error)
      continue
    }
    const more = readKeySet(text)
    keys =
      more === 'undetermined' || keys === 'undetermined'
        ? 'undetermined'
        : new Map([...(keys ?? []), ...more])
  }
  return failure === undefined ? { keys } : { keys, failure }
}

async function textOf(http: Http, place: string, cwd: string): Promise<string> {
  if (/^https?:\/\//i.test(place)) {
    const { status, text } = await getText(http, place, MAX_BYTES)
    if (status === 200) return text
    throw new KjitsiError('unreachable', `GET ${shownAddress(place)}: status ${status}`)
  }
  const path = resolve(cwd, place)
  const text = await readIfThere(path)
  if (text === undefined) throw new KjitsiError('file', `--jwks: there is no file ${path}`)
  return text
}
