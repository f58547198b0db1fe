// Many tokens: JSON lines in, one JSON line out for each, in order, and no more than one of them in memory.
import { once } from 'node:events'
import { type Readable, addAbortSignal } from 'node:stream'
import type { Io } from '../io.ts'
import type { Question } from './check.ts'
import { plainFindings, plainVerdict } from './render.ts'
import type { Verdict } from './verdict.ts'

/** Longer than any token that Prosody takes a look at, and short enough for memory. */
const LONGEST_LINE = 4_000_000

/**
 * Answers every line of `input` with one on stdout, as fast as that is read.
 * @returns how many lines there were, and how many of them asked about a token that is accepted
 */
export async function runBatch(
  input: Readable,
  { stdout, signal }: Io,
  ask: (question: Question) => Promise<Verdict>,
): Promise<{ readonly answered: number; readonly accepted: number }> {
  let [answered, accepted] = [0, 0]
  for await (const line of linesOf(addAbortSignal(signal, input))) {
    const question = questionIn(line)
    answered++
    let answer: object
    if (typeof question === 'string') {
      answer = { error: { line: answered, message: `line ${answered} ${question}` } }
    } else {
      const verdict = await ask(question)
      if (verdict.accepted) accepted++
      answer = { ...plainVerdict(verdict), findings: plainFindings(verdict) }
    }
    // A reader that left early needs no more answers.
    if (stdout.destroyed) break
    if (!stdout.write(`${JSON.stringify(answer)}\n`)) {
      const waiting = new AbortController()
      const until = (event: string): Promise<unknown> => once(stdout, event, { signal: waiting.signal })
      await Promise.race([until('drain'), until('close')])
      // The event that did not come would keep its listeners, for every wait some more.
      waiting.abort()
    }
  }
  return { answered, accepted }
}

/** The question in a line, or what is wrong with the line. */
function questionIn(text: string | undefined): Question | string {
  if (text === undefined) return `is longer than ${LONGEST_LINE} characters`
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return 'is not JSON'
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return 'is no JSON object'
  const { token, room, at } = json as Readonly<Record<string, unknown>>
  if (typeof token !== 'string' && token !== null) return 'has no "token" that is a text or null'
  if (room !== undefined && room !== null && typeof room !== 'string') return 'has a "room" that is no text'
  if (at !== undefined && at !== null && !Number.isFinite(at))
    return 'has an "at" that is no number of seconds'
  return {
    token,
    room: room || undefined,
    at: typeof at === 'number' ? Math.floor(at) : undefined,
  }
}

/** Lines without their newline, undefined for one that is too long to be kept. */
async function* linesOf(input: Readable): AsyncGenerator<string | undefined> {
  let rest = ''
  let tooLong = false
  let first = true
  for await (const chunk of input.setEncoding('utf8') as AsyncIterable<string>) {
    const pieces = (rest + (first ? chunk.replace(/^\uFEFF/, '') : chunk)).split('\n')
    first = false
    rest = pieces.pop() ?? ''
    for (const line of pieces) {
      yield tooLong || line.length > LONGEST_LINE ? undefined : line
      tooLong = false
    }
    if (rest.length > LONGEST_LINE) {
      rest = ''
      tooLong = true
    }
  }
  if (tooLong) yield undefined
  else if (rest !== '') yield rest
}
