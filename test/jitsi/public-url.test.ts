import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import type { KjitsiError } from '../../src/errors.ts'
import type { Io } from '../../src/io.ts'
import { originOfEnv } from '../../src/jitsi/public-url.ts'
import { testIo } from '../support/io.ts'
import { tempFolder } from '../support/folder.ts'

let cwd: string
beforeEach(() => {
  cwd = tempFolder()
})

function io(env: Record<string, string> = {}): Io {
  return testIo({ env, cwd })
}

async function failureOf(file: string | undefined): Promise<KjitsiError> {
  return originOfEnv(file, io()).then(
    (origin) => {
      throw new Error(`no failure but ${origin}`)
    },
    (error: unknown) => error as KjitsiError,
  )
}

test.each([
  ['PUBLIC_URL=https://meet.example.org', 'https://meet.example.org'],
  ['PUBLIC_URL=https://meet.example.org/ # ours', 'https://meet.example.org'],
  ['PUBLIC_URL="https://meet.example.org:8443"', 'https://meet.example.org:8443'],
  ['PUBLIC_URL=meet.example.org', 'https://meet.example.org'],
  // As docker-jitsi-meet's own env.example has it.
  ['HTTPS_PORT=8443\nPUBLIC_URL=https://meet.example.org:${HTTPS_PORT}', 'https://meet.example.org:8443'],
  ['#PUBLIC_URL=https://meet.example.org', undefined],
  ['PUBLIC_URL=', undefined],
  ['TZ=UTC', undefined],
])('%j names %s', async (text, origin) => {
  await writeFile(join(cwd, '.env'), text)
  expect(await originOfEnv(undefined, io())).toBe(origin)
  await writeFile(join(cwd, 'jitsi.env'), text)
  expect(await originOfEnv('jitsi.env', io())).toBe(origin)
})

test("the port may be of compose's own environment", async () => {
  await writeFile(join(cwd, '.env'), 'PUBLIC_URL=https://meet.example.org:${HTTPS_PORT}')
  expect(await originOfEnv(undefined, io({ HTTPS_PORT: '9443' }))).toBe('https://meet.example.org:9443')
})

test('no .env is no address, but a file that was named has to be there', async () => {
  expect(await originOfEnv(undefined, io())).toBeUndefined()
  expect(await failureOf('jitsi.env')).toMatchObject({
    code: 'usage',
    message: `cannot read ${join(cwd, 'jitsi.env')}: no such file or folder`,
  })
})

test.each([
  ['PUBLIC_URL=http://meet.example.org', 'PUBLIC_URL "http://meet.example.org" in .env is not https'],
  [
    'PUBLIC_URL=https://a:b@meet.example.org',
    'PUBLIC_URL "https://(masked)@meet.example.org" in .env holds a user',
  ],
  ['A=1\nPUBLIC_URL="https://x', '.env, line 2: '],
])('%j is refused, with the place', async (text, message) => {
  await writeFile(join(cwd, '.env'), text)
  const failure = await failureOf(undefined)
  expect(failure).toMatchObject({ code: 'usage' })
  expect(failure.message).toContain(message)
})
