// Who moderates a room, and what that asks of Jicofo and Prosody. This file alone knows which of their modules do it.

import { KjitsiError } from '../errors.ts'
import type { Values } from '../settings.ts'

/** Who is a moderator: holders of one of the client's roles, everybody who has logged in, or whoever comes in first. */
export type Moderators = { readonly role: string } | 'everyone' | 'first'

/**
 * Reads `role:NAME`, `everyone` or `first`.
 * @throws Error whose message goes on after the text
 */
export function readModerators(text: string): Moderators {
  if (text === 'everyone' || text === 'first') return text
  const [, role] = /^role:(.+)$/.exec(text) ?? []
  if (role === undefined) throw new Error('is none of role:NAME, everyone and first')
  return { role }
}

/**
 * The client role of the moderators, undefined where no role makes one.
 * @throws KjitsiError `usage` where the two settings contradict each other
 */
export function moderatorRoleOf({
  moderators,
  moderatorRole,
}: Values<'moderators' | 'moderatorRole'>): string | undefined {
  if (moderators === undefined) return moderatorRole
  const [role, said] =
    typeof moderators === 'object' ? [moderators.role, `role:${moderators.role}`] : [undefined, moderators]
  if (moderatorRole === undefined || moderatorRole === role) return role
  throw new KjitsiError('usage', `--moderators ${said} contradicts --moderator-role ${moderatorRole}`, {
    hint: 'give one of them: --moderators, as gen-env takes it',
  })
}

export interface Moderation {
  /** Whether Jicofo makes whoever comes first a moderator, with a token or without. */
  readonly autoOwner: boolean
  /** Whether mod_muc_wait_for_host makes everybody with a token a moderator. */
  readonly hostsAreOwners: boolean
  /** What Prosody is to load for its main host. */
  readonly modules: readonly string[]
  /** What Prosody is to load for the rooms. */
  readonly mucModules: readonly string[]
  /** What would work against these moderators, were it loaded for the rooms. */
  readonly mucModulesNot: readonly string[]
}

const AFFILIATION = 'token_affiliation'

/**
 * What each combination asks for. Jicofo lets guests open rooms where its own login is off, and mod_muc_wait_for_host is
 * what makes them wait for somebody with a token; it works with mod_persistent_lobby only. It also is what makes
 * everybody with a token a moderator, so that without guests it is there for that.
 */
export function moderationOf(moderators: Moderators, guests: boolean): Moderation {
  const byRole = typeof moderators === 'object'
  const waits = guests || moderators === 'everyone'
  return {
    autoOwner: moderators === 'first',
    hostsAreOwners: moderators === 'everyone',
    modules: waits ? ['persistent_lobby'] : [],
    mucModules: [...(waits ? ['muc_wait_for_host'] : []), ...(byRole ? [AFFILIATION] : [])],
    // With it, holders of a role that an earlier choice has left in tokens would moderate as well.
    mucModulesNot: byRole ? [] : [AFFILIATION],
  }
}
