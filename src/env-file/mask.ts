// The text of a `.env` as it may be shown. Which of its values may be, the caller knows; of the rest, the names alone.
import { MASKED } from '../shown.ts'
import { type Assignment, type Statement, commentedOut, isAloneOnLine, parseEnv, valueOf } from './parse.ts'

/** A variable's value as it may be shown. */
type ShownValue = (key: string, value: string) => string

/** @param comments the lines of comment that may be shown */
export function maskEnv(text: string, shown: ShownValue, comments: ReadonlySet<string>): string {
  let masked = ''
  let at = 0
  for (const statement of parseEnv(text)) {
    const { start, end } = statement.kind === 'assignment' ? behindSeparator(statement) : statement
    masked += text.slice(at, start) + shownStatement(text, statement, shown, comments)
    at = end
  }
  return masked + text.slice(at)
}

function behindSeparator({ valueStart, end }: Assignment): { readonly start: number; readonly end: number } {
  return { start: valueStart, end }
}

/** An assignment from its value on, or another statement as a whole. */
function shownStatement(
  text: string,
  statement: Statement,
  shown: ShownValue,
  comments: ReadonlySet<string>,
): string {
  const { kind, start, end } = statement
  if (kind === 'assignment') {
    const comment = text.slice(statement.valueEnd, end).replace(/#[^\r\n]+/, `#${MASKED}`)
    return shownLiteral(text, statement, shown) + comment
  }
  const all = text.slice(start, end)
  // A value that goes on without a quote is read as names.
  if (kind === 'name') return maskLines(all)
  const { key, valueStart = end } = commentedOut(text, statement) ?? {}
  if (!isAloneOnLine(text, start)) return all.replace(/[^#\r\n][^\r\n]*/, MASKED)
  if (key !== undefined) return text.slice(start, valueStart) + shown(key, text.slice(valueStart, end))
  return comments.has(all.trimEnd()) ? all : all.replace(/[^#\r\n][^\r\n]*/, MASKED)
}

/** A value as it stands in the text where all of it may be shown, else what of it may be. */
function shownLiteral(text: string, statement: Assignment, shown: ShownValue): string {
  const literal = text.slice(statement.valueStart, statement.valueEnd)
  // What a value takes from elsewhere, or falls back to, is not this variable's alone.
  if (literal.includes('\n') || (statement.quote !== "'" && literal.includes('$'))) return maskLines(literal)
  const value = valueOf(statement, () => undefined)
  const safe = shown(statement.key, value)
  return safe === value ? literal : safe
}

function maskLines(text: string): string {
  return text.replace(/[^\r\n]+/g, MASKED)
}
