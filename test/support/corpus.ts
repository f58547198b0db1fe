// The fixture of real verdicts, ready to be asked.
import { readFileSync } from 'node:fs'
import { readEnv } from '../../src/env-file/parse.ts'
import { type ProsodySettings, prosodySettings } from '../../src/prosody/settings.ts'
import { type PublishedKeys, readKeySet, readPem } from '../../src/token/keys.ts'
import { type Verdict, verdictOf } from '../../src/token/verdict.ts'

interface Answer {
  readonly accepted: boolean
  readonly condition: string | null
  readonly text: string | null
}

export interface Case {
  readonly id: string
  readonly settings: string
  readonly token: string | null
  readonly room: string
  readonly roomJid: string
  readonly now: number
  readonly auth: Answer
  readonly join: (Answer & { readonly element?: string }) | null
  readonly answered: boolean
  readonly tags: readonly string[]
}

interface Installation {
  readonly id: string
  readonly env: string
  readonly certs: Readonly<Record<string, string>>
  readonly jwks: string | null
}

export interface Asked {
  readonly prosody: ProsodySettings
  readonly keys: PublishedKeys
}

export interface Corpus {
  readonly cases: readonly Case[]
  readonly installations: readonly Installation[]
  /** What the installations come to, by id. */
  readonly asked: ReadonlyMap<string, Asked>
}

/** @param name of a folder in test/fixtures */
export function readCorpus(name: string): Corpus {
  const read = (file: string): unknown =>
    JSON.parse(readFileSync(new URL(`../fixtures/${name}/${file}.json`, import.meta.url), 'utf8'))
  const installations = read('settings') as readonly Installation[]
  const asked = installations.map(({ id, env, certs, jwks }) => {
    const files = new Map(Object.entries(certs).map(([file, text]) => [file, readPem(text)]))
    const set = jwks === null ? undefined : readKeySet(jwks)
    const keys = { set, file: (file: string) => files.get(file) }
    return [id, { prosody: prosodySettings(readEnv(env)), keys }] as const
  })
  return { cases: read('cases') as readonly Case[], installations, asked: new Map(asked) }
}

export const CORPUS = readCorpus('corpus')

export function askedOf(corpus: Corpus, settings: string): Asked {
  const asked = corpus.asked.get(settings)
  if (asked === undefined) throw new Error(`no installation ${settings}`)
  return asked
}

export function verdictOn(corpus: Corpus, { settings, token, room, now }: Case): Verdict {
  const { prosody, keys } = askedOf(corpus, settings)
  return verdictOf(token, prosody, keys, room, now)
}

/** The members that the fixture and a verdict have in common. */
export function answersOf({ auth, join, answered }: Pick<Case, 'auth' | 'join' | 'answered'>): object {
  return { auth: bare(auth), join: join && bare(join), answered }
}

function bare({ accepted, condition, text }: Answer): Answer {
  return { accepted, condition, text }
}
