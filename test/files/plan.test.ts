import { describe, expect, it } from 'vitest'
import { KjitsiError } from '../../src/errors.ts'
import {
  type DesiredFile,
  type Target,
  fileChanges,
  planFile,
  planFileRemoval,
} from '../../src/files/plan.ts'

const NOTHING: Target = {
  path: '/x/a',
  own: false,
  there: 'nothing',
  text: undefined,
  mode: undefined,
  blocked: undefined,
}
const file = (text: string, more: Partial<Target> = {}): Target => ({
  ...NOTHING,
  there: 'file',
  text,
  mode: 0o640,
  ...more,
})
const blocked = new KjitsiError('file', 'cannot write /x/a: permission denied')
const MARKED = '# about\n# Made by kjitsi gen-config\n[Unit]\n'

const desired = (more: Partial<DesiredFile> = {}): DesiredFile => ({
  what: 'a file',
  text: 'new',
  mode: 0o644,
  ...more,
})

describe('planFile', () => {
  it.each<[string, Target, Partial<DesiredFile>, string, number]>([
    ['nothing there', NOTHING, {}, 'create', 0o644],
    ['the same', file('new'), {}, 'keep', 0o640],
    ['another text', file('old'), {}, 'update', 0o640],
    ['the same, not to be written', file('new', { blocked }), {}, 'keep', 0o640],
    ['of ours, the same', file('new', { own: true, mode: 0o644 }), {}, 'keep', 0o644],
    ['of ours, closed to others', file('new', { own: true, mode: 0o600 }), {}, 'update', 0o644],
    ['of ours, open to more', file('new', { own: true, mode: 0o666 }), {}, 'keep', 0o644],
    ['to be replaced, with our mark', file(MARKED), { onlyMarked: true }, 'update', 0o640],
    [
      'to be replaced, the mark after CRLF',
      file('#\r\n# Made by kjitsi\r\n'),
      { onlyMarked: true },
      'update',
      0o640,
    ],
    ['to be replaced, without', file('[Unit]\n'), { onlyMarked: true }, 'conflict', 0o640],
    [
      'to be replaced, the mark further down',
      file(`[Unit]\n${MARKED}`),
      { onlyMarked: true },
      'conflict',
      0o640,
    ],
    ['to be replaced, without, and the same', file('new'), { onlyMarked: true }, 'keep', 0o640],
    ['to be replaced, nothing there', NOTHING, { onlyMarked: true }, 'create', 0o644],
  ])('%s', (_, target, more, action, mode) => {
    expect(planFile(target, desired(more))).toMatchObject({ action, mode, path: '/x/a', what: 'a file' })
  })

  it.each([file('old', { blocked }), { ...NOTHING, blocked }])(
    'refuses what cannot be written: %j',
    (target) => {
      expect(() => planFile(target, desired())).toThrow(blocked)
    },
  )

  it('has what is there, what will be, and both as they may be shown', () => {
    const mask = (text: string): string => text.replace(/./g, '*')
    expect(planFile(file('older'), desired({ mask, facts: { kid: 'k' } }))).toMatchObject({
      before: 'older',
      after: 'new',
      shown: { before: '*****', after: '***' },
      facts: { kid: 'k' },
    })
  })
})

describe('planRemoval', () => {
  it('removes what is there', () => {
    expect(planFileRemoval(file('old'), 'it')).toMatchObject({
      action: 'remove',
      before: 'old',
      after: undefined,
    })
  })

  it('refuses what cannot be removed', () => {
    expect(() => planFileRemoval(file('old', { blocked }), 'it')).toThrow(blocked)
  })
})

it('a plan with a conflict changes nothing', () => {
  const items = [planFile(NOTHING, desired()), planFile(file('mine'), desired())]
  expect(fileChanges(items)).toHaveLength(2)
  expect(fileChanges([...items, planFile(file('mine'), desired({ onlyMarked: true }))])).toEqual([])
})
