import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mergeBlock } from '../../src/jitsi/block.ts'

const BLOCK = '// >>> kjitsi\na\nb\n// <<< kjitsi\n'
const OLD = '// >>> kjitsi\nold\n// <<< kjitsi'

test.each([
  ['', BLOCK],
  ['x\n', `x\n\n${BLOCK}`],
  ['x', `x\n\n${BLOCK}`],
  [`${OLD}\n`, BLOCK],
  [OLD, BLOCK.trimEnd()],
  [`x\n${OLD}\ny\n`, `x\n${BLOCK}y\n`],
  [`x\n  ${OLD}  \n\ny`, `x\n${BLOCK}\ny`],
  [BLOCK, BLOCK],
  ['x\r\n', `x\r\n\r\n${BLOCK.replaceAll('\n', '\r\n')}`],
  [`x\r\n${OLD.replaceAll('\n', '\r\n')}\r\ny\r\n`, `x\r\n${BLOCK.replaceAll('\n', '\r\n')}y\r\n`],
])('%j', (text, merged) => {
  expect(mergeBlock(text, BLOCK, 'f')).toBe(merged)
})

test.each([
  ['// >>> kjitsi\n'],
  ['// <<< kjitsi\n'],
  ['// <<< kjitsi\n// >>> kjitsi\n'],
  [`${OLD}\n${OLD}\n`],
])('%j has no one block', (text) => {
  expect(() => mergeBlock(text, BLOCK, 'f')).toThrow('f: the marks // >>> kjitsi and // <<< kjitsi')
})

describe('whatever the text', () => {
  const text = fc
    .array(fc.constantFrom('x', ' ', '\n', '\r\n', '// >>>', 'kjitsi'))
    .map((parts) => parts.join(''))

  test('it stays, and a second merge changes nothing', () => {
    fc.assert(
      fc.property(text, (before) => {
        fc.pre(!before.includes('// >>> kjitsi'))
        const once = mergeBlock(before, BLOCK, 'f')
        expect(once.startsWith(before)).toBe(true)
        expect(mergeBlock(once, BLOCK, 'f')).toBe(once)
        const other = mergeBlock(once, '// >>> kjitsi\nc\n// <<< kjitsi\n', 'f')
        expect(other.startsWith(before)).toBe(true)
        expect(mergeBlock(other, BLOCK, 'f')).toBe(once)
      }),
    )
  })
})
