// Says what Prosody will say to a token, and why, by Jitsi's own settings.
import { resolve } from 'node:path'
import { type Readable, addAbortSignal } from 'node:stream'
import { text as readStream } from 'node:stream/consumers'
import { ask } from '../cli/ask.ts'
import { type Context, command } from '../cli/context.ts'
import { plain, time } from '../cli/readers.ts'
import { onOff, setting, under } from '../cli/setting.ts'
import { type ErrorCode, KjitsiError } from '../errors.ts'
import { openFile, readIfThere } from '../files/read.ts'
import { fileError } from '../files/reasons.ts'
import type { TokenSettings } from '../token/settings.ts'
import { tokenIn } from '../token/pasted.ts'
import { ACCEPTED, JITSI_ENV_FILE, JWKS, KEYSERVER, PLAN, ROOM_CLAIM } from '../settings.ts'

const SETTINGS = {
  ...under('What is asked:', {
    jitsiEnv: { ...JITSI_ENV_FILE, help: "Jitsi's own .env; what the flags below say comes before it" },
    joinRoom: setting({
      flag: '--join <room>',
      env: 'KJITSI_JOIN',
      help: 'room to join, as in its address: team-a, or tenant/team-a',
      parse: plain,
    }),
    at: setting({
      flag: '--at <time>',
      env: 'KJITSI_AT',
      help: 'time of the check: 2026-08-20T14:05:00Z, or Unix seconds',
      unset: 'now',
      parse: time,
    }),
    batch: setting({
      flag: '--batch <file>',
      env: 'KJITSI_BATCH',
      help: 'file of JSON lines {"token":…,"room":…,"at":…}, - for stdin; prints one JSON line for each',
      parse: plain,
    }),
    strict: PLAN.strict,
  }),
  ...under('Keys, in place of asking for them:', {
    certs: setting({
      flag: '--certs <dir>',
      env: 'KJITSI_CERTS',
      help: 'folder of <sha256(kid)>.pem files that the key server answers with; with --jitsi-env, JWT_ASAP_KEYSERVER still decides whether Prosody asks',
      parse: plain,
    }),
    jwks: JWKS,
  }),
  ...under('What Jitsi accepts, in place of what its .env says:', {
    ...ACCEPTED,
    keyserver: KEYSERVER,
    domainVerification: setting({
      flag: '--domain-verification',
      env: 'KJITSI_DOMAIN_VERIFICATION',
      help: 'as JWT_ENABLE_DOMAIN_VERIFICATION=1: sub has to be the tenant, the host or *',
      parse: onOff,
    }),
    roomClaim: ROOM_CLAIM,
  }),
}

type Asked = Context<typeof SETTINGS>

export const checkToken = command({
  name: 'check-token',
  summary: 'verify a token as Jitsi does, and say why it would be refused',
  args: [
    [
      '[token]',
      'the token, a file that holds it, - or nothing for stdin; with Bearer, the answer to a login or an address with ?jwt= around it or not. ' +
        'Other users of this machine can see an argument',
    ],
  ],
  settings: SETTINGS,
  examples: [
    ['kjitsi check-token - --jitsi-env .env --join team-a < token.txt', "asks by Jitsi's own settings"],
    [
      'kjitsi check-token --issuer https://auth.example.org/realms/meet --certs certs',
      'asks by flags alone; paste the token',
    ],
    ['kjitsi check-token --jitsi-env .env --certs certs --batch tokens.jsonl', 'audits many'],
  ],
  async run(context) {
    const { args, settings, output } = context
    const { batch, joinRoom: room, at } = settings
    if (batch !== undefined && args[0] !== undefined)
      throw new KjitsiError('usage', 'there are both a TOKEN and --batch: give one of them')
    if (batch !== undefined) return checkAll(context, batch)
    const [{ openCheck }, { plainRules, plainVerdict, report }, { warningsOf }] = await Promise.all([
      import('../token/check.ts'),
      import('../token/render.ts'),
      import('../token/warnings.ts'),
    ])
    const check = await openCheck(context.http, tokenSettings(context), context.io)
    const verdict = await check.ask({ token: await readToken(context), room, at })
    const findings = [...check.findings, ...warningsOf(verdict.attempt, verdict.about)]
    // The document of --json has them in it; people get the answer first.
    if (settings.json) findings.forEach(output.find)
    const payload = { accepted: verdict.accepted, ...plainVerdict(verdict), rules: plainRules(verdict) }
    output.result('verdict', payload, (paint) => report(verdict, room, paint))
    if (!settings.json) findings.forEach(output.find)
    return verdict.accepted ? undefined : 'verdict'
  },
})

