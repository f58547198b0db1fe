// Which login the settings ask for.
import { type Context, missingSettings } from '../cli/context.ts'
import { type Values, waysToGive } from '../settings.ts'

/** The settings that say how to log in. */
export type LoginKey = 'authRealm' | 'user' | 'password' | 'loginClient' | 'clientSecret' | 'accessToken'

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
export function givenLogin(settings: Values<LoginKey>): Login | undefined {
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

/**
 * What a command that talks to Keycloak's admin API cannot do without: its address, realms and a login. On a terminal
 * what is missing is asked for, the login as the missing half of what was given or as user and password.
 * @param others what else is missing, each with how to give it
 * @throws KjitsiError `usage` naming all that is missing, with the three ways to log in
 */
export async function needAdmin(
  context: Context<LoginKey | 'url' | 'realm'>,
  others: readonly string[] = [],
): Promise<{
  readonly url: string
  readonly realms: readonly string[]
  readonly login: Login
}> {
  const { settings, canAsk } = context
  const given = givenLogin(settings)
  if (!canAsk && (given === undefined || others.length > 0)) {
    const login = given === undefined ? [howToLogIn(settings)] : []
    throw missingSettings(settings, ['url', 'realm'], [...login, ...others])
  }
  const { url, realm } = await context.need('url', 'realm')
  const login = given ?? (await askLogin(context))
  context.output.detail(`login: ${whoIs(login)}`)
  return { url, realms: [...new Set(realm)], login }
}

async function askLogin(context: Context<LoginKey>): Promise<Login> {
  const { loginClient, clientSecret, user, authRealm } = context.settings
  if (user === undefined && (loginClient !== undefined || clientSecret !== undefined)) {
    const asked = await context.need('loginClient', 'clientSecret')
    return { by: 'client', clientId: asked.loginClient, clientSecret: asked.clientSecret, authRealm }
  }
  return { by: 'password', ...(await context.need('user', 'password')), authRealm: authRealm ?? 'master' }
}

/** What is missing for a login: the other half of what was given, or any of the three ways. */
function howToLogIn({ user, password, loginClient, clientSecret }: Values<LoginKey>): string {
  if (user !== undefined) return `the password of ${user}: ${waysToGive('password')}`
  if (loginClient !== undefined) return `the secret of client ${loginClient}: ${waysToGive('clientSecret')}`
  if (clientSecret !== undefined) return `the client that the secret is of: ${waysToGive('loginClient')}`
  if (password !== undefined) return `the user that the password is of: ${waysToGive('user')}`
  return [
    'a login, in one of three ways:',
    `  a ready access token: ${waysToGive('accessToken')}`,
    `  a service account: ${waysToGive('loginClient')}, and ${waysToGive('clientSecret')}`,
    `  a user: ${waysToGive('user')}, and ${waysToGive('password')}`,
  ].join('\n  ')
}
