import { describe, expect, it } from 'vitest'
import { type Facts, defaultAudiences, envValues, isOn, keyserverOf } from '../../src/jitsi/config.ts'

const FACTS: Facts = {
  issuers: ['https://auth.example.org/realms/meet'],
  audiences: ['account', 'jitsi'],
  appId: 'jitsi',
  keyserver: 'https://meet.example.org/keys',
  guests: true,
  signType: 'RS256',
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
      /^JWT_ACCEPTED_AUDIENCES \(--audience or KJITSI_AUDIENCE\) "a\\nb" holds a newline/,
    ],
    [
      { keyserver: 'http://a/"' },
      /^JWT_ASAP_KEYSERVER \(--keyserver or KJITSI_KEYSERVER\) .* holds a double quote/,
    ],
  ])('refuse %j by name', (facts, message) => {
    expect(() => envValues({ ...FACTS, ...facts }, NONE)).toThrow(message)
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
