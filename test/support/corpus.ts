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

export interface Installation {
  readonly id: string
  readonly env: string
  readonly certs: Readonly<Record<string, string>>
  readonly jwks: string | null
}

const FOLDER = new URL('../fixtures/corpus/', import.meta.url)

function readFixture(name: string): unknown {
  return JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8'))
}

export const CASES = readFixture('cases.json') as readonly Case[]
export const INSTALLATIONS = readFixture('settings.json') as readonly Installation[]

export interface Asked {
  readonly prosody: ProsodySettings
  readonly keys: PublishedKeys
}

export const ASKED: ReadonlyMap<string, Asked> = new Map(
  INSTALLATIONS.map(({ id, env, certs, jwks }) => {
    const files = new Map(Object.entries(certs).map(([name, text]) => [name, readPem(text)]))
    const set = jwks === null ? undefined : readKeySet(jwks)
    return [id, { prosody: prosodySettings(readEnv(env)), keys: { set, file: (name) => files.get(name) } }]
  }),
)

export function askedOf(settings: string): Asked {
  const asked = ASKED.get(settings)
  if (asked === undefined) throw new Error(`no installation ${settings}`)
  return asked
}

export function verdictOn({ settings, token, room, now }: Case): Verdict {
  const { prosody, keys } = askedOf(settings)
  return verdictOf(token, prosody, keys, room, now)
}

/** The members that the fixture and a verdict have in common. */
export function answersOf({ auth, join, answered }: Pick<Case, 'auth' | 'join' | 'answered'>): object {
  return { auth: bare(auth), join: join && bare(join), answered }
}

function bare({ accepted, condition, text }: Answer): Answer {
  return { accepted, condition, text }
}
