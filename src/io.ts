// What a command may touch of the process that runs it: handed in, so that a test can hand in its own.
import type { ChalkInstance } from 'chalk'
import type { Readable, Writable } from 'node:stream'
import type { Finding, Level } from './finding.ts'

export interface Io {
  readonly stdin: Readable & { readonly isTTY?: boolean }
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number }
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number }
  readonly env: Readonly<Record<string, string | undefined>>
  /** Absolute path that relative paths on the command line start from. */
  readonly cwd: string
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal
  /** Told by a command that takes so many seconds more to end in good order after `signal`. */
  readonly needToEnd?: (seconds: number) => void
  /** Calls `listener` at each SIGHUP, which otherwise ends the run. */
  readonly onHangup?: (listener: () => void) => void
}

/** All that is said or printed goes through here; made by cli/output.ts. stdout is data, stderr is talk. */
export interface Output {
  /**
   * Prints what the command has to report: `{"version":1,"kind":kind,…payload,"findings":[…]}` with --json, else `human()`,
   * of which --quiet leaves nothing. No secret is in either.
   */
  readonly result: (
    kind: string,
    payload: Readonly<Record<string, unknown>>,
    human: (paint: ChalkInstance) => string,
  ) => void
  /** Prints what the command was called for, `text` byte for byte and with --quiet too, or with --json the document. */
  readonly data: (kind: string, payload: Readonly<Record<string, unknown>>, text: string) => void
  /** Says something on stderr, unless --quiet or --json. */
  readonly note: (text: string) => void
  /** Says a finding on stderr, an error after the result, and keeps it for the result's `findings`. */
  readonly find: (finding: Finding) => void
  /** Says a line of a log on stderr, with --json too, with --quiet errors only. The fields go into `--log json`. */
  readonly log: (level: Level, text: string, fields?: LogFields) => void
  /** Says something on stderr with --verbose. */
  readonly detail: (text: string) => void
  /** Shows what is under way on the terminal's last line; '' clears it. Nothing without a terminal. */
  readonly progress: (text: string) => void
  readonly error: (error: unknown) => void
}

interface LogFields {
  /** What mends it, which text shows as well. */
  readonly fix?: string | undefined
  readonly [name: string]: unknown
}
