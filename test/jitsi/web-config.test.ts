// The web client's configuration as an engine of JavaScript reads it, whatever is in it.
import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { type Facts, defaultAudiences } from '../../src/jitsi/config.ts'
import type { Place } from '../../src/jitsi/config-file.ts'
import { web } from '../../src/jitsi/login-configs.ts'
import { jsString } from '../../src/jitsi/literals.ts'
import { loginOf } from '../../src/jitsi/login.ts'
import { fillTemplate } from '../../src/templates.ts'

const PLACE: Place = {
  keyserver: '',
  debian: false,
  cronjob: false,
  namespace: 'jitsi',
  image: undefined,
  keysDir: undefined,
  domain: 'meet.example.org',
  roomClaim: true,
  told: {
    client: [],
    appId: [],
    audience: [],
    guests: [],
    signType: [],
    moderators: [],
    keys: [],
  },
  envFile: '.env',
  configFolder: '~/.jitsi-meet-cfg',
}
const ISSUER = 'https://auth.example.org:8443/realms/meet'

function facts(client: string, guests = true, issuer = ISSUER): Facts {
  const login = loginOf(issuer, client, 'https://meet.example.org')
  const settled = { appId: 'jitsi', keyserver: '', signType: 'RS256', moderators: 'everyone' } as const
  return { ...settled, issuers: [issuer], audiences: defaultAudiences(client), guests, login }
}

/** What the text leaves in Jitsi's `config`, strictly as in a page of its own. */
function read(place: Place, all: Facts): Record<string, unknown> {
  const [file] = web(place, all)
  if (file === undefined) throw new Error('no file')
  const template = readFileSync(new URL(`../../templates/${file.template}`, import.meta.url), 'utf8')
  const text = fillTemplate(template, file.values)
  // The web server puts it between <script> and </script>.
  expect(text.replaceAll(/^\/\/.*$/gm, '')).not.toContain('<')
  const start =
    "'use strict'; var config = { hosts: { domain: 'meet.example.org', anonymousdomain: 'mine' } };\n"
  const seen = runInNewContext(`${start}${text}\nJSON.stringify(config)`) as string
  return JSON.parse(seen) as Record<string, unknown>
}

test('for docker-jitsi-meet', () => {
  const { login } = facts('jitsi')
  expect(read(PLACE, facts('jitsi'))).toEqual({
    hosts: { domain: 'meet.example.org', anonymousdomain: 'mine' },
    tokenAuthInline: true,
    sso: { tokenService: 'auth.example.org:8443/realms/meet/protocol/openid-connect', clientId: 'jitsi' },
    tokenLogoutUrl: login?.logoutUrl,
    tokenGetUserInfoOutOfContext: true,
  })
})

test.each([[true], [false]])('for the Debian packages, guests %s', (guests) => {
  const all = facts('jitsi', guests)
  expect(read({ ...PLACE, debian: true }, all)).toMatchObject({
    tokenAuthUrl: all.login?.authUrl,
    tokenAuthInline: true,
  })
  const domain = guests ? { anonymousdomain: 'guest.meet.example.org' } : {}
  expect(read({ ...PLACE, debian: true }, all)['hosts']).toEqual({ domain: 'meet.example.org', ...domain })
})

describe('whatever the values, the engine gives them back, or they were refused', () => {
  const hostile = fc.oneof(
    fc.string({ minLength: 1, unit: 'grapheme' }),
    fc.string({ minLength: 1, unit: 'binary' }),
    fc
      .array(
        fc.constantFrom(
          "'",
          '"',
          '\\',
          '\\x',
          '`',
          '${',
          '}',
          '//',
          '*/',
          '</script>',
          '<!--',
          ';',
          '\u2028',
          '\n',
        ),
        {
          minLength: 1,
        },
      )
      .map((parts) => parts.join('')),
  )

  test('a string', () => {
    fc.assert(
      fc.property(hostile, (value) => {
        const literal = refusedOr(() => jsString('x', value))
        if (literal !== undefined) expect(runInNewContext(`'use strict'; (${literal})`)).toBe(value)
      }),
    )
  })

  test('the client and the realm', () => {
    fc.assert(
      fc.property(hostile, hostile, (client, realm) => {
        const issuer = `https://auth.example.org/realms/${encodeURIComponent(wellFormed(realm))}`
        fc.pre(!['.', '..'].includes(realm))
        const all = refusedOr(() => facts(wellFormed(client), true, issuer))
        const config = all && refusedOr(() => read({ ...PLACE, debian: true }, all))
        if (config === undefined) return
        expect(config['sso']).toMatchObject({ clientId: wellFormed(client) })
        expect(config['tokenLogoutUrl']).toBe(all?.login?.logoutUrl)
      }),
    )
  })
})

/** No address can hold half of a surrogate pair. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString()
}

function refusedOr<T>(act: () => T): T | undefined {
  try {
    return act()
  } catch (error) {
    expect(error).toMatchObject({ code: 'usage' })
    return undefined
  }
}
