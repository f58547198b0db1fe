import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Facts,
  defaultAudiences,
  envValues,
  factsOf,
  isOn,
  keyserverOf,
} from '../../src/jitsi/config.ts'
import type { Moderators } from '../../src/jitsi/moderation.ts'

const FACTS: Facts = {
  issuers: ['https://auth.example.org/realms/meet'],
  audiences: ['account', 'jitsi'],
  appId: 'jitsi',
  keyserver: 'https://meet.example.org/keys',
  guests: true,
  signType: 'RS256',
  moderators: 'everyone',
}
const NONE: ReadonlyMap<string, string> = new Map()

describe('envValues', () => {
  it('are what Prosody, Jicofo and the web client need', () => {
    expect([...envValues(FACTS, NONE)]).toEqual([
      ['ENABLE_AUTH', '1'],
      ['ENABLE_GUESTS', '1'],
      ['AUTH_TYPE', 'jwt'],
      ['JWT_APP_ID', 'jitsi'],
      ['JWT_ACCEPTED_ISSUERS', 'https://auth.example.org/realms/meet'],
      ['JWT_ACCEPTED_AUDIENCES', 'account,jitsi'],
      ['JWT_ASAP_KEYSERVER', 'https://meet.example.org/keys'],
      ['JICOFO_ENABLE_AUTH', '0'],
      ['ENABLE_AUTO_OWNER', '0'],
      ['XMPP_MODULES', 'persistent_lobby'],
      ['XMPP_MUC_MODULES', 'muc_wait_for_host'],
      ['WAIT_FOR_HOST_DISABLE_AUTO_OWNERS', 'false'],
    ])
  })

  it.each<[Partial<Facts>, Record<string, string>]>([
    [{ guests: false }, { ENABLE_GUESTS: '0' }],
    [
      { issuers: ['https://a/realms/1', 'https://a/realms/2'] },
      { JWT_ACCEPTED_ISSUERS: 'https://a/realms/1,https://a/realms/2' },
    ],
    [{ audiences: ['jitsi', 'jitsi'] }, { JWT_ACCEPTED_AUDIENCES: 'jitsi' }],
    [{ signType: 'RS512' }, { JWT_SIGN_TYPE: 'RS512' }],
  ])('%j', (facts, values) => {
    expect(Object.fromEntries(envValues({ ...FACTS, ...facts }, NONE))).toMatchObject(values)
  })

  it.each([
    ['RS512', 'RS256'],
    ['HS256', 'RS256'],
    ['RS256', 'RS256'],
    ['', undefined],
  ])('set a signature type of %j in the file to %j', (before, after) => {
    expect(envValues(FACTS, new Map([['JWT_SIGN_TYPE', before]])).get('JWT_SIGN_TYPE')).toBe(after)
  })

  it.each<[Partial<Facts>, RegExp]>([
    [{ appId: 'a"b' }, /^JWT_APP_ID \(--app-id or KJITSI_APP_ID\) "a\\"b" holds a double quote/],
    [
      { issuers: ['ok', 'a\\b'] },
      /^JWT_ACCEPTED_ISSUERS \(--issuer or KJITSI_ISSUER\) "a\\\\b" holds a backslash/,
    ],
    [{ issuers: ['a,b'] }, /^JWT_ACCEPTED_ISSUERS .* holds a comma/],
    [
      { audiences: ['a\nb'] },
      /^JWT_ACCEPTED_AUDIENCES \(--accept-audience or KJITSI_ACCEPT_AUDIENCE\) "a\\nb" holds a newline/,
    ],
    [
      { keyserver: 'http://a/"' },
      /^JWT_ASAP_KEYSERVER \(--keyserver or KJITSI_KEYSERVER\) .* holds a double quote/,
    ],
  ])('refuse %j by name', (facts, message) => {
    expect(() => envValues({ ...FACTS, ...facts }, NONE)).toThrow(message)
  })
})

describe('who moderates', () => {
  const KEYS = ['ENABLE_AUTO_OWNER', 'XMPP_MODULES', 'XMPP_MUC_MODULES', 'WAIT_FOR_HOST_DISABLE_AUTO_OWNERS']
  /** The four variables and ENABLE_GUESTS, `-` for one that is not written. */
  const values = (facts: Partial<Facts>, before: Record<string, string> = {}): readonly string[] => {
    const all = envValues({ ...FACTS, ...facts }, new Map(Object.entries(before)))
    expect(all.get('JICOFO_ENABLE_AUTH')).toBe('0')
    return [...KEYS, 'ENABLE_GUESTS'].map((key) => all.get(key) ?? '-')
  }
  const role = 'role'

  it.each<[Facts['moderators'], boolean, string[]]>([
    [role, true, ['0', 'persistent_lobby', 'muc_wait_for_host,token_affiliation', 'true', '1']],
    [role, false, ['0', '-', 'token_affiliation', 'true', '0']],
    ['everyone', true, ['0', 'persistent_lobby', 'muc_wait_for_host', 'false', '1']],
    ['everyone', false, ['0', 'persistent_lobby', 'muc_wait_for_host', 'false', '0']],
    ['first', true, ['1', 'persistent_lobby', 'muc_wait_for_host', 'true', '1']],
    ['first', false, ['1', '-', '-', 'true', '0']],
  ])('%s with guests %s', (moderators, guests, expected) => {
    expect(values({ moderators, guests })).toEqual(expected)
  })

  it.each<[string, string, string]>([
    ['mine', 'yours', 'mine,persistent_lobby|yours,muc_wait_for_host,token_affiliation'],
    [
      'persistent_lobby,mine',
      'token_affiliation',
      'persistent_lobby,mine|token_affiliation,muc_wait_for_host',
    ],
    ['a,,b,', '', 'a,b,persistent_lobby|muc_wait_for_host,token_affiliation'],
    // Jitsi does not trim, so this names another module.
    [' persistent_lobby', '', ' persistent_lobby,persistent_lobby|muc_wait_for_host,token_affiliation'],
  ])('the lists %j and %j are extended', (modules, mucModules, expected) => {
    const before = { XMPP_MODULES: modules, XMPP_MUC_MODULES: mucModules }
    expect(values({ moderators: role }, before).slice(1, 3).join('|')).toBe(expected)
  })

  it.each<[Facts['moderators'], string]>([
    ['everyone', 'x,muc_wait_for_host,y'],
    ['first', 'x,muc_wait_for_host,y'],
    [role, 'x,token_affiliation,muc_wait_for_host,y'],
  ])('with %s, a module that works against it goes', (moderators, expected) => {
    const before = { XMPP_MUC_MODULES: 'x,token_affiliation,muc_wait_for_host,y' }
    expect(values({ moderators }, before)[2]).toBe(expected)
  })

  it('whatever is in the lists stays there in its order, and a second time changes nothing', () => {
    const item = fc.string({ minLength: 1 }).filter((text) => !/[,\s]|^token_affiliation$/.test(text))
    const moderators = fc.constantFrom<Facts['moderators']>(role, 'everyone', 'first')
    fc.assert(
      fc.property(fc.array(item), moderators, fc.boolean(), (items, who, guests) => {
        const facts = { ...FACTS, moderators: who, guests }
        const before = new Map(['XMPP_MODULES', 'XMPP_MUC_MODULES'].map((key) => [key, items.join(',')]))
        const after = envValues(facts, before)
        for (const key of before.keys()) {
          expect((after.get(key) ?? '').split(',').slice(0, items.length)).toEqual(
            items.length > 0 ? items : [],
          )
        }
        expect(envValues(facts, after)).toEqual(after)
      }),
    )
  })
})

describe('factsOf', () => {
  const settings = {
    client: 'jitsi',
    audience: [],
    appId: undefined,
    guests: true,
    signType: 'RS256',
  } as const

  it.each<[Moderators | undefined, Facts['moderators'] | undefined, Facts['moderators']]>([
    [undefined, undefined, 'everyone'],
    [undefined, 'role', 'role'],
    ['first', 'role', 'first'],
    [{ role: 'owner' }, 'everyone', 'role'],
  ])('%j over %s: %s', (moderators, byDefault, expected) => {
    expect(factsOf({ ...settings, moderators }, ['a'], '', undefined, byDefault).moderators).toBe(expected)
  })
})

describe('how Prosody comes by the keys', () => {
  const CERTS = 'cache_keys_url="https://auth.example.org/realms/meet/protocol/openid-connect/certs"'
  const values = (
    keys: Facts['keys'],
    before: Record<string, string> = {},
  ): readonly (string | undefined)[] => {
    const all = envValues({ ...FACTS, keys }, new Map(Object.entries(before)))
    return [all.get('JWT_ASAP_KEYSERVER'), all.get('XMPP_CONFIGURATION')]
  }
  const PEM = 'https://meet.example.org/keys'

  it.each<[Facts['keys'], string | undefined, string | undefined]>([
    [undefined, PEM, undefined],
    ['pem', PEM, undefined],
    ['jwks', undefined, CERTS],
    ['both', PEM, CERTS],
  ])('%s', (keys, keyserver, configuration) => {
    expect(values(keys)).toEqual([keyserver, configuration])
  })

  it.each<[Facts['keys'], string, string | undefined]>([
    ['both', 'a=1', `a=1,${CERTS}`],
    ['both', CERTS, CERTS],
    ['jwks', 'cache_keys_url = "https://old.example.org",a={"b";"c"}', `a={"b";"c"},${CERTS}`],
    ['pem', `a=1,${CERTS}`, 'a=1'],
    ['pem', CERTS, ''],
    ['pem', 'a=1', 'a=1'],
    [undefined, CERTS, undefined],
  ])('%s after %j', (keys, before, after) => {
    expect(values(keys, { XMPP_CONFIGURATION: before })[1]).toBe(after)
  })

  it('a key server that is there goes with jwks', () => {
    expect(values('jwks', { JWT_ASAP_KEYSERVER: 'https://old' })[0]).toBe('')
  })

  it('one key set is of one realm', () => {
    const settings = {
      client: 'jitsi',
      audience: [],
      appId: undefined,
      guests: true,
      signType: 'RS256',
    } as const
    const issuers = ['https://a/realms/1', 'https://a/realms/2']
    expect(() => factsOf({ ...settings, keys: 'both' }, issuers, '')).toThrow(
      '--keys both serves one realm only',
    )
    expect(factsOf({ ...settings, keys: 'pem' }, issuers, '')).toMatchObject({ issuers })
  })
})

it.each([
  ['https://given', 'https://before', 'https://given'],
  [undefined, 'https://before', 'https://before'],
  [undefined, 'https://before/keys//', 'https://before/keys'],
  [undefined, '', 'http://localhost:9000/certs'],
  [undefined, '/', 'http://localhost:9000/certs'],
  [undefined, undefined, 'http://localhost:9000/certs'],
])('the key server given as %j and in the file as %j is %j', (given, before, address) => {
  expect(keyserverOf(given, new Map(before === undefined ? [] : [['JWT_ASAP_KEYSERVER', before]]))).toBe(
    address,
  )
})

it('the default audiences are those of a plain user and of a client with its own', () => {
  expect(defaultAudiences('meet')).toEqual(['account', 'meet'])
})

it.each([
  ['1', true],
  ['0', false],
  ['true', true],
  ['false', false],
  ['False', false],
  ['FALSE', false],
  ['f', false],
  ['F', false],
  ['no', true],
  ['off', true],
  ['fALSE', true],
  ['', false],
  [undefined, false],
])('the switch %j is on: %s', (value, expected) => {
  expect(isOn(value)).toBe(expected)
})

it('a switch that is not set is as it is by default', () => {
  expect(isOn('', true)).toBe(true)
  expect(isOn('0', true)).toBe(false)
})
