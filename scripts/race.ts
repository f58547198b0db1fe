// Runs setup-mappers and setup-client twice at once, ROUNDS times each, on a realm of its own, and counts what is left.
// KJITSI_TEST_KEYCLOAK_URL, KEYCLOAK_USER and KEYCLOAK_PASSWORD name the server: `npm run race -- 200`.
import KeycloakAdminClient from '@keycloak/keycloak-admin-client'
import { randomUUID } from 'node:crypto'
import { CLIENT, MAPPERS, type Raced, race } from '../test/support/race.ts'

const rounds = Number(process.argv[2] ?? 200)
const { KJITSI_TEST_KEYCLOAK_URL: baseUrl = 'http://127.0.0.1:8080', ...env } = process.env
const { KEYCLOAK_USER: username = 'admin', KEYCLOAK_PASSWORD: password = 'admin' } = env

/** Logged in anew, since a login lasts a minute. */
async function adminOf(realmName: string): Promise<KeycloakAdminClient> {
  const login = new KeycloakAdminClient({ baseUrl, realmName: 'master' })
  await login.auth({ grantType: 'password', clientId: 'admin-cli', username, password })
  const admin = new KeycloakAdminClient({ baseUrl, realmName })
  admin.registerTokenProvider({ getAccessToken: () => login.getAccessToken() })
  return admin
}

function faultsOf({ both, mappers, roles, checked }: Raced, expected: number): readonly string[] {
  return [
    ...(mappers.length > new Set(mappers).size ? [`twice: ${mappers.join(', ')}`] : []),
    ...(new Set(mappers).size < expected ? [`lost: ${mappers.join(', ')}`] : []),
    ...(roles.length === 1 ? [] : [`roles: ${roles.join(', ')}`]),
    ...(checked.exitCode === 0 ? [] : [`--check: ${checked.stdout}${checked.stderr}`]),
    ...both
      .filter(({ exitCode, stderr }) => exitCode !== 0 && !stderr.includes('run again'))
      .map(({ exitCode, stderr }) => `exit ${exitCode}: ${stderr}`),
  ]
}

const realm = `kjitsi-race-${randomUUID().slice(0, 8)}`
await (await adminOf('master')).realms.create({ realm, enabled: true })
try {
  for (const [argv, expected] of [
    [MAPPERS, 7],
    [CLIENT, 4],
  ] as const) {
    const counts = { rounds, mended: 0, 'told to run again': 0, faults: 0 }
    for (let i = 0; i < rounds; i++) {
      const admin = await adminOf(realm)
      const clientId = `${argv[0]}-${i}`
      if (argv === MAPPERS) await admin.clients.create({ clientId })
      const raced = await race(admin, clientId, argv)
      const faults = faultsOf(raced, expected)
      const told = raced.both.filter(({ exitCode }) => exitCode !== 0)
      for (const { stderr } of told) process.stdout.write(`${clientId}: ${stderr}`)
      for (const fault of faults) process.stdout.write(`${clientId}: ${fault}\n`)
      counts.faults += faults.length
      counts['told to run again'] += told.length
      counts.mended += raced.both.some(({ stdout }) => stdout.includes('a duplicate')) ? 1 : 0
    }
    process.stdout.write(`${argv[0]}: ${JSON.stringify(counts)}\n`)
    if (counts.faults > 0) process.exitCode = 1
  }
} finally {
  await (await adminOf('master')).realms.del({ realm })
}
