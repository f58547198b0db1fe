// kjitsi gen-env with issuers that are given, so that no Keycloak is asked.
import { readFile, readdir, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { readEnv } from '../../src/env-file/parse.ts'
import type { RunOptions } from '../support/io.ts'
import { tempFolder } from '../support/folder.ts'
import { type Ran, run, spawnKjitsi } from '../support/run.ts'

const ISSUER = 'https://auth.example.org/realms/meet'
const KEYS = 'https://meet.example.org/keys'

const BLOCK = `# >>> kjitsi
# 1: people log in or come in as guests. 0: everybody gets in as what they like, whatever else is set here.
ENABLE_AUTH=1
# 1: people without a token may come in as guests. 0: everybody has to log in.
ENABLE_GUESTS=1
# Prosody checks tokens instead of passwords. Small letters only: JWT would ask for passwords.
AUTH_TYPE=jwt
# A name for Prosody's own use. It has to be there, although Keycloak's tokens do not carry it.
JWT_APP_ID=jitsi
# The "iss" of the tokens, letter by letter as the realm's discovery document has it; no space after a comma.
JWT_ACCEPTED_ISSUERS=https://auth.example.org/realms/meet
# A token passes if its "aud" is one of these (*: any); a list in "aud" equals none of them. No space after a comma.
JWT_ACCEPTED_AUDIENCES=account,jitsi
# Prosody's container fetches the realm's public keys here, as <sha256 of the kid>.pem; no slash at the end.
JWT_ASAP_KEYSERVER=https://meet.example.org/keys
# 0: who moderates is what the lines below say. 1: everybody who has a token, whatever they say.
JICOFO_ENABLE_AUTH=0
# 1: Jicofo makes whoever comes first a moderator, and somebody else when that one leaves. 0: it makes nobody one.
ENABLE_AUTO_OWNER=0
# muc_wait_for_host works with persistent_lobby only; no space after a comma.
XMPP_MODULES=persistent_lobby
# muc_wait_for_host: guests wait for somebody with a token. token_affiliation: a role moderates. No space after a comma.
XMPP_MUC_MODULES=muc_wait_for_host
# false: where muc_wait_for_host is loaded, everybody who has a token moderates. true: it makes nobody a moderator.
WAIT_FOR_HOST_DISABLE_AUTO_OWNERS=false
# <<< kjitsi
`

/** In the manner of docker-jitsi-meet's own example, with what people add to it over the years. */
const ENV = `# Jitsi of Example Ltd
CONFIG=~/.jitsi-meet-cfg
HTTPS_PORT=8443
PUBLIC_URL="https://meet.example.org:\${HTTPS_PORT}"

# Ask for a login
#ENABLE_AUTH=1
export AUTH_TYPE = internal # until June

#JWT_APP_ID=my_jitsi_app_id
#JWT_APP_SECRET=planted-secret-1
JWT_ACCEPTED_ISSUERS='my_web_client'
JICOFO_AUTH_PASSWORD=planted-secret-2
JVB_AUTH_PASSWORD="planted-secret-3"
LDAP_BINDPW: 'planted
-secret-4'
`

const MERGED = `# Jitsi of Example Ltd
CONFIG=~/.jitsi-meet-cfg
HTTPS_PORT=8443
PUBLIC_URL="https://meet.example.org:\${HTTPS_PORT}"

# Ask for a login
#ENABLE_AUTH=1
ENABLE_AUTH=1
export AUTH_TYPE = jwt # until June

#JWT_APP_ID=my_jitsi_app_id
JWT_APP_ID=jitsi
#JWT_APP_SECRET=planted-secret-1
JWT_ACCEPTED_ISSUERS=https://auth.example.org/realms/meet
JICOFO_AUTH_PASSWORD=planted-secret-2
JVB_AUTH_PASSWORD="planted-secret-3"
LDAP_BINDPW: 'planted
-secret-4'

# >>> kjitsi
# 1: people without a token may come in as guests. 0: everybody has to log in.
ENABLE_GUESTS=1
# A token passes if its "aud" is one of these (*: any); a list in "aud" equals none of them. No space after a comma.
JWT_ACCEPTED_AUDIENCES=account,jitsi
# Prosody's container fetches the realm's public keys here, as <sha256 of the kid>.pem; no slash at the end.
JWT_ASAP_KEYSERVER=https://meet.example.org/keys
# 0: who moderates is what the lines below say. 1: everybody who has a token, whatever they say.
JICOFO_ENABLE_AUTH=0
# 1: Jicofo makes whoever comes first a moderator, and somebody else when that one leaves. 0: it makes nobody one.
ENABLE_AUTO_OWNER=0
# muc_wait_for_host works with persistent_lobby only; no space after a comma.
XMPP_MODULES=persistent_lobby
# muc_wait_for_host: guests wait for somebody with a token. token_affiliation: a role moderates. No space after a comma.
XMPP_MUC_MODULES=muc_wait_for_host
# false: where muc_wait_for_host is loaded, everybody who has a token moderates. true: it makes nobody a moderator.
WAIT_FOR_HOST_DISABLE_AUTO_OWNERS=false
# <<< kjitsi
`

const DIFF = `--- FILE
+++ FILE
@@ -5,12 +5,33 @@
 
 #(masked)
 #ENABLE_AUTH=1
-export AUTH_TYPE = internal #(masked)
+ENABLE_AUTH=1
+export AUTH_TYPE = jwt #(masked)
 
 #JWT_APP_ID=my_jitsi_app_id
+JWT_APP_ID=jitsi
 #JWT_APP_SECRET=(masked)
-JWT_ACCEPTED_ISSUERS='my_web_client'
+JWT_ACCEPTED_ISSUERS=https://auth.example.org/realms/meet
 JICOFO_AUTH_PASSWORD=(masked)
 JVB_AUTH_PASSWORD=(masked)
 LDAP_BINDPW: (masked)
 (masked)
+
+# >>> kjitsi
`

let dir: string
let file: string
beforeEach(() => {
  dir = tempFolder()
  file = join(dir, 'jitsi.env')
})

async function genEnv(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return run(['gen-env', '--issuer', ISSUER, '--keyserver', KEYS, ...argv], { cwd: dir, ...options })
}

/** The result with --json, and the codes of its findings. */
async function json(
  argv: readonly string[],
  options: RunOptions = {},
): Promise<Record<string, unknown> & { codes: string[] }> {
  const { stdout } = await run(['gen-env', '--issuer', ISSUER, '--json', ...argv], { cwd: dir, ...options })
  const document = JSON.parse(stdout) as Record<string, unknown> & { findings: { code: string }[] }
  return { ...document, codes: document.findings.map(({ code }) => code) }
}

const read = async (): Promise<string> => readFile(file, 'utf8')

describe('without FILE', () => {
  it('prints the block, each variable under its comment, and nothing else', async () => {
    expect(await genEnv([])).toEqual({ exitCode: 0, stdout: BLOCK, stderr: '' })
  })

  it('prints what FILE would get', async () => {
    await genEnv([file])
    expect(await read()).toBe(BLOCK)
  })

  it('prints one document with --json', async () => {
    const { settings, findings, ...rest } = JSON.parse((await genEnv(['--json'])).stdout) as Record<
      string,
      unknown
    >
    expect(rest).toMatchObject({ version: 1, kind: 'env', file: null, text: BLOCK })
    expect(settings).toMatchObject({ JWT_APP_ID: 'jitsi', JWT_ACCEPTED_AUDIENCES: 'account,jitsi' })
    expect(findings).toEqual([])
  })

  it('has nothing to --check', async () => {
    expect(await genEnv(['--check'])).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringContaining('--check needs FILE') as string,
    })
  })
})

