// Reads a `.env` as docker compose does (compose-go's dotenv/parser.go), and says where in the text each value lies.
import { KjitsiError, messageOf } from '../errors.ts'
import { type Lookup, interpolate, unescape } from './interpolate.ts'

/** All positions are indices into the text; `start` is the `#`, the `export` or the key, `end` is behind the last character. */
export type Statement = Comment | Assignment | BareName

export interface Comment {
  readonly kind: 'comment'
  readonly start: number
  /** The newline, or the end of the text. */
  readonly end: number
}

export interface Assignment {
  readonly kind: 'assignment'
  readonly key: string
  readonly start: number
  readonly end: number
  /** Behind `=` or `:`, where the blanks before the value begin. */
  readonly separatorEnd: number
  /** The value as it stands, quotes included, without the blanks around it. */
  readonly valueStart: number
  readonly valueEnd: number
  readonly quote: '' | "'" | '"'
  /** The value between its quotes, before escapes and interpolation. */
  readonly content: string
}

/** A name alone on its line: compose takes its value from the environment. */
interface BareName {
  readonly kind: 'name'
  /** Empty at the end of a text without a last newline, where compose forgets what it has read. */
  readonly key: string
  readonly start: number
  readonly end: number
}

// Go's unicode.IsSpace, and compose-go's own isSpace, which is a part of it and leaves the newline out.
const IN_LINE = '\\t\\v\\f\\r \\u0085\\u00A0'
const ANY = `\\n${IN_LINE}\\u1680\\u2000-\\u200A\\u2028\\u2029\\u202F\\u205F\\u3000`
const SPACES_IN_LINE = new RegExp(`[${IN_LINE}]*`, 'y')
const SPACES = new RegExp(`[${ANY}]*`, 'y')
const TRAILING_SPACES = new RegExp(`(?<![${ANY}])[${ANY}]+$`)
const EXPORT = new RegExp(`export(?=[\\t\\n\\f\\r ])[${IN_LINE}]*`, 'y')
const KEY = new RegExp(`[${IN_LINE}\\p{L}\\p{N}_.\\-[\\]]*`, 'uy')

/** Whether compose would trim a value's edge, were it not quoted. */
export function hasBlankEdge(text: string): boolean {
  return matchAt(SPACES, text, 0) !== '' || TRAILING_SPACES.test(text)
}

/**
 * The statements of a `.env`, in order.
 *
 * One thing is refused that compose takes: several words without `=` on a last line without a newline. With a newline,
 * which whoever adds a line puts there, compose refuses them too.
 * @param name what to call the file in an error
 * @throws KjitsiError `usage` with the line where compose would give up; it never shows what stands there
 */
export function parseEnv(text: string, name = '.env'): readonly Statement[] {
  const statements: Statement[] = []
  // Editors on Windows begin a file with a byte order mark.
  let at = text.startsWith('\uFEFF') ? 1 : 0
  for (;;) {
    at += matchAt(SPACES, text, at).length
    if (at === text.length) return statements
    const next = text[at] === '#' ? comment(text, at) : statement(text, at, name)
    statements.push(next)
    at = next.end
  }
}

function comment(text: string, start: number): Comment {
  return { kind: 'comment', start, end: lineEnd(text, start) }
}

function statement(text: string, start: number, name: string): Assignment | BareName {
  const keyStart = start + matchAt(EXPORT, text, start).length
  const typed = matchAt(KEY, text, keyStart)
  const keyEnd = keyStart + typed.length
  const key = typed.replace(TRAILING_SPACES, '')
  const stop = text[keyEnd]
  if (stop !== undefined && stop !== '=' && stop !== ':' && stop !== '\n') {
    const found = String.fromCodePoint(text.codePointAt(keyEnd) ?? 0)
    throw unreadable(text, keyEnd, name, `${JSON.stringify(found)} cannot be part of a name`)
  }
  if (key.includes(' ')) throw unreadable(text, keyStart, name, 'a name cannot hold a space')
  if (stop === undefined && typed === '') throw unreadable(text, start, name, 'there is no name after export')
  if (stop === undefined) return { kind: 'name', key: '', start, end: keyEnd }
  if (stop === '\n') return { kind: 'name', key, start, end: keyEnd + 1 }
  const separatorEnd = keyEnd + 1
  const valueStart = separatorEnd + matchAt(SPACES_IN_LINE, text, separatorEnd).length
  const quote = text[valueStart]
  const place = { kind: 'assignment', key, start, separatorEnd } as const
  if (quote === '"' || quote === "'") {
    const { content, end } = quoted(text, valueStart, quote, name)
    return { ...place, end, valueStart, valueEnd: end, quote, content }
  }
  const end = lineEnd(text, valueStart)
  const content = (text.slice(valueStart, end).split(' #', 1)[0] ?? '').replace(TRAILING_SPACES, '')
  return { ...place, end, valueStart, valueEnd: valueStart + content.length, quote: '', content }
}

