import { expect, test } from 'vitest'
import { duration, pause, shownDuration } from '../../src/duration.ts'
import { hostAndPort, httpUrl, integer, oneOf, port, urlPath } from '../../src/cli/readers.ts'

test.each([
  ['https://auth.example.org', 'https://auth.example.org'],
  ['https://auth.example.org/', 'https://auth.example.org'],
  ['http://127.0.0.1:8080/auth//', 'http://127.0.0.1:8080/auth'],
])('the address %s is %s', (typed, url) => {
  expect(httpUrl(typed)).toBe(url)
})

test.each([
  ['auth.example.org', 'has no scheme: write https://, or http:// where it has no TLS, before it'],
  ['auth.example.org:8443/auth', 'has no scheme: write https://, or http:// where it has no TLS, before it'],
  ['localhost:8080', 'has no scheme: write http:// before it'],
  ['127.0.0.1:8080', 'has no scheme: write http:// before it'],
  ['[::1]', 'has no scheme: write http:// before it'],
  ['a b', 'is no address: it starts with https:// or http://'],
  ['https://', 'is no address: it starts with https:// or http://'],
  ['ftp://auth.example.org', 'is no http or https address'],
  ['https://admin:secret@auth.example.org', 'holds a user name or password: leave them out'],
  ['https://auth.example.org/?realm=x', 'has a ? or # part: leave it out'],
  ['https://auth.example.org/#/x', 'has a ? or # part: leave it out'],
])('%s %s', (typed, message) => {
  expect(() => httpUrl(typed)).toThrow(message)
})

test.each([
  ['kc.example.org', 'kc.example.org'],
  ['KC.Example.org:08443', 'kc.example.org:8443'],
  ['kc.example.org:80', 'kc.example.org:80'],
  ['[::1]', '[::1]'],
  ['[0:0::1]:443', '[::1]:443'],
])('the host %s is %s', (typed, host) => {
  expect(hostAndPort(typed)).toBe(host)
})

test.each([
  '',
  'https://kc.example.org',
  'kc.example.org/auth',
  'me@kc.example.org',
  'kc:x',
  'kc:99999',
  '::1',
  'a b',
])('%j is no host', (typed) => {
  expect(() => hostAndPort(typed)).toThrow('is no host: write kc.example.org or kc.example.org:8443')
})

test.each([
  ['90s', 90],
  ['5m', 300],
  ['24h', 86_400],
  ['7d', 604_800],
  ['0', 0],
  ['0s', 0],
])('the duration %s is %d seconds', (typed, seconds) => {
  expect(duration(typed)).toBe(seconds)
})

test.each(['10', '90', '05'])('the duration %j may be anything', (typed) => {
  expect(() => duration(typed)).toThrow(`has no unit: write ${typed}s, ${typed}m, ${typed}h or ${typed}d`)
})

test.each(['', 'soon', '-1', '1.5h', '5 m', '1w', '9999999999'])('the duration %j is refused', (typed) => {
  expect(() => duration(typed)).toThrow('is no duration: write 90s, 5m, 24h or 7d')
})

test.each([
  ['0', 0],
  ['-3', -3],
  ['9007199254740991', Number.MAX_SAFE_INTEGER],
])('the whole number %s', (typed, value) => {
  expect(integer(typed)).toBe(value)
})

test.each(['', '1.5', '0x10', '1e3', '9007199254740992', ' 1'])('%j is no whole number', (typed) => {
  expect(() => integer(typed)).toThrow('is no whole number')
})

test.each(['-1', '65536', 'http'])('%s is no port', (typed) => {
  expect(() => port(typed)).toThrow(/is no (port|whole number)/)
})

test('a word out of several is matched exactly', () => {
  const alg = oneOf('RS256', 'RS512')
  expect(alg('RS512')).toBe('RS512')
  expect(() => alg('rs512')).toThrow('is none of RS256, RS512')
})

test.each([
  ['1s', 1],
  ['24d', 2_073_600],
])('the pause %s is %d seconds', (typed, seconds) => {
  expect(pause(typed)).toBe(seconds)
})

test.each(['0s', '25d', '999999999d'])('a timer cannot make the pause %s', (typed) => {
  expect(() => pause(typed)).toThrow('is not between 1s and 24d')
})

test.each([
  [0, '0s'],
  [59.6, '1m'],
  [90, '90s'],
  [300, '5m'],
  [5400, '90m'],
  [86_400, '24h'],
  [129_600, '36h'],
  [172_800, '2d'],
])('%d seconds are shown as %s', (seconds, shown) => {
  expect(shownDuration(seconds)).toBe(shown)
})

test.each([
  ['/certs', '/certs'],
  ['/certs/', '/certs'],
  ['/a/b-c_d.e~f', '/a/b-c_d.e~f'],
  ['/', ''],
])('the path %s is %j', (typed, path) => {
  expect(urlPath(typed)).toBe(path)
})

test.each([
  'certs',
  '//certs',
  '/a//b',
  '/a b',
  '/a%20b',
  '/a?b',
  '/a#b',
  '/..',
  '/a/./b',
  'http://x/y',
  '/\u00FC',
])('%s is no path', (typed) => {
  expect(() => urlPath(typed)).toThrow('is no path: it starts with /')
})
