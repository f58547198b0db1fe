import { expect, test } from 'vitest'
import { urlOf } from '../src/url.ts'

test.each([
  ['https://café.example.org/x', undefined, 'https://xn--caf-dma.example.org/x'],
  ['../y', 'https://host/a/b', 'https://host/y'],
  ['../y', undefined, undefined],
  ['https://', undefined, undefined],
  ['', undefined, undefined],
])('%j from %j is %j', (text, base, href) => {
  expect(urlOf(text, base)?.href).toBe(href)
})

test('a host with other letters than those of ASCII is one however often it is asked for', () => {
  const refused = Array.from({ length: 50_000 }, () => urlOf('https://café.example.org')).filter(
    (url) => url === undefined,
  )
  expect(refused).toEqual([])
})
