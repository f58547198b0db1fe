// What a file of gen-config is made from: where things are, as the settings say, and what the commands in it are to be told.
import type { Finding } from '../finding.ts'
import type { FactSettings } from './config.ts'
import type { Literal } from './literals.ts'

export const TOLD_TO_HELM = ['client', 'appId', 'audience', 'guests', 'signType', 'moderators'] as const
export const TOLD = [...TOLD_TO_HELM, 'keys'] as const satisfies readonly (keyof FactSettings)[]

/** Settings as the words that give them, none where they are as by default. */
export type Told = Readonly<Record<(typeof TOLD)[number], readonly string[]>>

/** A file to be made: a text of `templates/`, and what goes into its placeholders. */
export interface ConfigFile {
  /** Without a folder. */
  readonly name: string
  /** Relative to `templates/`. */
  readonly template: string
  readonly values: Readonly<Record<string, Literal>>
  /**
   * Refuses the file that the text would be merged into, with it, before anything is written.
   * @throws KjitsiError `usage`
   */
  readonly refuse?: (text: string, file: string) => void
  /** What is worth a warning in the file that the text was merged into. */
  readonly advise?: (text: string, file: string) => readonly Finding[]
}

/** Where things are, as the settings say. */
export interface Place {
  /** Where Prosody fetches `/<sha256(kid)>.pem`; no slash at its end. */
  readonly keyserver: string
  readonly debian: boolean
  readonly cronjob: boolean
  readonly namespace: string
  /** Container image; undefined for the one that the Dockerfile makes. */
  readonly image: string | undefined
  /** Absolute. */
  readonly keysDir: string | undefined
  /** Jitsi's domain in Prosody. */
  readonly domain: string
  /** Whether Prosody refuses tokens without the claim `room`. */
  readonly roomClaim: boolean
  /** The key set that Jitsi's `.env` names. */
  readonly keySet?: string | undefined
  /** What the commands that a file names are to be told, so that they come to the same facts. */
  readonly told: Told
  /** Jitsi's `.env`, as it was named. */
  readonly envFile: string
  /** The folder CONFIG of that `.env`. */
  readonly configFolder: string
}

/** The Keycloak that is to be asked for keys. */
export interface Keycloak {
  readonly url: string
  readonly realm: readonly string[]
  /** Other hosts that its keys may come from. */
  readonly allowKeysFrom: readonly string[]
}
