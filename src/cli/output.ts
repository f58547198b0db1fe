// All that is printed goes through here: human text or JSON, colour, redaction. stdout is data, stderr is talk.
import { Chalk, type ChalkInstance } from 'chalk'
import { stripVTControlCharacters } from 'node:util'
import { type ErrorCode, KjitsiError } from '../errors.ts'
import type { Finding, Level } from '../finding.ts'
import type { Io, Output } from '../io.ts'
import { MASKED, withoutTokens } from '../shown.ts'
import { EXIT_CODES } from './exit-codes.ts'

export interface OutputOptions {
  readonly json: boolean
  readonly quiet: boolean
  readonly verbose: boolean
  readonly secrets: readonly string[]
  /** Form of the lines on stderr; text unless given. */
  readonly log?: 'text' | 'json'
  /** Shown with a stack where the failure is a bug of ours. */
  readonly about: string
}

export function createOutput(io: Io, options: OutputOptions): Output {
  const findings: Finding[] = []
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
        : redact(printable(text), options.secrets)
    io.stderr.write(`${line}\n`)
  }
  const say = (level: Level, text: string, fix: string | undefined, fields: object): void => {
    if (options.log === 'json') {
      talk(text, level, { ...(fix === undefined ? {} : { fix }), ...fields })
      return
    }
    const mark = level === 'error' ? onStderr.red('error: ') : onStderr.yellow(`${level}: `)
    talk(`${mark}${text}${fix ? `\n  ${onStderr.dim(`→ ${fix}`)}` : ''}`)
  }
  const clearProgress = (): void => {
    if (progressShown) io.stderr.write('\r\u001B[K')
    progressShown = false
  }
  const redacted = (_: string, value: unknown): unknown =>
    typeof value === 'string' ? redact(printable(value), options.secrets) : value
  const document = (kind: string, payload: object): void => {
    io.stdout.write(`${JSON.stringify({ version: 1, kind, ...payload }, null, 2)}\n`)
  }

  return {
    result(kind, payload, human) {
      clearProgress()
      if (options.json) {
        document(kind, { ...payload, findings: findings.map((found) => plainFinding(found, redacted)) })
        return
      }
      const text = human(onStdout)
      if (text !== '') io.stdout.write(printable(text.endsWith('\n') ? text : `${text}\n`))
    },
    note(text) {
      if (!options.quiet && !options.json) talk(text)
    },
    find(finding) {
      findings.push(finding)
      if ((options.quiet && finding.level !== 'error') || options.json) return
      say(finding.level, finding.message, finding.fix, { code: finding.code, args: finding.args })
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
      const bug = !(error instanceof KjitsiError)
      if (options.json) {
        const { code, message, hint } = describe(error)
        document('error', {
          error: {
            code,
            exitCode: EXIT_CODES[code],
            message: redact(printable(message), options.secrets),
            ...(hint === undefined ? {} : { hint: redact(printable(hint), options.secrets) }),
          },
          findings: findings.map((found) => plainFinding(found, redacted)),
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

function plainFinding(finding: Finding, redacted: (key: string, value: unknown) => unknown): unknown {
  return JSON.parse(JSON.stringify(finding, redacted))
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

/**
 * Masks every token, and every secret in the forms in which servers repeat it. A secret of less than four characters is
 * left: it would spoil every sentence.
 */
function redact(text: string, secrets: readonly string[]): string {
  let clean = text
  for (const secret of secrets) {
    // In every address of the admin API: blotting it out there would tell what it is.
    if (secret.length < 4 || secret === 'admin') continue
    const form = new URLSearchParams([['', secret]]).toString().slice(1)
    // Some write it without the padding.
    const [base64, base64url] = (['base64', 'base64url'] as const).map((coding) =>
      Buffer.from(secret).toString(coding).replace(/=+$/, ''),
    ) as [string, string]
    for (const shown of [secret, encodeURIComponent(secret), form, base64, base64url])
      clean = clean.replaceAll(shown, MASKED)
  }
  return withoutTokens(clean)
}
