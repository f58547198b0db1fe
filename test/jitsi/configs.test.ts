// Each kind of file, from facts to text. What other programs make of the texts is tested in test/tools.
import fc from 'fast-check'
import { readFileSync, readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseAllDocuments, stringify } from 'yaml'
import { type Facts, envValues } from '../../src/jitsi/config.ts'
import type { ConfigFile, Published } from '../../src/jitsi/config-file.ts'
import { composeFile, kubernetesFile } from '../../src/jitsi/containers.ts'
import { helmFile } from '../../src/jitsi/helm.ts'
import {
  helmString,
  luaString,
  nginxString,
  settingList,
  shellWords,
  unitArgument,
  unitAssignment,
  unitPath,
  yamlExpanded,
  yamlString,
} from '../../src/jitsi/literals.ts'
import { loginOf } from '../../src/jitsi/login.ts'
import { nginxFile } from '../../src/jitsi/nginx.ts'
import { debianProsodyFile, prosodyFile } from '../../src/jitsi/prosody.ts'
import { systemdFiles } from '../../src/jitsi/systemd.ts'
import { webFile } from '../../src/jitsi/web.ts'
import { fillTemplate } from '../../src/templates.ts'

const PUBLISHED: Published = {
  url: 'https://auth.example.org',
  realm: ['meet', 'staff'],
  allowKeysFrom: [],
  keyserver: 'https://meet.example.org/kjitsi-keys',
  told: [],
}
const NO_ENV: ReadonlyMap<string, string> = new Map()
const IMAGE = 'registry.example.org/kjitsi:1.2.3'
const FACTS: Facts = {
  issuers: ['https://auth.example.org/realms/meet', 'https://auth.example.org/realms/staff'],
  audiences: ['account', 'jitsi'],
  appId: 'jitsi',
  keyserver: 'http://kjitsi.jitsi.svc.cluster.local:9000/certs',
  guests: false,
  signType: 'RS512',
  moderators: 'everyone',
}
const LOGIN = loginOf('https://auth.example.org/realms/meet', 'jitsi', 'https://meet.example.org')

const DOMAIN = 'meet.example.org'
const ONE_REALM = {
  ...FACTS,
  issuers: FACTS.issuers.slice(0, 1),
  keys: 'both',
  moderators: 'role',
} as const
const HOST = { domain: DOMAIN, roomClaim: true, keySet: undefined }

function kubernetes(published: Partial<Published>, cronjob: boolean, image = IMAGE): ConfigFile {
  return kubernetesFile(
    { ...PUBLISHED, ...published },
    { image, namespace: 'jitsi', cronjob, toldToHelm: [] },
  )
}

/** Every file that there is, under the name of its golden one. */
const FILES: readonly (readonly [golden: string, make: () => ConfigFile])[] = [
  ['nginx.conf', () => nginxFile(PUBLISHED, '.env', NO_ENV)],
  [
    'nginx-debian.conf',
    () => nginxFile({ ...PUBLISHED, keyserver: 'https://meet.example.org/_api/public' }, '.env', undefined),
  ],
  ...[0, 1, 2].map((i) => {
    const file = systemdFiles(PUBLISHED, '/srv/jitsi keys')[i]
    if (file === undefined) throw new Error(`no unit ${i}`)
    return [file.name, () => file] as const
  }),
  ['kjitsi.yml', () => composeFile({ ...PUBLISHED, keyserver: 'http://kjitsi:9000/certs' }, IMAGE, '.env')],
  ['kjitsi.yaml', () => kubernetes({ keyserver: FACTS.keyserver }, false)],
  ['kjitsi-cronjob.yaml', () => kubernetes({}, true)],
  ['kjitsi-values.yaml', () => helmFile(FACTS)],
  ['custom-config.js', () => webFile(LOGIN, undefined, false)],
  ['meet.example.org-config.js', () => webFile(LOGIN, DOMAIN, false)],
  ['zz-kjitsi.cfg.lua', () => prosodyFile({ ...HOST, domain: 'meet.jitsi' }, ONE_REALM)],
  ['meet.example.org.cfg.lua', () => debianProsodyFile(HOST, ONE_REALM)],
]

