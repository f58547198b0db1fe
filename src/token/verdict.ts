// What Prosody says to a token, worked out without it: the rules in their order, the first that does not hold
// decides.
import type { ProsodySettings } from '../prosody/settings.ts'
import { type About, aboutThisRun } from '../shell.ts'
import { CLAIM_RULES } from './claims.ts'
import { JOIN_RULES } from './join.ts'
import type { PublishedKeys } from './keys.ts'
import { LOGIN_RULES } from './login.ts'
import { roomOf } from '../jitsi/room.ts'
import { HIDDEN, type RuleOutcome, type Rule, type Rules, SKIPPED } from './rule.ts'
import { type Attempt, attemptOf, membersOf } from './token.ts'

type RuleCode = keyof typeof LOGIN_RULES | keyof typeof CLAIM_RULES | keyof typeof JOIN_RULES

/** A rule by the name that --json and scripts know it by, and the step that it may stop. */
interface NamedRule extends Rule {
  readonly code: RuleCode
  readonly step: 'login' | 'join'
}

/** THE table of what Prosody asks of a token, in its own order. */
export const RULES: readonly NamedRule[] = [
  ...named(LOGIN_RULES, 'login'),
  ...named(CLAIM_RULES, 'login'),
  ...named(JOIN_RULES, 'join'),
]

function named(rules: Rules, step: NamedRule['step']): readonly NamedRule[] {
  return Object.entries(rules).map(([code, rule]) => ({ ...rule, code: code as RuleCode, step }))
}

/** What is looked at though nobody is asked for a token, for want of one, and though it is too long to be read. */
const WHERE_OPEN: readonly RuleCode[] = ['request-size', 'room-address']
const WITHOUT_TOKEN: readonly RuleCode[] = ['login-offered', 'token-required', 'room-address']
const WHERE_UNREAD: readonly RuleCode[] = ['request-size']
/** What an example, which was never signed, cannot be asked for; nor for its alg, where only the realm knows that. */
const BY_SIGNING: readonly RuleCode[] = ['kid-missing', 'key-missing', 'signature-invalid', 'signature']
const BY_ALG: readonly RuleCode[] = ['alg-missing', 'alg-family', 'alg']
/** What another issuer's token fails at, before that is looked at. */
const OF_THE_KEY: readonly RuleCode[] = ['key-missing', 'signature']
const OTHER_ISSUER: RuleCode = 'iss'

/** The answer to one step; condition and text are null where it is yes, or where there is none. */
interface StepAnswer {
  readonly accepted: boolean
  readonly condition: string | null
  readonly text: string | null
}

export interface Verdict {
  /** Of the login (SASL). */
  readonly auth: StepAnswer
  /** Of the join (MUC); null where nobody got that far, or no room was named. */
  readonly join: StepAnswer | null
  /** False where one of the two gets no answer at all. */
  readonly answered: boolean
  /** False where only Prosody itself can tell; what is said then is no verdict. */
  readonly determined: boolean
  /** Whether the token opens what was asked for, for certain. */
  readonly accepted: boolean
  /** The first rule that does not hold, undefined where all do. */
  readonly decided: RuleResult | undefined
  /** Of those that do not hold, the one to mend first: a key is not missed where the token is another issuer's. */
  readonly first: RuleResult | undefined
  readonly rules: readonly RuleResult[]
  readonly attempt: Attempt
  readonly about: AboutJitsi | undefined
}

/** A rule with what looking at this token came to. */
export interface RuleResult {
  readonly rule: NamedRule
  readonly outcome: RuleOutcome
  /** What mends it, where it does not hold. */
  readonly fix: string
}

/** The client whose tokens a Jitsi accepts, as far as its `.env` tells. */
export interface AboutJitsi extends About {
  /** That `.env`, as it was named. */
  readonly file: string
  /** Whether the web client takes name and e-mail from outside of context, by its custom-config.js. */
  readonly readsOutside: boolean
}

/** Why a rule was not looked at. */
export const UNSIGNED = 'not looked at, this token was never signed'

