// The web client's configuration as an engine of JavaScript reads it, whatever is in it.
import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { jsString } from '../../src/jitsi/literals.ts'
import { type JitsiLogin, loginOf } from '../../src/jitsi/login.ts'
import { webFile } from '../../src/jitsi/web.ts'
import { fillTemplate } from '../../src/templates.ts'

const ISSUER = 'https://auth.example.org:8443/realms/meet'

const DOMAIN = 'meet.example.org'

function login(client: string, issuer = ISSUER): JitsiLogin {
  return loginOf(issuer, client, 'https://meet.example.org')
}

/** What the text leaves in Jitsi's `config`, strictly as in a page of its own. */
function read(...args: Parameters<typeof webFile>): Record<string, unknown> {
  const file = webFile(...args)
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
  expect(read(login('jitsi'), undefined, true)).toEqual({
    hosts: { domain: 'meet.example.org', anonymousdomain: 'mine' },
    tokenAuthInline: true,
    sso: { tokenService: 'auth.example.org:8443/realms/meet/protocol/openid-connect', clientId: 'jitsi' },
    tokenLogoutUrl: login('jitsi').logoutUrl,
    tokenGetUserInfoOutOfContext: true,
  })
})

test.each([[true], [false]])('for the Debian packages, guests %s', (guests) => {
  const config = read(login('jitsi'), DOMAIN, guests)
  expect(config).toMatchObject({ tokenAuthUrl: login('jitsi').authUrl, tokenAuthInline: true })
  const domain = guests ? { anonymousdomain: 'guest.meet.example.org' } : {}
  expect(config['hosts']).toEqual({ domain: 'meet.example.org', ...domain })
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
        const all = refusedOr(() => login(wellFormed(client), issuer))
        const config = all && refusedOr(() => read(all, DOMAIN, true))
        if (config === undefined) return
        expect(config['sso']).toMatchObject({ clientId: wellFormed(client) })
        expect(config['tokenLogoutUrl']).toBe(all?.logoutUrl)
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
