// Where a `.env` is read by two: compose, and another reader whose settings lie in the same file.
import { KjitsiError } from '../errors.ts'
import { type Statement, lineAt, parseEnv, valueIfReadable } from './parse.ts'

/**
 * Sees to it that compose reads the same values for `names` as another reader of the file did. A name that `environment` has
 * is not looked at, since its value in the file does not count; nor is a file that compose cannot read at all.
 * @param read what the other reader made of `text`
 * @param file what to call it in an error
 * @throws KjitsiError `usage` with the names and their lines; it shows no value
 */
export function checkReadAlike(
  text: string,
  read: Readonly<Record<string, string>>,
  names: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  file: string,
): void {
  const statements = parsedIfReadable(text)
  if (statements === undefined) return
  const inherited = (key: string): string | undefined =>
    Object.hasOwn(environment, key) ? environment[key] : undefined
  const values = new Map<string, string | undefined>()
  const starts = new Map<string, number>()
  for (const statement of statements) {
    if (statement.kind !== 'assignment') continue
    const value = valueIfReadable(statement, (key) => inherited(key) ?? values.get(key))
    values.set(statement.key, value)
    starts.set(statement.key, statement.start)
  }
  const isOther = (name: string): boolean => {
    // What compose refuses to read, it does not read as something else.
    const isRefused = values.has(name) && values.get(name) === undefined
    return !inherited(name) && !isRefused && (values.get(name) ?? '') !== (read[name] ?? '')
  }
  const others = names.filter(isOther).map((name) => {
    // Compose may take for a part of another value what its reader took for an assignment.
    const at = starts.get(name) ?? text.search(new RegExp(`^[^\\S\\n]*(?:export\\s+)?${name}\\s*[=:]`, 'm'))
    return { name, line: lineAt(text, at) }
  })
  const [first] = others
  if (first === undefined) return
  const places = others.map(({ name, line }) => `${name} (line ${line})`).join(', ')
  throw new KjitsiError('usage', `${file}: docker compose reads ${places} differently than kjitsi does`, {
    hint:
      `write the value itself in single quotes, which both read as it stands: ${first.name}='…'; ` +
      'one that holds a single quote goes into double quotes, without $ and \\, or into the environment',
  })
}

function parsedIfReadable(text: string): readonly Statement[] | undefined {
  try {
    return parseEnv(text)
  } catch {
    return undefined
  }
}
