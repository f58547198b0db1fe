// The snippet inside a server like Jitsi's, which answers whatever it does not know with its start page.
import fc from 'fast-check'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { tempFolder, sharedFolder } from '../support/folder.ts'
import { run } from '../support/run.ts'
import { type Nginx, startNginx } from '../support/nginx.ts'

const KEYCLOAK = ['--url', 'https://auth.example.org', '--realm', 'meet']
const PEM = '-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n'
const [PRESENT, MISSING, LATER] = ['a', 'b', 'c'].map((digit) => `${digit.repeat(64)}.pem`) as [
  string,
  string,
  string,
]
const BESIDE = 'a file beside the folder'
const START_PAGE = '<html>Jitsi</html>'

/** What the web servers of docker-jitsi-meet and of the Debian packages have in common, as far as it matters here. */
function jitsi(html: string, include = ''): string {
  return `
  charset utf-8;
  root ${html};
  index index.html;
  error_page 404 /static/404.html;
  add_header X-Content-Type-Options nosniff;
  ${include}
  location ~ ^/static/(.*)$ { alias ${html}/static/$1; }
  # A room.
  location ~ ^/([^/?&:'"]+)$ { try_files $uri @start; }
  location @start { rewrite ^ / break; }
  # A room of a tenant: everything else.
  location ~ ^/([^/?&:'"]+)/(.*)$ { rewrite ^/[^/]+/(.*)$ /$1; }`
}

async function snippet(...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await run(['gen-config', 'nginx', ...KEYCLOAK, ...args])
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 })
  return stdout
}

const dir = sharedFolder()
let keys: string
let nginx: Nginx

beforeAll(async () => {
  const html = join(dir, 'html')
  keys = join(dir, 'config', 'kjitsi-keys')
  await mkdir(join(html, 'static'), { recursive: true })
  await mkdir(keys, { recursive: true })
  await writeFile(join(html, 'index.html'), START_PAGE)
  await writeFile(join(html, 'static', '404.html'), 'not here')
  await writeFile(join(dir, 'config', PRESENT), BESIDE)
  for (const name of [PRESENT, PRESENT.toUpperCase(), 'index.html', '.env', `x${PRESENT}`]) {
    await writeFile(join(keys, name), PEM)
  }
  const text = (await snippet('--jitsi-url', 'https://meet.example.org')).replaceAll(
    '/config/',
    `${dir}/config/`,
  )
  const debian = await snippet('--jitsi-url', 'https://meet.example.org', '--debian')
  nginx = await startNginx(dir, {
    snippet: jitsi(html, text),
    nothing: jitsi(html),
    'no-precedence': jitsi(html, `location /kjitsi-keys/ { alias ${keys}/; }`),
    'snippet-no-precedence': jitsi(html, text.replace('location ^~', 'location')),
    debian: jitsi(html, `${debian}\nlocation ~ ^/_api/public/(.*)$ { autoindex off; alias ${keys}/$1; }`),
  })
})

afterAll(() => nginx[Symbol.asyncDispose]())

