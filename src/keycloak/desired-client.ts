// What Jitsi's login wants of the Keycloak client: pure, and the only place that knows it.
import { postLogoutUri, redirectUri } from '../jitsi/origin.ts'
import type { ClientSettings } from './client.ts'
import { type Mapper, affiliationMapper, audienceMapper } from './mappers.ts'

/** A client that is not there yet, as the admin API takes it. */
export interface NewClient extends ClientSettings {
  readonly clientId: string
  readonly protocol: 'openid-connect'
}

export const LIFESPAN = 'access.token.lifespan'
export const POST_LOGOUT_URIS = 'post.logout.redirect.uris'
/** How Keycloak writes a list into one attribute (Constants.CFG_DELIMITER). */
export const LIST_DELIMITER = '##'

/**
 * Attributes that spoil logins or tokens unless they are absent, empty, or what stands here. Jitsi's page sends a plain
 * authorization request, from a browser, without a certificate; it reads the ID token, and Prosody the access token. A
 * question before the logout stops it in its hidden frame, where nobody can answer.
 */
export const HARMLESS: Readonly<Record<string, string>> = {
  'access.token.header.type.rfc9068': 'false',
  'client.use.lightweight.access.token.enabled': 'false',
  'dpop.bound.access.tokens': 'false',
  'logout.confirmation.enabled': 'false',
  'require.pushed.authorization.requests': 'false',
  'request.object.required': 'not required',
  'id.token.encrypted.response.alg': '',
  'tls.client.certificate.bound.access.tokens': 'false',
}

/** Where it is set and frontchannelLogout is on, Keycloak ends a logout at a page of its own, which no frame may show. */
export const FRONTCHANNEL_LOGOUT_URL = 'frontchannel.logout.url'

export interface ClientOptions {
  /** Client id. */
  readonly client: string
  /** Undefined for the client id. */
  readonly tokenAudience: string | undefined
  readonly moderatorRole: string | undefined
  /** Of an access token, seconds. Prosody looks at it whenever somebody (re)joins, and nothing renews it. */
  readonly tokenLifespan: number
  /** Make a confidential client public, rather than refuse it. */
  readonly makePublic: boolean
  /** Turn full scope off on a client that is there. */
  readonly fullScopeChange: boolean
}

/** All that is wanted of one client, and how far that may go. */
export interface DesiredClient extends Pick<
  ClientOptions,
  'moderatorRole' | 'makePublic' | 'fullScopeChange'
> {
  readonly clientId: string
  readonly settings: ClientSettings
  /** The one that the tokens are to have. */
  readonly audience: string
  /** Writes it. */
  readonly audienceMapper: Mapper
  /** Writes the role of a moderator, where there is to be one. */
  readonly moderatorMappers: readonly Mapper[]
}

/**
 * What makes Jitsi's web login work: it is a page in a browser, which can keep no secret, and trades a code for a token.
 * @param origins as `jitsiOrigin` gives them
 */
export function desiredClient(
  origins: readonly string[],
  { client: clientId, tokenAudience: audience = clientId, moderatorRole, ...options }: ClientOptions,
): DesiredClient {
  const { tokenLifespan, makePublic, fullScopeChange } = options
  const attributes = {
    'pkce.code.challenge.method': 'S256',
    [POST_LOGOUT_URIS]: origins.map(postLogoutUri).join(LIST_DELIMITER),
    [LIFESPAN]: String(tokenLifespan),
    // Jitsi would send one through Keycloak's address line at the next login, and stumble over one that has expired.
    'use.refresh.tokens': 'false',
    'access.token.signed.response.alg': 'RS256',
  }
  return {
    ...{ clientId, audience, moderatorRole, makePublic, fullScopeChange },
    settings: {
      publicClient: true,
      standardFlowEnabled: true,
      implicitFlowEnabled: false,
      directAccessGrantsEnabled: false,
      serviceAccountsEnabled: false,
      authorizationServicesEnabled: false,
      fullScopeAllowed: false,
      frontchannelLogout: false,
      redirectUris: origins.map(redirectUri),
      webOrigins: origins,
      attributes,
    },
    audienceMapper: audienceMapper(audience),
    moderatorMappers: moderatorRole === undefined ? [] : [affiliationMapper(clientId)],
  }
}
