// Puts settings into the text of somebody's `.env`, and leaves everything else in it as it is.
import {
  type Assignment,
  type Statement,
  commentedOut,
  isAloneOnLine,
  lineAt,
  parseEnv,
  valueIfReadable,
} from './parse.ts'
import { envLiteral } from './literal.ts'

/** What one variable is to be. */
export interface EnvSetting {
  readonly key: string
  readonly value: string
  /** What it is in the marked block: a comment, and the line that assigns it. */
  readonly lines: readonly string[]
}

export interface Merged {
  readonly text: string
  /** Settings that the text assigns more than once, with the line numbers in the new text. */
  readonly duplicates: readonly { readonly key: string; readonly lines: readonly number[] }[]
}

export const BLOCK_START = '# >>> kjitsi'
export const BLOCK_END = '# <<< kjitsi'

interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
  readonly settings: readonly EnvSetting[]
}

/**
 * Merges settings into the text of a `.env`.
 *
 * A variable that is assigned keeps its line, and gets the value on every line that assigns it; a line whose value is
 * read the same already is left as it is. One that is only there as a comment (`#KEY=…`) gets its line below the first
 * such comment. The rest goes into one marked block at the end. A second merge changes nothing.
 * @param name what to call the file in an error
 * @throws KjitsiError `usage` where compose cannot read the text, or cannot be given a value
 */
export function mergeEnv(text: string, settings: readonly EnvSetting[], name = '.env'): Merged {
  const statements = parseEnv(text, name)
  const keys = new Set(
    statements.flatMap((statement) => (statement.kind === 'assignment' ? [statement.key] : [])),
  )
  const missing = settings.filter(({ key }) => !keys.has(key))
  const insertions = [...belowComments(text, statements, missing)]
  const homeless = missing.filter((setting) => !insertions.some((edit) => edit.settings.includes(setting)))
  if (homeless.length > 0) insertions.push(inBlock(text, statements, homeless))
  // At the end of the text several edits may have one place: the block comes last.
  const edits = [...inPlace(text, statements, settings, insertions), ...insertions]
  const merged = applyEdits(text, edits)
  return { text: merged, duplicates: duplicatesIn(merged, settings, name) }
}

/** New values on the lines that assign one of the settings, wherever the new text would not be read as that value. */
function inPlace(
  text: string,
  statements: readonly Statement[],
  settings: readonly EnvSetting[],
  insertions: readonly Edit[],
): readonly Edit[] {
  const wanted = new Map(settings.map((setting) => [setting.key, setting]))
  const edits: Edit[] = []
  // What compose has read so far of the new text: a value may name a variable that gets its own value here.
  const values = new Map<string, string>()
  const inserted = [...insertions].sort((a, b) => a.start - b.start)
  for (const statement of statements) {
    while (inserted[0] !== undefined && inserted[0].start <= statement.start) {
      for (const { key, value } of inserted.shift()?.settings ?? []) values.set(key, value)
    }
    if (statement.kind !== 'assignment') continue
    const setting = wanted.get(statement.key)
    const current = valueIfReadable(statement, (variable) => values.get(variable))
    if (setting !== undefined && current !== setting.value) edits.push(newValue(text, statement, setting))
    const value = setting?.value ?? current
    if (value !== undefined) values.set(statement.key, value)
  }
  return edits
}

function newValue(
  text: string,
  { quote, separatorEnd, valueStart, valueEnd }: Assignment,
  setting: EnvSetting,
): Edit {
  // What follows a closing quote without a comment's ` #` is another statement, and must not become a part of the value.
  const isLast = quote === '' || /^[ \t]*(?:\r?\n|$| #)/.test(text.slice(valueEnd))
  // After nothing, a comment would be read as the value.
  const literal = envLiteral(setting.key, setting.value, !isLast || setting.value === '')
  // `KEY= # why` was meant as a comment, though compose reads it as the value. Nor may the blanks before an empty
  // value's line end, a carriage return among them, be taken for an indentation.
  const isComment = text.startsWith(' #', valueStart - 1) && valueStart > separatorEnd
  const [start, end] =
    isComment || valueStart === valueEnd ? [separatorEnd, separatorEnd] : [valueStart, valueEnd]
  return { start, end, text: literal, settings: [setting] }
}

/** A line for each setting that is there as a comment, below that comment. */
function belowComments(
  text: string,
  statements: readonly Statement[],
  settings: readonly EnvSetting[],
): readonly Edit[] {
  const missing = new Map(settings.map((setting) => [setting.key, setting]))
  const edits: Edit[] = []
  for (const statement of statements) {
    if (statement.kind !== 'comment' || !isAloneOnLine(text, statement.start)) continue
    const setting = missing.get(commentedOut(text, statement)?.key ?? '')
    if (setting === undefined) continue
    missing.delete(setting.key)
    const at = text[statement.end - 1] === '\r' ? statement.end - 1 : statement.end
    const line = `${setting.key}=${envLiteral(setting.key, setting.value)}`
    edits.push({ start: at, end: at, text: newlineAt(text, statement.end) + line, settings: [setting] })
  }
  return edits
}

/** The marked block with these settings: the end of the one that is there, or a new one at the end of the text. */
function inBlock(text: string, statements: readonly Statement[], settings: readonly EnvSetting[]): Edit {
  const newline = newlineAt(text, text.length)
  const lines = settings.flatMap((setting) => setting.lines)
  const end = endOfBlock(text, statements)
  if (end !== undefined) {
    return { start: end, end, text: lines.map((line) => line + newline).join(''), settings }
  }
  const isEmpty = text === '' || text === '\uFEFF'
  const hasLastNewline = text.endsWith('\n')
  const gap = isEmpty || /\n\r?\n$/.test(text) ? '' : hasLastNewline ? newline : newline + newline
  const block = [BLOCK_START, ...lines, BLOCK_END].join(newline)
  const last = isEmpty || hasLastNewline ? newline : ''
  return { start: text.length, end: text.length, text: gap + block + last, settings }
}

/** Start of the line that ends the block of an earlier merge. */
function endOfBlock(text: string, statements: readonly Statement[]): number | undefined {
  const markers = statements.filter(({ kind, start }) => kind === 'comment' && isAloneOnLine(text, start))
  const first = markers.findIndex(({ start }) => text.startsWith(BLOCK_START, start))
  const last = markers.slice(first + 1).find(({ start }) => text.startsWith(BLOCK_END, start))
  return first < 0 || last === undefined ? undefined : text.lastIndexOf('\n', last.start) + 1
}

/** The newline of the line that ends at `end`; where that is the end of the text, that of the first line. */
function newlineAt(text: string, end: number): string {
  const newline = end < text.length ? end : text.indexOf('\n')
  return newline > 0 && text[newline - 1] === '\r' ? '\r\n' : '\n'
}

function applyEdits(text: string, edits: readonly Edit[]): string {
  let result = ''
  let at = 0
  for (const edit of [...edits].sort((a, b) => a.start - b.start)) {
    result += text.slice(at, edit.start) + edit.text
    at = edit.end
  }
  return result + text.slice(at)
}

function duplicatesIn(text: string, settings: readonly EnvSetting[], name: string): Merged['duplicates'] {
  const wanted = new Set(settings.map(({ key }) => key))
  const lines = new Map<string, number[]>()
  for (const statement of parseEnv(text, name)) {
    if (statement.kind !== 'assignment' || !wanted.has(statement.key)) continue
    lines.set(statement.key, [...(lines.get(statement.key) ?? []), lineAt(text, statement.start)])
  }
  return [...lines].filter(([, at]) => at.length > 1).map(([key, at]) => ({ key, lines: at }))
}
