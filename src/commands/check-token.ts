// Says what Prosody will say to a token, and why, by Jitsi's own settings.
import { resolve } from 'node:path'
import { type Readable, addAbortSignal } from 'node:stream'
import { text as readStream } from 'node:stream/consumers'
import { ask } from '../cli/ask.ts'
import { type Context, command } from '../cli/context.ts'
import { time } from '../cli/readers.ts'
import { setting, under } from '../cli/setting.ts'
import { type ErrorCode, KjitsiError } from '../errors.ts'
import type { Finding } from '../finding.ts'
import { openFile, readIfThere } from '../files/read.ts'
import { fileError } from '../files/reasons.ts'
import { tokenIn } from '../token/pasted.ts'
import { JWKS } from '../key-settings.ts'
import { LOGIN, needAdmin } from '../login-settings.ts'
import { ACCEPTED, CLIENT, JITSI_ENV_FILE, KEYCLOAK, KEYSERVER, PLAN, ROOM_CLAIM } from '../settings.ts'

const SETTINGS = {
  ...under('What is asked:', {
    jitsiEnv: { ...JITSI_ENV_FILE, help: "Jitsi's own .env; flags override it" },
    joinRoom: setting({
      flag: '--join <room>',
      env: 'KJITSI_JOIN',
      help: 'room to join: team-a or tenant/team-a',
    }),
    at: setting({
      flag: '--at <time>',
      env: 'KJITSI_AT',
      help: 'ISO 8601 time or Unix seconds',
      unset: 'now',
      parse: time,
    }),
    batch: setting({
      flag: '--batch <file>',
      env: 'KJITSI_BATCH',
      help: 'file of JSON lines {"token":…,"room":…,"at":…}, - for stdin; prints one JSON line for each',
    }),
    person: setting({
      flag: '--user <name>',
      env: 'KJITSI_TOKEN_USER',
      help: 'whose token to ask Keycloak for',
    }),
    strict: PLAN.strict,
    certs: setting({
      flag: '--certs <dir>',
      env: 'KJITSI_CERTS',
      help: 'folder of <sha256(kid)>.pem files to read in place of asking the key server for them',
    }),
    jwks: JWKS,
  }),
  ...under('What Jitsi accepts, in place of what its .env says:', {
    ...ACCEPTED,
    keyserver: KEYSERVER,
    domainVerification: setting({
      flag: '--domain-verification',
      env: 'KJITSI_DOMAIN_VERIFICATION',
      help: 'as JWT_ENABLE_DOMAIN_VERIFICATION=1',
    }),
    roomClaim: ROOM_CLAIM,
  }),
  ...under('Keycloak, and the administrator who asks it, for --user:', {
    ...KEYCLOAK,
    client: CLIENT,
    scope: setting({
      flag: '--scope <scope>',
      env: 'KJITSI_SCOPE',
      help: 'scope of the token',
      default: 'openid',
    }),
    ...LOGIN,
    user: { ...LOGIN.user, flag: '--admin <name>' },
    password: { ...LOGIN.password, help: 'password of --admin' },
  }),
}

type Asked = Context<typeof SETTINGS>

interface Example {
  readonly token: string
  readonly findings?: readonly Finding[]
  readonly unsigned?: true
}

export const checkToken = command({
  name: 'check-token',
  summary: 'verify a token as Jitsi does, and say why it would be refused',
  args: [
    [
      '[token]',
      'the token as it was copied, a file of it, or - or nothing for stdin; other users of this machine can see an argument',
    ],
  ],
  settings: SETTINGS,
  examples: [
    ['kjitsi check-token - --jitsi-env .env --join team-a < token.txt', "asks by Jitsi's own settings"],
    ['kjitsi check-token --user alice --jitsi-env .env --join team-a', "asks for alice's, without her login"],
  ],
  async run(context) {
    const { args, settings, output } = context
    const { batch, joinRoom: room, at, person } = settings
    if (batch !== undefined && args[0] !== undefined)
      throw new KjitsiError('usage', 'there are both a TOKEN and --batch: give one of them')
    if (person !== undefined && (batch ?? args[0]) !== undefined)
      throw new KjitsiError('usage', '--user asks Keycloak for the token: leave TOKEN and --batch out')
    if (batch !== undefined) return checkAll(context, batch)
    const [{ plainRules, plainVerdict, report }, { adviseToken }] = await Promise.all([
      import('../token/render.ts'),
      import('../token/advice.ts'),
    ])
    const check = await checkBy(context)
    const asked: Example =
      person === undefined ? { token: await readToken(context) } : await tokenOf(context, person)
    const verdict = await check.ask({ ...asked, room, at })
    const findings = [
      ...check.findings,
      ...(asked.findings ?? []),
      ...adviseToken(verdict.attempt, verdict.about),
    ]
    // The document of --json has them in it; people get the answer first.
    if (settings.json) findings.forEach(output.find)
    const payload = { accepted: verdict.accepted, ...plainVerdict(verdict), rules: plainRules(verdict) }
    output.result('verdict', payload, (paint) => report(verdict, room, paint))
    if (!settings.json) findings.forEach(output.find)
    return verdict.accepted ? undefined : 'verdict'
  },
})

/** What Keycloak would write into a person's token. */
async function tokenOf(context: Asked, username: string): Promise<Example> {
  const { client, scope } = context.settings
  const { url, realms, login } = await needAdmin(context)
  const [realm = '', ...others] = realms
  if (others.length > 0)
    throw new KjitsiError('usage', `--user is of one realm, and there are several: ${realms.join(', ')}`, {
      hint: 'give one of them by --realm',
    })
  const [{ connect }, { exampleToken }] = await Promise.all([
    import('../keycloak/connect.ts'),
    import('../keycloak/example-token.ts'),
  ])
  const admin = (await connect(context.http, url, login))(realm)
  return { ...(await exampleToken(admin, { client, username, scope })), unsigned: true }
}

async function checkAll(context: Asked, batch: string): Promise<ErrorCode | undefined> {
  const { settings, output, io } = context
  const path = resolve(io.cwd, batch)
  // Opened before anything is asked of a server, and of any length: it is read line by line.
  const input = batch === '-' ? io.stdin : await openBatch(path)
  try {
    const [{ runBatch }, { adviseToken }] = await Promise.all([
      import('../token/batch.ts'),
      import('../token/advice.ts'),
    ])
    const { ask, findings } = await checkBy(context)
    findings.forEach(output.find)
    let warned = false as boolean
    const { answered, accepted } = await runBatch(input, io, async (question) => {
      const room = question.room ?? settings.joinRoom
      const verdict = await ask({ ...question, room, at: question.at ?? settings.at })
      warned ||= adviseToken(verdict.attempt, verdict.about).some(({ level }) => level === 'warning')
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

/** A check by what was given; a default is left out, so that Jitsi's `.env` counts. */
async function checkBy({ settings, sources, http, io }: Asked) {
  const { openCheck } = await import('../token/check.ts')
  const signType = sources.signType === 'default' ? undefined : settings.signType
  const domainVerification = sources.domainVerification && settings.domainVerification
  const roomClaim = sources.roomClaim === 'default' ? undefined : settings.roomClaim
  return openCheck(http, { ...settings, signType, domainVerification, roomClaim }, io)
}
