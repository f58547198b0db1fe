// The one rule for client ids: what neither Keycloak, nor `.env`, nor Prosody's configuration can hold is refused.
import { INVISIBLE } from '../characters.ts'

/** What a client id cannot hold on its way through Keycloak (as measured on 26.7.3), `.env` and Prosody's configuration. */
const NOT_IN_CLIENT_IDS: readonly (readonly [what: RegExp, why: string])[] = [
  [INVISIBLE[0], 'holds a character that cannot be seen'],
  [/^\s|\s$/, 'begins or ends with a blank'],
  [/,/, 'holds a comma, at which Jitsi splits its lists'],
  [/"/, "holds a double quote, which would end the string in Prosody's configuration"],
  [/\\/, "holds a backslash, which begins an escape in Prosody's configuration"],
  [/\{[^{}]+\}/, 'holds {…}, which Keycloak takes for a variable: it answers every login with status 500'],
  [/%[0-9a-f]{2}/i, 'holds % and two hexadecimal digits, which Keycloak decodes: no login ends'],
]

/** The client id of the Keycloak client that Jitsi logs in with. */
export function clientId(text: string): string {
  const [, why] = NOT_IN_CLIENT_IDS.find(([what]) => what.test(text)) ?? []
  if (why !== undefined) throw new Error(`${why}: give Jitsi a client with another client id`)
  return text
}
