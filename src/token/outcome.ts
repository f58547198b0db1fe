// What looking at one thing comes to.

export type Outcome =
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
   * A Lua error, a closed connection or no login on offer: nothing comes back, and `why` goes on after
   * "because".
   */
  | {
      readonly is: 'no answer'
      readonly found: string
      readonly why: string
      /** What mends just this, where the rule's own fix is for something else. */
      readonly fix?: string
    }
  | {
      readonly is: 'undetermined'
      readonly found: string
      readonly why: string
      /** As that of `no answer`. */
      readonly fix?: string
    }
  /**
   * `skipped`: there is nothing to look at. `hidden`: there may be, behind something earlier that does not
   * hold.
   */
  | { readonly is: 'skipped' }
  | { readonly is: 'hidden' }

export const SKIPPED: Outcome = { is: 'skipped' }
export const HIDDEN: Outcome = { is: 'hidden' }

export function passed(found: string, expected = ''): Outcome {
  return { is: 'passed', found, expected }
}

export function refused(found: string, expected: string): Outcome {
  return { is: 'refused', found, expected }
}

export function noAnswer(found: string, why: string, fix?: string): Outcome {
  return { is: 'no answer', found, why, ...(fix !== undefined && { fix }) }
}

export function undetermined(found: string, why: string, fix?: string): Outcome {
  return { is: 'undetermined', found, why, ...(fix !== undefined && { fix }) }
}

/** Passes or is refused with the same two values. */
export function held(holds: boolean, found: string, expected: string): Outcome {
  return holds ? passed(found, expected) : refused(found, expected)
}
