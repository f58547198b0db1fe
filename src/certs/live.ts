// Where a key server reads its keys: a realm, an address, a file, as fetch.ts knows them.
import type { Http } from '../http/http.ts'
import { fetchKeys } from './fetch.ts'
import type { Source } from './refresh.ts'
import { type KeySource, nameOfSource } from './sources.ts'

/**
 * A source that is read again and again.
 *
 * Where a key is asked for that is not known, a realm costs one request: its key set is read from where its discovery
 * document said last. In all other cases discovery is asked first, so that a server that moves its keys is followed.
 * @param cooldown seconds
 */
export function liveSource(http: Http, source: KeySource, cooldown: number): Source {
  let jwksUri: string | undefined
  return {
    name: nameOfSource(source),
    cooldown,
    async read(why) {
      const known = why === 'asked' ? jwksUri : undefined
      const place = source.kind === 'realm' && known !== undefined ? { ...source, jwksUri: known } : source
      const fetched = await fetchKeys(http, place)
      jwksUri = fetched.error === undefined ? fetched.address : undefined
      return fetched
    },
  }
}
