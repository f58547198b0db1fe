import fc from 'fast-check'
import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readKeys } from '../../src/certs/jwks.ts'
import { fileNameOf, keyOfPem, keysOf, nameOfKey, shownKid } from '../../src/certs/key.ts'
import { ellipticPem, rsaKey } from '../support/keys.ts'

const ARTICLE_KID = '1DKOk8q4Dc9BSgDLmksFemg5lEGuoYQvYrHVOnXNj3k'
const ARTICLE_FILE = 'e15452c2c03fc8afdb1d558953ab30ffd235a622fad1175de7f791a3c86eb08d.pem'

const { n, e } = rsaKey().jwk
const GOOD = { kid: 'k', kty: 'RSA', alg: 'RS256', use: 'sig', n, e }

function pems(...keys: readonly unknown[]): ReturnType<typeof keysOf> {
  return keysOf({ source: 'here', address: 'here', keys })
}

/** A modulus of so many bits, its first and last bit set. */
function modulus(bits: number, last = 1): string {
  const bytes = Buffer.alloc(Math.ceil(bits / 8), 0xa5)
  bytes[0] = 1 << ((bits - 1) % 8)
  bytes[bytes.length - 1] = 0xa4 | last
  return bytes.toString('base64url')
}

test('the file has the name that Prosody asks for', () => {
  expect(fileNameOf(ARTICLE_KID)).toBe(ARTICLE_FILE)
  expect(fileNameOf('é')).toBe(
    `${createHash('sha256')
      .update(Buffer.from([0xc3, 0xa9]))
      .digest('hex')}.pem`,
  )
})

test('a key set gives its usable keys, and names the others', () => {
  const keys = readKeys(readFileSync(new URL('../fixtures/jwks.json', import.meta.url), 'utf8'))
  const set = pems(...(keys as unknown[]))
  expect(set.keys.map(({ kid, file, alg, bits }) => [kid, file, alg, bits])).toEqual([
    [ARTICLE_KID, ARTICLE_FILE, 'RS256', 2048],
    ['second key', fileNameOf('second key'), 'RS512', 3072],
  ])
  expect(set.leftOut.map(({ kid, reason }) => `${kid ?? ''}: ${reason}`)).toEqual([
    'for-encryption: use enc: it does not sign tokens',
    'too-short: 1024 bits: too short to be safe, 2048 is the least',
    'probabilistic: alg PS256: Jitsi takes RS256, RS384 and RS512 only',
    'elliptic: kty EC (ES256): Jitsi takes RSA keys only',
  ])
  expect(set.leaks).toEqual([])
})

test('a PEM is a SubjectPublicKeyInfo in lines of 64 columns with a final newline', () => {
  const [key] = pems(GOOD).keys
  const lines = key?.pem.split('\n') ?? []
  expect(lines[0]).toBe('-----BEGIN PUBLIC KEY-----')
  expect(lines.at(-2)).toBe('-----END PUBLIC KEY-----')
  expect(lines.at(-1)).toBe('')
  expect(lines.slice(1, -3).every((line) => line.length === 64)).toBe(true)
  expect(createPublicKey(key?.pem ?? '').export({ format: 'jwk' })).toEqual({ kty: 'RSA', n, e })
})

describe('usable', () => {
  test.each([
    ['without use', { ...GOOD, use: undefined }],
    ['without alg', { ...GOOD, alg: undefined }],
    ['RS384', { ...GOOD, alg: 'RS384' }],
    ['with members that nobody knows', { ...GOOD, x5c: ['MIIC'], __proto__: null, future: {} }],
    ['e = 3', { ...GOOD, e: 'Aw' }],
    ['2048 bits exactly', { ...GOOD, n: modulus(2048) }],
    ['16384 bits exactly', { ...GOOD, n: modulus(16_384) }],
    ['n with zeros before it', { ...GOOD, n: Buffer.from(`0000${hex(n)}`, 'hex').toString('base64url') }],
  ])('%s', (_, jwk) => {
    const set = pems(jwk)
    expect(set).toMatchObject({ keys: [{ kid: 'k' }], leftOut: [], leaks: [] })
    const read = createPublicKey(set.keys[0]?.pem ?? '').export({ format: 'jwk' })
    expect(read.e).toBe(jwk.e)
    expect(hex(read.n ?? '')).toBe(hex(jwk.n).replace(/^(00)+/, ''))
  })
})

