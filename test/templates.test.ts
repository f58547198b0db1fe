import { expect, it } from 'vitest'
import { fillTemplate, readTemplate } from '../src/templates.ts'

it.each([
  ['{{A}}', { A: 'a' }, 'a'],
  ['{{A}}-{{A}}-{{B_2}}', { A: 'a', B_2: 'b' }, 'a-a-b'],
  // Neither a value's own braces nor the patterns of String.replace are looked at.
  ['{{A}}', { A: '{{B}} $& $1 {state}' }, '{{B}} $& $1 {state}'],
  ['{a} {{ A }} {{a}} $', {}, '{a} {{ A }} {{a}} $'],
])('%j with %j is %j', (template, values, text) => {
  expect(fillTemplate(template, values)).toBe(text)
})

it('wants every value that the template asks for, and no other', () => {
  expect(() => fillTemplate('{{A}}{{B}}', { A: 'a' })).toThrow('{{B}}')
  expect(() => fillTemplate('{{A}}', { A: 'a', B: 'b', C: 'c' })).toThrow('B, C')
})

it('reads a template by its name', async () => {
  expect(await readTemplate('jitsi.env')).toContain('{{JWT_APP_ID}}')
  await expect(readTemplate('none')).rejects.toThrow('ENOENT')
})
