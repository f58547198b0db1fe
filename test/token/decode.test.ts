import { describe, expect, test } from 'vitest'
import { decodeBase64url, decodeJson } from '../../src/token/decode.ts'
import { luaLower, luaNumber, luaNumeral } from '../../src/token/lua.ts'

describe('base64url, as basexx reads it', () => {
  test.each([
    ['aGk', 'hi'],
    ['aGk=', 'hi'],
    ['a=G=k', 'hi'],
    ['aGl', 'hi'],
    ['aGkA', 'hi\0'],
    ['', ''],
    ['====', ''],
    ['a', ''],
  ])('%j', (text, bytes) => {
    expect(decodeBase64url(text)?.toString('latin1')).toBe(bytes)
  })

  test.each(['a+b', 'a/b', 'a b', 'a\n', '$', 'é', 'a.b'])('%j is none', (text) => {
    expect(decodeBase64url(text)).toBeUndefined()
  })
})

describe('JSON, as lua-cjson 2.1.0 reads it', () => {
  const said = (text: string | Buffer): unknown => {
    const decoded = decodeJson(Buffer.from(text).toString('base64url'))
    return decoded.is === 'json' ? decoded.value : decoded.is
  }

  test.each<[string, unknown]>([
    ['{"a":1}', { a: 1 }],
    [' { "a" : [ null , true ] } ', { a: [null, true] }],
    ['"x"', 'x'],
    ['{"a":1,"a":null}', { a: null }],
    ['{"a":"\\ud83d\\ude00"}', { a: '😀' }],
    ['{"a":"\\\\ud800"}', { a: '\\ud800' }],
    ['1e400', Infinity],
    [`${'['.repeat(1000)}${']'.repeat(1000)}`, expect.any(Array)],
  ])('%j', (text, value) => {
    expect(said(text)).toEqual(value)
  })

  test.each([
    '',
    '{',
    '{"a":1',
    '{"a":1}x',
    '{"a":1,}',
    "{'a':1}",
    '{a:1}',
    '{/* */"a":1}',
    '\uFEFF{}',
    'iss=x',
    '<html>',
    '{"a":"\\x"}',
    '{"a":"\\ud800"}',
    '{"a":"\\ude00\\ud83d"}',
    `${'['.repeat(1001)}${']'.repeat(1001)}`,
    `{"a":"${'[{'.repeat(400)}","b":${'['.repeat(1000)}${']'.repeat(1000)}}`,
  ])('%j is none', (text) => {
    expect(said(text)).toBe('no json')
  })

  test.each(['NaN', '-Infinity', '[0x1F]', '01', '+1', '-.5', '{"a":"\u0001"}', '{}\0'])(
    '%j is left undetermined',
    (text) => {
      expect(said(text)).toBe('undetermined')
    },
  )

  test('so are bytes that are no UTF-8', () => {
    expect(said(Buffer.from('{"a":"\xFF"}', 'latin1'))).toBe('undetermined')
  })

  test('brackets in a string are no depth', () => {
    expect(said(`{"a":"${'[{\\"'.repeat(1200)}"}`)).toEqual({ a: '[{"'.repeat(1200) })
  })
})

describe('Lua 5.4', () => {
  test.each([
    [5, '5.0'],
    [0, '0.0'],
    [-0, '-0.0'],
    [-3600, '-3600.0'],
    [0.25, '0.25'],
    [1787219994.5, '1787219994.5'],
    [1787220000.000001, '1787220000.0'],
    [9.5367431640625e-7, '9.5367431640625e-07'],
    [0.0001, '0.0001'],
    [0.00001, '1e-05'],
    [1 / 3, '0.33333333333333'],
    [99999999999999, '99999999999999.0'],
    [1e14, '1e+14'],
    [1e300, '1e+300'],
    [-1785432780300, '-1785432780300.0'],
    [12345678901234.5, '12345678901234.0'],
    [12345678901235.5, '12345678901236.0'],
    [123456789012345, '1.2345678901234e+14'],
    [Infinity, 'inf'],
    [-Infinity, '-inf'],
  ])('writes %d as %s', (value, text) => {
    expect(luaNumber(value)).toBe(text)
  })

  test.each([
    ['10', 10],
    [' -1.5e3\n', -1500],
    ['.5', 0.5],
    ['5.', 5],
    ['', undefined],
    ['1 2', undefined],
    ['1e', undefined],
    ['inf', undefined],
    ['nan', undefined],
    ['0x10', 16],
    [' -0X1f ', -31],
    ['0x1.8p30', 1610612736],
    ['0x.8p1', 1],
    ['0x1p-2', 0.25],
    ['0xffffffffffffffff', -1],
    ['0x8000000000000000', -(2 ** 63)],
    ['1e400', Infinity],
    ['0x', undefined],
    ['0x.p1', undefined],
    ['0b1', undefined],
    ['0x1p5000', 'undetermined'],
    ['0x12345678.9abcdef', 'undetermined'],
  ])('takes %j for %s', (text, value) => {
    expect(luaNumeral(text)).toBe(value)
  })

  test('makes small letters of ASCII alone', () => {
    expect(luaLower('ÄBC-İ')).toBe('Äbc-İ')
  })
})
