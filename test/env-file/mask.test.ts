import { describe, expect, it } from 'vitest'
import { envDiff } from '../../src/env-file/diff.ts'
import { shownEnvValue } from '../../src/jitsi/shown-env.ts'

const OWN = new Map([
  ['JWT_APP_ID', ['jitsi']],
  ['XMPP_CONFIGURATION', ['cache_keys_url="https://a/certs"']],
])

function diff(before: string, after: string): string {
  return envDiff(
    '.env',
    before,
    after,
    (key, value) => shownEnvValue(key, value, OWN),
    new Set(['# kjitsi says']),
  )
}

describe('envDiff', () => {
  it('is a unified diff that shows no value of others', () => {
    const before = `# kjitsi says
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
    expect(diff(before, before.replace('old', 'jitsi'))).toBe(`--- .env
+++ .env
@@ -2,7 +2,7 @@
 HTTP_PORT=(masked)
 export JVB_AUTH_PASSWORD=(masked) #(masked)
 #JWT_APP_SECRET=(masked)
-JWT_APP_ID=old #(masked)
+JWT_APP_ID=jitsi #(masked)
 LDAP_BINDPW: (masked) #(masked)
 KEY=(masked)
 (masked)
`)
  })

  it('shows no secret on a last line without a newline', () => {
    const shown = diff('A=hunter2', 'A=hunter2\nJWT_APP_ID=jitsi')
    expect(shown).toContain('+JWT_APP_ID=jitsi')
    expect(shown).not.toContain('hunter2')
  })

  it('shows no secret beside ours, nor in an address', () => {
    const before = "JWT_APP_ID='old' A=hunter2\nJWT_ASAP_KEYSERVER=https://a:hunter2@keys/b\n#B = hunter2\n"
    const shown = diff(before, before.replace('old', 'jitsi').replace('/b', ''))
    expect(shown).toContain("+JWT_APP_ID='jitsi' A=(masked)")
    expect(shown).toContain('+JWT_ASAP_KEYSERVER=https://(masked)@keys\n')
    expect(shown).not.toContain('hunter2')
  })

  it('shows a new file whole', () => {
    expect(diff('', 'JWT_APP_ID=jitsi\n')).toBe('--- .env\n+++ .env\n@@ -0,0 +1,1 @@\n+JWT_APP_ID=jitsi\n')
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
    ['AUTH_TYPE="a\nhunter2"', '(masked)\n (masked)'],
    ['JWT_ACCEPTED_ISSUERS=https://a/x,https://u:hunter2@b/y', 'https://a/x,https://(masked)@b/y'],
    ['JWT_ASAP_KEYSERVER=https://a/x?key=hunter2', 'https://a/x?key=(masked)'],
    ['TOKEN_AUTH_URL=https://a/x?key=hunter2', 'https://a/x?key=(masked)'],
    ['#JWT_ACCEPTED_ISSUERS=https://u:hunter2@b/y', 'https://(masked)@b/y'],
    ['#XMPP_CONFIGURATION=key="hunter2"', '(masked)'],
    ['#ENABLE_AUTH=1 # hunter2', '1 #(masked)'],
  ])('%j is shown as %j', (line, value) => {
    const shown = diff(`${line}\n`, `${line}\nB=hunter2\n`)
    expect(shown).toContain(`\n ${line.slice(0, line.indexOf('=') + 1)}${value}\n`)
    expect(shown).not.toContain('hunter2')
  })

  it.each(['# hunter2', 'A=b\nhunter2', 'export hunter2', '#Key: hunter2', '##hunter2'])(
    'nothing is shown of %j',
    (text) => {
      const shown = diff(`${text}\n`, `${text}\nB=1\n`)
      expect(shown).toContain('(masked)')
      expect(shown).not.toContain('hunter2')
    },
  )
})
