// What a file of gen-config is, and what those that publish Keycloak's keys are made from.
import type { Finding } from '../finding.ts'
import { type Literal, shellWords } from './literals.ts'

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

/** Keys that are to be published. */
export interface Published {
  /** Address of the Keycloak that is to be asked for them. */
  readonly url: string
  readonly realm: readonly string[]
  /** Other hosts that they may come from. */
  readonly allowKeysFrom: readonly string[]
  /** Where Prosody fetches `/<sha256(kid)>.pem`; no slash at its end. */
  readonly keyserver: string
  /** What the commands in the file are told as well, so that they come to the same facts. */
  readonly told: readonly string[]
}

/** A command line that works as it stands: whatever it does not name is what it takes by default. */
export function commandLine(command: readonly string[], published: Published): Literal {
  const { told, keyserver } = published
  const words = ['kjitsi', ...command, ...sourceWords(published), ...told, '--keyserver', keyserver]
  return shellWords('an option of this run', words)
}

/** `--url … --realm …`, as every command takes them. */
export function sourceWords({ url, realm }: Published): readonly string[] {
  return ['--url', url, ...realm.flatMap((name) => ['--realm', name])]
}

/** Where the Debian packages serve /etc/jitsi/meet/public. */
export const DEBIAN_KEYS = '/_api/public'

/** The host of guests in the Debian packages' Prosody. */
export function guestDomain(domain: string): string {
  return `guest.${domain}`
}
