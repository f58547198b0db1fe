// Lengths of time as people type and read them; numbers are seconds.

const UNITS = { s: 1, m: 60, h: 3600, d: 86_400 } as const

/**
 * Seconds: `90s`, `5m`, `24h` or `7d`. A number alone may have been meant in any unit; 0 is the same in all.
 * @throws Error whose message goes on after the text
 */
export function duration(text: string): number {
  const [, digits, unit] = /^(\d{1,9})([smhd])?$/.exec(text) ?? []
  if (digits === undefined) throw new Error('is no duration: write 90s, 5m, 24h or 7d')
  if (unit === undefined && Number(digits) !== 0)
    throw new Error(`has no unit: write ${digits}s, ${digits}m, ${digits}h or ${digits}d`)
  return Number(digits) * UNITS[(unit ?? 's') as keyof typeof UNITS]
}

const LONGEST_PAUSE = 24 * UNITS.d

/**
 * Seconds between two rounds of what goes on for ever: from one second to 24 days, about the longest that a timer holds.
 * @throws Error as `duration`
 */
export function pause(text: string): number {
  const seconds = duration(text)
  if (seconds < 1 || seconds > LONGEST_PAUSE) throw new Error('is not between 1s and 24d')
  return seconds
}

/** A duration as people type it, in the largest unit that leaves no remainder; a day is 24h. */
export function shownDuration(seconds: number): string {
  const whole = Math.round(seconds)
  const fits = (unit: 'd' | 'h' | 'm'): boolean => whole >= UNITS[unit] && whole % UNITS[unit] === 0
  const unit = whole !== UNITS.d && fits('d') ? 'd' : fits('h') ? 'h' : fits('m') ? 'm' : 's'
  return `${whole / UNITS[unit]}${unit}`
}

/** About how long, for people: `40 s`, `12 min`, `5 h`, `3 days`. */
export function roughSpan(seconds: number): string {
  if (seconds < 120) return `${Math.ceil(seconds)} s`
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} days`
}
