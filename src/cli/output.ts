// All that is printed goes through here: human text or JSON, colour, redaction. stdout is data, stderr is talk.
import { Chalk, type ChalkInstance } from 'chalk'
import { stripVTControlCharacters } from 'node:util'
import { type ErrorCode, KjitsiError } from '../errors.ts'
import type { Finding, Level } from '../finding.ts'
import type { Io, Output } from '../io.ts'
import { withoutSecrets } from '../shown.ts'
import { EXIT_CODES } from './exit-codes.ts'

export interface OutputOptions {
  readonly json: boolean
  readonly quiet: boolean
  readonly verbose: boolean
  /** Warnings are errors; off unless given. */
  readonly strict?: boolean
  readonly secrets: readonly string[]
  /** Form of the lines on stderr; text unless given. */
  readonly log?: 'text' | 'json'
  /** Shown with a stack where the failure is a bug of ours. */
  readonly about: string
}

/** An output, and what says the rest when its command has ended: with what failure, if --strict makes one of warnings. */
export function createOutput(io: Io, options: OutputOptions): Output & { readonly end: () => ErrorCode[] } {
  const findings: Finding[] = []
  /** Errors that were found before the result: what failed is said last. */
  let held: Finding[] | undefined = []
  let failed = false
  const onStdout = painter(io, io.stdout.isTTY)
  const onStderr = painter(io, io.stderr.isTTY)
  let progressShown = false

  const talk = (text: string, level: Level | 'detail' = 'note', fields: object = {}): void => {
    clearProgress()
    const line =
      options.log === 'json'
        ? JSON.stringify(
            { time: new Date().toISOString(), level, message: stripVTControlCharacters(text), ...fields },
            redacted,
          )
        : withoutSecrets(printable(text), options.secrets)
    io.stderr.write(`${line}\n`)
  }
  const say = (level: Level, text: string, fix: string | undefined, fields: object): void => {
    if (options.log === 'json') {
      talk(text, level, { ...(fix === undefined ? {} : { fix }), ...fields })
      return
    }
    const mark = level === 'error' ? onStderr.red('error: ') : onStderr.yellow(`${level}: `)
    talk(`${mark}${text}${fix ? `\n  → ${fix}` : ''}`)
  }
  const clearProgress = (): void => {
    if (progressShown) io.stderr.write('\r\u001B[K')
    progressShown = false
  }
  const redacted = (_: string, value: unknown): unknown =>
    typeof value === 'string' ? withoutSecrets(printable(value), options.secrets) : value
  const document = (kind: string, payload: object): void => {
    const told = findings.map((found): unknown => JSON.parse(JSON.stringify(found, redacted)))
    io.stdout.write(`${JSON.stringify({ version: 1, kind, ...payload, findings: told }, null, 2)}\n`)
  }
  const tell = ({ level, message, fix, code, args }: Finding): void => {
    if (!options.quiet || level === 'error') say(level, message, fix, { code, args })
  }
  const tellHeld = (): void => {
    if (!options.json) held?.forEach(tell)
    held = undefined
  }

  return {
    result(kind, payload, human) {
      clearProgress()
      const clean = (_: string, value: unknown): unknown =>
        typeof value === 'string' ? withoutSecrets(value, options.secrets) : value
      if (options.json) document(kind, JSON.parse(JSON.stringify(payload, clean)) as object)
      else if (!options.quiet) {
        const text = human(onStdout)
        if (text !== '')
          io.stdout.write(withoutSecrets(printable(`${text.replace(/\n$/, '')}\n`), options.secrets))
      }
      tellHeld()
    },
    data(kind, payload, text) {
      clearProgress()
      if (options.json) document(kind, payload)
      else io.stdout.write(text)
      tellHeld()
    },
    note(text) {
      if (!options.quiet && !options.json) talk(text)
    },
    find(given) {
      const strict = options.strict === true && given.level === 'warning'
      const found = strict ? { ...given, level: 'error' as const } : given
      failed ||= strict
      findings.push(found)
      if (options.json) return
      if (held !== undefined && found.level === 'error') held.push(found)
      else tell(found)
    },
    end() {
      tellHeld()
      return failed ? ['drift'] : []
    },
    log(level, text, { fix, ...fields } = {}) {
      if (options.quiet && level !== 'error') return
      if (level === 'note') talk(text, level, fields)
      else say(level, text, fix, fields)
    },
    detail(text) {
      if (options.verbose) talk(onStderr.dim(text), 'detail')
    },
    progress(text) {
      if (!io.stderr.isTTY || options.quiet || options.json || io.env['TERM'] === 'dumb') return
      clearProgress()
      if (text === '') return
      io.stderr.write(printable(text).slice(0, (io.stderr.columns ?? 80) - 1))
      progressShown = true
    },
    error(error) {
      clearProgress()
      tellHeld()
      const bug = !(error instanceof KjitsiError)
      if (options.json) {
        const { code, message, hint } = describe(error)
        document('error', {
          error: {
            code,
            exitCode: EXIT_CODES[code],
            message: withoutSecrets(printable(message), options.secrets),
            ...(hint === undefined ? {} : { hint: withoutSecrets(printable(hint), options.secrets) }),
          },
        })
        if (!bug) return
      } else {
        const { code, message, hint } = describe(error)
        say('error', message, hint, { code })
      }
      if (bug)
        talk(
          `${options.about}\n${error instanceof Error ? (error.stack ?? '') : ''}\nThis is a bug in kjitsi.`,
        )
      else if (options.verbose && error.cause instanceof Error)
        talk(onStderr.dim(`cause: ${error.cause.message}`))
    },
  }
}

/** What a failure is, in the words that both forms of output print. */
function describe(error: unknown): {
  code: ErrorCode
  message: string
  hint: string | undefined
} {
  if (error instanceof KjitsiError) return { code: error.code, message: error.message, hint: error.hint }
  const message = error instanceof Error ? error.message : String(error)
  return { code: 'unexpected', message: `unexpected: ${message}`, hint: undefined }
}

function painter(io: Io, isTTY: boolean | undefined): ChalkInstance {
  const { NO_COLOR, FORCE_COLOR, TERM } = io.env
  if (NO_COLOR) return new Chalk({ level: 0 })
  if (FORCE_COLOR !== undefined)
    return new Chalk({ level: FORCE_COLOR === '0' || FORCE_COLOR === 'false' ? 0 : 1 })
  return new Chalk({ level: isTTY && TERM !== 'dumb' ? 1 : 0 })
}

// Names come from servers too, and a terminal obeys what it is sent: of the control characters only newline, tab and
// the few colours that we use ourselves are let through.
/* eslint-disable no-control-regex */
const CONTROLS =
  /(\u001B\[(?:1|2|22|31|32|33|36|39)m)|\u001B\[[0-9;]*[A-Za-z]|[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/g

/* eslint-enable no-control-regex */

export function printable(text: string): string {
  return text.replace(CONTROLS, (_, ours: string | undefined) => ours ?? '')
}
