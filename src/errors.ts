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
