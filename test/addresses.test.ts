// Addresses with a secret in their query, user name or path: it is shown nowhere.
import { readFile, writeFile } from 'node:fs/promises'
import { type RequestListener } from 'node:http'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { serve } from './support/http.ts'
import { tempFolder } from './support/folder.ts'
import { ask } from './support/key-server.ts'
import { run } from './support/run.ts'
import { startServing } from './support/running.ts'

const FIXTURE = new URL('fixtures/jwks.json', import.meta.url)
const JWT = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl'
const FORMS = [[], ['--json'], ['--verbose'], ['--verbose', '--json'], ['--dry-run', '--verbose']]

test('a key server tells its sources apart without their queries', async () => {
  const jwks = await readFile(FIXTURE, 'utf8')
  const url = await serve((request, response) => {
    if (request.url?.includes('bad')) response.statusCode = 500
    response.end(jwks)
  })
  const [good, bad] = [`${url}/keys?apikey=hunter2`, `${url}/keys?apikey=hunter2bad`]
  const { port, said, end } = await startServing(['--jwks', good, '--jwks', bad, '--verbose'])
  await said('is served as')
  await said(`${url}/keys (2) has given no key yet`)
  const ready = await ask(port, '/readyz')
  const metrics = await ask(port, '/metrics')
  expect(JSON.parse(ready.body)).toMatchObject({
    sources: [
      { source: `${url}/keys`, failing: false },
      { source: `${url}/keys (2)`, failing: true },
    ],
  })
  expect(metrics.body).toContain(`kjitsi_refresh_failures_total{source="${url}/keys (2)"}`)
  const { stdout, stderr } = await end('SIGTERM')
  expect(ready.body + metrics.body + stdout + stderr).not.toContain('hunter2')
})

test.each<readonly [string, RequestListener]>([
  ['404', (_, response) => response.writeHead(404).end()],
  ['500', (_, response) => response.writeHead(500).end()],
  ['a redirect', (_, response) => response.writeHead(302, { location: '/x?key=hunter2' }).end()],
  ['too much', (_, response) => response.end('x'.repeat(2_000_000))],
  ['a page', (_, response) => response.end('<html>')],
  ['no key', (_, response) => response.end('{"keys":[]}')],
  ['nothing', (_, response) => response.destroy()],
])('an error about a key set that answers with %s has neither query nor token', async (_, listener) => {
  const jwks = `${await serve(listener)}/${JWT}/keys?apikey=hunter2`
  const cwd = tempFolder()
  for (const form of FORMS) {
    const { exitCode, stdout, stderr } = await run(['export-certs', 'certs', '--jwks', jwks, ...form], {
      cwd,
    })
    expect(exitCode).not.toBe(0)
    expect(stdout + stderr).toContain('(masked)')
    expect(stdout + stderr).not.toMatch(/hunter2|eyJ/)
  }
})

test.each([
  ['export-certs', ['export-certs', 'certs', '--url', 'http://127.0.0.1:1', '--realm', 'meet', '--check']],
  ['serve-certs', ['serve-certs', '--dir', '/nowhere', '--port', '0', '--host', 'nowhere.invalid']],
])('%s names a source that is not read without its query', async (_, argv) => {
  const env = { KJITSI_JWKS: 'https://a.example/keys?apikey=hunter2' }
  const { stderr } = await run([...argv, '--verbose'], { cwd: tempFolder(), env })
  expect(stderr).toMatch(/not read, since there is --(realm|dir): https:\/\/a\.example\/keys\n/)
  expect(stderr).not.toContain('hunter2')
})

test.each([
  ['JWT_ASAP_KEYSERVER=http://u:hunter2@127.0.0.1:1/keys'],
  ['JWT_ASAP_KEYSERVER=u:hunter2@host/keys'],
  ['JWT_ASAP_KEYSERVER=http://127.0.0.1:1/keys?key=hunter2'],
  ['XMPP_CONFIGURATION=\'cache_keys_url="http://127.0.0.1:1/keys?key=hunter2"\''],
  ['XMPP_CONFIGURATION=\'cache_keys_url="http://u:hunter2@127.0.0.1:1/keys"\''],
])('check-token tells no secret of %s', async (line) => {
  const cwd = tempFolder()
  await writeFile(join(cwd, '.env'), `ENABLE_AUTH=1\nAUTH_TYPE=jwt\nJWT_APP_ID=jitsi\n${line}\n`)
  const token = `${Buffer.from('{"alg":"RS256","kid":"k"}').toString('base64url')}.e30.AAAA`
  for (const form of [[], ['--json'], ['--verbose']]) {
    const ran = await run(['check-token', '--jitsi-env', '.env', ...form], { cwd, stdin: token })
    expect(ran.stdout).not.toBe('')
    expect(ran.stdout + ran.stderr).not.toMatch(/hunter2|eyJhb/)
  }
})