describe('with FILE', () => {
  it('merges, keeps all else, shows the difference, and says what is to be done now', async () => {
    await writeFile(file, ENV)
    const { exitCode, stdout, stderr } = await genEnv(['jitsi.env'])
    expect(await read()).toBe(MERGED)
    expect(exitCode).toBe(0)
    expect(stdout.replaceAll(file, 'FILE')).toMatch(/^updated FILE: Jitsi's \.env\n--- FILE\n/)
    expect(stdout.replaceAll(file, 'FILE')).toContain(DIFF)
    expect(stderr).toBe('Jitsi reads it when its containers are made anew: docker compose up -d\n')
  })

  it('changes nothing the second time, not even the time of the file', async () => {
    await writeFile(file, MERGED)
    await utimes(file, 1, 1)
    expect(await genEnv([file])).toEqual({ exitCode: 0, stdout: `${file}: no changes\n`, stderr: '' })
    expect(await read()).toBe(MERGED)
    expect((await stat(file)).mtimeMs).toBe(1000)
  })

  it('makes a new file that only its owner can read', async () => {
    const { exitCode, stdout, stderr } = await genEnv([file])
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `created ${file}: Jitsi's .env\n` })
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(stderr).toContain(`warning: there is no ${file} to merge into`)
    expect((await genEnv([file])).stderr).toBe('')
  })

  it('keeps the mode, and writes through a link', async () => {
    await writeFile(file, ENV, { mode: 0o640 })
    await symlink('jitsi.env', join(dir, '.env'))
    await genEnv(['.env'])
    expect(await read()).toBe(MERGED)
    expect((await stat(file)).mode & 0o777).toBe(0o640)
    expect((await readdir(dir)).sort()).toEqual(['.env', 'jitsi.env'])
  })

  it('keeps CRLF and bytes that are no UTF-8', async () => {
    await writeFile(file, Buffer.from('# Zürich\r\n#JWT_APP_ID=x\r\nTZ=UTC', 'latin1'))
    await genEnv([file])
    const text = await readFile(file, 'latin1')
    expect(text).toMatch(/^# Zürich\r\n#JWT_APP_ID=x\r\nJWT_APP_ID=jitsi\r\nTZ=UTC\r\n\r\n# >>> kjitsi\r\n/)
    expect(text).toMatch(/\r\n# <<< kjitsi$/)
    expect(text.replaceAll('\r\n', '')).not.toContain('\n')
  })

  it.each([
    [
      'XMPP_CONFIGURATION',
      `'external_service_secret="planted-secret",x="planted-secret"'`,
      ['--keys', 'jwks'],
    ],
    ['XMPP_CONFIGURATION', 'cache_keys_url="https://h/?k=planted-secret"', ['--keys', 'jwks']],
    ['XMPP_MODULES', 'planted-secret', ['--moderators', 'everyone']],
    ['XMPP_MUC_MODULES', 'planted-secret', ['--moderators', 'role:owner']],
    ['JWT_ACCEPTED_ISSUERS', 'https://u:planted-secret@host', []],
    ['JWT_ASAP_KEYSERVER', 'https://u:planted-secret@host', ['--keyserver', '']],
    ['JWT_ASAP_KEYSERVER', 'https://host/?k=planted-secret', ['--keyserver', '']],
    ['TOKEN_AUTH_URL', 'https://h/?k=planted-secret', ['--login', '--jitsi-url', 'https://meet.example.org']],
    ['AUTH_TYPE', 'internal # planted-secret', []],
    ['# a word', 'planted-secret', []],
  ])('tells nothing that stood in %s=%s', async (key, value, argv) => {
    for (const form of [[], ['--json'], ['--dry-run'], ['--check', '--verbose'], ['--json', '--dry-run']]) {
      await writeFile(file, `${key}=${value}\n`)
      const { stdout, stderr } = await genEnv([file, ...argv, ...form])
      expect(stdout).not.toBe('')
      expect(stdout + stderr).not.toContain('planted-secret')
    }
  })

  it('shows what it adds to a list, and says that the rest of it is masked', async () => {
    await writeFile(file, `XMPP_CONFIGURATION='external_service_secret="x"'\n`)
    const { stdout } = await genEnv([file, '--keys', 'jwks'])
    const added = `,cache_keys_url="${ISSUER}/protocol/openid-connect/certs"`
    expect(stdout).toContain(`\n-XMPP_CONFIGURATION=(masked)\n+XMPP_CONFIGURATION=(masked)${added}\n`)
  })

  it('shows the same with --dry-run and --check, other values hidden, and writes nothing', async () => {
    await writeFile(file, ENV)
    const dry = await genEnv([file, '--dry-run'])
    expect(dry).toMatchObject({ exitCode: 0, stderr: '' })
    expect(dry.stdout.replaceAll(file, 'FILE')).toContain(DIFF)
    const drift = `error: the files differ from what these options make: update ${file}\n`
    const checked = await genEnv([file, '--check'])
    expect(checked).toMatchObject({ exitCode: 3, stdout: dry.stdout })
    expect(checked.stderr).toContain(drift)
    expect(await read()).toBe(ENV)
    const { stdout } = await genEnv([file])
    expect(stdout.replace('updated', 'update')).toBe(dry.stdout)
    expect(await genEnv([file, '--check'])).toEqual({
      exitCode: 0,
      stdout: `${file}: no changes\n`,
      stderr: '',
    })
  })

  it('makes no file with --dry-run or --check', async () => {
    expect((await genEnv([file, '--dry-run'])).stdout).toContain('+JWT_APP_ID=jitsi')
    expect((await genEnv([file, '--check'])).exitCode).toBe(3)
    expect(await readdir(dir)).toEqual([])
  })

  it('prints one document with --json', async () => {
    await writeFile(file, 'JWT_APP_ID=old\nENABLE_AUTH=1\n')
    expect(await json([file, '--check', '--keyserver', KEYS])).toMatchObject({
      kind: 'env',
      file,
      dryRun: true,
      changes: 'planned',
      codes: ['file-drift'],
      settings: { ENABLE_AUTH: '1', JWT_APP_ID: 'jitsi' },
    })
    const { files, ...rest } = await json([file, '--keyserver', KEYS])
    expect(rest).toMatchObject({ dryRun: false, changes: 'made', codes: [] })
    const diff = expect.stringContaining('\n-JWT_APP_ID=old\n+JWT_APP_ID=jitsi\n ENABLE_AUTH=1\n') as string
    expect(files).toMatchObject([{ action: 'update', path: file, what: "Jitsi's .env", mode: '0644', diff }])
    expect(await json([file, '--keyserver', KEYS])).toMatchObject({
      changes: 'none',
      files: [{ action: 'keep' }],
    })
  })

  it('never shows a value that is not its own', async () => {
    for (const argv of [['--dry-run'], ['--check'], ['--json', '--dry-run'], ['--json'], [], []]) {
      await writeFile(
        file,
        `${ENV}JWT_APP_SECRET=planted-secret-5\nJWT_ASAP_KEYSERVER=http://a:planted-secret-6@keys/\nA=planted-secret-7`,
      )
      const { stdout, stderr } = await run(['gen-env', '--issuer', ISSUER, file, '--verbose', ...argv], {
        env: { KEYCLOAK_PASSWORD: 'planted-secret-8' },
      })
      expect(stdout).toContain('JWT_APP_ID')
      expect(stdout + stderr).not.toMatch(/planted-secret|-secret-4/)
    }
  })
})

describe('settings', () => {
  it.each<[string[], Record<string, string>]>([
    [['--client', 'meet'], { JWT_APP_ID: 'meet', JWT_ACCEPTED_AUDIENCES: 'account,meet' }],
    [['--app-id', 'x'], { JWT_APP_ID: 'x', JWT_ACCEPTED_AUDIENCES: 'account,jitsi' }],
    [['--accept-audience', 'a', '--accept-audience', 'b'], { JWT_ACCEPTED_AUDIENCES: 'a,b' }],
    [['--issuer', 'https://b/realms/c d'], { JWT_ACCEPTED_ISSUERS: `${ISSUER},https://b/realms/c d` }],
    [['--keyserver', 'https://keys/a//'], { JWT_ASAP_KEYSERVER: 'https://keys/a' }],
    [['--no-guests'], { ENABLE_GUESTS: '0' }],
    [['--sign-type', 'RS512'], { JWT_SIGN_TYPE: 'RS512' }],
    [['--app-id', "it's $HOME #1 ü"], { JWT_APP_ID: "it's $HOME #1 ü" }],
  ])('%j', async (argv, values) => {
    const { stdout, exitCode } = await genEnv(argv)
    expect(exitCode).toBe(0)
    expect(Object.fromEntries(readEnv(stdout))).toMatchObject(values)
    await genEnv([...argv, file])
    expect(Object.fromEntries(readEnv(await read()))).toMatchObject(values)
    expect((await genEnv([...argv, file, '--check'])).exitCode).toBe(0)
  })

  it('come from the environment as well', async () => {
    const { stdout } = await run(['gen-env'], {
      env: {
        KJITSI_ISSUER: 'https://a/realms/1, https://a/realms/2',
        KJITSI_ACCEPT_AUDIENCE: 'a,b',
        KJITSI_GUESTS: 'no',
      },
    })
    expect(Object.fromEntries(readEnv(stdout))).toMatchObject({
      JWT_ACCEPTED_ISSUERS: 'https://a/realms/1,https://a/realms/2',
      JWT_ACCEPTED_AUDIENCES: 'a,b',
      ENABLE_GUESTS: '0',
    })
  })

  it('keep the key server that FILE has, without the slash at its end', async () => {
    await writeFile(file, 'JWT_ASAP_KEYSERVER="https://${HOST:-meet}/keys/"\n')
    expect((await json([file]))['settings']).toMatchObject({ JWT_ASAP_KEYSERVER: 'https://meet/keys' })
    expect(readEnv(await read()).get('JWT_ASAP_KEYSERVER')).toBe('https://meet/keys')
  })

  it('take the key server on this machine where there is none, and say so', async () => {
    const { stdout, stderr } = await run(['gen-env', '--issuer', ISSUER])
    expect(stdout).toContain('\nJWT_ASAP_KEYSERVER=http://localhost:9000/certs\n')
    expect(stderr).toContain("inside Prosody's container, localhost is the container itself")
    expect((await run(['gen-env', '--issuer', ISSUER, '--quiet'])).stderr).toBe('')
  })

  it('put another signature type right', async () => {
    await writeFile(file, 'JWT_SIGN_TYPE=HS256\n')
    await genEnv([file])
    expect(await read()).toContain('JWT_SIGN_TYPE=RS256\n')
  })
})

describe('moderators, keys and login', () => {
  const ARGS = ['--moderators', 'role:owner', '--keys', 'both', '--login']

  it('give the whole .env, which compose reads back', async () => {
    const { stdout, exitCode } = await genEnv([...ARGS, '--jitsi-url', 'https://meet.example.org'])
    expect(exitCode).toBe(0)
    expect(Object.fromEntries(readEnv(stdout))).toEqual({
      ENABLE_AUTH: '1',
      ENABLE_GUESTS: '1',
      AUTH_TYPE: 'jwt',
      JWT_APP_ID: 'jitsi',
      JWT_ACCEPTED_ISSUERS: ISSUER,
      JWT_ACCEPTED_AUDIENCES: 'account,jitsi',
      JWT_ASAP_KEYSERVER: KEYS,
      JICOFO_ENABLE_AUTH: '0',
      ENABLE_AUTO_OWNER: '0',
      XMPP_MODULES: 'persistent_lobby',
      XMPP_MUC_MODULES: 'muc_wait_for_host,token_affiliation',
      WAIT_FOR_HOST_DISABLE_AUTO_OWNERS: 'true',
      XMPP_CONFIGURATION: `cache_keys_url="${ISSUER}/protocol/openid-connect/certs"`,
      TOKEN_AUTH_URL:
        `${ISSUER}/protocol/openid-connect/auth?client_id=jitsi&response_type=code&scope=openid&state={state}` +
        '&redirect_uri=https%3A%2F%2Fmeet.example.org%2Fstatic%2Fsso.html' +
        '&code_challenge={code_challenge}&code_challenge_method=S256',
    })
    // Bare, so that readers that are simpler than compose read it too.
    expect(stdout).toMatch(/^TOKEN_AUTH_URL=https/m)
    expect(stdout).toMatch(/^XMPP_CONFIGURATION=cache_keys_url="/m)
  })

  it("take the address from FILE's PUBLIC_URL, keep its lists, and change nothing the second time", async () => {
    await writeFile(
      file,
      'PUBLIC_URL=https://meet.example.org:8443\nXMPP_MUC_MODULES=mine\nXMPP_CONFIGURATION=\'a="b"\'\n',
    )
    expect((await genEnv([...ARGS, file])).exitCode).toBe(0)
    const values = readEnv(await read())
    expect(values.get('TOKEN_AUTH_URL')).toContain('meet.example.org%3A8443%2F')
    expect(values.get('XMPP_MUC_MODULES')).toBe('mine,muc_wait_for_host,token_affiliation')
    expect(values.get('XMPP_CONFIGURATION')).toMatch(/^a="b",cache_keys_url="/)
    expect(await genEnv([...ARGS, file, '--check'])).toMatchObject({ exitCode: 0 })
  })

  it('another mind is what counts the next time', async () => {
    await genEnv(['--moderators', 'role:owner', '--keys', 'both', file])
    await genEnv(['--moderators', 'everyone', '--keys', 'pem', file])
    expect(Object.fromEntries(readEnv(await read()))).toMatchObject({
      XMPP_MUC_MODULES: 'muc_wait_for_host',
      WAIT_FOR_HOST_DISABLE_AUTO_OWNERS: 'false',
      XMPP_CONFIGURATION: '',
      JWT_ASAP_KEYSERVER: KEYS,
    })
  })

  it.each([
    [['--login'], 'a setting is missing: --jitsi-url or KJITSI_JITSI_URL'],
    [
      ['--login', '--jitsi-url', 'https://a.example', '--jitsi-url', 'https://b.example'],
      '2 addresses of Jitsi were given',
    ],
    [['--moderators', 'owner'], '--moderators "owner" is none of role:NAME, everyone and first'],
    [['--keys', 'x509'], '--keys "x509" is none of pem, jwks, both'],
    [['--keys', 'jwks', '--issuer', 'https://b.example/realms/c'], '--keys jwks serves one realm only'],
    [['--login', '--jitsi-url', 'http://meet.example.org'], 'is not https'],
  ])('%j is refused', async (argv, message) => {
    const ran = await genEnv([...argv, file])
    expect(ran).toMatchObject({ exitCode: 2, stdout: '' })
    expect(ran.stderr).toContain(message)
    expect(await readdir(dir)).toEqual([])
  })

  it('warn of a role that makes no moderator, and of a lobby that is not there', async () => {
    await writeFile(file, 'ENABLE_LOBBY=0\n')
    const { codes } = await json(['--moderators', 'role:chief', '--keyserver', KEYS, file])
    expect(codes).toEqual(['lobby-off', 'affiliation-unknown'])
  })
})

describe('moderators that nobody speaks of', () => {
  const MODERATION = ['ENABLE_AUTO_OWNER', 'XMPP_MUC_MODULES', 'WAIT_FOR_HOST_DISABLE_AUTO_OWNERS']
  const moderation = async (): Promise<string> => {
    const values = readEnv(await read())
    const [first, modules = '', noOwners] = MODERATION.map((key) => values.get(key))
    return `${first} ${modules.split(',').sort().join()} ${noOwners}`
  }
  const EVERYONE = '0 muc_wait_for_host false'
  const ROLE = '0 muc_wait_for_host,token_affiliation true'
  const FIRST = '1 muc_wait_for_host true'

  it.each<[string, string[], string]>([
    ['', [], EVERYONE],
    ['#ENABLE_AUTO_OWNER=1\nENABLE_AUTO_OWNER=\n', [], EVERYONE],
    ['ENABLE_AUTO_OWNER=0\n', [], EVERYONE],
    ['ENABLE_AUTO_OWNER=true\n', ['first-kept'], FIRST],
    ['ENABLE_AUTO_OWNER=1\nXMPP_MUC_MODULES=token_affiliation\n', ['first-kept'], FIRST],
    [
      'ENABLE_AUTO_OWNER=0\nXMPP_MUC_MODULES=muc_wait_for_host,token_affiliation\nWAIT_FOR_HOST_DISABLE_AUTO_OWNERS=1\n',
      ['role-kept'],
      ROLE,
    ],
  ])('%j: %j, %s', async (text, codes, expected) => {
    await writeFile(file, text)
    expect((await json([file, '--keyserver', KEYS])).codes).toEqual(codes)
    expect(await moderation()).toBe(expected)
  })

  it.each([
    ['role:owner', ROLE],
    ['everyone', EVERYONE],
    ['first', FIRST],
  ])(
    '%s stays in a second run, which changes nothing; so it does with other guests',
    async (who, expected) => {
      for (const guests of ['--guests', '--no-guests']) {
        await rm(file, { force: true })
        await genEnv(['--moderators', who, guests, file])
        expect(await genEnv([guests, file, '--check'])).toMatchObject({ exitCode: 0 })
        await genEnv(['--guests', file])
        expect(await moderation()).toBe(expected)
      }
    },
  )

  it('say which stay, and what would change them', async () => {
    await genEnv(['--moderators', 'role:owner', file])
    expect((await genEnv([file])).stderr).toContain(
      `note: --moderators was not given: holders of a role moderate (role:NAME), as ${file} has it already`,
    )
    await genEnv(['--moderators', 'first', file])
    expect((await genEnv([file])).stderr).toContain(
      `warning: --moderators was not given, and ENABLE_AUTO_OWNER is on in ${file}: whoever comes first moderates (first)`,
    )
  })

  it('have one comment for each line, whoever it is that moderates: what a later run leaves there stays true', async () => {
    const texts = await Promise.all(
      ['role:owner', 'everyone', 'first'].flatMap((who) =>
        ['--guests', '--no-guests'].map(
          async (guests) => (await genEnv(['--moderators', who, guests])).stdout,
        ),
      ),
    )
    const comments = texts.flatMap((text) => [...text.matchAll(/^(#.*)\n(\w+)=/gm)])
    const lines = new Set(comments.map(([both]) => both))
    expect(lines.size).toBe(new Set(comments.map(([, , key]) => key)).size)
    // What holds for some of them only.
    expect(texts.join('')).not.toMatch(/[Oo]nly people with a token open rooms|with a token or without/)
  })
})

describe('findings', () => {
  it.each<[string, string[], string[]]>([
    ['', ['--keyserver', KEYS], []],
    ['', [], ['keyserver-default']],
    ['', ['--keyserver', KEYS, '--issuer', 'http://a/realms/b'], ['issuer-http']],
    ['', ['--keyserver', KEYS, '--issuer', '*'], ['wildcard']],
    ['', ['--keyserver', KEYS, '--accept-audience', '*'], ['wildcard']],
    ['JWT_ALLOW_EMPTY=1', ['--keyserver', KEYS], ['allow-empty']],
    ['JWT_ALLOW_EMPTY=0', ['--keyserver', KEYS], []],
    ['JWT_ENABLE_DOMAIN_VERIFICATION=true', ['--keyserver', KEYS], ['domain-verification']],
    ['JWT_APP_SECRET=x', ['--keyserver', KEYS], ['app-secret-unused']],
    ['PROSODY_AUTH_TYPE=internal', ['--keyserver', KEYS], ['auth-type-overridden']],
    ['AUTH_TYPE=jwt\nAUTH_TYPE=ldap', ['--keyserver', KEYS], ['assigned-twice']],
    ['ENABLE_GUESTS=0', ['--keyserver', KEYS], ['guests-let-in']],
    ['ENABLE_GUESTS=0', ['--keyserver', KEYS, '--guests'], []],
    ['ENABLE_GUESTS=0', ['--keyserver', KEYS, '--no-guests'], []],
  ])('%j with %j: %j', async (text, argv, codes) => {
    await writeFile(file, text)
    expect((await json([file, ...argv])).codes).toEqual(codes)
  })

  it('are said on stderr, with what mends them', async () => {
    await writeFile(file, 'JWT_ALLOW_EMPTY=1\nAUTH_TYPE=a\nAUTH_TYPE=b\n')
    const { stderr } = await genEnv([file])
    expect(stderr).toContain(`warning: JWT_ALLOW_EMPTY=1 in ${file} lets people without a token in`)
    expect(stderr).toContain('→ take that line out; ENABLE_GUESTS=1 is what lets guests in')
    expect(stderr).toContain(`note: ${file} assigns AUTH_TYPE on lines 2 and 3`)
    expect(await read()).toContain('AUTH_TYPE=jwt\nAUTH_TYPE=jwt\n')
  })
})

it('the real command does the same', async () => {
  expect(await spawnKjitsi(['gen-env', '--issuer', ISSUER, '--keyserver', KEYS], { cwd: dir })).toEqual({
    exitCode: 0,
    stdout: BLOCK,
    stderr: '',
  })
})
