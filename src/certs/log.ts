// What is said while keys are kept: each change in words, one line each, or one for many of a kind; and only what is new.
import type { Finding } from '../finding.ts'
import type { Output } from '../io.ts'
import { certsFinding } from './findings.ts'
import { shownDuration } from '../duration.ts'
import { type Key, shownKid } from './key.ts'
import type { KeyChange } from './keyring.ts'

/** A plain line, or a finding. */
export type Line = string | Finding

const ONE_BY_ONE = 5

/** Says of a list of lines those that were not in the list before. */
export function onlyNews(say: (line: Line) => void): (lines: readonly Line[]) => void {
  let before: ReadonlySet<string> = new Set()
  return (lines) => {
    const isNew = (line: Line): boolean => !before.has(JSON.stringify(line))
    lines.filter(isNew).forEach(say)
    before = new Set(lines.map((line) => JSON.stringify(line)))
  }
}

/** Says a line in the log. */
export function sayLine(output: Output, line: Line): void {
  if (typeof line === 'string') output.log('note', line)
  else output.log(line.level, line.message, { fix: line.fix, code: line.code, args: line.args })
}

/** @param grace how long a key is served after it has left, seconds */
export function newsOf(changes: readonly KeyChange[], grace: number): readonly Line[] {
  return [...groups(changes).values()].flatMap((group): readonly Line[] => {
    const [first] = group
    if (first === undefined) return []
    return group.length > ONE_BY_ONE
      ? [many(group, first, grace)]
      : group.map((change) => sentence(change, grace))
  })
}

/** Key so and so: its kid where that is known, else the name of its file. */
function nameOf({ kid, file }: Key): string {
  return `key ${kid === null ? file : shownKid(kid)}`
}

function sentence(change: KeyChange, grace: number): Line {
  if (change.change === 'clash') {
    const { kept, refused } = change.clash
    return certsFinding('kid-clash', {
      kid: kept.kid === null ? kept.file : shownKid(kept.kid),
      kept: kept.source,
      refused: refused.source,
    })
  }
  const { key } = change
  const name = nameOf(key)
  switch (change.change) {
    case 'new':
      return `${key.source}: ${name} is served as ${key.file}`
    case 'back':
      return `${key.source}: ${name} is back`
    case 'left':
      return `${key.source}: ${name} has left${grace === 0 ? '' : `, and is served for ${shownDuration(grace)} more`}`
    case 'replaced':
      return certsFinding('key-replaced', { key: name, source: key.source, before: change.before.source })
    case 'dropped':
      return certsFinding('key-dropped', { key: name, source: key.source, grace: shownDuration(grace) })
  }
}

function many(group: readonly KeyChange[], first: KeyChange, grace: number): Line {
  const keys = `${group.length} keys`
  const source = sourceOf(first)
  switch (first.change) {
    case 'new':
      return `${source}: ${keys} more are served`
    case 'back':
      return `${source}: ${keys} are back`
    case 'left':
      return `${source}: ${keys} have left${grace === 0 ? '' : `, and are served for ${shownDuration(grace)} more`}`
    case 'replaced':
      return `${source}: ${keys} are now others under the same kids; restart Prosody, which keeps what it has fetched`
    case 'dropped':
      return `${keys} left ${source} and are no longer served; a Prosody that has fetched them keeps them until it restarts`
    case 'clash':
      return `${source} publishes ${keys} under the kids of other keys, which were named first and are taken`
  }
}

function sourceOf(change: KeyChange): string {
  return change.change === 'clash' ? change.clash.refused.source : change.key.source
}

function groups(changes: readonly KeyChange[]): ReadonlyMap<string, readonly KeyChange[]> {
  const found = new Map<string, KeyChange[]>()
  for (const change of changes) {
    const name = `${change.change} ${sourceOf(change)}`
    const group = found.get(name)
    if (group) group.push(change)
    else found.set(name, [change])
  }
  return found
}
