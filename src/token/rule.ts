// What a rule of Prosody's is, and what looking at one thing comes to.
import type { Attempt } from './token.ts'

/** A row of the tables in login.ts, claims.ts and join.ts, which stand in Prosody's order. */
export interface Rule {
  /** What it looks at, in a word or two. */
  readonly about: string
  /** As Prosody logs it and the browser gets it; '' where it never refuses, but may give no answer. */
  readonly reason: string
  /** Of the answer; not-allowed where it is not given. */
  readonly condition?: 'not-authorized'
  /** How it comes about, for people. */
  readonly cause: string
  /** What mends it. */
  readonly fix: string
  /** Whether Prosody looks at all; always, where it is not given. */
  readonly when?: (attempt: Attempt) => boolean
  readonly look: (attempt: Attempt) => RuleOutcome
}

export type Rules = Readonly<Record<string, Rule>>

export type RuleOutcome =
  | { readonly is: 'passed'; readonly found: string; readonly expected: string }
  | {
      readonly is: 'refused'
      readonly found: string
      readonly expected: string
      /** The reason in full, where the rule's own is only its beginning. */
      readonly text?: string
      /** A sentence without its full stop, where "found …, accepted …" would say too little. */
      readonly told?: string
    }
  /**
   * `no answer`: a Lua error, a closed connection or no login on offer. `why` goes on after "because"; `fix` mends
   * just this, where the rule's own is for something else.
   */
  | {
      readonly is: 'no answer' | 'undetermined'
      readonly found: string
      readonly why: string
      readonly fix?: string
    }
  /**
   * `skipped`: there is nothing to look at, or `why` not. `hidden`: there may be, behind something earlier that
   * does not hold.
   */
  | { readonly is: 'skipped'; readonly why?: string }
  | { readonly is: 'hidden' }

export const SKIPPED: RuleOutcome = { is: 'skipped' }
export const HIDDEN: RuleOutcome = { is: 'hidden' }

export function passed(found: string, expected = ''): RuleOutcome {
  return { is: 'passed', found, expected }
}

export function refused(found: string, expected: string): RuleOutcome {
  return { is: 'refused', found, expected }
}

export const noAnswer = unanswered('no answer')
export const undetermined = unanswered('undetermined')

function unanswered(is: 'no answer' | 'undetermined') {
  return (found: string, why: string, fix?: string): RuleOutcome => ({ is, found, why, ...(fix && { fix }) })
}

/** Passes or is refused with the same two values. */
export function held(holds: boolean, found: string, expected: string): RuleOutcome {
  return holds ? passed(found, expected) : refused(found, expected)
}
