import fc from 'fast-check'
import { expect, test } from 'vitest'
import { jitsiOrigin, postLogoutUri, redirectUri } from '../../src/jitsi/origin.ts'

test.each([
  ['https://meet.example.org', 'https://meet.example.org'],
  ['https://meet.example.org/', 'https://meet.example.org'],
  ['https://meet.example.org//', 'https://meet.example.org'],
  ['https://meet.example.org:443', 'https://meet.example.org'],
  ['https://meet.example.org:443/', 'https://meet.example.org'],
  ['https://meet.example.org:8443/', 'https://meet.example.org:8443'],
  ['HTTPS://Meet.Example.ORG', 'https://meet.example.org'],
  ['meet.example.org', 'https://meet.example.org'],
  ['meet.example.org:8443', 'https://meet.example.org:8443'],
  ['meet.example.org/', 'https://meet.example.org'],
  ['localhost:8443', 'https://localhost:8443'],
  ['https://192.0.2.7:8443', 'https://192.0.2.7:8443'],
  ['https://[2001:DB8::7]:8443', 'https://[2001:db8::7]:8443'],
  ['https://café.example.org', 'https://xn--caf-dma.example.org'],
])('%s is the origin %s', (typed, origin) => {
  expect(jitsiOrigin(typed)).toBe(origin)
})

test.each([
  ['http://meet.example.org', 'is not https: browsers keep back what'],
  ['ftp://meet.example.org', 'is no https address'],
  ['https://', 'is no address: it looks like https://meet.example.org'],
  ['meet example', 'is no address: it looks like https://meet.example.org'],
  ['https://meet.example.org:port', 'is no address'],
  // What a shell would have filled in.
  ['https://meet.example.org:${HTTPS_PORT}', 'is no address'],
  ['https://admin:secret@meet.example.org', 'holds a user name or password: leave them out'],
  ['https://meet.example.org/meet', 'has a path: give the address of the host alone'],
  ['meet.example.org/team', 'has a path'],
  ['https://meet.example.org?room=x', 'has a ? or # part: leave it out'],
  ['https://meet.example.org/#x', 'has a ? or # part: leave it out'],
  ['https://*.example.org', 'has a *: give each address by itself'],
])('%s %s', (typed, message) => {
  expect(() => jitsiOrigin(typed)).toThrow(message)
})

test('what is built from any address has its origin, as a browser writes it', () => {
  const port = fc.integer({ min: 1, max: 65535 })
  fc.assert(
    fc.property(fc.domain(), fc.option(port), fc.constantFrom('', '/'), (host, number, slash) => {
      const typed = `https://${host}${number === null ? '' : `:${number}`}${slash}`
      const origin = jitsiOrigin(typed)
      expect(jitsiOrigin(origin)).toBe(origin)
      expect(origin).not.toMatch(/\/$|:443$/)
      expect(new URL(typed).origin).toBe(origin)
      for (const uri of [redirectUri(origin), postLogoutUri(origin)]) {
        expect(new URL(uri).href).toBe(uri)
        expect(new URL(uri).origin).toBe(origin)
      }
    }),
  )
})

test('the pages are those of Jitsi', () => {
  expect(redirectUri('https://meet.example.org:8443')).toBe('https://meet.example.org:8443/static/sso.html')
  expect(postLogoutUri('https://meet.example.org')).toBe('https://meet.example.org/static/logout.html')
})
