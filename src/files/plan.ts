// A plan of files as data: what is shown is what is applied.
import type { KjitsiError } from '../errors.ts'

/** What is at a path, and what would keep a plan from being carried out there. */
export interface Target {
  /** Absolute. */
  readonly path: string
  /**
   * Whether kjitsi chose the name, as that of a key. Then nothing is done through a link of that name, the mode is the
   * plan's, and a missing folder is made. A file that people name is written through links, and keeps mode and owner.
   */
  readonly own: boolean
  readonly there: 'nothing' | 'file' | 'other'
  /** Of a file. */
  readonly text: string | undefined
  readonly mode: number | undefined
  /** Why it can neither be written nor removed. */
  readonly blocked: KjitsiError | undefined
}

/** What a file is to be. */
export interface DesiredFile {
  /** For people. */
  readonly what: string
  readonly text: string
  /** Of a new file, and of one whose name is ours. */
  readonly mode: number
  /** Takes the place of what is there: so only of what has our mark. */
  readonly onlyMarked?: boolean
  /** A text of the file as it may be shown; empty where a difference tells people nothing. */
  readonly mask?: (text: string) => string
  /** What programs are told besides. */
  readonly facts?: Readonly<Record<string, unknown>>
}

export interface FileItem {
  /** `conflict`: kjitsi did not make what is there, so nothing at all is done. */
  readonly action: 'create' | 'update' | 'remove' | 'keep' | 'conflict'
  readonly path: string
  readonly own: boolean
  readonly what: string
  readonly before: string | undefined
  readonly after: string | undefined
  /** The one that it has once the plan is carried out. */
  readonly mode: number
  /** Both texts as they may be shown. */
  readonly shown: { readonly before: string; readonly after: string }
  readonly facts: Readonly<Record<string, unknown>>
}

/** In the leading lines of comment of what kjitsi writes as a whole file. */
const MARK = /^(?:#.*\r?\n)*# Made by kjitsi\b/

const ALL_MAY_READ = 0o444

/** @throws KjitsiError `file` where what would change cannot be written */
export function planFile(target: Target, desired: DesiredFile): FileItem {
  const { path, own, text: before, blocked } = target
  const { what, text: after, facts = {}, mask = (text: string) => text } = desired
  const action = actionOf(target, desired)
  if (action !== 'keep' && blocked !== undefined) throw blocked
  return {
    ...{ action, path, own, what, before, after, facts },
    mode: own ? desired.mode : (target.mode ?? desired.mode),
    shown: { before: mask(before ?? ''), after: mask(after) },
  }
}

function actionOf(
  { own, text: before, mode = 0 }: Target,
  { text, mode: desiredMode, onlyMarked = false }: DesiredFile,
): FileItem['action'] {
  if (before === undefined) return 'create'
  // A web server of another user would answer 403.
  const isClosed = own && (desiredMode & ~mode & ALL_MAY_READ) !== 0
  if (before === text && !isClosed) return 'keep'
  return onlyMarked && !MARK.test(before) ? 'conflict' : 'update'
}

/**
 * The removal of a file that is there.
 * @throws KjitsiError `file` where it cannot be removed
 */
export function planFileRemoval({ path, own, text, mode = 0, blocked }: Target, what: string): FileItem {
  if (blocked !== undefined) throw blocked
  const shown = { before: '', after: '' }
  return { action: 'remove', path, own, what, before: text, after: undefined, mode, shown, facts: {} }
}

/** `create /etc/x`. */
export function changeName({ action, path }: FileItem): string {
  return `${action} ${path}`
}

/** What a plan does; one with a conflict does nothing at all. */
export function fileChanges(items: readonly FileItem[]): readonly FileItem[] {
  return fileConflicts(items).length > 0 ? [] : items.filter(({ action }) => action !== 'keep')
}

export function fileConflicts(items: readonly FileItem[]): readonly FileItem[] {
  return items.filter(({ action }) => action === 'conflict')
}
