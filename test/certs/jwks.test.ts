import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readKeys } from '../../src/certs/jwks.ts'

describe('what is no key set is told apart', () => {
  test.each([
    ['', 'is empty'],
    [' \n', 'is empty'],
    ['<!DOCTYPE html><html></html>', 'is a web page, not a key set'],
    ['\n  <html>', 'is a web page, not a key set'],
    ['{"keys":[', 'is not JSON'],
    ['-----BEGIN PUBLIC KEY-----', 'is not JSON'],
    ['null', 'has no list named keys, so it is no key set'],
    ['[]', 'has no list named keys, so it is no key set'],
    ['"keys"', 'has no list named keys, so it is no key set'],
    ['{"keys":{}}', 'has no list named keys, so it is no key set'],
    ['{"realm":"meet","public_key":"MIIB"}', 'has no list named keys, so it is no key set'],
    ['{"kty":"RSA","n":"AQAB","e":"AQAB"}', 'is a single key, not a key set'],
    [
      '{"issuer":"https://a.example","jwks_uri":"https://a.example/certs"}',
      'is a discovery document, not a key set',
    ],
  ])('%j %s', (text, wrong) => {
    expect(readKeys(text)).toMatchObject({ wrong })
  })

  test('a discovery document says where its key set is', () => {
    const read = readKeys('{"jwks_uri":"https://a.example/certs"}')
    expect(read).toMatchObject({ hint: 'its key set is at https://a.example/certs' })
  })
})

describe('a key set', () => {
  test.each([
    ['{"keys":[]}', 0],
    ['{"keys":[{"kty":"RSA"},null,7]}', 3],
    ['\uFEFF {"keys":[{}]}\r\n', 1],
  ])('%j has %i keys', (text, length) => {
    expect(readKeys(text)).toHaveLength(length)
  })

  test('any JSON is either a list or a reason', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const read = readKeys(text)
        expect('wrong' in read ? read.wrong : read).toSatisfy(
          (x) => typeof x === 'string' || Array.isArray(x),
        )
      }),
    )
  })

  test('nesting without end breaks nothing', () => {
    const deep = `{"keys":[{"kty":${'['.repeat(400_000)}${']'.repeat(400_000)}}]}`
    expect(readKeys(deep)).toHaveLength(1)
  })
})
