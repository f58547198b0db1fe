// A run of a plan of files: carried out or not, printed, and what it ends with.
import type { ErrorCode } from '../errors.ts'
import type { Output } from '../io.ts'
import { applyFiles } from './apply.ts'
import { fileFinding } from './findings.ts'
import { type FileItem, changeName, fileChanges, fileConflicts } from './plan.ts'
import { filesText, plainFile } from './wording.ts'

export interface FilesRun {
  /** Of the JSON document, with what it holds besides. */
  readonly kind: string
  readonly payload: Readonly<Record<string, unknown>>
  readonly dryRun: boolean
  /** Changes are a failure, and none is made. */
  readonly check: boolean
  /** Show what stays as it is as well. */
  readonly all: boolean
  readonly output: Output
  readonly signal: AbortSignal
}

/**
 * Carries out a plan and prints it. With --json: `{kind, …payload, dryRun, changes, files: [{action, path, what, mode,
 * diff?, …}]}`, where `changes` is `none`, `planned` (a dry run) or `made`.
 * @returns in how many ways it did not end well
 * @throws KjitsiError `file`, `interrupted`, naming what was done before the failure and what was not
 */
export async function runFiles(items: readonly FileItem[], run: FilesRun): Promise<readonly ErrorCode[]> {
  const { kind, payload, check, all, output, signal } = run
  const dryRun = run.dryRun || check
  const made = fileChanges(items)
  const conflicts = fileConflicts(items)
  for (const { path } of conflicts) output.find(fileFinding('file-not-ours', { file: path }))
  if (!dryRun) await applyFiles(items, signal)
  else if (check && made.length > 0) output.find(fileFinding('file-drift', { changes: made.map(changeName) }))
  const changes = made.length === 0 ? 'none' : dryRun ? 'planned' : 'made'
  const tense = dryRun || conflicts.length > 0 ? 'to do' : 'done'
  output.result(kind, { ...payload, dryRun, changes, files: items.map(plainFile) }, (paint) =>
    filesText(items, tense, all, paint),
  )
  if (conflicts.length > 0) return ['conflict']
  return check && made.length > 0 ? ['drift'] : []
}
