// Each kind of file, from facts to text. What other programs make of the texts is tested in test/tools.
import fc from 'fast-check'
import { readFileSync, readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseAllDocuments, stringify } from 'yaml'
import { genConfig } from '../../src/commands/gen-config.ts'
import { type Facts, envValues } from '../../src/jitsi/config.ts'
import type { ConfigFile, Keycloak, Place } from '../../src/jitsi/config-file.ts'
import { KINDS } from '../../src/jitsi/configs.ts'
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
import { fillTemplate } from '../../src/templates.ts'

const PLACE: Place = {
  keyserver: 'https://meet.example.org/kjitsi-keys',
  debian: false,
  cronjob: false,
  namespace: 'jitsi',
  image: 'registry.example.org/kjitsi:1.2.3',
  keysDir: undefined,
  domain: 'meet.example.org',
  roomClaim: true,
  told: {
    client: [],
    appId: [],
    audience: [],
    guests: [],
    signType: [],
    moderators: [],
    keys: [],
  },
  envFile: '.env',
  configFolder: '~/.jitsi-meet-cfg',
}
const KEYCLOAK: Keycloak = { url: 'https://auth.example.org', realm: ['meet', 'staff'], allowKeysFrom: [] }
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

function make(
  name: string,
  place: Partial<Place> = {},
  keycloak = KEYCLOAK,
  facts = FACTS,
): readonly ConfigFile[] {
  const kind = KINDS[name]
  if (kind === undefined) throw new Error(`no kind ${name}`)
  const there = { ...PLACE, ...place }
  return kind.from === 'facts'
    ? kind.files(there, name === 'web' ? { ...facts, login: LOGIN } : facts)
    : kind.files(there, keycloak)
}

function textOf({ template, values }: ConfigFile): string {
  return fillTemplate(readFileSync(new URL(`../../templates/${template}`, import.meta.url), 'utf8'), values)
}

describe('the texts', () => {
  test.each([
    ['nginx', {}],
    ['nginx-debian', { debian: true, keyserver: 'https://meet.example.org/_api/public' }],
    ['systemd', { keysDir: '/srv/jitsi keys' }],
    ['compose', { keyserver: 'http://kjitsi:9000/certs' }],
    ['kubernetes', { keyserver: 'http://kjitsi.jitsi.svc.cluster.local:9000/certs' }],
    ['kubernetes-cronjob', { cronjob: true }],
    ['helm', {}],
    ['web', {}],
    ['web-debian', { debian: true }],
    ['prosody', { domain: 'meet.jitsi' }],
    ['prosody-debian', { debian: true, keyserver: 'https://meet.example.org/_api/public' }],
  ])('%s', async (name, place) => {
    const one = {
      ...FACTS,
      issuers: FACTS.issuers.slice(0, 1),
      keys: 'both',
      moderators: 'role',
    } as const
    const facts = name.startsWith('prosody') ? one : FACTS
    const files = make(name.replace(/-.*/, ''), place, KEYCLOAK, facts)
    for (const file of files) {
      await expect(textOf(file)).toMatchFileSnapshot(
        `golden/${file.name === 'kjitsi.conf' ? `${name}.conf` : file.name}`,
      )
    }
  })

  test('every template is used by some kind', () => {
    const used = [
      ...Object.keys(KINDS).flatMap((name) => make(name)),
      ...make('nginx', { debian: true, keyserver: 'https://meet.example.org/_api/public' }),
      ...make('kubernetes', { cronjob: true }),
      ...make('web', { debian: true }),
      ...make('prosody', { debian: true }),
    ].map(({ template }) => template)
    const there = readdirSync(new URL('../../templates/', import.meta.url), {
      recursive: true,
      encoding: 'utf8',
    })
    const files = there.filter((name) => /\.\w+$/.test(name) && !used.includes(name))
    expect(files).toEqual(['jitsi.env'])
  })
})

test('the command takes every setting that a kind reads, and its help names every kind', () => {
  const read = new Set(Object.values(KINDS).flatMap(({ settings }) => settings))
  expect(Object.keys(genConfig.settings).sort()).toEqual([...read, 'dryRun', 'check'].sort())
  for (const kind of Object.keys(KINDS)) {
    expect(genConfig.summary).toContain(kind)
    expect(genConfig.args[0]?.[1]).toContain(kind)
  }
})

describe('the path that nginx serves', () => {
  test.each([
    ['https://meet.example.org/a/b', '"/a/b/"'],
    ['https://meet.example.org/a%20b', '"/a b/"'],
    ['https://meet.example.org/%22%5C', '"/\\"\\\\/"'],
    ['http://web:8000/kjitsi-keys', '"/kjitsi-keys/"'],
  ])('%s', (keyserver, location) => {
    expect(make('nginx', { keyserver })[0]?.values['LOCATION']).toBe(location)
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
    expect(() => make('nginx', { keyserver })).toThrow(message)
  })
})

test('the Debian packages serve no other address than theirs', () => {
  expect(() => make('nginx', { debian: true })).toThrow('/_api/public')
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
        const files = refusedOr(() =>
          make('kubernetes', { cronjob, image }, { url, realm: [realm], allowKeysFrom: [] }),
        )
        if (files === undefined) return
        const documents = files.flatMap((file) =>
          parseAllDocuments(textOf(file), { version: '1.2', strict: true }),
        )
        expect(documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])).toEqual([])
        expect(documents.length).toBe(cronjob ? 5 : 3)
        const [first, second] = containersIn(documents.map((document) => document.toJS() as unknown))
        expect(first?.image).toBe(image)
        if (cronjob) expect(second?.image).toBe(image)
        const env = Object.fromEntries((first?.env ?? []).map(({ name, value }) => [name, expanded(value)]))
        expect(env).toMatchObject({ KEYCLOAK_URL: url, KEYCLOAK_REALM: realm })
      }),
    )
  })

  test('helm', () => {
    fc.assert(
      fc.property(hostile, hostile, hostile, (issuer, audience, appId) => {
        const facts: Facts = { ...FACTS, issuers: [issuer], audiences: [audience], appId }
        const files = refusedOr(() => make('helm', {}, KEYCLOAK, facts))
        if (files === undefined) return
        const [document, ...others] = files.flatMap((file) =>
          parseAllDocuments(textOf(file), { strict: true }),
        )
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