async function checkAll(context: Asked, batch: string): Promise<ErrorCode | undefined> {
  const { settings, output, io } = context
  const path = resolve(io.cwd, batch)
  // Opened before anything is asked of a server, and of any length: it is read line by line.
  const input = batch === '-' ? io.stdin : await openBatch(path)
  try {
    const [{ runBatch }, { openCheck }, { warningsOf }] = await Promise.all([
      import('../token/batch.ts'),
      import('../token/check.ts'),
      import('../token/warnings.ts'),
    ])
    const { ask, findings } = await openCheck(context.http, tokenSettings(context), context.io)
    findings.forEach(output.find)
    let warned = false as boolean
    const { answered, accepted } = await runBatch(input, io, async (question) => {
      const room = question.room ?? settings.joinRoom
      const verdict = await ask({ ...question, room, at: question.at ?? settings.at })
      warned ||= warningsOf(verdict.attempt, verdict.about).some(({ level }) => level === 'warning')
      return verdict
    })
    output.note(`${accepted} of ${answered} accepted`)
    // What is said of a token is in its line, and no finding of the whole.
    return accepted === answered && !(settings.strict && warned) ? undefined : 'verdict'
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

/** From the argument or the file that it names; or stdin, where there is none or it is `-`. */
async function readToken(context: Asked): Promise<string> {
  const { args, io, output, http } = context
  const [given = '-'] = args
  if (given !== '-') return tokenIn((await readTokenFile(context, given)) ?? given)
  // A terminal that reads by lines cuts one at 4,095 characters.
  if (context.canAsk) return (await ask(TOKEN, {}, http, io, output.find)) as string
  try {
    return tokenIn(await readStream(addAbortSignal(io.signal, io.stdin)))
  } catch (error) {
    io.signal.throwIfAborted()
    throw error
  }
}

const TOKEN = setting({
  flag: '-',
  help: 'the token',
  question: 'Token (it is not shown; Enter ends it)',
  secret: true,
  parse: tokenIn,
})

/** What is in a file of that name; undefined where it may be a token itself, or has one in it. */
async function readTokenFile({ io, output }: Asked, given: string): Promise<string | undefined> {
  if (tokenIn(given) !== given || given === '' || /\s/.test(given) || given.length > LONGEST_NAME)
    return undefined
  const text = await readIfThere(resolve(io.cwd, given), { name: 'TOKEN' })
  if (text !== undefined) output.note(`the token is read from ${given}`)
  else if (/[/\\]|\.(?:txt|jwt|json|token)$/.test(given))
    throw new KjitsiError('usage', 'the argument is no token, and there is no file of that name', {
      hint: 'give the token on stdin: kjitsi check-token - < FILE',
    })
  return text
}

/** Every token is longer. */
const LONGEST_NAME = 255

/** What was said, without what is so by default. */
function tokenSettings({ settings, sources }: Asked): TokenSettings {
  return {
    ...settings,
    signType: sources.signType === 'default' ? undefined : settings.signType,
    domainVerification: sources.domainVerification === undefined ? undefined : settings.domainVerification,
    roomClaim: sources.roomClaim === 'default' ? undefined : settings.roomClaim,
  }
}
