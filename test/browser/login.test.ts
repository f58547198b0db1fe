// A login in a real browser with what kjitsi made; then each thing that the login needs is taken away once, and the login
// seen to fail. Pictures of what a person sees are in test/artefacts.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { claimsOf } from '../support/browserless-login.ts'
import { askVerdict } from '../support/jitsi.ts'
import { type Spoil, attribute, makeUser } from '../support/realm.ts'
import { REFUSED_BY_JITSI } from '../support/taken-away.ts'
import { run } from '../support/run.ts'
import {
  type Changed,
  type Meetings,
  ROOM,
  fillIn,
  logIn,
  picture,
  says,
  sessionOf,
  startLogin,
  startMeetings,
} from '../support/meetings.ts'

let meetings: Meetings
beforeAll(async () => {
  meetings = await startMeetings()
})
afterAll(() => meetings[Symbol.asyncDispose]())

describe('what kjitsi made', () => {
  test.each([
    ['alice', 'an ordinary user', 'alice Example', undefined],
    // Beside a context, Jitsi reads no name but the one in it; setup-client warns of it.
    ['mona', 'a moderator', 'somebody without a name', { user: { affiliation: 'owner' } }],
    ['root', 'an administrator of the realm', 'root Example', undefined],
  ])(
    'logs %s in, %s, with a token that Jitsi accepts, and out again',
    async (username, _, person, inContext) => {
      const { jitsi, meeting, said } = await meetings.open()
      const popup = await startLogin(meeting)
      await popup.locator('#kc-login').waitFor()
      await picture(popup, `${username} 1 form`)
      await popup.close()
      await says(meeting, 'Login failed.')

      const second = await logIn(meeting, username)
      await says(meeting, 'Logged in.')
      await expect.poll(() => second.isClosed()).toBe(true)
      await says(meeting, `You are ${person}.`)
      await picture(meeting, `${username} 2 logged in`)
      const { accessToken } = await sessionOf(meeting)
      expect(await askVerdict(jitsi, accessToken, ROOM)).toBe('accepted')
      expect(claimsOf(accessToken)['context']).toEqual(inContext)

      await meeting.getByRole('button', { name: 'Logout' }).click()
      await says(meeting, 'Logged out.')
      await picture(meeting, `${username} 3 logged out`)
      // The session is over: the next login asks for the password again.
      await (await startLogin(meeting)).locator('#password').waitFor()
      expect(said).toEqual([])
    },
  )

  test('logs a moderator in by name once setup-mappers has put the name into the context', async () => {
    const opened = await meetings.open()
    const { clientId } = opened.jitsi
    const argv = ['setup-mappers', '--realm', meetings.realm.name, '--client', clientId, '--user-context']
    const env = { ...meetings.access, KJITSI_MODERATORS: 'role:owner' }
    expect(await run(argv, { env })).toMatchObject({ exitCode: 0 })
    await logIn(opened.meeting, 'mona')
    await says(opened.meeting, 'You are mona.')
  })

  test('logs people in at another port, and a second time without a word', async () => {
    const opened = await meetings.open({ port: 8443 })
    await logIn(opened.meeting, 'alice')
    await says(opened.meeting, 'Logged in.')
    await opened.meeting.reload()
    await says(opened.meeting, 'You are a guest.')
    const popup = await startLogin(opened.meeting)
    await says(opened.meeting, 'Logged in.')
    await expect.poll(() => popup.isClosed()).toBe(true)
    expect(opened.said).toEqual([])
  })
})