describe('left out', () => {
  test.each([
    ['it is no JSON object', null],
    ['it is no JSON object', [GOOD]],
    ['it is no JSON object', 'RSA'],
    ['it has no kty', {}],
    ['kty oct (HS256): Jitsi takes RSA keys only', { kty: 'oct', alg: 'HS256', k: 'AQAB' }],
    ['kty OKP: Jitsi takes RSA keys only', { kty: 'OKP' }],
    ['kty (a number): Jitsi takes RSA keys only', { ...GOOD, alg: undefined, kty: 1 }],
    ['use enc: it does not sign tokens', { ...GOOD, use: 'enc' }],
    ['use (a object): it does not sign tokens', { ...GOOD, use: {} }],
    ['alg PS512: Jitsi takes RS256, RS384 and RS512 only', { ...GOOD, alg: 'PS512' }],
    ['alg "": Jitsi takes RS256, RS384 and RS512 only', { ...GOOD, alg: '' }],
    ['alg "\\u001b[31m": Jitsi takes RS256, RS384 and RS512 only', { ...GOOD, alg: '\u001B[31m' }],
    ['it has no kid, by which Jitsi would ask for it', { ...GOOD, kid: undefined }],
    ['it has no kid, by which Jitsi would ask for it', { ...GOOD, kid: '' }],
    ['it has no kid, by which Jitsi would ask for it', { ...GOOD, kid: 7 }],
    ['its n is no base64url number', { ...GOOD, n: undefined }],
    ['its n is no base64url number', { ...GOOD, n: '' }],
    ['its n is no base64url number', { ...GOOD, n: `${n}==` }],
    ['its n is no base64url number', { ...GOOD, n: n.replace(/^./, '+') }],
    ['its n is no base64url number', { ...GOOD, n: `${n}AAA` }],
    ['0 bits: too short to be safe, 2048 is the least', { ...GOOD, n: 'AAAA' }],
    ['17 bits: too short to be safe, 2048 is the least', { ...GOOD, n: 'AQAB' }],
    ['2047 bits: too short to be safe, 2048 is the least', { ...GOOD, n: modulus(2047) }],
    ['16385 bits: OpenSSL verifies with 16384 at most', { ...GOOD, n: modulus(16_385) }],
    ['5600000 bits: OpenSSL verifies with 16384 at most', { ...GOOD, n: modulus(5_600_000) }],
    ['its n is even, which no RSA modulus is', { ...GOOD, n: modulus(2048, 0) }],
    ['its e is no base64url number', { ...GOOD, e: 65_537 }],
    ['its e is no odd number from 3 to 2^64', { ...GOOD, e: 'AA' }],
    ['its e is no odd number from 3 to 2^64', { ...GOOD, e: 'AQ' }],
    ['its e is no odd number from 3 to 2^64', { ...GOOD, e: 'AQAA' }],
    ['its e is no odd number from 3 to 2^64', { ...GOOD, e: modulus(65) }],
  ])('%s', (reason, jwk) => {
    expect(pems(jwk)).toMatchObject({ keys: [], leftOut: [{ reason, position: 1, source: 'here' }] })
  })
})

describe('private members', () => {
  const { privateJwk: jwk } = rsaKey()

  test('are dropped and reported', () => {
    const set = pems({ ...GOOD, ...jwk })
    expect(set.leaks).toEqual([
      { kid: 'k', position: 1, source: 'here', members: ['d', 'p', 'q', 'dp', 'dq', 'qi'] },
    ])
    expect(createPublicKey(set.keys[0]?.pem ?? '').export({ format: 'jwk' })).toEqual({
      kty: 'RSA',
      n: jwk.n,
      e: jwk.e,
    })
    for (const secret of [jwk.d, jwk.p, jwk.q, jwk.dp, jwk.dq, jwk.qi]) {
      expect(JSON.stringify(set)).not.toContain(secret)
    }
  })

  test.each([
    [{ kty: 'oct', kid: 's', k: 'c2VjcmV0' }, ['k']],
    [{ kty: 'EC', kid: 's', d: 'AQ' }, ['d']],
    [{ ...GOOD, oth: [] }, ['oth']],
    [{ ...GOOD, d: null }, undefined],
  ])('of %j: %j', (leaky, members) => {
    expect(pems(leaky).leaks[0]?.members).toEqual(members)
  })
})

