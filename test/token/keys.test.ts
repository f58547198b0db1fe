import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { readKeySet, readPem } from '../../src/token/keys.ts'
import { ellipticPem } from '../support/keys.ts'
import { CORPUS } from '../support/corpus.ts'
import { JWK, KID, PEM } from '../support/tokens.ts'

const odd = Object.values(CORPUS.installations.find(({ id }) => id === 'odd-files')?.certs ?? {})
const cert = odd.find((text) => text.startsWith('-----BEGIN CERTIFICATE')) ?? ''
const ec = ellipticPem()
const privatePem = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  .privateKey.export({ type: 'sec1', format: 'pem' })
  .toString()
const pkcs1 = createPublicKey(PEM).export({ type: 'pkcs1', format: 'pem' }).toString()
const bare = PEM.replace(/-----[^\n]*-----\n/g, '')

// Each was tried on luaossl with OpenSSL 3, which Prosody uses.
describe('a PEM file', () => {
  test.each([
    ['as kjitsi writes it', PEM],
    ['with CRLF', PEM.replaceAll('\n', '\r\n')],
    ['in one line', `-----BEGIN PUBLIC KEY-----\n${bare.replaceAll('\n', '')}\n-----END PUBLIC KEY-----\n`],
    ['with a byte order mark', `\uFEFF${PEM}`],
    ['with text before and after', `# of the realm\n${PEM}\n# end\n`],
    ['without a last newline', PEM.trimEnd()],
    ['with blanks at the ends of lines', PEM.replaceAll('\n', ' \n')],
    ['with an empty line first', PEM.replace('-----\n', '-----\n\n')],
    ['behind a certificate', cert + PEM],
    ['PKCS#1', pkcs1],
    ['the label of PKCS#1 on what is none', PEM.replaceAll('PUBLIC', 'RSA PUBLIC')],
    ['an EC key', ec],
  ])('%s is read', (_, text) => {
    expect(readPem(text).is).toBe('key')
  })

  test.each([
    ['a certificate', cert, 'a certificate, not a public key'],
    ['a web page', '<!doctype html><title>Jitsi Meet</title>', 'a web page'],
    ['a key set', '{"keys":[]}', 'JSON'],
    ['nothing', '\n', 'empty'],
    ['base64 alone', bare, 'no PEM'],
    ['newlines lost', PEM.replaceAll('\n', ' '), 'PEM with its lines spoilt'],
    ['newlines as \\n', PEM.replaceAll('\n', '\\n'), 'PEM with its lines spoilt'],
    ['newlines as CR', PEM.replaceAll('\n', '\r'), 'PEM with its lines spoilt'],
    ['indented', PEM.replace(/^/gm, '  '), 'PEM with its lines spoilt'],
    ['cut', PEM.slice(0, 200), 'PEM with its lines spoilt'],
    [
      'PKCS#1 under the wrong label',
      pkcs1.replaceAll('RSA PUBLIC', 'PUBLIC'),
      'PEM that holds no public key',
    ],
  ])('%s makes Prosody throw', (_, text, what) => {
    expect(readPem(text)).toEqual({ is: 'unreadable', what })
  })

  test.each([
    ['a private key', privatePem],
    ['a character that is no base64', PEM.replace('\nMII', '\n!II')],
    ['lines of different lengths', PEM.replace(/\n(.{10})/, '\n$1\n')],
    ...['\f', '\v', '\0', '\uFEFF', '\u00A0', '\u0001 ', '\uFFFD'].flatMap((odd): [string, string][] => [
      [`a first line that ends in ${JSON.stringify(odd)}`, PEM.replace('KEY-----\n', `KEY-----${odd}\n`)],
      [`a last line that ends in ${JSON.stringify(odd)}`, PEM.replace(/-----\n$/, `-----${odd}\n`)],
    ]),
    ['a spoilt block before a good one', cert.replace('-----END', '----END') + PEM],
  ])('%s is left undetermined', (_, text) => {
    expect(readPem(text).is).toBe('undetermined')
  })
})

