// Whatever is asked for, the files that Jitsi reads and the Keycloak client say the same: each file is read by the
// engine that reads it in Jitsi, and held against the others.
import fc from 'fast-check'
import { readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { isOn } from '../../src/jitsi/config.ts'
import { readEnv } from '../../src/env-file/parse.ts'
import { moderatorRoleOf, readModerators } from '../../src/jitsi/moderation.ts'
import { jitsiOrigin } from '../../src/jitsi/origin.ts'
import { type DesiredClient, desiredClient } from '../../src/keycloak/desired-client.ts'
import { sharedFolder, tempFolder } from '../support/folder.ts'
import { run } from '../support/run.ts'
import { runProgram } from '../support/programs.ts'

interface Asked {
  readonly moderators: string
  readonly guests: boolean
  readonly keys: string
  readonly realm: string
  readonly client: string
  readonly origin: string
  readonly appId: string | undefined
  readonly audience: readonly string[]
  /** The `.env` that is there already. */
  readonly before: string
}

const NAME = fc.constantFrom('jitsi', 'meet', "o'neill & co", 'a b', 'ü', 'x$y', 'a{', '100%', 'a+b', '#1')
const ASKED: fc.Arbitrary<Asked> = fc.record({
  moderators: fc.constantFrom('role:owner', 'role:teacher', 'everyone', 'first'),
  guests: fc.boolean(),
  keys: fc.constantFrom('pem', 'jwks', 'both'),
  realm: NAME,
  client: NAME,
  origin: fc.constantFrom(
    'https://meet.example.org',
    'https://meet.example.org:8443/',
    'Meet.Example.org:443',
  ),
  appId: fc.option(fc.constantFrom('jitsi', 'my app'), { nil: undefined }),
  audience: fc.constantFrom([], ['*'], ['b', 'a']),
  before: fc.constantFrom(
    '',
    'XMPP_MUC_MODULES=token_affiliation,mine\nXMPP_CONFIGURATION=cache_keys_url="https://old.example.org"\n',
    'ENABLE_AUTO_OWNER=1\nWAIT_FOR_HOST_DISABLE_AUTO_OWNERS=false\nJWT_ASAP_KEYSERVER=https://old.example.org\n',
    'ENABLE_GUESTS=0\nXMPP_MODULES=mine\nXMPP_CONFIGURATION=a=1\n',
  ),
})

const dir = sharedFolder()

async function generated(argv: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await run([...argv, '--quiet'], { cwd: dir })
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 })
  return stdout
}

interface WebConfig {
  readonly tokenAuthUrl?: string
  readonly tokenAuthInline: unknown
  readonly tokenLogoutUrl: string
  readonly sso: { readonly tokenService: string; readonly clientId: string }
  readonly hosts: { readonly anonymousdomain?: string }
}

function readWeb(text: string): WebConfig {
  return JSON.parse(
    runInNewContext(`var config = { hosts: {} };\n${text}\nJSON.stringify(config)`) as string,
  ) as WebConfig
}

/** The options of a host, lists as lists. */
async function readProsody(text: string, host: string): Promise<Readonly<Record<string, readonly string[]>>> {
  const file = join(dir, 'consistency.cfg.lua')
  await writeFile(file, text)
  const reader = fileURLToPath(new URL('prosody-config.lua', import.meta.url))
  const { exitCode, stdout, stderr } = runProgram('lua5.4', [reader, file, host])
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 })
  const options: Record<string, string[]> = {}
  for (const line of stdout.split('\u0001').slice(0, -1)) {
    const [, option = '', , value = ''] = line.split('\0')
    ;(options[option] ??= []).push(value)
  }
  return options
}

/** What the file for the Debian packages says in words, since it cannot add to lists. */
function toAdd(text: string, section: string): readonly string[] {
  const line = text.split('\n').find((one) => one.startsWith(`--   ${section}: add `)) ?? ''
  const [, added = ''] = /: add ([^:]*?)(?:; take out .*)?$/.exec(line) ?? []
  return [...added.matchAll(/"([^"]+)"/g)].map(([, name = '']) => name)
}

function desiredOf({ client, moderators, origin }: Asked): DesiredClient {
  const moderatorRole = moderatorRoleOf(readModerators(moderators))
  const options = {
    tokenAudience: undefined,
    tokenLifespan: 36_000,
    makePublic: false,
    fullScopeChange: true,
  }
  return desiredClient([jitsiOrigin(origin)], { ...options, client, moderatorRole })
}

