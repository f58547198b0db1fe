// What may be shown of a `.env`. Of the variables that kjitsi does not write, nothing: which are secrets, nobody can know.
import { MASKED, shownAddress } from '../shown.ts'

/** Lists to which kjitsi adds items. The others in them are somebody's own, secrets of Prosody's modules among them. */
const SHARED_LISTS = ['XMPP_CONFIGURATION', 'XMPP_MODULES', 'XMPP_MUC_MODULES']
/** Addresses, and lists of them or of names: no secret but by what an address can hold. */
const ADDRESSES = ['JWT_ACCEPTED_ISSUERS', 'JWT_ACCEPTED_AUDIENCES', 'JWT_ASAP_KEYSERVER', 'TOKEN_AUTH_URL']
/** Switches, words of a fixed set, and the name of an application. */
const PLAIN = [
  'ENABLE_AUTH',
  'ENABLE_GUESTS',
  'AUTH_TYPE',
  'JWT_APP_ID',
  'JWT_SIGN_TYPE',
  'JICOFO_ENABLE_AUTH',
  'ENABLE_AUTO_OWNER',
  'WAIT_FOR_HOST_DISABLE_AUTO_OWNERS',
]

export function isSharedList(key: string): boolean {
  return SHARED_LISTS.includes(key)
}

/** What kjitsi itself writes, by variable: the whole value, or its items in a list that others write into as well. */
export type Own = ReadonlyMap<string, readonly string[]>

/** A variable's value as it may be shown, whoever wrote it. */
export function shownEnvValue(key: string, value: string, own: Own): string {
  const ours = own.get(key) ?? []
  if (isSharedList(key))
    return eachItem(value, (item) => (item === '' || ours.includes(item) ? item : MASKED))
  if (value === '' || ours.includes(value)) return value
  if (PLAIN.includes(key)) return shownAddress(value)
  return ADDRESSES.includes(key) ? eachItem(value, shownAddress) : MASKED
}

function eachItem(list: string, shown: (item: string) => string): string {
  return list.split(',').map(shown).join(',')
}
