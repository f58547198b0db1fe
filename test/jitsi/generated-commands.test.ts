// The commands that generated files name, as this run's settings make them, are ones that kjitsi has, and say the same.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { COMMON } from '../../src/cli/common.ts'
import { namedCommands } from '../../src/cli/context.ts'
import { commandTree } from '../../src/cli/program.ts'
import type { SettingTable } from '../../src/cli/setting.ts'
import { PROGRAM } from '../../src/main.ts'
import { testIo } from '../support/io.ts'
import { sharedFolder } from '../support/folder.ts'
import { run } from '../support/run.ts'

const dir = sharedFolder()

const ENV = "jitsi's own.env"
writeFileSync(join(dir, ENV), 'PUBLIC_URL=https://meet.example.org:8443\nCONFIG=~/my cfg\n')

const KEYCLOAK = ['--url', 'https://auth.example.org/auth', '--realm', "o'neill & co", '--realm', 'meet']
const TOLD = [
  ...[
    '--client',
    'team $HOME',
    '--app-id',
    'app',
    '--accept-audience',
    'a',
    '--accept-audience',
    'b b',
    '--no-guests',
  ],
  ...['--sign-type', 'RS512', '--moderators', 'role:owner'],
]
const FILE = ['--jitsi-env', ENV]
const KEYSERVER = ['--keyserver', 'https://meet.example.org:8443/k e y s']

const RUNS: readonly (readonly string[])[] = [
  ['nginx', ...KEYCLOAK, ...TOLD, '--keys', 'pem', ...FILE],
  ['nginx', ...KEYCLOAK, ...TOLD, ...FILE, ...KEYSERVER],
  ['nginx', ...KEYCLOAK, ...FILE],
  ['nginx', ...KEYCLOAK, '--debian', '--jitsi-url', 'https://meet.example.org'],
  ['systemd', ...KEYCLOAK],
  ['compose', ...KEYCLOAK, ...TOLD, ...FILE],
  ['kubernetes', ...KEYCLOAK, ...TOLD],
  ['kubernetes', ...KEYCLOAK, ...TOLD, '--cronjob', ...FILE],
]

/** The words of a command line, by a real shell, in whose comments kjitsi printed it. */
function wordsOf(line: string): readonly string[] {
  const script = `kjitsi() { printf '%s\\0' "$@"; }; CONFIG=/config; ${line}`
  return execFileSync('bash', ['-euc', script], { encoding: 'utf8' }).split('\0').slice(0, -1)
}

