import { describe, expect, it } from 'vitest'
import { maskEnv } from '../../src/env-file/mask.ts'
import { shownEnvValue } from '../../src/jitsi/shown-env.ts'

const OWN = new Map([
  ['JWT_APP_ID', ['jitsi']],
  ['XMPP_CONFIGURATION', ['cache_keys_url="https://a/certs"']],
])

function mask(text: string): string {
  return maskEnv(text, (key, value) => shownEnvValue(key, value, OWN), new Set(['# kjitsi says']))
}

describe('maskEnv', () => {
  it('shows no value of others', () => {
    const text = `# kjitsi says
HTTP_PORT=8000
export JVB_AUTH_PASSWORD="hunter2" # hunter2
#JWT_APP_SECRET=hunter2
JWT_APP_ID=old # mine
LDAP_BINDPW: hunter2 # hunter2
KEY='-----BEGIN
hunter2
'
EMPTY=
`
    expect(mask(text)).toBe(`# kjitsi says
HTTP_PORT=(masked)
export JVB_AUTH_PASSWORD=(masked) #(masked)
#JWT_APP_SECRET=(masked)
JWT_APP_ID=old #(masked)
LDAP_BINDPW: (masked) #(masked)
KEY=(masked)
(masked)
(masked)
EMPTY=
`)
  })

  it.each([
    ['A=hunter2', 'A=(masked)'],
    ["JWT_APP_ID='jitsi' A=hunter2\n", "JWT_APP_ID='jitsi' A=(masked)\n"],
    ['JWT_ASAP_KEYSERVER=https://a:hunter2@keys/b\n', 'JWT_ASAP_KEYSERVER=https://(masked)@keys/b\n'],
    ['#B = hunter2\n', '#B = (masked)\n'],
    ['', ''],
  ])('%j is %j', (text, shown) => {
    expect(mask(text)).toBe(shown)
  })

  it.each([
    ['XMPP_CONFIGURATION=key="hunter2"', '(masked)'],
    [
      'XMPP_CONFIGURATION=\'key="hunter2",cache_keys_url="https://a/certs"\'',
      '(masked),cache_keys_url="https://a/certs"',
    ],
    ['XMPP_CONFIGURATION=cache_keys_url="https://a/certs"', 'cache_keys_url="https://a/certs"'],
    ['XMPP_CONFIGURATION=cache_keys_url="https://a/certs?hunter2"', '(masked)'],
    ['XMPP_CONFIGURATION=${A:-hunter2}', '(masked)'],
    ['XMPP_MODULES=hunter2,hunter2', '(masked),(masked)'],
    ['AUTH_TYPE=internal', 'internal'],
    ['AUTH_TYPE=internal # hunter2', 'internal #(masked)'],
    ["AUTH_TYPE='internal' # hunter2", "'internal' #(masked)"],
    ['AUTH_TYPE=${A:-hunter2}', '(masked)'],
    ['AUTH_TYPE="a\nhunter2"', '(masked)\n(masked)'],
    ['JWT_ACCEPTED_ISSUERS=https://a/x,https://u:hunter2@b/y', 'https://a/x,https://(masked)@b/y'],
    ['JWT_ASAP_KEYSERVER=https://a/x?key=hunter2', 'https://a/x?key=(masked)'],
    ['TOKEN_AUTH_URL=https://a/x?key=hunter2', 'https://a/x?key=(masked)'],
    ['#JWT_ACCEPTED_ISSUERS=https://u:hunter2@b/y', 'https://(masked)@b/y'],
    ['#XMPP_CONFIGURATION=key="hunter2"', '(masked)'],
    ['#ENABLE_AUTH=1 # hunter2', '1 #(masked)'],
  ])('%j is shown as %j', (line, value) => {
    expect(mask(`${line}\n`)).toBe(`${line.slice(0, line.indexOf('=') + 1)}${value}\n`)
  })

  it.each(['# hunter2', 'A=b\nhunter2', 'export hunter2', '#Key: hunter2', '##hunter2'])(
    'nothing is shown of %j',
    (text) => {
      const shown = mask(`${text}\n`)
      expect(shown).toContain('(masked)')
      expect(shown).not.toContain('hunter2')
    },
  )
})
