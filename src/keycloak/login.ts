// Which login the settings ask for.

/** The settings that say how to log in. */
export interface LoginSettings {
  readonly authRealm: string | undefined
  readonly user: string | undefined
  readonly password: string | undefined
  readonly loginClient: string | undefined
  readonly clientSecret: string | undefined
  readonly accessToken: string | undefined
}

export type Login =
  | { readonly by: 'token'; readonly token: string }
  | {
      readonly by: 'client'
      readonly clientId: string
      readonly clientSecret: string
      /** Undefined: the very realm that is to be changed. */
      readonly authRealm: string | undefined
    }
  | { readonly by: 'password'; readonly user: string; readonly password: string; readonly authRealm: string }

/** A login that gets its token from Keycloak. */
export type Grant = Exclude<Login, { readonly by: 'token' }>

/** The account, as part of a sentence. */
export function whoIs(login: Login): string {
  switch (login.by) {
    case 'token':
      return 'the account of the access token'
    case 'client':
      return `the service account of client ${login.clientId}`
    case 'password':
      return `user ${login.user}`
  }
}

/**
 * The login that the settings give whole: a ready access token before a client secret before a password.
 * Undefined where none is whole.
 */
export function givenLogin(settings: LoginSettings): Login | undefined {
  const { accessToken, loginClient, clientSecret, user, password, authRealm } = settings
  if (accessToken !== undefined) return { by: 'token', token: accessToken }
  if (loginClient !== undefined && clientSecret !== undefined) {
    return { by: 'client', clientId: loginClient, clientSecret, authRealm }
  }
  if (user !== undefined && password !== undefined) {
    return { by: 'password', user, password, authRealm: authRealm ?? 'master' }
  }
  return undefined
}