/** A quoted value may go over several lines; what follows its closing quote is the next statement. */
function quoted(text: string, start: number, quote: string, name: string): { content: string; end: number } {
  let content = ''
  for (let i = start + 1; i < text.length; i++) {
    const char = text.charAt(i)
    if (char === quote) return { content, end: i + 1 }
    if (char !== '\\' || i + 1 === text.length) content += char
    else {
      // Of the escapes, only that of the quote itself is resolved here.
      i++
      content += text[i] === quote ? quote : `\\${text.charAt(i)}`
    }
  }
  throw unreadable(text, start, name, `a value begins with ${quote} and never ends`)
}

function matchAt(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0] ?? ''
}

function lineEnd(text: string, from: number): number {
  const newline = text.indexOf('\n', from)
  return newline < 0 ? text.length : newline
}

/** Line number of a position, from 1. */
export function lineAt(text: string, at: number): number {
  return text.slice(0, at).split('\n').length
}

/** Whether only blanks stand before a position in its line. */
export function isAloneOnLine(text: string, at: number): boolean {
  return /(?:^\uFEFF?|\n)[ \t]*$/.test(text.slice(Math.max(0, text.lastIndexOf('\n', at - 1)), at))
}

/** The assignment that a comment would be without its `#`, with the place of its value. */
export function commentedOut(
  text: string,
  { start, end }: Comment,
): { readonly key: string; readonly valueStart: number } | undefined {
  const [match, key] = /^#+[ \t]*(?:export[ \t]+)?([\w.-]+)[ \t]*=[ \t]*/.exec(text.slice(start, end)) ?? []
  return match === undefined || key === undefined ? undefined : { key, valueStart: start + match.length }
}

function unreadable(
  text: string,
  at: number,
  name: string,
  why: string,
  hint = 'docker compose cannot read this file either: correct that line',
): KjitsiError {
  return new KjitsiError('usage', `${name}, line ${lineAt(text, at)}: ${why}`, { hint })
}

/**
 * What compose reads for one assignment.
 * @throws Error as `interpolate` does
 */
export function valueOf(assignment: Assignment, lookup: Lookup): string {
  if (assignment.quote === "'") return assignment.content
  return interpolate(assignment.quote === '"' ? unescape(assignment.content) : assignment.content, lookup)
}

/** As `valueOf`, undefined where compose cannot read it. */
export function valueIfReadable(assignment: Assignment, lookup: Lookup): string | undefined {
  try {
    return valueOf(assignment, lookup)
  } catch {
    return undefined
  }
}

/**
 * The variables that compose reads from the text of a `.env`.
 * @param environment of the process that runs compose: it comes first where a value names a variable
 * @param name what to call the file in an error
 * @throws KjitsiError `usage` where compose cannot read it, or as `interpolate` does
 */
export function readEnv(
  text: string,
  environment: Readonly<Record<string, string | undefined>> = {},
  name = '.env',
): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  const inherited = (key: string): string | undefined =>
    Object.hasOwn(environment, key) ? environment[key] : undefined
  for (const statement of parseEnv(text, name)) {
    if (statement.kind === 'comment') continue
    if (statement.kind === 'assignment') {
      try {
        values.set(
          statement.key,
          valueOf(statement, (key) => inherited(key) ?? values.get(key)),
        )
      } catch (error) {
        const hint = error instanceof KjitsiError ? error.hint : undefined
        throw unreadable(text, statement.start, name, messageOf(error), hint)
      }
    } else {
      const value = inherited(statement.key)
      if (value !== undefined) values.set(statement.key, value)
    }
  }
  return values
}
