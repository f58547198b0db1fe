// What a Jitsi is to accept, decided with what Keycloak says of itself.
import type { Finding } from '../finding.ts'
import type { Http } from '../http/http.ts'
import { type FactSettings, type Facts, envValues, factsOf } from '../jitsi/config.ts'
import { adviseIssuers, adviseValues } from '../jitsi/advice.ts'
import { moderatorRoleOf } from '../jitsi/moderation.ts'
import { adviseRole } from './advice.ts'
import { issuersOf } from './discovery.ts'

/** Issuers; where there are none, the Keycloak that is to be asked for those of its realms. */
export interface IssuerSource {
  readonly issuer: readonly string[]
  readonly url: string
  readonly realm: readonly string[]
}

/** @throws KjitsiError as `issuersOf` does */
export async function acceptedIssuers(
  http: Http,
  { issuer, url, realm }: IssuerSource,
): Promise<{ readonly issuers: readonly string[]; readonly findings: readonly Finding[] }> {
  if (issuer.length > 0) return { issuers: issuer, findings: adviseIssuers(issuer, undefined) }
  const issuers = await issuersOf(http, url, realm)
  return { issuers, findings: adviseIssuers(issuers, url) }
}

/**
 * The facts of a Jitsi that has no `.env` to keep.
 * @param keyserver empty where Prosody has none
 * @param origin under which people open Jitsi; undefined where no file has the login
 * @throws KjitsiError as `issuersOf`, `factsOf` and `envValues` do
 */
export async function acceptedFacts(
  http: Http,
  settings: FactSettings & IssuerSource,
  keyserver = '',
  origin?: string,
): Promise<{ readonly facts: Facts; readonly findings: readonly Finding[] }> {
  const { issuers, findings } = await acceptedIssuers(http, settings)
  const facts = factsOf(settings, issuers, keyserver, origin)
  const ofValues = adviseValues(envValues(facts, new Map()), facts)
  return { facts, findings: [...findings, ...ofValues, ...adviseRole(moderatorRoleOf(settings.moderators))] }
}
