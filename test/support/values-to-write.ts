// Values that a literal-writer is given, and what it makes of one.
import fc from 'fast-check'

export const values = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(' ', '#', '$', 'A', "'", '"', '\\', '{', '}', '=', ':', 'é', '\t', '\u00A0', 'export '),
    )
    .map((bits) => bits.join('')),
)

/** Undefined where the value is refused. */
export function taken(write: () => string): string | undefined {
  try {
    return write()
  } catch {
    return undefined
  }
}
