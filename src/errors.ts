// The one error of the house. Its message, hint and code are all that a person or a script ever sees of a failure.

/** The kinds of failure; each has an exit code (cli/exit-codes.ts). */
export type ErrorCode =
  | 'unexpected'
  | 'file'
  | 'keys'
  | 'server'
  | 'conflict'
  | 'usage'
  | 'drift'
  | 'verdict'
  | 'login'
  | 'right'
  | 'not-found'
  | 'unreachable'
  | 'interrupted'

/**
 * A failure that its reader can act upon.
 *
 * `message` names what failed (URL, status, realm, client or file) and why, in one sentence; `hint` says what mends it.
 * Neither ever holds a secret.
 */
export class KjitsiError extends Error {
  readonly code: ErrorCode
  readonly hint: string | undefined

  constructor(
    code: ErrorCode,
    message: string,
    options: { hint?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.name = 'KjitsiError'
    this.code = code
    this.hint = options.hint
  }
}

/** What had become of the parts of a piece of work when it failed. */
interface Progress {
  readonly done: readonly string[]
  /** What got no answer, and may have arrived all the same. */
  readonly perhaps?: readonly string[]
  readonly notDone?: readonly string[]
}

/** A failure half-way, with what was done before it, what perhaps was, and what was not. */
export function withProgress(
  { code, message, hint, cause }: KjitsiError,
  { done, perhaps = [], notDone = [] }: Progress,
): KjitsiError {
  const part = (what: string, items: readonly string[]): readonly string[] =>
    items.length === 0 ? [] : [`${what}: ${items.join(', ')}`]
  const story = [
    ...(done.length === 0 && perhaps.length === 0 ? ['nothing was changed'] : []),
    ...part('done before it', done),
    ...part('perhaps done', perhaps),
    ...part('not done', notDone),
  ]
  return new KjitsiError(code, [message, ...story].join('; '), {
    hint: hint ?? 'run again: it goes on where it stopped',
    cause,
  })
}

/** What a task gives, undefined where it fails with `code`; any other failure, such as an interruption, is thrown. */
export async function unless<T>(code: ErrorCode, task: Promise<T>): Promise<T | undefined> {
  return task.catch((error: unknown) => {
    if (error instanceof KjitsiError && error.code === code) return undefined
    throw error
  })
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The system's own code (`EACCES`, `ECONNREFUSED`, …) of anything thrown, looked for along its causes. */
export function systemCodeOf(error: unknown): string | undefined {
  for (let e = error, depth = 0; e instanceof Error && depth < 8; e = e.cause, depth++) {
    if (e instanceof AggregateError && e.errors.length > 0) return systemCodeOf(e.errors[0])
    if ('code' in e && typeof e.code === 'string' && !(e instanceof KjitsiError)) return e.code
  }
  return undefined
}
