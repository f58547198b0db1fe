import { Chalk } from 'chalk'
import { describe, expect, it } from 'vitest'
import { type FileItem, planFile, planFileRemoval } from '../../src/files/plan.ts'
import { fileLine, filesText, plainFile } from '../../src/files/wording.ts'

const PLAIN = new Chalk({ level: 0 })

function item(name: string, before: string | undefined, text: string, onlyMarked = false): FileItem {
  const there = before === undefined ? 'nothing' : 'file'
  return planFile(
    { path: `/x/${name}`, own: false, there, text: before, mode: undefined, blocked: undefined },
    { what: `file ${name}`, text, mode: 0o600, onlyMarked },
  )
}

const MADE = item('made', undefined, 'a\n')
const EDITED = item('edited', 'a\nb\n', 'a\nc\n')
const KEPT = item('kept', 'a\n', 'a\n')
const THEIRS = item('theirs', 'mine\n', '# Made by kjitsi\n', true)
const GONE = planFileRemoval(
  { path: '/x/gone', own: true, there: 'file', text: 'a\n', mode: 0o644, blocked: undefined },
  'file gone',
)

const EDIT = '--- /x/edited\n+++ /x/edited\n@@ -1,2 +1,2 @@\n a\n-b\n+c'
const NEW = '--- /dev/null\n+++ /x/made\n@@ -0,0 +1,1 @@\n+a'

describe('the text of a plan', () => {
  it.each<[string, FileItem[], 'to do' | 'done', boolean, string]>([
    ['of what is to be made has all of it', [MADE], 'to do', false, `create /x/made: file made\n${NEW}\n`],
    ['of what was made does not repeat it', [MADE], 'done', false, 'created /x/made: file made'],
    ['of what is to change', [EDITED], 'to do', false, `update /x/edited: file edited\n${EDIT}\n`],
    ['of what changed', [EDITED], 'done', false, `updated /x/edited: file edited\n${EDIT}\n`],
    ['of one file as it should be', [KEPT], 'done', false, '/x/kept: no changes'],
    ['of several', [KEPT, KEPT], 'done', false, '2 files: no changes'],
    ['of none', [], 'done', false, '0 files: no changes'],
    [
      'counts what stays',
      [KEPT, GONE, KEPT],
      'done',
      false,
      '3 files: 1 removed, 2 unchanged\nremoved /x/gone: file gone',
    ],
    [
      'shows what stays, and what differs after it',
      [GONE, KEPT],
      'to do',
      true,
      '2 files: 1 to remove, 1 unchanged\nunchanged /x/kept: file kept\nremove /x/gone: file gone',
    ],
    [
      'of a file that is not ours',
      [MADE, THEIRS],
      'to do',
      false,
      `2 files: 1 to create, 1 not made by kjitsi; nothing was done\ncreate /x/made: file made\n${NEW}\n\nnot made by kjitsi /x/theirs: file theirs\n` +
        '--- /x/theirs\n+++ /x/theirs\n@@ -1,1 +1,1 @@\n-mine\n+# Made by kjitsi\n',
    ],
  ])('%s', (_, items, tense, all, text) => {
    expect(filesText(items, tense, all, PLAIN)).toBe(text)
  })

  it('shows nothing of what is masked', () => {
    const secret = { ...EDITED, shown: { before: '', after: '' } }
    expect(filesText([secret], 'to do', false, PLAIN)).toBe('update /x/edited: file edited')
  })

  it('has colours for what comes and goes', () => {
    const text = filesText([EDITED], 'done', false, new Chalk({ level: 1 }))
    expect(text).toContain('\u001B[31m-b\u001B[39m\n\u001B[32m+c\u001B[39m')
  })

  it('gives up on a difference that nobody reads', () => {
    const lines = (word: string): string => `${word}\n`.repeat(3000)
    const text = filesText([item('a', lines('old'), lines('new'))], 'done', false, PLAIN)
    expect(text).toBe('updated /x/a: file a\nmore than 2000 lines differ\n')
  })
})

it('a line tells one item', () => {
  expect(fileLine(GONE, 'done')).toBe('removed /x/gone: file gone')
})

it('programs get the action, the mode and the difference', () => {
  const about = { path: '/x/edited', what: 'file edited', mode: '0600' }
  expect(plainFile(EDITED)).toEqual({ action: 'update', ...about, diff: EDIT })
  expect(plainFile({ ...KEPT, facts: { kid: 'k' } })).toMatchObject({ action: 'keep', kid: 'k' })
  expect(plainFile(KEPT)).not.toHaveProperty('diff')
})
