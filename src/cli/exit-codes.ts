// Exit code of the process for each kind of failure, and what it means. Help, README and the JSON schema are made from it.
import type { ErrorCode } from '../errors.ts'

export const EXIT_CODES: Readonly<Record<ErrorCode, number>> = {
  unexpected: 1,
  file: 1,
  keys: 1,
  server: 1,
  conflict: 1,
  usage: 2,
  drift: 3,
  verdict: 3,
  login: 4,
  right: 5,
  'not-found': 6,
  unreachable: 7,
  interrupted: 130,
}

/** What each exit code tells a script. */
export const MEANINGS: readonly (readonly [exitCode: number, meaning: string])[] = [
  [0, 'done, or nothing to do'],
  [1, 'unexpected, or a file, key set or server failed'],
  [2, 'usage, or a bad setting'],
  [3, 'drift (--check), a failed verdict, or a warning (--strict)'],
  [4, 'Keycloak refused the login'],
  [5, 'the account lacks a right, which is named'],
  [6, 'realm or client not found'],
  [7, 'unreachable, TLS, time limit, 5xx'],
  [130, 'interrupted'],
]

/** What a run over several things ends with: a failure before drift, and of failures the one with the highest exit code. */
export function worstOf(codes: readonly ErrorCode[]): ErrorCode | undefined {
  const rank = (code: ErrorCode): number => (code === 'drift' || code === 'verdict' ? 0 : EXIT_CODES[code])
  return codes.toSorted((a, b) => rank(b) - rank(a))[0]
}