test.each(fc.sample(ASKED, { numRuns: 40, seed: 6 }))('%j', async (asked) => {
  const issuer = `https://auth.example.org/realms/${encodeURIComponent(asked.realm)}`
  const keyserver = 'https://meet.example.org/kjitsi-keys'
  const login = ['--issuer', issuer, '--client', asked.client, '--jitsi-url', asked.origin]
  const guests = asked.guests ? '--guests' : '--no-guests'
  const accepted = [
    ...[guests, '--moderators', asked.moderators, '--keys', asked.keys, '--keyserver', keyserver],
    ...(asked.appId === undefined ? [] : ['--app-id', asked.appId]),
    ...asked.audience.flatMap((one) => ['--accept-audience', one]),
  ]
  const file = join(dir, 'jitsi.env')
  await writeFile(file, asked.before)
  await generated(['gen-env', file, ...login, ...accepted, '--login'])
  const shown = await generated(['gen-env', file, ...login, ...accepted, '--login', '--json'])
  const { settings } = JSON.parse(shown) as { settings: Record<string, string> }
  const env = Object.fromEntries(readEnv(await readFile(file, 'utf8')))
  for (const [key, value] of Object.entries(settings)) {
    // Of lists that are somebody else's too, theirs is not shown.
    const items = (env[key] ?? '').split(',')
    if (value.includes('(masked)')) {
      expect(items).toEqual(expect.arrayContaining(value.split(',').filter((item) => item !== '(masked)')))
    } else expect(env[key]).toBe(value)
  }
  const web = readWeb(await generated(['gen-config', 'web', ...login]))
  const webDebian = readWeb(await generated(['gen-config', 'web', '--debian', guests, ...login]))
  const docker = await readProsody(
    await generated(['gen-config', 'prosody', '--issuer', issuer, '--keys', asked.keys]),
    'meet.jitsi',
  )
  const text = await generated(['gen-config', 'prosody', '--debian', ...login, ...accepted])
  const host = await readProsody(text, 'meet.example.org')
  const muc = await readProsody(text, 'conference.meet.example.org')
  const guest = await readProsody(text, 'guest.meet.example.org')
  const desired = desiredOf(asked)

  // The login: .env, both web configurations and the client.
  const { TOKEN_AUTH_URL: authUrl = '' } = env
  const authorize = new URL(authUrl)
  const logout = new URL(web.tokenLogoutUrl)
  expect(webDebian).toMatchObject({ ...web, tokenAuthUrl: authUrl, hosts: {} })
  expect(authUrl).toBe(`https://${web.sso.tokenService}/auth${authorize.search}`)
  expect(web.tokenLogoutUrl).toBe(`https://${web.sso.tokenService}/logout${logout.search}`)
  expect(decodeURIComponent(authorize.pathname)).toBe(
    `${decodeURIComponent(new URL(issuer).pathname)}/protocol/openid-connect/auth`,
  )
  const clients = [
    web.sso.clientId,
    authorize.searchParams.get('client_id'),
    logout.searchParams.get('client_id'),
  ]
  expect(clients).toEqual([desired.clientId, desired.clientId, desired.clientId])
  expect(desired.settings.redirectUris).toEqual([authorize.searchParams.get('redirect_uri')])
  const { attributes } = desired.settings
  expect(attributes['post.logout.redirect.uris']).toBe(logout.searchParams.get('post_logout_redirect_uri'))
  expect(desired.settings.webOrigins).toEqual([new URL(desired.settings.redirectUris[0] ?? '').origin])
  expect(attributes['pkce.code.challenge.method']).toBe(authorize.searchParams.get('code_challenge_method'))
  expect(web.tokenAuthInline).toBe(true)

  // The tokens: .env, Prosody's file for the Debian packages, and the client.
  expect(host['asap_accepted_issuers']).toEqual([issuer])
  expect(env['JWT_ACCEPTED_ISSUERS']).toBe(issuer)
  expect(host['asap_accepted_audiences']).toEqual(env['JWT_ACCEPTED_AUDIENCES']?.split(','))
  expect(host['app_id']).toEqual([env['JWT_APP_ID']])
  expect(host['signature_algorithm']).toEqual([
    env['JWT_SIGN_TYPE'] ?? attributes['access.token.signed.response.alg'],
  ])
  if (asked.audience.length === 0) expect(host['asap_accepted_audiences']).toContain(desired.audience)

  // The keys: .env and both of Prosody's files.
  const [, keySet] = /(?:^|,)cache_keys_url="([^"]*)"/.exec(env['XMPP_CONFIGURATION'] ?? '') ?? []
  expect(docker['cache_keys_url']?.[0]).toBe(keySet)
  expect(host['cache_keys_url']?.[0]).toBe(keySet)
  expect(host['asap_key_server']?.[0] ?? '').toBe(env['JWT_ASAP_KEYSERVER'] ?? '')
  expect([keySet !== undefined, Boolean(env['JWT_ASAP_KEYSERVER'])]).toEqual([
    asked.keys !== 'pem',
    asked.keys !== 'jwks',
  ])

  // Guests and moderators: .env, Prosody's file, the web client and the client's role.
  expect(guest['enabled']).toEqual([String(isOn(env['ENABLE_GUESTS']))])
  expect(webDebian.hosts.anonymousdomain !== undefined).toBe(isOn(env['ENABLE_GUESTS']))
  expect(isOn(env['JICOFO_ENABLE_AUTH'], true)).toBe(false)
  expect(muc['wait_for_host_disable_auto_owners']).toEqual([env['WAIT_FOR_HOST_DISABLE_AUTO_OWNERS']])
  expect(text).toContain(`enable-auto-owner ${String(isOn(env['ENABLE_AUTO_OWNER'], true))}\n`)
  const mine = (list = ''): readonly string[] =>
    list
      .split(',')
      .filter((one) => !['', 'mine'].includes(one))
      .sort()
  expect([...toAdd(text, 'VirtualHost "meet.example.org"')].sort()).toEqual(mine(env['XMPP_MODULES']))
  const mucModules = toAdd(text, 'Component "conference.meet.example.org" "muc"')
  expect(mucModules.filter((one) => one !== 'token_verification').sort()).toEqual(
    mine(env['XMPP_MUC_MODULES']),
  )
  expect(desired.moderatorMappers.length > 0).toBe(mucModules.includes('token_affiliation'))
  // Somebody can moderate, and only whom it was asked for: by role, by having logged in, or by coming first.
  const ways = [
    mucModules.includes('token_affiliation'),
    mucModules.includes('muc_wait_for_host') && env['WAIT_FOR_HOST_DISABLE_AUTO_OWNERS'] === 'false',
    isOn(env['ENABLE_AUTO_OWNER'], true),
  ]
  const { moderators: who } = asked
  expect(ways).toEqual([who.startsWith('role:'), who === 'everyone', who === 'first'])
  // A guest never opens a room.
  if (asked.guests) expect(mine(env['XMPP_MUC_MODULES'])).toContain('muc_wait_for_host')
})