function textOf({ template, values }: ConfigFile): string {
  return fillTemplate(readFileSync(new URL(`../../templates/${template}`, import.meta.url), 'utf8'), values)
}

describe('the texts', () => {
  test.each(FILES)('%s', async (golden, make) => {
    await expect(textOf(make())).toMatchFileSnapshot(`golden/${golden}`)
  })

  test('every template is used by some kind, and every golden file is compared', () => {
    const filesIn = (folder: string): readonly string[] =>
      readdirSync(new URL(folder, import.meta.url), { recursive: true, encoding: 'utf8' }).filter((name) =>
        /\.\w+$/.test(name),
      )
    const used = FILES.map(([, make]) => make().template)
    expect(filesIn('../../templates/').filter((name) => !used.includes(name))).toEqual(['jitsi.env'])
    expect([...filesIn('./golden/')].sort()).toEqual(FILES.map(([golden]) => golden).sort())
  })
})

describe('the path that nginx serves', () => {
  test.each([
    ['https://meet.example.org/a/b', '"/a/b/"'],
    ['https://meet.example.org/a%20b', '"/a b/"'],
    ['https://meet.example.org/%22%5C', '"/\\"\\\\/"'],
    ['http://web:8000/kjitsi-keys', '"/kjitsi-keys/"'],
  ])('%s', (keyserver, location) => {
    expect(nginxFile({ ...PUBLISHED, keyserver }, '.env', NO_ENV).values['LOCATION']).toBe(location)
  })

  test.each([
    ['https://meet.example.org', 'has no path'],
    ['https://meet.example.org/$uri', 'a dollar sign'],
    ['https://meet.example.org/%24', 'a dollar sign'],
    ['https://meet.example.org/a%0Ab', 'a newline'],
    ['https://meet.example.org/%FF', 'no UTF-8'],
    ['https://meet.example.org/a//b', 'an empty part'],
    ['https://meet.example.org/a%2F%2Fb', 'an empty part'],
    ['https://meet.example.org/a%2F..%2Fb', '. or ..'],
    ['https://meet.example.org/%2F', 'has no path'],
  ])('%s is refused', (keyserver, message) => {
    expect(() => nginxFile({ ...PUBLISHED, keyserver }, '.env', NO_ENV)).toThrow(message)
  })
})

test('the Debian packages serve no other address than theirs', () => {
  expect(() => nginxFile(PUBLISHED, '.env', undefined)).toThrow('/_api/public')
})

describe('literals', () => {
  const HIDDEN = [
    '\n',
    '\r',
    '\0',
    '\u001B',
    '\u0085',
    '\u2028',
    '\u2029',
    '\u202E',
    '\u2066',
    '\uFEFF',
    '\uFFFE',
    '\uDC80',
  ]
  const writers = {
    nginxString,
    luaString,
    unitArgument,
    unitPath,
    yamlString,
    yamlExpanded,
    helmString,
    unitAssignment: (_: string, value: string) => unitAssignment('KEY', value),
    shellWords: (what: string, value: string) => shellWords(what, [value]),
  }
  test.each(Object.entries(writers))('%s refuses what cannot be seen in a file', (_, write) => {
    for (const character of HIDDEN) {
      expect(() => write('--realm', `a${character}b`), JSON.stringify(character)).toThrow(
        expect.objectContaining({ code: 'usage' }) as Error,
      )
    }
    expect(() => write('--realm', 'naïve 😀 名')).not.toThrow()
  })

  test.each([
    [nginxString, '$', 'a dollar sign'],
    [unitPath, '"', 'a double quote'],
    [unitPath, '\\', 'a backslash'],
    [luaString, '"', 'a double quote'],
    [luaString, '\\', 'a backslash'],
    [helmString, '{{ .Values }}', 'two braces'],
  ])('%o refuses %s', (write, value, name) => {
    expect(() => write('--realm', value)).toThrow(`--realm ${JSON.stringify(value)} holds ${name}, which`)
  })

  test.each([
    [['a,b'], 'a comma'],
    [[' a'], 'a space'],
    [['a '], 'a space'],
  ])('a list for the environment refuses %j', (items, name) => {
    expect(() => settingList('--realm', items)).toThrow(name)
  })

  test.each([
    [['--url', 'https://a.example/b'], '--url https://a.example/b'],
    [['a b', "it's", '$x', '#', ''], `'a b' 'it'\\''s' '$x' '#' ''`],
  ])('words of a shell: %j', (words, line) => {
    expect(shellWords('', words)).toBe(line)
  })
})

