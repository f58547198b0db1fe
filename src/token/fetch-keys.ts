// Gets the keys that Prosody would find: the key set, and each `.pem` file when the first token asks for it. What was
// seen is kept, a failure is not.
import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { KjitsiError, messageOf } from '../errors.ts'
import { readIfThere } from '../files/read.ts'
import { type Http, getText } from '../http/http.ts'
import { badStatus, statusOf } from '../http/reasons.ts'
import {
  type PublicKey,
  type KeysByKid,
  type PublishedKeys,
  type Unseen,
  readKeySet,
  readPem,
} from './keys.ts'

export interface KeyFetcher {
  readonly keys: PublishedKeys
  /** Gets the key set before a verdict asks for it, where it was not seen yet. */
  readonly loadSet: () => Promise<void>
  /** Gets a file before a verdict asks for it. One that was not seen is asked for again the next time. */
  readonly loadFile: (file: string) => Promise<void>
}

/** Files in memory at once; a batch may hold any number of kids. */
const MAX_FILES = 1000

export interface KeyPlaces {
  /** Folder to read files from in place of the key server. */
  readonly certs: string | undefined
  readonly keyServer: string | undefined
  /** Addresses or paths of key sets, which are taken together. */
  readonly sets: readonly string[]
}

/** @throws KjitsiError `file` where the folder or a key set is a path that cannot be read */
export async function openKeys(
  http: Http,
  { certs, keyServer, sets }: KeyPlaces,
  cwd: string,
): Promise<KeyFetcher> {
  const folder = certs === undefined ? undefined : await existingFolder(resolve(cwd, certs))
  const files = new Map<string, PublicKey | Unseen | undefined>()
  let set = await readSets(http, sets, cwd)
  let isNew = true
  return {
    keys: {
      get set() {
        return set.keys
      },
      get setFailure() {
        return set.failure
      },
      file: (name) => files.get(name),
      folder,
    },
    async loadSet() {
      if (set.failure !== undefined && !isNew) set = await readSets(http, sets, cwd)
      isNew = false
    },
    async loadFile(file) {
      if (files.has(file) && files.get(file)?.is !== 'unseen') return
      if (files.size >= MAX_FILES) files.delete(files.keys().next().value ?? '')
      files.set(
        file,
        folder === undefined ? await fetchFile(http, keyServer, file) : await readPemFile(join(folder, file)),
      )
    },
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

async function readPemFile(path: string): Promise<PublicKey | undefined> {
  const text = await readIfThere(path)
  return text === undefined ? undefined : readPem(text)
}

/** As Prosody does: 200 alone counts, no redirect is followed, and nobody looks at the content type. */
async function fetchFile(
  http: Http,
  keyServer: string | undefined,
  file: string,
): Promise<PublicKey | Unseen | undefined> {
  if (keyServer === undefined) return undefined
  const seen = await see(http, `${keyServer}/${file}`)
  if (seen.is === 'unseen') return seen
  return seen.is === 'text' ? readPem(seen.text) : undefined
}

type Seen = Unseen | { readonly is: 'text'; readonly text: string } | { readonly is: 'nothing' }

/**
 * What an address answers to anybody. An answer that others may not get, such as 403 or 503, and none at all say
 * nothing about what Prosody sees.
 */
async function see(http: Http, url: string): Promise<Seen> {
  try {
    const answer = await getText(http, url)
    if (answer.status === 200) return { is: 'text', text: answer.text }
    throw badStatus(answer)
  } catch (error) {
    if (!(error instanceof KjitsiError && error.code === 'unreachable')) throw error
    const status = statusOf(error.cause)
    const isAbsent = status !== undefined && (status < 400 || status === 404 || status === 410)
    return isAbsent ? { is: 'nothing' } : { is: 'unseen', what: error.message }
  }
}

async function readSets(
  http: Http,
  sets: readonly string[],
  cwd: string,
): Promise<{ readonly keys: KeysByKid | undefined; readonly failure?: string }> {
  let keys: KeysByKid | undefined
  let failure: string | undefined
  for (const place of sets) {
    const seen = /^[a-z][\w+.-]*:\/\//i.test(place) ? await see(http, place) : await readSet(place, cwd)
    if (seen.is === 'unseen') failure = seen.what
    if (seen.is !== 'text') continue
    const more = readKeySet(seen.text)
    keys =
      more === 'undetermined' || keys === 'undetermined'
        ? 'undetermined'
        : new Map([...(keys ?? []), ...more])
  }
  return failure === undefined ? { keys } : { keys, failure }
}

async function readSet(place: string, cwd: string): Promise<Seen> {
  const path = resolve(cwd, place)
  const text = await readIfThere(path)
  if (text === undefined) throw new KjitsiError('file', `--jwks: there is no file ${path}`)
  return { is: 'text', text }
}