/** What Prosody has for a host, whichever of the two files it reads last: docker-jitsi-meet's own from `.env`, or ours. */
async function readTogether(env: Readonly<Record<string, string>>, ours: string, host: string) {
  const lines = (env['XMPP_CONFIGURATION'] ?? '').split(',')
  const server = env['JWT_ASAP_KEYSERVER'] ? [`asap_key_server = "${env['JWT_ASAP_KEYSERVER']}"`] : []
  await writeFile(join(dir, 'jitsi-meet.cfg.lua'), [`VirtualHost "${host}"`, ...server, ...lines].join('\n'))
  await writeFile(join(dir, 'zz-kjitsi.cfg.lua'), ours)
  const [first, last] = ['jitsi-meet', 'zz-kjitsi'].map((name) => `Include "${dir}/${name}.cfg.lua"\n`)
  // One after the other: both are read from the same file.
  return [await readProsody(`${first}${last}`, host), await readProsody(`${last}${first}`, host)]
}

test.each([
  ['pem', []],
  ['jwks', ['--no-room-claim']],
  ['both', ['--room-claim']],
])('what goes beside a .env of --keys %s takes none of its keys away', async (keys, claim) => {
  const issuer = 'https://auth.example.org/realms/meet'
  const file = join(dir, 'beside.env')
  await writeFile(file, 'XMPP_DOMAIN=x.example\n')
  await generated(['gen-env', file, '--issuer', issuer, '--keys', keys])
  const env = Object.fromEntries(readEnv(await readFile(file, 'utf8')))
  const argv = ['gen-config', 'prosody', '--jitsi-env', file, '--issuer', issuer, ...claim]
  for (const options of await readTogether(env, await generated(argv), 'x.example')) {
    expect(options['asap_key_server']?.[0] ?? '').toBe(env['JWT_ASAP_KEYSERVER'] ?? '')
    const url = `${issuer}/protocol/openid-connect/certs`
    expect(options['cache_keys_url']).toEqual(keys === 'pem' ? undefined : [url])
    expect(options['asap_require_room_claim']).toEqual([String(!claim.includes('--no-room-claim'))])
  }
  for (const other of ['pem', 'jwks'].filter((one) => one !== keys)) {
    const out = tempFolder()
    const ran = await run([...argv.slice(0, 2), out, ...argv.slice(2), '--keys', other], { cwd: dir })
    expect(ran).toMatchObject({ exitCode: 2, stdout: '' })
    expect(ran.stderr).toContain(`--keys ${other}`)
    expect(ran.stderr).toContain(`but ${file} has`)
    expect(await readdir(out)).toEqual([])
  }
})
