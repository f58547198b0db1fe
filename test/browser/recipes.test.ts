// The README's recipes, line by line in a real shell, from nothing to a token of a login that check-token accepts: the
// key comes over https from a real nginx, out of the place that the recipe has put it in and Prosody is told of.
import { execFile } from 'node:child_process'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { listen } from '../support/http.ts'
import { type TestAuthority, makeAuthority } from '../support/authority.ts'
import { tempFolder } from '../support/folder.ts'
import { logIn } from '../support/browserless-login.ts'
import { giveRole, keycloak, makeRealm, makeUser } from '../support/realm.ts'
import { BIN } from '../support/run.ts'
import { startNginx } from '../support/nginx.ts'

/** What there is no docker, no systemd and no Jitsi for in a test. */
const NOT_RUN = [
  'docker compose up -d && docker compose restart web',
  'hocon -f /etc/jitsi/jicofo/jicofo.conf set jicofo.conference.enable-auto-owner false',
  'systemctl restart prosody jicofo nginx',
]

const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
const recipes = [...readme.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, text = '']) =>
  text.split('\n').filter((line) => line !== '' && !line.startsWith('#')),
)

let authority: TestAuthority
beforeAll(async () => {
  authority = await makeAuthority()
})
afterAll(() => authority[Symbol.asyncDispose]())

test('there are three of them, each with a token at its end', () => {
  expect(recipes.map((lines) => (lines.at(-1) ?? '').startsWith('kjitsi check-token '))).toEqual([
    true,
    true,
    true,
  ])
  const skipped = recipes.flat().filter((line) => NOT_RUN.includes(line))
  expect(new Set(skipped)).toEqual(new Set(NOT_RUN))
  expect(recipes.flat().filter((line) => /^(docker|systemctl|hocon)\b/.test(line))).toEqual(skipped)
})

const PUBLIC = (dir: string): string =>
  `location ~ ^/_api/public/(.*)$ { autoindex off; alias ${dir}/etc/jitsi/meet/public/$1; }`

test.each([
  ['docker, everybody', 0],
  ['docker, by role', 1],
  ['Debian', 2],
])('%s', async (_, i) => {
  const lines = recipes[i] ?? []
  await using realm = await makeRealm()
  const alice = await makeUser(realm)
  const dir = tempFolder()
  // Keys are asked for over https; nginx itself listens on a socket, since a port of its own choice it does not tell.
  const front = createServer(authority.server, (socket) => {
    const behind = connect(join(dir, 'work', 'jitsi.sock'))
    for (const one of [socket, behind]) one.on('error', () => socket.destroy())
    socket.pipe(behind).pipe(socket)
  })
  await using listening = await listen(front)
  const origin = `https://localhost:${listening.port}`
  const cfg = join(dir, 'cfg')
  for (const folder of ['bin', 'html', 'cfg/web', 'etc/jitsi/meet', 'etc/prosody/conf.avail']) {
    await mkdir(join(dir, folder), { recursive: true })
  }
  await writeFile(join(dir, '.env'), `CONFIG=${cfg}\nPUBLIC_URL=${origin}\n#ENABLE_AUTH=1\nTZ=UTC\n`)
  await writeFile(join(dir, 'html', 'index.html'), '<html>Jitsi</html>')
  // What Debian's packages make before anybody runs kjitsi.
  await writeFile(join(dir, 'etc/jitsi/meet/meet.example.org-config.js'), 'var config = {};\n')
  const host = 'VirtualHost "localhost"\n    authentication = "jitsi-anonymous"\n'
  await writeFile(join(dir, 'etc/prosody/conf.avail/meet.example.org.cfg.lua'), host)
  await writeFile(join(dir, 'bin', 'kjitsi'), `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@"\n`)
  await chmod(join(dir, 'bin', 'kjitsi'), 0o755)

  const here = (line: string): string =>
    line
      .replaceAll('https://auth.example.org', keycloak.url)
      .replaceAll('https://meet.example.org', origin)
      .replaceAll(/(KEYCLOAK_REALM=|\/realms\/)meet\b/g, `$1${realm.name}`)
      .replaceAll('KEYCLOAK_USER=admin', `KEYCLOAK_USER=${keycloak.user}`)
      .replaceAll('~/.jitsi-meet-cfg', cfg)
      .replaceAll(' /etc/', ` ${dir}/etc/`)
  const shell = async (script: readonly string[], stdin: string): Promise<string> => {
    const env = {
      PATH: `${dir}/bin:${process.env['PATH'] ?? ''}`,
      HOME: dir,
      KJITSI_CA_FILE: authority.caFile,
    }
    return new Promise((resolve, reject) => {
      const text = script.map(here).join('\n')
      const child = execFile(
        'bash',
        ['-euo', 'pipefail', '-c', text],
        { cwd: dir, env },
        (error, out, err) => {
          if (error === null) resolve(out + err)
          else reject(new Error(`${text}\n${out}${err}`))
        },
      )
      child.stdin?.on('error', () => undefined)
      child.stdin?.end(stdin)
    })
  }

  const run = lines.slice(0, -1).filter((line) => !NOT_RUN.includes(line))
  await shell(run, `${keycloak.password}\n`)
  const isDebian = i === 2
  const snippet = isDebian ? PUBLIC(dir) : await readFile(join(cfg, 'web/nginx-custom/kjitsi.conf'), 'utf8')
  // The container has CONFIG/web at /config.
  const inside = `root ${dir}/html; index index.html;\n${snippet.replaceAll('/config/', `${cfg}/web/`)}
  location ~ ^/([^/?&:'"]+)/(.*)$ { rewrite ^/[^/]+/(.*)$ /index.html break; }`
  await using nginx = await startNginx(dir, { jitsi: inside })
  expect((await nginx.get('jitsi', '/kjitsi-keys/none.pem')).status).toBe(isDebian ? 200 : 404)

  if (i > 0) await giveRole(realm, alice, 'jitsi', 'owner')
  const site = { issuer: `${keycloak.url}/realms/${realm.name}`, clientId: 'jitsi', origin }
  const end = await logIn(site, { username: 'alice', password: 'alice' })
  if (!('tokens' in end)) throw new Error(`${end.failed}: ${end.said}`)
  await writeFile(join(dir, 'token.txt'), `${String(end.tokens['access_token'])}\n`)
  const last = lines.at(-1) ?? ''
  expect(await shell([last], '')).toContain('Jitsi accepts this token for room team')

  // Without the key where Prosody asks for it, the very same line refuses.
  const keys = isDebian ? `${dir}/etc/jitsi/meet/public` : `${cfg}/web/kjitsi-keys`
  await shell([`rm ${keys}/*.pem`], '')
  await expect(shell([last], '')).rejects.toThrow(/could not obtain public key/)
})