async function linesOf(args: readonly string[]): Promise<readonly string[]> {
  const ran = await run(['gen-config', ...args], { cwd: dir })
  expect(ran.exitCode, ran.stderr).toBe(0)
  return ran.stdout.match(/(?<=^# +)kjitsi (?!and ).*$|(?<=^ExecStart=\/usr\/bin\/env )kjitsi .*$/gm) ?? []
}

interface Line {
  readonly words: readonly string[]
  readonly flags: Readonly<Record<string, unknown>>
}

/** By kjitsi's own parser. */
async function parsed(line: string): Promise<Line> {
  const words = wordsOf(line)
  const io = testIo({ cwd: dir })
  let found: Line | undefined
  await commandTree(PROGRAM, io, (_, __, flags) => {
    found = { words, flags }
    return Promise.resolve()
  }).parseAsync([...words], { from: 'user' })
  if (found === undefined) throw new Error(`nothing ran: ${line}`)
  return found
}

const WHO = { url: 'https://auth.example.org/auth', realm: ["o'neill & co", 'meet'] }
const SAME = {
  client: 'team $HOME',
  appId: 'app',
  acceptAudience: ['a', 'b b'],
  guests: false,
  signType: 'RS512',
}

describe.each(RUNS.map((args) => [args]))('gen-config %j', (args) => {
  const told = args.includes('--client')

  test('each line is one that kjitsi takes, for the Keycloak and the tokens of this run', async () => {
    const lines = await Promise.all((await linesOf(args)).map(parsed))
    expect(lines.length).toBeGreaterThan(0)
    for (const { words, flags } of lines) {
      const ofUnit = args[0] === 'systemd'
      expect(flags).toMatchObject(ofUnit ? {} : WHO)
      const accepts = words[0] === 'gen-env' || words[0] === 'gen-config'
      if (accepts) expect(flags).toMatchObject(told ? { ...SAME, moderators: 'role:owner' } : {})
      if (accepts && !told) expect(Object.keys(flags).sort()).toEqual(['keyserver', 'realm', 'url'])
    }
  })

  test('what it does is what this run speaks of', async () => {
    const lines = await Promise.all((await linesOf(args)).map(parsed))
    const keyserver = (
      JSON.parse((await run(['gen-config', ...args, '--json'], { cwd: dir })).stdout) as Document
    ).keyserver
    for (const { words } of lines.filter(({ words: [name = ''] }) => name.startsWith('gen-'))) {
      // Where the issuer is given, nobody has to be asked.
      const offline = words[1] === 'nginx' ? [] : ['--issuer', 'https://auth.example.org/realms/meet']
      const ran = await run([...words, ...offline, '--dry-run', '--json'], { cwd: dir })
      expect(ran.exitCode, ran.stdout).toBe(0)
      const document = JSON.parse(ran.stdout) as Document
      if (words[0] === 'gen-config') expect(document.keyserver).toBe(keyserver)
      const settings = document.settings ?? helmOf(document)
      if (settings === undefined) continue
      if (words[0] === 'gen-env')
        expect(document.file).toBe(join(dir, args.includes('--jitsi-env') ? ENV : '.env'))
      expect(settings).toMatchObject({
        JWT_APP_ID: told ? 'app' : 'jitsi',
        JWT_ACCEPTED_AUDIENCES: told ? 'a,b b' : 'account,jitsi',
        XMPP_MUC_MODULES: told ? 'token_affiliation' : 'muc_wait_for_host',
        JWT_ASAP_KEYSERVER: keyserver,
      })
    }
  })
})

interface Document {
  readonly keyserver: string
  readonly file?: string
  readonly settings?: Readonly<Record<string, string>>
  readonly files?: readonly { readonly name: string; readonly text: string }[]
}

function helmOf({ files = [] }: Document): Readonly<Record<string, string>> | undefined {
  const values = files.find(({ name }) => name === 'kjitsi-values.yaml')
  if (values === undefined) return undefined
  return (parse(values.text) as { prosody: { extraEnvs: Record<string, string> } }).prosody.extraEnvs
}

test('CONFIG is the folder of the .env, whatever stands in it', async () => {
  const { stdout } = await run(['gen-config', 'nginx', ...KEYCLOAK, ...FILE], { cwd: dir })
  const [, line = ''] = /^# +(CONFIG=.*)$/m.exec(stdout) ?? []
  const said = execFileSync('bash', ['-euc', `${line}; printf %s "$CONFIG"`], {
    encoding: 'utf8',
    env: { ...process.env, HOME: '/home/jitsi' },
  })
  expect(said).toBe('/home/jitsi/my cfg')
})

test('every environment name of ours is that of a setting', async () => {
  const tables: readonly SettingTable[] = [
    COMMON,
    ...namedCommands(PROGRAM.commands).map(([, { settings }]) => settings),
  ]
  const known = new Set(tables.flatMap((table) => Object.values(table).flatMap(({ env }) => env ?? [])))
  const texts = await Promise.all(
    RUNS.map(async (args) => (await run(['gen-config', ...args], { cwd: dir })).stdout),
  )
  const named = new Set(texts.flatMap((text) => text.match(/\b(?:KJITSI|KEYCLOAK)_[A-Z_]+\b/g) ?? []))
  expect([...named].filter((name) => !known.has(name))).toEqual([])
  expect(named.size).toBeGreaterThan(2)
})
