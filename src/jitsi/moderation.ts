// Who moderates a room, and what that asks of Jicofo and Prosody. This file alone knows which of their modules do it.

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

/** The client role of the moderators, undefined where no role makes one. */
export function moderatorRoleOf(moderators: Moderators | undefined): string | undefined {
  return typeof moderators === 'object' ? moderators.role : undefined
}

/** What Jicofo and Prosody know of it: which roles there are is Keycloak's business. */
export type ModeratedBy = 'role' | 'everyone' | 'first'

export function moderatedBy(moderators: Moderators): ModeratedBy {
  return typeof moderators === 'object' ? 'role' : moderators
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
const WAIT_FOR_HOST = 'muc_wait_for_host'

/**
 * What each combination asks for. Jicofo lets guests open rooms where its own login is off, and mod_muc_wait_for_host is
 * what makes them wait for somebody with a token; it works with mod_persistent_lobby only. It also is what makes
 * everybody with a token a moderator, so that without guests it is there for that.
 */
export function moderationOf(moderators: ModeratedBy, guests: boolean): Moderation {
  const byRole = moderators === 'role'
  const waits = guests || moderators === 'everyone'
  return {
    autoOwner: moderators === 'first',
    hostsAreOwners: moderators === 'everyone',
    modules: waits ? ['persistent_lobby'] : [],
    mucModules: [...(waits ? [WAIT_FOR_HOST] : []), ...(byRole ? [AFFILIATION] : [])],
    // With it, holders of a role that an earlier choice has left in tokens would moderate as well.
    mucModulesNot: byRole ? [] : [AFFILIATION],
  }
}

/** What a running Jitsi is told about moderators; a switch that nobody set is undefined. */
export interface ModerationSet {
  readonly autoOwner: boolean | undefined
  readonly hostsAreOwners: boolean | undefined
  readonly mucModules: readonly string[]
}

/**
 * Who moderates by these settings, undefined where they say nothing of it that kjitsi would have said. Jicofo's switch
 * counts by itself, once somebody has turned it on; nobody did where it is unset, though Jicofo then takes it for on.
 */
export function moderatedByOf({
  autoOwner,
  hostsAreOwners = true,
  mucModules,
}: ModerationSet): ModeratedBy | undefined {
  if (autoOwner !== false) return autoOwner ? 'first' : undefined
  // Who is taken for a host owns the room only where a module looks for hosts.
  const owners = hostsAreOwners && mucModules.includes(WAIT_FOR_HOST)
  return (['role', 'everyone'] as const).find((who) => {
    const { hostsAreOwners: wanted, ...wish } = moderationOf(who, false)
    const has = (name: string): boolean => mucModules.includes(name)
    return wanted === owners && wish.mucModules.every(has) && !wish.mucModulesNot.some(has)
  })
}
