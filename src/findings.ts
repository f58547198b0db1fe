// What kjitsi can find wrong or worth knowing, once: code, level and arguments as data, the sentence and its mend here.

export type Level = 'error' | 'warning' | 'note'

interface Kind<A> {
  readonly level: Level
  readonly say: (args: A) => string
  /** What mends it; a command where there is one. */
  readonly fix?: (args: A) => string
}

const kind = <A>(k: Kind<A>): Kind<A> => k

const FINDINGS = {
  'keyserver-default': kind<{ keyserver: string }>({
    level: 'note',
    say: ({ keyserver }) =>
      `JWT_ASAP_KEYSERVER is ${keyserver}: inside Prosody's container, localhost is the container itself`,
    fix: () => 'give --keyserver the address at which that container reaches the keys',
  }),
}

export type FindingCode = keyof typeof FINDINGS
type ArgsOf<C extends FindingCode> = (typeof FINDINGS)[C] extends Kind<infer A> ? A : never

export interface Finding {
  readonly code: FindingCode
  readonly level: Level
  readonly args: Readonly<Record<string, unknown>>
}

export function finding<C extends FindingCode>(
  code: C,
  args: ArgsOf<C> & Readonly<Record<string, unknown>>,
): Finding {
  return { code, level: FINDINGS[code].level, args }
}

export function sentenceOf(found: Finding): string {
  return (FINDINGS[found.code] as Kind<unknown>).say(found.args)
}

export function fixOf(found: Finding): string | undefined {
  return (FINDINGS[found.code] as Kind<unknown>).fix?.(found.args)
}
