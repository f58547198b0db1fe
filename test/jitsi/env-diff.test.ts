import { describe, expect, it } from 'vitest'
import { envDiff, withoutLogin } from '../../src/jitsi/env-diff.ts'

const SHOWN = new Set(['JWT_APP_ID', 'JWT_ASAP_KEYSERVER'])

describe('envDiff', () => {
  it('is a unified diff that shows no value of others', () => {
    const before = `# Jitsi
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
    expect(envDiff('.env', before, before.replace('old', 'jitsi'), SHOWN)).toBe(`--- .env
+++ .env
@@ -2,7 +2,7 @@
 HTTP_PORT=***
 export JVB_AUTH_PASSWORD=*** #***
 #JWT_APP_SECRET=***
-JWT_APP_ID=old # mine
+JWT_APP_ID=jitsi # mine
 LDAP_BINDPW: ***
 KEY=***
 ***
`)
  })

  it('shows no secret on a last line without a newline', () => {
    const diff = envDiff('.env', 'A=hunter2', 'A=hunter2\nJWT_APP_ID=jitsi', SHOWN)
    expect(diff).toContain('+JWT_APP_ID=jitsi')
    expect(diff).not.toContain('hunter2')
  })

  it('shows no secret beside ours, nor in an address', () => {
    const before = "JWT_APP_ID='old' A=hunter2\nJWT_ASAP_KEYSERVER=https://a:hunter2@keys/b\n#B = hunter2\n"
    const diff = envDiff('.env', before, before.replace('old', 'jitsi').replace('/b', ''), SHOWN)
    expect(diff).toContain("+JWT_APP_ID='jitsi' A=***")
    expect(diff).toContain('+JWT_ASAP_KEYSERVER=https://***@keys\n')
    expect(diff).not.toContain('hunter2')
  })

  it('shows a new file whole', () => {
    expect(envDiff('.env', '', 'JWT_APP_ID=jitsi\n', SHOWN)).toBe(
      '--- .env\n+++ .env\n@@ -0,0 +1,1 @@\n+JWT_APP_ID=jitsi\n',
    )
  })
})

it.each([
  ['https://a:b@c/d', 'https://***@c/d'],
  ['https://c/d', 'https://c/d'],
  ['https://a@c,https://b@d', 'https://***@c,https://***@d'],
  ['a@b', 'a@b'],
])('withoutLogin(%j) is %j', (value, expected) => {
  expect(withoutLogin(value)).toBe(expected)
})
