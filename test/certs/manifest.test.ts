import { lstat, mkdir, readFile, readdir, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { planFolder } from '../../src/certs/export.ts'
import { type Folder, readFolder } from '../../src/certs/folder.ts'
import type { Key } from '../../src/certs/key.ts'
import type { Sets } from '../../src/certs/keyring.ts'
import {
  MANIFEST_FILE,
  type Made,
  type Manifest,
  planManifest,
  readManifest,
} from '../../src/certs/manifest.ts'
import type { Outcome } from '../../src/certs/reading.ts'
import { applyFiles } from '../../src/files/apply.ts'
import type { Target } from '../../src/files/plan.ts'
import { tempFolder } from '../support/folder.ts'

const DAY = 86_400
const NOON = Date.parse('2026-05-01T12:00:00Z')
const hours = (count: number): number => NOON + count * 3_600_000

/** A manifest of files, each with its sources and since when those publish it no more. */
function manifestOf(files: Readonly<Record<string, Readonly<Record<string, number | null>>>>): Manifest {
  return new Map(
    Object.entries(files).map(([file, sources]): [string, Made] => [
      file,
      { kid: `kid of ${file}`, sources: new Map(Object.entries(sources)) },
    ]),
  )
}

interface SourceKeys {
  readonly source: string
  readonly outcome: Outcome
  readonly files: readonly string[]
}

const reading = (source: string, outcome: Outcome, ...files: readonly string[]): SourceKeys => ({
  source,
  outcome,
  files,
})

const keyIn = (file: string, source: string): Key => ({
  kid: `kid of ${file}`,
  file,
  alg: 'RS256',
  bits: 2048,
  pem: `pem of ${file}`,
  source,
})

/** What the plan for a folder with these files makes of the manifest; a grace that is undefined is a run without --prune. */
function upkeep(
  before: Manifest,
  readings: readonly SourceKeys[],
  there: ReadonlySet<string>,
  now: number,
  grace: number | undefined,
): Readonly<Record<'gone' | 'waiting' | 'foreign', readonly string[]>> & {
  readonly manifest: Manifest
  readonly others: { readonly files: readonly string[] }
} {
  const target = (file: string, text?: string): Target => ({
    path: `/certs/${file}`,
    own: true,
    there: text === undefined ? 'nothing' : 'file',
    text,
    mode: 0o644,
    blocked: undefined,
  })
  const targets = new Map([...there].map((file) => [file, target(file, `pem of ${file}`)]))
  const folder: Folder = { open: true, targets, leftovers: [] }
  const names = readings.map(({ source }, i) => `${source} (${i})`)
  return planFolder(
    folder,
    { manifest: before, lastRead: new Map(), target: target(MANIFEST_FILE), isSpoilt: false },
    new Map(readings.map(({ source }, i) => [names[i] ?? '', source])),
    new Map(
      readings.map(({ outcome, files }, i) => {
        const name = names[i] ?? ''
        return [name, outcome === 'unreachable' ? undefined : files.map((file) => keyIn(file, name))]
      }),
    ),
    now,
    grace === undefined ? Infinity : grace * 1000,
  )
}

describe('a file that this run publishes', () => {
  test('is taken in, whoever wrote it', () => {
    const { manifest, foreign } = upkeep(new Map(), [reading('a', 'keys', 'f')], new Set(['f']), NOON, DAY)
    expect(manifest).toEqual(manifestOf({ f: { a: null } }))
    expect(foreign).toEqual([])
  })

  test('and that came back begins anew when it leaves again', () => {
    const before = manifestOf({ f: { a: hours(-23) } })
    const back = upkeep(before, [reading('a', 'keys', 'f')], new Set(['f']), NOON, DAY)
    const left = upkeep(back.manifest, [reading('a', 'none')], new Set(['f']), hours(2), DAY)
    expect([left.waiting, left.manifest]).toEqual([['f'], manifestOf({ f: { a: hours(2) } })])
  })
})

describe('a file that this run does not publish', () => {
  const none = reading('a', 'none')
  const silent = reading('a', 'unreachable')
  const b = reading('b', 'keys', 'g')

  test.each([
    ['published until now', { a: null }, [none], DAY, 'waiting', { a: NOON }],
    ['published until now, no grace', { a: null }, [none], 0, 'gone', undefined],
    ['gone for less than the grace', { a: hours(-23) }, [none], DAY, 'waiting', { a: hours(-23) }],
    ['gone for the grace', { a: hours(-24) }, [none], DAY, 'gone', undefined],
    [
      'gone since a time to come: the clock was set back',
      { a: hours(8760) },
      [none],
      DAY,
      'waiting',
      { a: NOON },
    ],
    ['gone for long, without --prune', { a: hours(-99) }, [none], undefined, 'waiting', { a: hours(-99) }],
    ['of a source that cannot be asked', { a: hours(-99) }, [silent], 0, 'kept', { a: hours(-99) }],
    [
      'of a source that cannot be asked, beside one that can',
      { a: null },
      [silent, b],
      0,
      'kept',
      { a: null },
    ],
    ['of another source', { x: hours(-99) }, [none], 0, 'others', { x: hours(-99) }],
    [
      'of two, one of which still publishes it',
      { a: null, x: null },
      [none],
      0,
      'kept',
      { a: NOON, x: null },
    ],
    ['of two, both gone', { a: null, x: hours(-99) }, [none], 0, 'gone', undefined],
    [
      'of two, one gone for less than the grace',
      { a: hours(-99), x: hours(-1) },
      [none],
      DAY,
      'waiting',
      { a: hours(-99), x: hours(-1) },
    ],
    [
      'of two, one of which cannot be asked',
      { a: hours(-99), b: null },
      [silent, b],
      0,
      'kept',
      { a: hours(-99), b: NOON },
    ],
    [
      'of a source that is asked twice, once in vain',
      { b: null },
      [b, reading('b', 'unreachable')],
      0,
      'kept',
      { b: null },
    ],
    ['noted by version 1', { '': hours(-24) }, [none], DAY, 'gone', undefined],
    [
      'noted by version 1, and not every source can be asked',
      { '': hours(-99) },
      [silent, b],
      0,
      'others',
      { '': hours(-99) },
    ],
    ['noted by nobody', undefined, [none], 0, 'foreign', undefined],
  ] as const)('%s', (_, sources, readings, grace, verdict, after) => {
    const before = manifestOf(sources ? { f: sources } : {})
    const { manifest, ...result } = upkeep(before, readings, new Set(['f', 'g']), NOON, grace)
    expect({ ...result, others: result.others.files }).toMatchObject({
      gone: verdict === 'gone' ? ['f'] : [],
      waiting: verdict === 'waiting' ? ['f'] : [],
      others: verdict === 'others' ? ['f'] : [],
    })
    expect(result.foreign.includes('f')).toBe(verdict === 'foreign')
    expect(manifest.get('f')).toEqual(after && manifestOf({ f: after }).get('f'))
  })

  test('and that somebody removed is forgotten; one of another source is not', () => {
    const before = manifestOf({ f: { a: null }, x: { other: null } })
    expect(upkeep(before, [none], new Set(), NOON, DAY).manifest).toEqual(manifestOf({ x: { other: null } }))
  })

  test('two sources of one name: what either publishes stays', () => {
    const readings = [reading('a', 'keys', 'f'), reading('a', 'keys', 'g')]
    expect(upkeep(new Map(), readings, new Set(['f', 'g']), NOON, 0).gone).toEqual([])
  })

  test('two runs at once: an entry that one of them lost comes back with the next run', () => {
    const lost = upkeep(new Map(), [reading('b', 'keys', 'g')], new Set(['f', 'g']), NOON, 0)
    expect([lost.gone, lost.foreign]).toEqual([[], ['f']])
    const next = upkeep(lost.manifest, [reading('a', 'keys', 'f')], new Set(['f', 'g']), NOON, 0)
    expect(next.manifest).toEqual(manifestOf({ f: { a: null }, g: { b: null } }))
    expect(next.gone).toEqual([])
  })
})

describe('the file', () => {
  /** Writes it, as a run does. */
  async function write(dir: string, manifest: Manifest): Promise<void> {
    await applyFiles(planManifest(manifest, new Map(), await readManifest(dir)), new AbortController().signal)
  }

  test('holds what was written', async () => {
    const dir = tempFolder()
    const manifest = manifestOf({ 'f.pem': { 'realm meet of https://a': NOON, b: null } })
    await write(dir, manifest)
    expect(JSON.parse(await readFile(join(dir, MANIFEST_FILE), 'utf8'))).toEqual({
      version: 2,
      files: {
        'f.pem': {
          kid: 'kid of f.pem',
          sources: { b: null, 'realm meet of https://a': '2026-05-01T12:00:00.000Z' },
        },
      },
    })
    expect(await readManifest(dir)).toMatchObject({ manifest, isSpoilt: false })
    expect(await readdir(dir)).toEqual([MANIFEST_FILE])
  })

  test('notes when a source was read last that cannot be asked, until it answers', async () => {
    const dir = tempFolder()
    const sources = new Map([['a', 'lasting a']])
    const bring = async (sets: Sets, lastRead: ReadonlyMap<string, number>): Promise<unknown> => {
      const plan = planFolder(
        await readFolder(dir),
        await readManifest(dir),
        sources,
        sets,
        NOON,
        0,
        lastRead,
      )
      await applyFiles(plan.items, new AbortController().signal)
      return (await readManifest(dir)).lastRead
    }
    const manifest = manifestOf({ f: { b: null } })
    const items = planManifest(manifest, new Map([['lasting b', hours(-2)]]), await readManifest(dir))
    await applyFiles(items, new AbortController().signal)
    const others = new Map([['lasting b', hours(-2)]])
    expect(await bring(new Map([['a', undefined]]), new Map([['a', hours(-1)]]))).toEqual(
      new Map([...others, ['lasting a', hours(-1)]]),
    )
    expect(await bring(new Map([['a', []]]), new Map())).toEqual(others)
  })

  test('is made when there is something to say, and written when that changes', async () => {
    const dir = tempFolder()
    await write(dir, new Map())
    expect(await readdir(dir)).toEqual([])
    const manifest = manifestOf({ f: { b: null, a: null } })
    await write(dir, manifest)
    const { ino } = await lstat(join(dir, MANIFEST_FILE))
    await utimes(join(dir, MANIFEST_FILE), 1, 1)
    await write(dir, manifestOf({ f: { a: null, b: null } }))
    expect(await lstat(join(dir, MANIFEST_FILE))).toMatchObject({ ino, mtimeMs: 1000 })
    await write(dir, new Map())
    expect(await readManifest(dir)).toMatchObject({ manifest: new Map(), isSpoilt: false })
  })

  test('of version 1 is read on', async () => {
    const dir = tempFolder()
    const text = '{"version":1,"gone":{"f":"2026-05-01T12:00:00.000Z"}}'
    await writeFile(join(dir, MANIFEST_FILE), text)
    const { manifest } = await readManifest(dir)
    expect([...manifest]).toEqual([['f', { kid: null, sources: new Map([['', NOON]]) }]])
  })

  test.each([
    '',
    '{',
    '[]',
    '{"version":3,"files":{}}',
    '{"version":1,"gone":{"f":"yesterday"}}',
    '{"version":2,"files":{"f":{"kid":"k"}}}',
    '{"version":2,"files":{"f":{"kid":"k","sources":{"a":0}}}}',
  ])('that says %j is spoilt: nothing is known', async (text) => {
    const dir = tempFolder()
    await writeFile(join(dir, MANIFEST_FILE), text)
    expect(await readManifest(dir)).toMatchObject({ manifest: new Map(), target: { text }, isSpoilt: true })
  })

  test.each([
    ['a link', (path: string) => symlink('other', path)],
    ['a folder', (path: string) => mkdir(path)],
  ])('that is %s is refused', async (_, make) => {
    const dir = tempFolder()
    await writeFile(join(dir, 'other'), '{"version":2,"files":{}}')
    await make(join(dir, MANIFEST_FILE))
    await expect(readManifest(dir)).rejects.toThrow(`${MANIFEST_FILE}: it is no regular file, or a link`)
  })
})
