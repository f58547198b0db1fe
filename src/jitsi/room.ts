// The room that Prosody checks, from the meeting's name as people type it after the host.
import type { Finding } from '../finding.ts'
import { shownValue } from '../shown.ts'
import { jitsiFinding } from './findings.ts'
import { urlOf } from '../url.ts'

/** The room's part of its JID, or why only a browser and Prosody know it. */
export type Room = { readonly node: string } | { readonly doubt: string }

// Prosody's own limit for a part of a JID.
const MAX_NODE = 1023

/**
 * Does what a browser and jitsi-meet do with the address (parseURIString and getBackendSafeRoomName of
 * https://github.com/jitsi/jitsi-meet, react/features/base/util/uri.ts), and puts a tenant in square brackets before it, as
 * mod_muc_domain_mapper does.
 * @param typed `Team A`, `tenant/Team A`, or the meeting's whole address
 * @param tenants whether Jitsi has tenants (ENABLE_SUBDOMAINS)
 */
export function roomOf(typed: string, tenants: boolean): Room {
  if (/\p{Cs}/u.test(typed)) return { doubt: 'no name that a room can have' }
  const address = /^https?:\/\//i.test(typed) ? typed : `https://host/${typed.replace(/^\//, '')}`
  const url = urlOf(address)
  if (url === undefined) return { doubt: 'no address' }
  const [name = '', tenant, ...more] = url.pathname
    .slice(1)
    .split('/')
    .map((part) => part.replace(/[:?#[\]@!$&'()*+,;=<>"]/g, ''))
    .reverse()
  if (more.length > 0) return { doubt: 'more than one slash in the room' }
  if (tenant !== undefined && !tenants)
    return { doubt: 'a tenant before the room, where ENABLE_SUBDOMAINS is off' }
  if (tenant !== undefined && !/^[A-Za-z0-9_-]+$/.test(tenant))
    return { doubt: 'a tenant with other characters than letters, digits, - and _' }
  const safe = backendSafeName(name)
  if (safe === '') return { doubt: 'no name that a room can have' }
  if (safe.includes("'")) return { doubt: 'an apostrophe, which no JID can hold' }
  const node = tenant === undefined ? safe : `[${tenant.toLowerCase()}]${safe}`
  return node.length > MAX_NODE ? { doubt: `a name of more than ${MAX_NODE} bytes` } : { node }
}

function backendSafeName(name: string): string {
  let plain = name
  try {
    plain = decodeURIComponent(name)
  } catch {
    // A lone % is a character like any other.
  }
  return encodeURIComponent(plain.normalize('NFKC').toLowerCase()).toLowerCase()
}

/** What the claim `room` opens this room by; `*` opens all. The room may also be written as Prosody has it: `[tenant]room`. */
export function roomClaim(typed: string): string {
  if (typed === '*') return typed
  const room = roomOf(typed.replace(/^\[([^\]]+)\]/, '$1/'), true)
  if ('doubt' in room) throw new Error(`opens no room: it has ${room.doubt}`)
  return room.node
}

/** Tells where the claim is not what was typed. */
export function adviseRoom(typed: string): Finding | undefined {
  const claim = roomClaim(typed)
  return claim === typed ? undefined : jitsiFinding('room-encoded', { room: shownValue(typed), claim })
}