describe('a key set', () => {
  const read = (...keys: readonly object[]): ReturnType<typeof readKeySet> =>
    readKeySet(JSON.stringify({ keys }))
  const curve = { kid: KID, kty: 'EC', crv: 'P-256', x: 'a', y: 'b' }

  test('counts every key with n and e, whatever it is for, under whatever kid', () => {
    const set = read(
      { ...JWK, use: 'enc', alg: 'RSA-OAEP' },
      { ...JWK, kid: 7 },
      { ...JWK, kid: undefined },
      { ...curve, kid: 'ec' },
    )
    expect(set === 'undetermined' ? [] : [...set.keys()]).toEqual([KID, 7])
  })

  test('of two keys with one kid the last counts, also where it is none', () => {
    expect(read(JWK, curve)).toEqual(new Map())
    expect(read(curve, JWK)).toEqual(new Map([[KID, expect.objectContaining({ is: 'key' })]]))
  })

  test.each([
    ...[
      '<html>',
      '[]',
      'null',
      '5',
      '"x"',
      '{"keys":{}}',
      '{"keys":[]}',
      '{"keys":null}',
      '{"keys":[],}',
      '{}',
    ],
    ...[
      '\uFEFF{"keys":[]}',
      '{"keys":[',
      '{"a":7}',
      '{"a":"not a key"}',
      '{"data":{"keys":[]}}',
      '{"keys":[],"v":1}',
    ],
    `{"a":${JSON.stringify('-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n')}}`,
  ])('%s holds none', (text) => {
    expect(readKeySet(text)).toEqual(new Map())
  })

  test.each<[string, object]>([
    ['null', [null]],
    ['a number', [5]],
    ['true', [true]],
    ['an entry whose n is a number', [{ kid: 'b', n: 5, e: 'AQAB' }]],
    ['an entry whose n is null', [{ kid: 'b', n: null, e: 'AQAB' }]],
    ['an entry whose n is empty', [{ kid: 'b', n: '', e: 'AQAB' }]],
    ['an entry whose n is no base64', [{ kid: KID, n: '!', e: 'AQAB' }]],
  ])('ends at %s', (_, entries) => {
    const set = read(JWK, ...(entries as object[]), { ...JWK, kid: 'c' })
    expect(set === 'undetermined' ? [] : [...set.keys()]).toEqual([KID])
  })

  test.each([
    ['a text', ['x']],
    ['a list', [[]]],
    ['nothing that it needs', [{}]],
  ])('passes over %s', (_, entries) => {
    const set = read(...(entries as unknown as object[]), JWK)
    expect(set === 'undetermined' ? [] : [...set.keys()]).toEqual([KID])
  })

  test('takes n and e in either alphabet, padded, and with zeros before them', () => {
    const n = Buffer.concat([Buffer.alloc(1), Buffer.from(JWK.n ?? '', 'base64url')]).toString('base64')
    const set = read({ ...JWK, n, e: 'AAEAAQ' })
    const key = set === 'undetermined' ? undefined : set.get(KID)
    expect(key?.is === 'key' && key.key.export({ type: 'spki', format: 'pem' })).toBe(PEM)
  })

  test('may be a map of certificates, beside a JWKS or alone, and a list is one by number', () => {
    const kidsOf = (json: unknown): unknown => {
      const set = readKeySet(JSON.stringify(json))
      return set === 'undetermined' ? set : [...set.keys()]
    }
    expect(kidsOf({ a: cert, note: 'x', keys: [JWK] })).toEqual([KID, 'a'])
    expect(kidsOf({ a: cert.replaceAll('\n', '\r\n'), keys: cert })).toEqual(['a', 'keys'])
    expect(kidsOf([cert])).toEqual([1])
    expect(kidsOf({ a: ` ${cert}`, b: PEM })).toEqual([])
    // Lua goes through a map in no order: what it throws at may come first or last.
    expect(kidsOf({ a: cert, b: 7 })).toBe('undetermined')
    expect(kidsOf({ v: 1, keys: [JWK] })).toBe('undetermined')
    expect(kidsOf({ a: cert, keys: [JWK, null] })).toBe('undetermined')
    expect(kidsOf({ a: cert.replace('-----\n', '-----\f\n') })).toBe('undetermined')
  })

  test.each([['{"keys":[NaN]}'], ['{"keys":[false]}'], ['{"keys":[{"kid":"a","n":false,"e":"AQAB"}]}']])(
    '%s is left undetermined',
    (text) => {
      expect(readKeySet(text)).toBe('undetermined')
    },
  )
})
