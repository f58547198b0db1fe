// Commands as a person can paste them into a shell.

/** A word of a command line, quoted where a shell would read it as something else. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

/** Which Keycloak client a run is about; what is not known is left to the settings. */
export interface About {
  readonly url?: string | undefined
  readonly realm?: string | undefined
  readonly client?: string | undefined
}

/** A command of kjitsi about the same client as this run, whatever its defaults. */
export function kjitsiCommand(words: readonly string[], { url, realm, client }: About): string {
  const about = [
    ...(url === undefined ? [] : ['--url', url]),
    ...(realm === undefined ? [] : ['--realm', realm]),
    ...(client === undefined ? [] : ['--client', client]),
  ]
  return ['kjitsi', ...words, ...about].map(shellWord).join(' ')
}
