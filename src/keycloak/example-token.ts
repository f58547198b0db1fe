// What Keycloak would write into a person's token, without that person's login.
import { z } from 'zod'
import { KjitsiError } from '../errors.ts'
import type { Finding } from '../finding.ts'
import { findClient } from './client.ts'
import { type RealmAdmin, giveRole } from './connect.ts'
import { keycloakFinding } from './findings.ts'

const USERS = z.array(z.object({ id: z.string(), enabled: z.boolean().optional() }))
const REALM = z.object({ defaultSignatureAlgorithm: z.string().optional() })
const CLAIMS = z.looseObject({ iss: z.string() })

/** As long as that of an RSA key of 2048 bits: the length of a token counts. */
const NO_SIGNATURE = Buffer.alloc(256).toString('base64url')

/**
 * A token with the claims of a real one, and with a header as the client's settings have it: without `kid`, without `alg`
 * where this account may not see the realm's own, and never signed.
 * @throws KjitsiError `not-found` where there is no such client or user, `right` where the account may not see them
 */
export async function exampleToken(
  realm: RealmAdmin,
  { client: clientId, username, scope }: { client: string; username: string; scope: string },
): Promise<{ readonly token: string; readonly findings: readonly Finding[] }> {
  const { clientUuid, settings } = await findClient(realm, clientId)
  const [user] = await realm.get(USERS, (admin) => admin.users.find({ username, exact: true }))
  if (user === undefined) throw noUser(realm, username)
  const claims = await realm.get(CLAIMS, (admin) =>
    admin.clients.evaluateGenerateAccessToken({ id: clientUuid, userId: user.id, scope, audience: '' }),
  )
  const { attributes } = settings
  const alg =
    attributes['access.token.signed.response.alg'] ||
    (await realm.get(REALM, (admin) => admin.realms.findOne({ realm: realm.name }))).defaultSignatureAlgorithm
  const typ = attributes['access.token.header.type.rfc9068'] === 'true' ? 'at+jwt' : 'JWT'
  const parts = [{ alg, typ }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
  return {
    token: [...parts, NO_SIGNATURE].join('.'),
    findings:
      user.enabled === false ? [keycloakFinding('user-disabled', { realm: realm.name, user: username })] : [],
  }
}

function noUser({ name, who }: RealmAdmin, username: string): KjitsiError {
  return new KjitsiError(
    'not-found',
    `user ${username} of realm ${name} was not found or is not visible to ${who}`,
    { hint: `give the username, which an e-mail address is not; or ${giveRole(name, 'view-users')}` },
  )
}
