// Two texts of a `.env` as a unified diff. Values are shown of those variables only that kjitsi writes: which of the
// others are secrets, nobody can know.
import { FILE_HEADERS_ONLY, createTwoFilesPatch } from 'diff'
import { type Statement, commentedOut, isAloneOnLine, parseEnv } from './env-file.ts'

/** @param shown the variables whose values may be seen */
export function envDiff(file: string, before: string, after: string, shown: ReadonlySet<string>): string {
  const [old, new_] = [before, after].map((text) => mask(text, shown)) as [string, string]
  return createTwoFilesPatch(file, file, old, new_, undefined, undefined, {
    context: 3,
    headerOptions: FILE_HEADERS_ONLY,
  })
}

/** The value without the user name and password that an address may hold. */
export function withoutLogin(value: string): string {
  return value.replace(/\/\/[^\s,]*@/g, '//***@')
}

function mask(text: string, shown: ReadonlySet<string>): string {
  let masked = ''
  let at = 0
  for (const statement of parseEnv(text)) {
    const [start, end] = placeToMask(text, statement, shown)
    masked += text.slice(at, start) + text.slice(start, end).replace(/[^\r\n]+/g, '***')
    at = end
  }
  return withoutLogin(masked + text.slice(at))
}

/** From where to where a statement may hold what is not to be seen. */
function placeToMask(
  text: string,
  statement: Statement,
  shown: ReadonlySet<string>,
): readonly [number, number] {
  const { start, end } = statement
  if (statement.kind === 'assignment') return [shown.has(statement.key) ? end : statement.valueStart, end]
  if (statement.kind === 'name') return [end, end]
  if (!isAloneOnLine(text, start)) return [start + 1, end]
  const { key, valueStart } = commentedOut(text, statement) ?? {}
  return [key === undefined || shown.has(key) ? end : (valueStart ?? end), end]
}
