import { expect, test } from 'vitest'
import { setupMappers } from '../../src/commands/setup-mappers.ts'

const { feature } = setupMappers.settings

test.each([
  ['recording=true', { name: 'recording', value: true }],
  ['all=false', { name: 'all', value: false }],
])('the feature %s', (typed, pair) => {
  expect(feature.parse(typed)).toEqual(pair)
})

test.each(['recording', 'recording=yes', '=true', 'a=b=true'])('%s is no feature', (typed) => {
  expect(() => feature.parse(typed)).toThrow('is not of the form NAME=true or NAME=false')
})
