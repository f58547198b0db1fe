// What was found wrong or worth knowing. Each flow has a table of its own findings: a code and arguments as data, with the
// sentence and what mends it; `findingsOf` makes a finding of a row.

export type Level = 'error' | 'warning' | 'note'

export interface Finding {
  readonly code: string
  readonly level: Level
  readonly args: Readonly<Record<string, unknown>>
  /** A sentence without its full stop. */
  readonly message: string
  /** What mends it; a command where there is one. */
  readonly fix?: string
}

/** A row of a flow's table. */
export interface Kind<A> {
  readonly level: Level
  readonly say: (args: A) => string
  readonly fix?: (args: A) => string | undefined
}

export const kind = <A>(row: Kind<A>): Kind<A> => row

type ArgsOf<K> = K extends Kind<infer A> ? A : never

/** Gives what makes the findings of a table. */
export function findingsOf<const T extends Readonly<Record<string, Kind<never>>>>(
  table: T,
): <C extends keyof T & string>(code: C, args: ArgsOf<T[C]> & object) => Finding {
  return (code, args) => {
    const row = table[code] as unknown as Kind<typeof args>
    const fix = row.fix?.(args)
    return {
      code,
      level: row.level,
      args: args as Readonly<Record<string, unknown>>,
      message: row.say(args),
      ...(fix === undefined ? {} : { fix }),
    }
  }
}
