// The settings by which kjitsi logs in to Keycloak's admin API, and what is asked for where they are not enough.
import type { Context } from './cli/context.ts'
import { setting, under } from './cli/setting.ts'
import { KjitsiError } from './errors.ts'
import type { Grant, Login } from './keycloak/login.ts'
import type { KEYCLOAK } from './settings.ts'
import { tokenIn } from './token/pasted.ts'

/** How to log in to Keycloak's admin API. */
export const LOGIN = under('Login of kjitsi at Keycloak (an administrator, of realm master by default):', {
  authRealm: setting({
    flag: '--auth-realm <name>',
    env: 'KEYCLOAK_AUTH_REALM',
    help: 'realm to log in at',
    unset: 'master; with --login-client the realm itself',
  }),
  user: setting({
    flag: '--user <name>',
    env: 'KEYCLOAK_USER',
    help: 'log in as this administrator',
    question: 'Log in as administrator',
  }),
  password: setting({
    flag: '--password-file <path>',
    env: 'KEYCLOAK_PASSWORD',
    help: 'password of --user',
    secret: true,
    question: 'Password',
  }),
  loginClient: setting({
    flag: '--login-client <client-id>',
    env: 'KEYCLOAK_CLIENT_ID',
    help: 'service account to log in as',
    question: 'Log in as the service account of client',
  }),
  clientSecret: setting({
    flag: '--client-secret-file <path>',
    env: 'KEYCLOAK_CLIENT_SECRET',
    help: 'secret of --login-client',
    secret: true,
    question: 'Secret of that client',
  }),
  accessToken: setting({
    flag: '--access-token-file <path>',
    env: 'KEYCLOAK_ACCESS_TOKEN',
    help: 'access token to use in place of a login',
    parse: tokenIn,
    secret: true,
  }),
})

type Admin = Context<typeof KEYCLOAK & typeof LOGIN>

/**
 * What a command that talks to Keycloak's admin API cannot do without: its address, realms and a login. On a terminal
 * what is missing is asked for, the login as the missing half of what was given or as user and password.
 * @param others what else is missing, each with how to give it
 * @throws KjitsiError `usage` naming all that is missing, with the three ways to log in
 */
export async function needAdmin(
  context: Admin,
  others: readonly string[] = [],
): Promise<{ readonly url: string; readonly realms: readonly string[]; readonly login: Login }> {
  const { settings, canAsk } = context
  const { givenLogin, whoIs } = await import('./keycloak/login.ts')
  const given = givenLogin(settings)
  const missing = [...(given === undefined ? [howToLogIn(context)] : []), ...others]
  const { url, realm } = await context.need(['url', 'realm'], canAsk ? [] : missing)
  const login = given ?? (await askLogin(context, url, realm[0] ?? ''))
  context.output.detail(`login: ${whoIs(login)}`)
  return { url, realms: [...new Set(realm)], login }
}

/** Asks until Keycloak does not refuse the login, so that a slip costs no other answer. */
async function askLogin(context: Admin, url: string, realm: string): Promise<Login> {
  const { tokenSource } = await import('./keycloak/token.ts')
  for (;;) {
    const login = await typedLogin(context)
    try {
      await tokenSource(context.http, url, login, realm)()
      return login
    } catch (error) {
      if (!(error instanceof KjitsiError) || error.code !== 'login') throw error
      context.output.log('error', error.message, { fix: error.hint })
    }
  }
}

async function typedLogin(context: Admin): Promise<Grant> {
  const { loginClient, clientSecret: secret, user, authRealm } = context.settings
  if (user === undefined && (loginClient !== undefined || secret !== undefined)) {
    const { loginClient: clientId, clientSecret } = await context.need(['loginClient', 'clientSecret'])
    return { by: 'client', clientId, clientSecret, authRealm }
  }
  return { by: 'password', ...(await context.need(['user', 'password'])), authRealm: authRealm ?? 'master' }
}

/** What is missing for a login: the other half of what was given, or any of the three ways. */
function howToLogIn({ settings, waysToGive: ways }: Admin): string {
  const { user, password, loginClient, clientSecret } = settings
  if (user !== undefined) return `the password of ${user}: ${ways('password')}`
  if (loginClient !== undefined) return `the secret of client ${loginClient}: ${ways('clientSecret')}`
  if (clientSecret !== undefined) return `the client that the secret is of: ${ways('loginClient')}`
  if (password !== undefined) return `the user that the password is of: ${ways('user')}`
  return [
    'a login, in one of three ways:',
    `  a ready access token: ${ways('accessToken')}`,
    `  a service account: ${ways('loginClient')}, and ${ways('clientSecret')}`,
    `  an administrator, of realm master by default: ${ways('user')}, and ${ways('password')}`,
  ].join('\n  ')
}
