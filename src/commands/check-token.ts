// Says what Prosody will say to a token, and why, by Jitsi's own settings.
import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import { addAbortSignal } from 'node:stream'
import { text as readStream } from 'node:stream/consumers'
import type { Context, Run } from '../command.ts'
import { type ErrorCode, KjitsiError } from '../errors.ts'
import { fileError } from '../files.ts'
import { runBatch } from '../token/batch.ts'
import { type Check, openCheck } from '../token/check.ts'
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
  const check = await openCheck(context)
  if (batch !== undefined) return checkAll(context, check, batch)
  const verdict = await check.ask({ token: await readToken(context), room, at })
  const findings = [...check.findings, ...warningsOf(verdict.facts)]
  // The document of --json has them in it; people get the answer first.
  if (settings.json) findings.forEach(output.find)
  const payload = { accepted: verdict.accepted, ...plainVerdict(verdict), rules: plainRules(verdict) }
  output.result('verdict', payload, (paint) => report(verdict, room, paint))
  if (!settings.json) findings.forEach(output.find)
  return verdict.accepted ? undefined : 'verdict'
}

async function checkAll(
  { settings: { joinRoom, at }, output, io }: Context<Keys>,
  { ask, findings }: Check,
  batch: string,
): Promise<ErrorCode | undefined> {
  findings.forEach(output.find)
  const path = resolve(io.cwd, batch)
  try {
    const { answered, accepted } = await runBatch(
      batch === '-' ? io.stdin : createReadStream(path),
      io,
      (question) => ask({ ...question, room: question.room ?? joinRoom, at: question.at ?? at }),
    )
    output.note(`${accepted} of ${answered} accepted`)
    return accepted === answered ? undefined : 'verdict'
  } catch (error) {
    io.signal.throwIfAborted()
    throw error instanceof KjitsiError ? error : fileError(`--batch: cannot read ${path}`, error)
  }
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
