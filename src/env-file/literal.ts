// The one way to write a value into a `.env`.
import { CONTROL, refuseCharacters } from '../characters.ts'
import { hasBlankEdge } from './parse.ts'

/**
 * A value as `.env` holds it: bare where that is read back as it stands, else in single quotes, where only `'` needs an
 * escape. Bare values also survive readers that are simpler than docker compose.
 * @param what names the value in an error
 * @param quoted single quotes even where bare would do
 * @throws KjitsiError `usage`; it does not show the value, which may be a secret
 */
export function envLiteral(what: string, value: string, quoted = false): string {
  refuseCharacters(what, value, [[CONTROL, 'which a line of .env cannot hold']])
  const bare = !quoted && !/^['"#]|\$| #/.test(value) && !hasBlankEdge(value)
  if (bare) return value
  refuseCharacters(what, value, [[/\\/, 'which .env cannot hold in a value that has to stand in quotes']])
  return `'${value.replaceAll("'", "\\'")}'`
}
