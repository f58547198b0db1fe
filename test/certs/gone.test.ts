import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Plan } from '../../src/certs/export.ts'
import { STATE_FILE, readGone, withGrace, writeGone } from '../../src/certs/gone.ts'

const DAY = 86_400
const NOON = Date.parse('2026-05-01T12:00:00Z')
const hours = (count: number): number => NOON + count * 3_600_000
const removing = (...files: readonly string[]): Plan => ({
  steps: files.map((file) => ({ action: 'remove', file })),
  stale: [],
})

describe('a key that is in no key set any more', () => {
  test.each([
    ['seen for the first time', {}, 24 * 3600, ['wait', hours(0)]],
    ['gone for less than the grace', { f: hours(-23) }, DAY, ['wait', hours(-23)]],
    ['gone for the grace', { f: hours(-24) }, DAY, ['remove']],
    [
      'gone since a time that is still to come: the clock was set back',
      { f: hours(8760) },
      DAY,
      ['wait', hours(0)],
    ],
    ['no grace', {}, 0, ['remove']],
  ] as const)('%s', (_, before, grace, [verdict, since]) => {
    const plan = withGrace(removing('f'), new Map(Object.entries(before)), NOON, grace)
    expect(plan.steps).toEqual(verdict === 'remove' ? [{ action: 'remove', file: 'f' }] : [])
    expect(plan.waiting).toEqual(verdict === 'wait' ? ['f'] : [])
    expect([...plan.gone]).toEqual(since === undefined ? [] : [['f', since]])
  })

  test('and that comes back begins anew when it leaves again', () => {
    const back = withGrace(removing(), new Map([['f', hours(-23)]]), NOON, DAY)
    expect(back.gone.size).toBe(0)
    expect(withGrace(removing('f'), back.gone, hours(2), DAY).waiting).toEqual(['f'])
  })
})

describe('the state file', () => {
  async function folder(): Promise<string> {
    const dir = await mkdtemp(join(tmpdir(), 'kjitsi-'))
    onTestFinished(() => rm(dir, { recursive: true, force: true }))
    return dir
  }

  test('holds what was written', async () => {
    const dir = await folder()
    await writeGone(dir, new Map([['f.pem', NOON]]))
    expect(await readFile(join(dir, STATE_FILE), 'utf8')).toContain('"f.pem": "2026-05-01T12:00:00.000Z"')
    expect(await readGone(dir)).toEqual(new Map([['f.pem', NOON]]))
  })

  test('is not made while nothing is gone, and is emptied when nothing is any more', async () => {
    const dir = await folder()
    await writeGone(dir, new Map())
    expect(await readdir(dir)).toEqual([])
    await writeGone(dir, new Map([['f.pem', NOON]]))
    await writeGone(dir, new Map())
    expect(await readGone(dir)).toEqual(new Map())
  })

  test.each(['', '{', '[]', '{"version":2,"gone":{}}', '{"version":1,"gone":{"f":"yesterday"}}'])(
    'that says %j counts as none',
    async (text) => {
      const dir = await folder()
      await writeFile(join(dir, STATE_FILE), text)
      expect(await readGone(dir)).toEqual(new Map())
    },
  )
})
