// What setup-client sets and the browser does not miss: the login goes well, and Jitsi refuses the token.
import { type Spoil, attribute, withoutMapper } from './realm.ts'

export interface TakenAway {
  readonly what: string
  readonly spoil: Spoil
  /** Whose token it shows in. */
  readonly who: 'alice' | 'root'
  /** What Jitsi says an hour after the login. */
  readonly said: RegExp
}

export const REFUSED_BY_JITSI: readonly TakenAway[] = [
  {
    what: 'full scope off: aud is a list',
    spoil: () => ({ fullScopeAllowed: true }),
    who: 'alice',
    said: /^invalid 'aud' claim$/,
  },
  {
    what: 'full scope off and the audience, for an administrator: aud is a list',
    spoil: (client) => ({ fullScopeAllowed: true, ...withoutMapper('audience')(client) }),
    who: 'root',
    said: /^invalid 'aud' claim$/,
  },
  { what: 'the audience', spoil: withoutMapper('audience'), who: 'alice', said: /^'aud' claim is missing$/ },
  { what: 'the room', spoil: withoutMapper('room'), who: 'alice', said: /^room claim is missing$/ },
  {
    what: 'the lifespan: the realm gives five minutes',
    spoil: attribute('access.token.lifespan', ''),
    who: 'alice',
    // Keycloak looks at its clock once for iat and once for exp: a second may end between the two.
    said: /^Not acceptable by exp \((3299|3300)\.0 sec since expired, valid for:(300|301)\.0 sec\)$/,
  },
  {
    what: 'RS256',
    spoil: attribute('access.token.signed.response.alg', 'ES256'),
    who: 'alice',
    said: /^'kid' claim only support with RS family$/,
  },
  {
    what: 'the type JWT',
    spoil: attribute('access.token.header.type.rfc9068', 'true'),
    who: 'alice',
    said: /^Invalid typ$/,
  },
  {
    what: 'whole access tokens',
    spoil: attribute('client.use.lightweight.access.token.enabled', 'true'),
    who: 'alice',
    said: /^'aud' claim is missing$/,
  },
]
