// How each rule of the join looks at a token: verify_room in token/util.lib.lua. With domain verification off
// only the room counts; with it on, also the tenant or host, which has to be in `sub`.
import type { Json } from './decode.ts'
import { type Attempt, membersOf, membersOfValue } from './token.ts'
import { luaLower, luaNumber } from './lua.ts'
import { HIDDEN, type Outcome, SKIPPED, held, noAnswer, passed, refused, undetermined } from './outcome.ts'
import { shown } from './show.ts'

export function roomAddress({ room, prosody }: Attempt): Outcome {
  if (room === undefined) return SKIPPED
  return 'doubt' in room
    ? undetermined(room.doubt, `the room has ${room.doubt}`)
    : passed(`${room.node}@${prosody.mucDomain}`)
}

/** The claims and the room's node, where joins are checked and both are there. */
function asked({ room, token, body, prosody }: Attempt): { claims: Claims; node: string } | undefined {
  const claims = membersOf(body)
  if (token === null || claims === undefined || !prosody.roomsChecked) return undefined
  return room === undefined || 'doubt' in room ? undefined : { claims, node: room.node }
}

type Claims = Readonly<Record<string, Json>>

/** Why a rule does not look: no room was named or joins are not checked so, or the claims cannot be read. */
function unasked({ room, prosody, token, body }: Attempt, checkedSo: boolean): Outcome {
  const asks = room !== undefined && prosody.roomsChecked && checkedSo && token !== null
  return asks && ('doubt' in room || membersOf(body) === undefined) ? HIDDEN : SKIPPED
}

export function roomMatches(attempt: Attempt): Outcome {
  const about = asked(attempt)
  if (about === undefined || attempt.prosody.domainVerification)
    return unasked(attempt, !attempt.prosody.domainVerification)
  const { node } = about
  const { room } = about.claims
  if (room === undefined || room === false) return passed(shown(room), 'any')
  const text = textOf(room)
  if (text === undefined)
    return noAnswer(shown(room), `the room is ${shown(room)}, which Lua cannot join to a text`)
  // A number equals no text, but what follows a tenant is compared as text.
  const matches = (typeof room === 'string' && text === node) || node.endsWith(`]${text}`) || text === '*'
  return held(matches, shown(room), shown(node))
}

/** As Lua joins it to other text; undefined where it throws. */
function textOf(value: Json | undefined): string | undefined {
  if (typeof value === 'number') return luaNumber(value)
  return typeof value === 'string' ? luaLower(value) : undefined
}

/** What domain verification looks at, undefined where the room claim ends it already. */
function verified(attempt: Attempt): { claims: Claims; node: string } | undefined {
  return attempt.prosody.domainVerification ? asked(attempt) : undefined
}

export function roomPattern(attempt: Attempt): Outcome {
  const { claims } = verified(attempt) ?? {}
  if (claims === undefined) return unasked(attempt, attempt.prosody.domainVerification)
  if (claims['room'] === '*') return SKIPPED
  const about = membersOfValue(claims['context'])?.['room']
  if (about === undefined || about === false) return SKIPPED
  const members = membersOfValue(about)
  if (members === undefined)
    return noAnswer(shown(about), `Lua looks for a member of context.room, which is ${shown(about)}`)
  const isPattern = members['regex'] === true || members['regex'] === 'true'
  return isPattern
    ? undetermined(
        shown(claims['room']),
        'with context.room.regex the room is a Lua pattern, which Prosody itself has to match',
      )
    : SKIPPED
}

function hasNoRoom({ room }: Claims): boolean {
  return room === undefined || room === false
}

export function roomNamed(attempt: Attempt): Outcome {
  const { claims } = verified(attempt) ?? {}
  if (claims === undefined) return unasked(attempt, attempt.prosody.domainVerification)
  if (!hasNoRoom(claims)) return passed(shown(claims['room']))
  return attempt.prosody.requireRoom
    ? refused(shown(claims['room']), 'a room')
    : passed(shown(claims['room']), 'any')
}

export function tenantUsable(attempt: Attempt): Outcome {
  const { claims } = verified(attempt) ?? {}
  if (claims === undefined) return unasked(attempt, attempt.prosody.domainVerification)
  const tenant = membersOfValue(claims['context'])?.['tenant']
  if (hasNoRoom(claims) || tenant === undefined || tenant === false) return SKIPPED
  return textOf(tenant) === undefined
    ? noAnswer(shown(tenant), `context.tenant is ${shown(tenant)}, of which Lua makes no small letters`)
    : passed(shown(tenant))
}

export function roomAndTenantMatch(attempt: Attempt): Outcome {
  const about = verified(attempt)
  if (about === undefined) return unasked(attempt, attempt.prosody.domainVerification)
  if (hasNoRoom(about.claims)) return SKIPPED
  const { claims, node } = about
  const { sub } = claims
  const [, tenant, inTenant] = /^\[([^\]]+)\](.+)$/s.exec(node) ?? []
  const domain = textOf(sub)
  if (domain === undefined)
    return noAnswer(shown(sub), `sub is ${shown(sub)}, of which Lua makes no small letters`)
  const room = claims['room'] === '*' ? (inTenant ?? node) : textOf(claims['room'])
  if (room === undefined)
    return noAnswer(
      shown(claims['room']),
      `the room is ${shown(claims['room'])}, which Lua cannot join to a text`,
    )
  const { mucDomain, domain: host } = attempt.prosody
  const [prefix = ''] = mucDomain.split('.')
  const found = `room ${shown(claims['room'])}, sub ${shown(sub)}`
  if (tenant !== undefined)
    return held(
      `[${domain === '*' ? tenant : domain}]${room}` === node,
      found,
      `room ${shown(inTenant)}, sub ${shown(tenant)}`,
    )
  const holds = room === node && (domain === '*' || `${prefix}.${domain}` === mucDomain)
  return held(holds, found, `room ${shown(node)}, sub ${shown(host)}`)
}
