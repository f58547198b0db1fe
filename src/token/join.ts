// The join, in Prosody's order: verify_room in token/util.lib.lua. With domain verification off only the room counts; with
// it on, also the tenant or host, which has to be in `sub`.
import { ROOM } from './claims.ts'
import type { Json } from './decode.ts'
import { luaLower, luaNumber } from './lua.ts'
import {
  HIDDEN,
  type RuleOutcome,
  type Rules,
  SKIPPED,
  held,
  noAnswer,
  passed,
  refused,
  undetermined,
} from './rule.ts'
import { shown } from './show.ts'
import { type Attempt, membersOf, membersOfValue } from './token.ts'

const NO_VERIFICATION = 'take JWT_ENABLE_DOMAIN_VERIFICATION out of .env'

export const JOIN_RULES = {
  'room-address': {
    about: 'room asked for',
    reason: '',
    cause: 'the room has a name that kjitsi does not know the address of',
    fix: 'ask about the room by the name that stands in its address, such as team-a or tenant/team-a',
    when: ({ room }) => room !== undefined,
    look({ room, prosody }) {
      if (room === undefined) return SKIPPED
      return 'doubt' in room
        ? undetermined(room.doubt, `the room has ${room.doubt}`)
        : passed(`${room.node}@${prosody.mucDomain}`)
    },
  },
  room: {
    about: 'room',
    reason: 'Room does not match the room from token',
    cause:
      'the token is for another room: Prosody compares the name in small letters, percent-encoded (`caf%c3%a9`)',
    fix: ROOM,
    when: (attempt) => isChecked(attempt) && !attempt.prosody.domainVerification,
    look: withClaims(({ room }, node) => {
      if (room === undefined || room === false) return passed(shown(room), 'any')
      const text = textOf(room)
      if (text === undefined)
        return noAnswer(shown(room), `the room is ${shown(room)}, which Lua cannot join to a text`)
      // A number equals no text, but what follows a tenant is compared as text.
      const matches = (typeof room === 'string' && text === node) || node.endsWith(`]${text}`) || text === '*'
      return held(matches, shown(room), shown(node))
    }),
  },
  'room-pattern': {
    about: 'context.room',
    reason: 'Room claim is not a valid Lua pattern',
    cause:
      'context.room.regex makes the room a Lua pattern, and it is none (with domain verification on only)',
    fix: 'write a Lua pattern, or take context.room.regex out',
    when: isVerified,
    look: withClaims(({ room, context }) => {
      if (room === '*') return SKIPPED
      const about = membersOfValue(context)?.['room']
      if (about === undefined || about === false) return SKIPPED
      const members = membersOfValue(about)
      if (members === undefined)
        return noAnswer(shown(about), `Lua looks for a member of context.room, which is ${shown(about)}`)
      return members['regex'] === true || members['regex'] === 'true'
        ? undetermined(
            shown(room),
            'with context.room.regex the room is a Lua pattern, which Prosody itself has to match',
          )
        : SKIPPED
    }),
  },
  'room-unnamed': {
    about: 'room is named',
    reason: 'Room name cannot be matched to the one from token.',
    cause:
      'with domain verification on, the room is false or its pattern does not match; guests have none at all',
    fix: NO_VERIFICATION,
    when: isVerified,
    look: withClaims(({ room }, _, { requireRoom }) => {
      if (!isAbsent(room)) return passed(shown(room))
      return requireRoom ? refused(shown(room), 'a room') : passed(shown(room), 'any')
    }),
  },
  tenant: {
    about: 'context.tenant',
    reason: '',
    cause: 'context.tenant is no text, and Lua throws at it (with domain verification on only)',
    fix: 'take away the mapper that writes context.tenant',
    when: isVerified,
    look: withClaims(({ room, context }) => {
      const tenant = membersOfValue(context)?.['tenant']
      if (isAbsent(room) || isAbsent(tenant)) return SKIPPED
      return textOf(tenant) === undefined
        ? noAnswer(shown(tenant), `context.tenant is ${shown(tenant)}, of which Lua makes no small letters`)
        : passed(shown(tenant))
    }),
  },
  domain: {
    about: 'room and sub',
    reason: 'Room and token mismatched',
    cause:
      "with domain verification on, sub has to be the tenant, the host or *; Keycloak's is the user's id",
    fix: NO_VERIFICATION,
    when: isVerified,
    look: withClaims((claims, node, { mucDomain, domain: host }) => {
      const { sub, room: claimed } = claims
      if (isAbsent(claimed)) return SKIPPED
      const [, tenant, inTenant] = /^\[([^\]]+)\](.+)$/s.exec(node) ?? []
      const domain = textOf(sub)
      if (domain === undefined)
        return noAnswer(shown(sub), `sub is ${shown(sub)}, of which Lua makes no small letters`)
      const room = claimed === '*' ? (inTenant ?? node) : textOf(claimed)
      if (room === undefined)
        return noAnswer(shown(claimed), `the room is ${shown(claimed)}, which Lua cannot join to a text`)
      const [prefix = ''] = mucDomain.split('.')
      const found = `room ${shown(claimed)}, sub ${shown(sub)}`
      if (tenant !== undefined)
        return held(
          `[${domain === '*' ? tenant : domain}]${room}` === node,
          found,
          `room ${shown(inTenant)}, sub ${shown(tenant)}`,
        )
      const holds = room === node && (domain === '*' || `${prefix}.${domain}` === mucDomain)
      return held(holds, found, `room ${shown(node)}, sub ${shown(host)}`)
    }),
  },
} satisfies Rules

type Claims = Readonly<Record<string, Json>>

/** Whether a join is asked about, and Prosody checks it. */
function isChecked({ room, token, prosody }: Attempt): boolean {
  return room !== undefined && token !== null && prosody.roomsChecked
}

function isVerified(attempt: Attempt): boolean {
  return isChecked(attempt) && attempt.prosody.domainVerification
}

/** Looks where there are both claims and a room that is known. */
function withClaims(
  look: (claims: Claims, node: string, prosody: Attempt['prosody']) => RuleOutcome,
): (attempt: Attempt) => RuleOutcome {
  return ({ room, body, prosody }) => {
    const claims = membersOf(body)
    return claims === undefined || room === undefined || 'doubt' in room
      ? HIDDEN
      : look(claims, room.node, prosody)
  }
}

function isAbsent(value: Json | undefined): boolean {
  return value === undefined || value === false
}

/** As Lua joins it to other text; undefined where it throws. */
function textOf(value: Json | undefined): string | undefined {
  if (typeof value === 'number') return luaNumber(value)
  return typeof value === 'string' ? luaLower(value) : undefined
}
