// Says what Prosody will say to a token, and why, by Jitsi's own settings.
import { resolve } from 'node:path'
import { type Readable, addAbortSignal } from 'node:stream'
import { text as readStream } from 'node:stream/consumers'
import type { Context, Run } from '../cli/context.ts'
import { type ErrorCode, KjitsiError } from '../errors.ts'
import { fileError, openFile } from '../files.ts'
import { runBatch } from '../token/batch.ts'
import { openCheck } from '../token/check.ts'
import type { SettingsOfToken } from '../token/given.ts'
import { tokenIn } from '../token/pasted.ts'
import { plainRules, plainVerdict } from '../token/plain.ts'
import { report } from '../token/report.ts'
import { warningsOf } from '../token/warnings.ts'

type Keys = SettingsOfToken | 'joinRoom' | 'at' | 'batch'

export const run: Run<Keys> = async (context) => {
  const { args, settings, output } = context
  const { batch, joinRoom: room, at } = settings
  if (batch !== undefined && args[0] !== undefined)
    throw new KjitsiError('usage', 'there are both a TOKEN and --batch: give one of them')
  if (batch !== undefined) return checkAll(context, batch)
  const check = await openCheck(context)
  const verdict = await check.ask({ token: await readToken(context), room, at })
  const findings = [...check.findings, ...warningsOf(verdict.facts, verdict.about)]
  // The document of --json has them in it; people get the answer first.
  if (settings.json) findings.forEach(output.find)
  const payload = { accepted: verdict.accepted, ...plainVerdict(verdict), rules: plainRules(verdict) }
  output.result('verdict', payload, (paint) => report(verdict, room, paint))
  if (!settings.json) findings.forEach(output.find)
  return verdict.accepted ? undefined : 'verdict'
}

async function checkAll(context: Context<Keys>, batch: string): Promise<ErrorCode | undefined> {
  const { settings, output, io } = context
  const path = resolve(io.cwd, batch)
  // Opened before anything is asked of a server, and of any length: it is read line by line.
  const input = batch === '-' ? io.stdin : await openBatch(path)
  try {
    const { ask, findings } = await openCheck(context)
    findings.forEach(output.find)
    const { answered, accepted } = await runBatch(input, io, (question) =>
      ask({ ...question, room: question.room ?? settings.joinRoom, at: question.at ?? settings.at }),
    )
    output.note(`${accepted} of ${answered} accepted`)
    return accepted === answered ? undefined : 'verdict'
  } catch (error) {
    io.signal.throwIfAborted()
    throw error instanceof KjitsiError ? error : fileError(`--batch: cannot read ${path}`, error)
  } finally {
    if (input !== io.stdin) input.destroy()
  }
}

async function openBatch(path: string): Promise<Readable> {
  const hint = 'it takes the path of a regular file, or - for stdin'
  return (await openFile(path, { name: '--batch', hint })).createReadStream()
}

/** From the argument, or stdin where there is none or it is `-`. */
async function readToken({ args: [token], io, output }: Context<Keys>): Promise<string> {
  if (token !== undefined && token !== '-') return tokenIn(token)
  if (io.stdin.isTTY) output.note('paste the token, then press Enter and Ctrl-D')
  try {
    return tokenIn(await readStream(addAbortSignal(io.signal, io.stdin)))
  } catch (error) {
    io.signal.throwIfAborted()
    throw error
  }
}
