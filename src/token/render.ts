// A verdict as it is told: to people, the answer first and then every rule with the values it looked at; to scripts, one
// document with every rule, or the short form of --batch.
import type { ChalkInstance } from 'chalk'
import { roughSpan } from '../duration.ts'
import { table } from '../table.ts'
import { membersOf } from './token.ts'
import { type RuleResult, UNSIGNED, type Verdict, fails } from './verdict.ts'
import { adviseToken } from './advice.ts'

/** @param typed the room as it was asked about, undefined where none was */
export function report(verdict: Verdict, typed: string | undefined, paint: ChalkInstance): string {
  const { rules, first, attempt } = verdict
  const others = rules.filter((result) => fails(result) && result !== first)
  const fixes = others.map((result) => `Also: ${sentenceOfRule(result)}.${mend(result, paint)}`)
  const unsigned = attempt.unsigned ? [`signature: ${UNSIGNED}`] : []
  return [answer(verdict, typed, paint), ...unsigned, ...fixes, '', table(rowsOf(rules, paint))].join('\n')
}

function answer(verdict: Verdict, typed: string | undefined, paint: ChalkInstance): string {
  const { auth, determined, accepted, first, attempt } = verdict
  const token = attempt.unsigned ? "this person's token" : 'this token'
  const what = attempt.token === null ? 'a login without a token' : token
  const room = typed === undefined ? '' : ` for room ${typed}`
  const why = reasonOf(verdict)
  const fix = first === undefined ? '' : mend(first, paint)
  if (accepted) {
    const about = typed === undefined ? ' (--join asks about joining a room)' : ''
    return `${paint.green(`Jitsi accepts ${what}${room}`)}${until(verdict)}${about}.`
  }
  if (!determined) {
    const doubt = attempt.prosody.doubts[0]?.what ?? why
    return `${paint.yellow(`Only Prosody itself can tell whether it accepts ${what}${room}`)}: ${doubt}.${fix}`
  }
  if (auth.accepted) {
    const says = verdict.answered ? '' : 'no answer to the join, '
    return `${paint.red(`Jitsi lets ${what} in, but not into room ${typed ?? ''}`)}: ${says}${why}.${fix}`
  }
  return verdict.answered
    ? `${paint.red(`Jitsi refuses ${what}`)}: ${why}.${fix}`
    : `${paint.red(`Jitsi gives no answer to ${what}`)}, which looks like a server that is down: ${why}.${fix}`
}

/** What Prosody says, and what it is about. */
function reasonOf({ decided, first }: Verdict): string {
  if (decided === undefined || first === undefined) return ''
  if (first === decided) return sentenceOfRule(decided)
  const { rule, outcome } = decided
  const said = 'why' in outcome ? outcome.why : rule.reason
  return `${said}. But the token is another issuer's: ${sentenceOfRule(first)}`
}

function mend(result: RuleResult, paint: ChalkInstance): string {
  return `\n  ${paint.dim(`→ ${result.fix}`)}`
}

function until({ attempt }: Verdict): string {
  const exp = membersOf(attempt.body)?.['exp']
  return typeof exp === 'number' && exp < 100_000_000_000 ? ` until ${clock(exp, attempt.now)}` : ''
}

/**
 * `14:05 (in 4 min)`, on another day `2026-08-20 14:05 (in 3 days)`, in the time zone of whoever reads it.
 */
function clock(seconds: number, now: number): string {
  const [then, today] = [seconds, now].map((s) => new Date(s * 1000).toLocaleString('sv-SE')) as [
    string,
    string,
  ]
  const sameDay = then.slice(0, 10) === today.slice(0, 10)
  return `${then.slice(sameDay ? 11 : 0, 16)} (in ${roughSpan(seconds - now)})`
}

function rowsOf(rules: readonly RuleResult[], paint: ChalkInstance): readonly (readonly string[])[] {
  const marks = {
    passed: paint.green('✓'),
    refused: paint.red('✗'),
    'no answer': paint.red('✗'),
    undetermined: paint.yellow('?'),
  }
  const rows = rules.map((result): readonly string[] => {
    const { rule, outcome } = result
    const about = `${rule.step}: ${rule.about}`
    if (outcome.is === 'skipped' || outcome.is === 'hidden') {
      const why =
        outcome.is === 'hidden' ? 'hidden by what failed before' : (outcome.why ?? 'nothing to look at')
      return ['-', about, '', '', why].map((cell) => paint.dim(cell))
    }
    const expected = 'expected' in outcome ? outcome.expected : ''
    return [marks[outcome.is], about, cut(outcome.found), cut(expected), saidBy(result)]
  })
  return [['', 'looked at', 'found', 'accepted', ''], ...rows]
}

const CELL = 42

/** Enough to recognise a value by; the sentences above the table and --json have more of it. */
function cut(text: string): string {
  return text.length > CELL ? `${text.slice(0, CELL - 1)}…` : text
}

function saidBy({ rule, outcome }: RuleResult): string {
  if (outcome.is === 'refused') return outcome.text ?? rule.reason
  return outcome.is === 'no answer' || outcome.is === 'undetermined' ? outcome.is : ''
}

/** The members of one line of --batch, and the first ones of the document. */
export function plainVerdict({
  auth,
  join,
  answered,
  determined,
}: Verdict): Readonly<Record<string, unknown>> {
  return { auth, join, answered, determined }
}

export function plainRules({ rules }: Verdict): readonly unknown[] {
  return rules.map((result) => {
    const { rule, outcome } = result
    const { code, step, about, reason } = rule
    return {
      code,
      step,
      about,
      reason: reason || null,
      ...outcome,
      ...(fails(result) && { fix: result.fix }),
    }
  })
}

/** Every rule that does not hold, the one to mend first before the others, and then the warnings. */
export function plainFindings(verdict: Verdict): readonly unknown[] {
  const { first } = verdict
  const others = verdict.rules.filter((result) => fails(result) && result !== first)
  const rules = [...(first === undefined ? [] : [first]), ...others].map((result) => {
    const { rule, outcome } = result
    return { code: rule.code, level: outcome.is, message: sentenceOfRule(result), fix: result.fix }
  })
  return [...rules, ...adviseToken(verdict.attempt, verdict.about)]
}

/** What a rule that does not hold comes to, with the values that it looked at. */
function sentenceOfRule({ rule, outcome }: RuleResult): string {
  switch (outcome.is) {
    case 'refused':
      return [
        outcome.text ?? rule.reason,
        outcome.told ?? `Found ${outcome.found}, accepted ${outcome.expected}`,
      ].join('. ')
    case 'no answer':
    case 'undetermined':
      return outcome.why
    case 'passed':
    case 'skipped':
    case 'hidden':
      return ''
  }
}
