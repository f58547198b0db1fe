// Values of a token as a sentence or a table can bear them.
import type { Json } from './decode.ts'

const LONGEST = 60
const ITEMS = 5

/** A claim as JSON, short whatever it is; `nothing` where it is absent. */
export function shown(value: Json | undefined): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'string') return JSON.stringify(short(value))
  if (Array.isArray(value)) return shownList(value as readonly Json[])
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0 ? '{}' : '{…}'
  return String(value)
}

export function shownList(items: readonly Json[]): string {
  const some = items.slice(0, ITEMS).map((item) => (Array.isArray(item) ? '[…]' : shown(item)))
  return `[${[...some, ...(items.length > ITEMS ? ['…'] : [])].join(', ')}]`
}

/** A point in time: seconds alone tell nobody anything. */
export function shownTime(seconds: number): string {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime())
    ? String(seconds)
    : `${seconds} (${date.toISOString().replace('.000Z', 'Z')})`
}

function short(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text
}
