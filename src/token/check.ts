// Verdicts by what a person gave: settings are read once, keys as the tokens ask for them.
import type { Finding } from '../finding.ts'
import type { Http } from '../http/http.ts'
import type { Io } from '../io.ts'
import { keyFileOf, kidOf } from './token.ts'
import { type TokenSettings, readSettings } from './settings.ts'
import { openKeys } from './fetch-keys.ts'
import { type Verdict, verdictOf } from './verdict.ts'

export interface Question {
  /** null asks about a login without a token. */
  readonly token: string | null
  /** As people type it after the host; undefined asks about the login alone. */
  readonly room: string | undefined
  /** Whole Unix seconds; undefined is now. */
  readonly at: number | undefined
  /** The token is what Keycloak would write, never signed. */
  readonly unsigned?: boolean
}

export interface Check {
  readonly ask: (question: Question) => Promise<Verdict>
  /** About the settings. */
  readonly findings: readonly Finding[]
}

/** @throws KjitsiError as reading the settings and opening the keys do */
export async function openCheck(http: Http, settings: TokenSettings, io: Io): Promise<Check> {
  const { prosody, places, findings, about } = await readSettings(settings, io)
  const source = await openKeys(http, places, io.cwd)
  return {
    findings,
    async ask({ token, room, at, unsigned }) {
      if (prosody.keysUrlAskable && kidOf(token) !== undefined) await source.loadSet()
      const file = keyFileOf(token, prosody, source.keys)
      if (file !== undefined) await source.loadFile(file)
      const now = at ?? Math.floor(Date.now() / 1000)
      return verdictOf(token, prosody, source.keys, room, now, about, unsigned)
    },
  }
}