const YES: StepAnswer = { accepted: true, condition: null, text: null }
const NOTHING: StepAnswer = { accepted: false, condition: null, text: null }

/**
 * @param token null where none is sent
 * @param typed the meeting as people type it after the host; undefined asks about the login alone
 * @param now Prosody's clock, whole Unix seconds
 * @param about what the commands that mend something are to name
 * @param unsigned whether the token is an example of what Keycloak would write
 */
export function verdictOf(
  token: string | null,
  prosody: ProsodySettings,
  keys: PublishedKeys,
  typed: string | undefined,
  now: number,
  about?: AboutJitsi,
  unsigned = false,
): Verdict {
  const room = typed === undefined ? undefined : roomOf(typed, prosody.tenants)
  const attempt = attemptOf(token, prosody, keys, room, now, unsigned)
  const rules = RULES.map((rule): RuleResult => {
    const outcome = resultOf(rule, attempt)
    const fix = ('fix' in outcome ? outcome.fix : undefined) ?? rule.fix
    return { rule, outcome, fix: aboutThisRun(fix, about ?? {}, about?.file) }
  })
  const login = stepOf('login', rules, prosody)
  const join = room === undefined || !login.answer.accepted ? undefined : stepOf('join', rules, prosody)
  const determined = login.determined && join?.determined !== false
  const decided = login.decided ?? join?.decided
  const otherIssuer = rules.find((result) => result.rule.code === OTHER_ISSUER && fails(result))
  const answered = login.answered && join?.answered !== false
  return {
    auth: login.answer,
    join: join?.answer ?? null,
    answered,
    determined,
    accepted: determined && login.answer.accepted && join?.answer.accepted !== false,
    decided,
    first:
      decided !== undefined && OF_THE_KEY.includes(decided.rule.code) ? (otherIssuer ?? decided) : decided,
    rules,
    attempt,
    about,
  }
}

function resultOf(rule: NamedRule, attempt: Attempt): RuleOutcome {
  const { prosody, token, unread, unsigned, first } = attempt
  if (prosody.login === 'open' && !WHERE_OPEN.includes(rule.code)) return SKIPPED
  if (unread && !WHERE_UNREAD.includes(rule.code)) return HIDDEN
  if (token === null && !WITHOUT_TOKEN.includes(rule.code)) return SKIPPED
  const unknown = membersOf(first)?.['alg'] === undefined ? [...BY_SIGNING, ...BY_ALG] : BY_SIGNING
  if (unsigned && unknown.includes(rule.code)) return { is: 'skipped', why: UNSIGNED }
  return rule.when?.(attempt) === false ? SKIPPED : rule.look(attempt)
}

/** Whether a rule was looked at and does not hold. */
export function fails({ outcome }: RuleResult): boolean {
  return !['passed', 'skipped', 'hidden'].includes(outcome.is)
}

interface StepVerdict {
  readonly answer: StepAnswer
  readonly answered: boolean
  readonly determined: boolean
  readonly decided: RuleResult | undefined
}

function stepOf(
  step: NamedRule['step'],
  rules: readonly RuleResult[],
  { doubts }: ProsodySettings,
): StepVerdict {
  const decided = rules.find((result) => result.rule.step === step && fails(result))
  const outcome = decided?.outcome
  // Settings that are not known may change any answer but that of a connection which is closed before.
  const doubted = doubts.some((doubt) => doubt.step === step) && decided?.rule.code !== 'request-size'
  const determined = !doubted && outcome?.is !== 'undetermined'
  const answered = !determined || outcome?.is !== 'no answer'
  if (!determined || !answered) return { answer: NOTHING, answered, determined, decided }
  if (decided === undefined || outcome?.is !== 'refused')
    return { answer: YES, answered, determined, decided }
  const { condition = 'not-allowed', reason } = decided.rule
  const answer = { accepted: false, condition, text: outcome.text ?? reason }
  return { answer, answered, determined, decided }
}