describe('what is taken away: Jitsi says that the login failed, and the console why', () => {
  const fail = async (what: string, changed: Changed, reason: string, startOnly: boolean): Promise<void> => {
    const opened = await meetings.open(changed)
    await (startOnly ? startLogin(opened.meeting) : logIn(opened.meeting, 'alice'))
    await says(opened.meeting, 'Login failed.')
    await picture(opened.meeting, `without ${what}`)
    await expect.poll(() => opened.said).toContain(`Login: ${reason}`)
  }

  test.each<[string, Changed, string]>([
    ['the web origin', { spoil: () => ({ webOrigins: [] }) }, 'Failed to fetch'],
    [
      'the web origin as it is, by a slash',
      { spoil: ({ webOrigins = [] }) => ({ webOrigins: webOrigins.map((origin) => `${origin}/`) }) },
      'Failed to fetch',
    ],
    [
      'public access',
      { spoil: () => ({ publicClient: false }) },
      'Invalid client or Invalid client credentials',
    ],
    [
      'bearer tokens (dpop on)',
      { spoil: attribute('dpop.bound.access.tokens', 'true') },
      'DPoP proof is missing',
    ],
    [
      'openid in the scope',
      { config: "config.tokenAuthUrl = config.tokenAuthUrl.replace('scope=openid', 'scope=profile')" },
      'Missing tokens in response',
    ],
    [
      "the client's id in config.sso, for another's",
      { config: "config.sso.clientId = 'nobody'" },
      'Invalid client or Invalid client credentials',
    ],
    ['config.sso', { config: 'delete config.sso' }, 'Missing SSO configuration (tokenService or clientId)'],
    [
      'tokenService without a scheme',
      { config: "config.sso.tokenService = 'https://' + config.sso.tokenService" },
      'Failed to fetch',
    ],
    [
      'tokenService without a slash at its end',
      { config: "config.sso.tokenService += '/'" },
      'Failed to fetch',
    ],
    [
      'the state',
      { config: "config.tokenAuthUrl = config.tokenAuthUrl.replace('&state={state}', '')" },
      'No state parameter received',
    ],
  ])('%s', (what, changed, reason) => fail(what, changed, reason, false))

  // Keycloak sends these back before anybody sees its form.
  test.each<[string, Changed, string]>([
    [
      'the standard flow',
      { spoil: () => ({ standardFlowEnabled: false }) },
      'Client is not allowed to initiate browser login with given response_type. Standard flow is disabled for the client.',
    ],
    [
      "the code challenge's method",
      {
        config: "config.tokenAuthUrl = config.tokenAuthUrl.replace('&code_challenge_method=S256', '')",
      },
      'Missing parameter: code_challenge_method',
    ],
    [
      'the code challenge, for its placeholder, as native apps send it',
      {
        config:
          "config.tokenAuthUrl = config.tokenAuthUrl.replace('{code_challenge}', '%7Bcode_challenge%7D')",
      },
      'Invalid parameter: code_challenge',
    ],
  ])('%s', (what, changed, reason) => fail(what, changed, reason, true))

  test('tokens without a refresh token: with one, the login after the end of a session fails, again and again', async () => {
    const opened = await meetings.open({ spoil: attribute('use.refresh.tokens', '') })
    await logIn(opened.meeting, 'alice')
    await says(opened.meeting, 'Logged in.')
    const [user] = await meetings.realm.admin.users.find({ username: 'alice' })
    await meetings.realm.admin.users.logout({ id: user?.id ?? '' })
    for (let n = 1; n <= 2; n++) {
      const popup = await logIn(opened.meeting, 'alice')
      await says(opened.meeting, 'Login failed.')
      await expect
        .poll(() => opened.said.filter((text) => text === 'Login: Session not active'))
        .toHaveLength(n)
      await popup.close()
      await opened.context.clearCookies()
    }
  })

  test.each([
    ['missing', 'delete config.tokenAuthInline'],
    ['a text', "config.tokenAuthInline = 'true'"],
  ])('tokenAuthInline is %s: the whole page goes to Keycloak, and back in vain', async (_, config) => {
    const { meeting, said } = await meetings.open({ config })
    await meeting.getByRole('button', { name: 'Log-in' }).click()
    await fillIn(meeting, 'alice')
    await says(meeting, 'You can close this window.')
    await expect.poll(() => said).toEqual(['Login: No OAuth nonce found in session'])
  })

  test('the popup is cut off from its meeting by Cross-Origin-Opener-Policy', async () => {
    const opened = await meetings.open({ headers: { 'cross-origin-opener-policy': 'same-origin' } })
    await startLogin(opened.meeting)
    await says(opened.meeting, 'Login failed.')
  })
})

describe('what is taken away: Keycloak keeps the popup', () => {
  test('the redirect URI', async () => {
    const { meeting } = await meetings.open({
      spoil: ({ redirectUris = [] }) => ({
        redirectUris: redirectUris.map((uri) => uri.replace('.org', '.org:1')),
      }),
    })
    const popup = await startLogin(meeting)
    await says(popup, 'Invalid parameter: redirect_uri')
    await picture(popup, 'without the redirect URI')
  })

  test('a last name', async () => {
    const id = await makeUser(meetings.realm, 'nina')
    await meetings.realm.admin.users.update(
      { id },
      { lastName: '', email: 'nina@example.org', firstName: 'nina' },
    )
    const popup = await logIn((await meetings.open()).meeting, 'nina')
    await says(popup, 'Update Account Information')
    await picture(popup, 'without a last name')
  })
})

describe('what is taken away: the browser is content, and Jitsi refuses the token', () => {
  test.each(REFUSED_BY_JITSI)('$what', async ({ spoil, who, said }) => {
    const opened = await meetings.open({ spoil })
    await logIn(opened.meeting, who)
    await says(opened.meeting, 'Logged in.')
    const { accessToken } = await sessionOf(opened.meeting)
    const anHourLater = Number(claimsOf(accessToken)['iat']) + 3600
    expect(await askVerdict(opened.jitsi, accessToken, ROOM, anHourLater)).toMatch(said)
  })
})

describe('what is taken away: the logout never ends', () => {
  // What Keycloak says then, nobody can read: it lets no other site frame a page that it shows.
  test.each<[string, Spoil, number, string]>([
    ['the post-logout URI', attribute('post.logout.redirect.uris', ''), 400, 'alive'],
    ['the post-logout URI for a +', attribute('post.logout.redirect.uris', '+'), 400, 'alive'],
    ['logout without confirmation', attribute('logout.confirmation.enabled', 'true'), 200, 'over'],
  ])('%s', async (what, spoil, status, session) => {
    const opened = await meetings.open({ spoil })
    const { meeting, said } = opened
    await logIn(opened.meeting, 'alice')
    await says(meeting, 'Logged in.')
    const [answer] = await Promise.all([
      meeting.waitForResponse((response) => new URL(response.url()).pathname.endsWith('/logout')),
      meeting.getByRole('button', { name: 'Logout' }).click(),
    ])
    expect(answer.status()).toBe(status)
    await expect.poll(() => said.join('\n')).toContain(`"frame-ancestors 'self'"`)
    await says(meeting, 'Logging out …')
    await picture(meeting, `without ${what}`)
    const popup = await startLogin(meeting)
    if (session === 'alive') await says(meeting, 'Logged in.')
    else await popup.locator('#password').waitFor()
  })
})
