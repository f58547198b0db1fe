// A plan of files, and what became of it, as text and as data.
import type { ChalkInstance } from 'chalk'
import { FILE_HEADERS_ONLY, createTwoFilesPatch } from 'diff'
import { type FileItem, fileConflicts } from './plan.ts'

type Tense = 'done' | 'to do'

const PAST = {
  create: 'created',
  update: 'updated',
  remove: 'removed',
  keep: 'unchanged',
  conflict: 'not made by kjitsi',
} as const

function verb(action: FileItem['action'], tense: Tense): string {
  return tense === 'done' || action === 'keep' || action === 'conflict' ? PAST[action] : action
}

/** `created /etc/x: what it is`. */
export function fileLine({ action, path, what }: FileItem, tense: Tense): string {
  return `${verb(action, tense)} ${path}: ${what}`
}

/** A key in two lines: the name of its file alone takes 68 columns of a terminal's 80, and its kid 43. */
function fitting(line: string, { what }: FileItem): readonly string[] {
  return line.length > 80 && what.length > 40 ? [line.slice(0, -what.length - 2), `  ${what}`] : [line]
}

/**
 * A count, and what differs, each with its difference. Of a file that was made the line will do: it holds nothing else.
 * @param all what stays as it is too, before what does not
 */
export function filesText(
  items: readonly FileItem[],
  tense: Tense,
  all: boolean,
  paint: ChalkInstance,
): string {
  const isKept = ({ action }: FileItem): boolean => action === 'keep'
  const told = items.filter((item) => !isKept(item) || (all && items.length > 1))
  return [
    ...countLine(items, tense),
    ...told
      .toSorted((a, b) => Number(isKept(b)) - Number(isKept(a)))
      .flatMap((item) => [
        ...fitting(fileLine(item, tense), item),
        ...(tense === 'done' && item.action === 'create' ? [] : diffLines(item, paint)),
      ]),
  ].join('\n')
}

/** One line about several files, or about no change. */
function countLine(items: readonly FileItem[], tense: Tense): readonly string[] {
  const [only] = items
  const files = items.length === 1 && only !== undefined ? only.path : `${items.length} files`
  if (items.every(({ action }) => action === 'keep')) return [`${files}: no changes`]
  if (items.length === 1) return []
  const actions = (['create', 'update', 'remove', 'conflict', 'keep'] as const).flatMap((action) => {
    const count = items.filter((item) => item.action === action).length
    const word = verb(action, tense)
    return count === 0 ? [] : [`${count} ${word === action ? 'to ' : ''}${word}`]
  })
  return [`${files}: ${actions.join(', ')}${fileConflicts(items).length > 0 ? '; nothing was done' : ''}`]
}

/** Beyond it, nobody reads a difference, and it takes long to find. */
const MAX_EDITS = 2000

/** A unified diff of what may be shown; nothing where that is the same. */
function diffOf({ path, before, shown }: FileItem): string {
  if (shown.before === shown.after) return ''
  const patch = createTwoFilesPatch(
    before === undefined ? '/dev/null' : path,
    path,
    shown.before,
    shown.after,
    undefined,
    undefined,
    { context: 3, headerOptions: FILE_HEADERS_ONLY, maxEditLength: MAX_EDITS },
  )
  return (patch ?? `more than ${MAX_EDITS} lines differ`).replace(/\n$/, '')
}

function diffLines(item: FileItem, paint: ChalkInstance): readonly string[] {
  const diff = diffOf(item)
  const colours: Readonly<Record<string, ChalkInstance>> = {
    '+': paint.green,
    '-': paint.red,
    '@': paint.cyan,
  }
  if (diff === '') return []
  // An empty line before what comes next.
  return [...diff.split('\n').map((line) => colours[line.charAt(0)]?.(line) ?? line), '']
}

/** An item for programs: `{action, path, what, mode: "0600", diff, …facts}`. */
export function plainFile(item: FileItem): Readonly<Record<string, unknown>> {
  const { action, path, what, mode, facts } = item
  const diff = diffOf(item)
  return {
    ...{ action, path, what, mode: mode.toString(8).padStart(4, '0') },
    ...(diff === '' ? {} : { diff }),
    ...facts,
  }
}