describe('whatever the values, YAML gives them back, or they were refused', () => {
  const hostile = fc.oneof(
    fc.string({ minLength: 1, unit: 'grapheme' }),
    fc.string({ minLength: 1, unit: 'binary' }),
    fc
      .array(
        fc.constantFrom(
          '"',
          '\\',
          '\\n',
          '#',
          ' #',
          ': ',
          '- ',
          '{',
          '}',
          '{{',
          '$',
          '$(A)',
          '&',
          '*',
          '!',
          '%',
          '---',
          "'",
        ),
        {
          minLength: 1,
        },
      )
      .map((parts) => parts.join('')),
  )

  interface Container {
    readonly image: string
    readonly env?: readonly { readonly name: string; readonly value: string }[]
  }

  function containersIn(value: unknown): readonly Container[] {
    if (typeof value !== 'object' || value === null) return []
    const found = Object.values(value).flatMap(containersIn)
    return 'image' in value ? [value as Container, ...found] : found
  }

  test.each([[false], [true]])('kubernetes, cronjob %s', (cronjob) => {
    fc.assert(
      fc.property(hostile, hostile, hostile, (url, realm, image) => {
        const file = refusedOr(() => kubernetes({ url, realm: [realm] }, cronjob, image))
        if (file === undefined) return
        const documents = parseAllDocuments(textOf(file), { version: '1.2', strict: true })
        expect(documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])).toEqual([])
        expect(documents.length).toBe(cronjob ? 5 : 3)
        const containers = containersIn(documents.map((document) => document.toJS() as unknown))
        expect(containers.filter((one) => one.image === image)).toHaveLength(cronjob ? 3 : 1)
        const { env: variables = [] } = containers.find(({ env }) => env !== undefined) ?? {}
        const env = Object.fromEntries(variables.map(({ name, value }) => [name, expanded(value)]))
        expect(env).toMatchObject({ KEYCLOAK_URL: url, KEYCLOAK_REALM: realm })
      }),
    )
  })

  test('helm', () => {
    fc.assert(
      fc.property(hostile, hostile, hostile, (issuer, audience, appId) => {
        const facts: Facts = { ...FACTS, issuers: [issuer], audiences: [audience], appId }
        const file = refusedOr(() => helmFile(facts))
        if (file === undefined) return
        const [document, ...others] = parseAllDocuments(textOf(file), { strict: true })
        expect(others).toEqual([])
        const env = new Map(envValues(facts, new Map([['JWT_SIGN_TYPE', 'RS512']])))
        for (const key of ['ENABLE_AUTH', 'ENABLE_GUESTS', 'JICOFO_ENABLE_AUTH', 'ENABLE_AUTO_OWNER'])
          env.delete(key)
        expect(document?.toJS()).toEqual({
          enableAuth: true,
          enableGuests: false,
          prosody: { extraEnvs: Object.fromEntries(env) },
          jicofo: { extraEnvs: { AUTH_TYPE: 'jwt', JICOFO_ENABLE_AUTH: '0', ENABLE_AUTO_OWNER: '0' } },
        })
        // jitsi-helm hands each of these to Go's templates.
        expect(stringify(document?.toJS())).not.toContain('{{')
      }),
    )
  })
})

/** The result, undefined where a value was refused. Any other failure is one. */
function refusedOr<T>(act: () => T): T | undefined {
  try {
    return act()
  } catch (error) {
    expect(error).toMatchObject({ code: 'usage' })
    return undefined
  }
}

/** What Kubernetes makes of a value: `$$` is `$`, and `$(NAME)` is a variable. */
function expanded(value: string): string {
  return value.replace(/\$(\$|\([^)]*\))/g, (found) => (found === '$$' ? '$' : 'VARIABLE'))
}