describe('with the snippet', () => {
  test('a key is there, with the type that the key server of the article gives', async () => {
    const answer = await nginx.get('snippet', `/kjitsi-keys/${PRESENT}`)
    expect(answer).toMatchObject({
      status: 200,
      type: 'application/x-x509-ca-cert; charset=utf-8',
      body: PEM,
    })
    expect(answer.headers).toMatchObject({ 'x-content-type-options': 'nosniff' })
  })

  test.each([
    [MISSING],
    [PRESENT.toUpperCase()],
    [`x${PRESENT}`],
    [`${PRESENT}x`],
    ['index.html'],
    ['.env'],
    [''],
  ])('anything else is 404: /kjitsi-keys/%s', async (name) => {
    expect((await nginx.get('snippet', `/kjitsi-keys/${name}`)).status).toBe(404)
  })

  test.each([
    [`/kjitsi-keys/../${PRESENT}`],
    [`/kjitsi-keys/..%2f${PRESENT}`],
    [`/kjitsi-keys/%2e%2e/${PRESENT}`],
    [`/kjitsi-keys/x/../../${PRESENT}`],
    [`/kjitsi-keys../${PRESENT}`],
    [`/kjitsi-keys..%2f${PRESENT}`],
    [`/kjitsi-keys/..;/${PRESENT}`],
  ])('no path leads out of the folder: %s', async (path) => {
    expect((await nginx.get('snippet', path)).body).not.toBe(BESIDE)
  })

  test('a slash too many at the end of the key server is forgiven', async () => {
    expect(await nginx.get('snippet', `/kjitsi-keys//${PRESENT}`)).toMatchObject({ status: 200, body: PEM })
  })

  test('nothing can be sent there', async () => {
    expect((await nginx.get('snippet', `/kjitsi-keys/${PRESENT}`, 'POST')).status).toBe(405)
  })

  test('a new key is there without a restart', async () => {
    expect((await nginx.get('snippet', `/kjitsi-keys/${LATER}`)).status).toBe(404)
    await writeFile(join(keys, LATER), PEM)
    expect(await nginx.get('snippet', `/kjitsi-keys/${LATER}`)).toMatchObject({ status: 200, body: PEM })
  })

  test('Jitsi is what it was', async () => {
    for (const path of ['/', '/room', '/tenant/room', '/kjitsi-keys']) {
      expect(await nginx.get('snippet', path)).toMatchObject({ status: 200, body: START_PAGE })
    }
  })
})

describe.each([['nothing'], ['no-precedence']])('what Prosody would take for a key: %s', (server) => {
  test.each([[PRESENT], [MISSING]])('%s', async (name) => {
    const answer = await nginx.get(server, `/kjitsi-keys/${name}`)
    expect(answer).toMatchObject({ status: 200, type: 'text/html; charset=utf-8', body: START_PAGE })
  })
})

test('^~ keeps Jitsi away from other names in the folder', async () => {
  const get = (server: string) => nginx.get(server, '/kjitsi-keys/other')
  expect(await get('snippet')).toMatchObject({ status: 404 })
  expect(await get('snippet-no-precedence')).toMatchObject({ status: 200, body: START_PAGE })
})

test.each([
  [PRESENT, 200],
  [MISSING, 404],
])('the Debian packages serve their folder as it is: %s', async (name, status) => {
  const answer = await nginx.get('debian', `/_api/public/${name}`)
  expect(answer.status).toBe(status)
  if (status === 200) expect(answer).toMatchObject({ type: 'application/x-x509-ca-cert', body: PEM })
})

test('whatever the path of --keyserver, nginx serves the keys there, or it was refused', async () => {
  const segment = fc.oneof(
    fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme' }),
    fc.string({ minLength: 1, maxLength: 8, unit: 'binary' }),
    fc.constantFrom(
      '$uri',
      '"',
      '\\',
      '"; return 200 x; "',
      "'",
      ';',
      '{',
      '}',
      '#',
      '%',
      '%41',
      '{{LOCATION}}',
      'a b',
      '~',
    ),
  )
  const paths = fc.sample(fc.array(segment, { minLength: 1, maxLength: 3 }), { numRuns: 300, seed: 4 })
  const root = tempFolder()
  await mkdir(join(root, 'keys'))
  await writeFile(join(root, 'keys', PRESENT), PEM)
  const locations = new Map<string, string>()
  let refused = 0
  for (const segments of paths) {
    const keyserver = `https://meet.example.org/${segments.map((one) => encodeURIComponent(one)).join('/')}`
    const { exitCode, stdout } = await run(['gen-config', 'nginx', ...KEYCLOAK, '--keyserver', keyserver])
    expect([0, 2]).toContain(exitCode)
    if (exitCode === 2) refused++
    else {
      const block = stdout
        .slice(stdout.indexOf('\nlocation'))
        .replace('/config/kjitsi-keys/', `${root}/keys/`)
      locations.set(new URL(keyserver).pathname, block)
    }
  }
  expect(locations.size).toBeGreaterThan(100)
  expect(refused).toBeGreaterThan(10)
  await using server = await startNginx(root, { all: [...new Set(locations.values())].join('\n') })
  for (const path of locations.keys()) {
    expect(await server.get('all', `${path}/${PRESENT}`), path).toMatchObject({ status: 200, body: PEM })
  }
})