describe('a PEM file is held to the limits of a JWK', () => {
  const { pem } = rsaKey()
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({
    type: 'spki',
    format: 'pem',
  })

  test('and gives the same key', () => {
    const [key] = pems(GOOD).keys
    expect(keyOfPem(key?.pem ?? '', fileNameOf('k'), 'here', 'k')).toEqual({ ...key, alg: null })
  })

  test.each([
    ['of 1024 bits', String(short), '1024 bits: too short to be safe, 2048 is the least'],
    ['elliptic', ellipticPem(), 'it is a key of type ec: Jitsi takes RSA keys only'],
    ['two of them', pem + pem, 'it is not one public key in PEM form'],
    ['a certificate', pem.replaceAll('PUBLIC KEY', 'CERTIFICATE'), 'it is not one public key in PEM form'],
  ])('one %s is left out', (_, text, reason) => {
    expect(keyOfPem(text, 'f', 'here', null)).toBe(reason)
  })
})

describe('names of keys', () => {
  test.each([
    ['plain-kid_1', 'plain-kid_1'],
    ['two words', '"two words"'],
    ['\u001B[31mred\nline', '"\\u001b[31mred\\nline"'],
    ['x'.repeat(200), `${'x'.repeat(99)}…`],
  ])('%j is shown as %s', (kid, shown) => {
    expect(shownKid(kid)).toBe(shown)
  })

  test('a key without a kid is called by its place', () => {
    expect(nameOfKey({ kid: null, position: 3, source: 'a', reason: '' })).toBe('key number 3')
  })
})

describe('whatever the keys are', () => {
  const member = fc.oneof(
    { weight: 6, arbitrary: fc.constant(undefined) },
    fc.jsonValue(),
    fc.base64String(),
    fc.constantFrom('RSA', 'sig', 'enc', 'RS256', 'PS256', 'AQAB', 'AQ', '', n),
  )
  const number = fc.oneof(
    { weight: 3, arbitrary: fc.uint8Array({ minLength: 250, maxLength: 520 }) },
    fc.uint8Array({ maxLength: 12 }),
  )
  const base64url = number.map((bytes) => Buffer.from(bytes).toString('base64url'))
  const nearly = fc.record({
    kty: fc.oneof({ weight: 9, arbitrary: fc.constant('RSA') }, member),
    kid: fc.oneof({ weight: 9, arbitrary: fc.string({ minLength: 1, unit: 'binary' }) }, member),
    use: fc.oneof({ weight: 9, arbitrary: fc.constantFrom('sig', undefined) }, member),
    alg: fc.oneof({ weight: 9, arbitrary: fc.constantFrom('RS256', 'RS384', 'RS512', undefined) }, member),
    n: fc.oneof({ weight: 9, arbitrary: base64url }, member),
    e: fc.oneof({ weight: 9, arbitrary: fc.constantFrom('AQAB', 'Aw') }, base64url, member),
    d: member,
  })

  test('each is exported or left out, and every PEM is a key that node and Prosody can use', () => {
    let exported = 0
    fc.assert(
      fc.property(fc.array(fc.oneof({ weight: 4, arbitrary: nearly }, fc.jsonValue())), (keys) => {
        const set = pems(...keys)
        expect(set.keys.length + set.leftOut.length).toBe(keys.length)
        for (const { pem, bits, file } of set.keys) {
          const key = createPublicKey(pem)
          expect(key.asymmetricKeyType).toBe('rsa')
          expect(key.asymmetricKeyDetails?.modulusLength).toBe(bits)
          expect(bits).toBeGreaterThanOrEqual(2048)
          expect(file).toMatch(/^[0-9a-f]{64}\.pem$/)
          exported++
        }
      }),
      { numRuns: 500 },
    )
    expect(exported).toBeGreaterThan(20)
  })
})

function hex(number: string): string {
  return Buffer.from(number, 'base64url').toString('hex')
}
