import { expect, test } from 'vitest'
import { setupClient } from '../../src/commands/setup-client.ts'

const { parse: lifespan } = setupClient.settings.tokenLifespan

test('the lifespan of a token is a duration that Keycloak can hold', () => {
  expect(lifespan('10h')).toBe(36_000)
  expect(lifespan('24855d')).toBe(2_147_472_000)
  for (const text of ['0', '0h', '24856d', '99999d']) expect(() => lifespan(text)).toThrow('is no lifespan')
  expect(() => lifespan('soon')).toThrow('is no duration')
})
