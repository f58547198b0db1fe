import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { run } from '../support/run.ts'
import { keycloak, fileRealm } from '../support/realm.ts'

test('helm accepts the issuer that the realm names, letter by letter', async () => {
  await using realm = await fileRealm()
  const discovery = await fetch(`${keycloak.url}/realms/${realm.name}/.well-known/openid-configuration`)
  const { issuer } = (await discovery.json()) as { issuer: string }
  const ran = await run(['gen-config', 'helm', '--url', keycloak.url, '--realm', realm.name])
  expect(ran.exitCode).toBe(0)
  expect(parse(ran.stdout)).toMatchObject({ prosody: { extraEnvs: { JWT_ACCEPTED_ISSUERS: issuer } } })
})

test('a realm that is not there is said, and nothing is printed', async () => {
  const ran = await run(['gen-config', 'helm', '--url', keycloak.url, '--realm', 'gone'])
  expect(ran).toMatchObject({ exitCode: 6, stdout: '' })
  expect(ran.stderr).toContain('there is no realm gone')
})
