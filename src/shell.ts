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

const ARGUMENT = { 'gen-env': '.env', 'export-certs': 'DIR', 'setup-client': '', 'setup-mappers': '' }

/**
 * A sentence whose commands of kjitsi are about this run: its Keycloak, realm and client, where they are known, and
 * its `.env`.
 * @param file as it was named
 */
export function aboutThisRun(sentence: string, { url, realm, client }: About, file?: string): string {
  const words = (flag: string, value: string | undefined): string =>
    value === undefined ? '' : ` ${flag} ${shellWord(value)}`
  const keycloak = words('--url', url) + words('--realm', realm)
  const generic = sentence.replace(/ --url KEYCLOAK --realm REALM/, (own) => (keycloak === '' ? own : ''))
  return Object.entries(ARGUMENT).reduce(
    (text, [name, argument]) => {
      const command = ['kjitsi', name, ...(argument === '' ? [] : [argument])].join(' ')
      const place = argument === '.env' && file !== undefined ? shellWord(file) : argument
      const about = keycloak + (name === 'export-certs' ? '' : words('--client', client))
      const completed = ['kjitsi', name, ...(place === '' ? [] : [place])].join(' ') + about
      return text.replaceAll(command, completed)
    },
    client === undefined ? generic : generic.replace(/(?<=-audience )jitsi/g, () => shellWord(client)),
  )
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
