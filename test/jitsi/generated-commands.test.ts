// Our own commands and settings, as the generated files name them, are ones that kjitsi has.
import { readFileSync, readdirSync } from 'node:fs'
import { PassThrough, Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { program } from '../../src/cli.ts'
import type { Io } from '../../src/io.ts'
import { SETTINGS } from '../../src/settings.ts'

const folder = new URL('golden/', import.meta.url)
const texts = readdirSync(folder).map((name) => readFileSync(new URL(name, folder), 'utf8'))

const io: Io = {
  stdin: Readable.from([]),
  stdout: new PassThrough(),
  stderr: new PassThrough(),
  env: {},
  cwd: '/',
  signal: new AbortController().signal,
}

function commandLines(): readonly string[] {
  const inShell = texts.flatMap((text) => text.match(/\bkjitsi (?:export-certs|serve-certs)\b.*/g) ?? [])
  const inYaml = texts.flatMap((text) => text.match(/\[(?:export-certs|serve-certs)[^\]]*\]/g) ?? [])
  return [
    ...inShell.map((line) => line.replace(/^kjitsi /, '')),
    ...inYaml.map((list) => list.slice(1, -1).replaceAll(', ', ' ')),
  ]
}

test.each([...new Set(commandLines())])('kjitsi %s', async (line) => {
  const words = line.replace(/"([^"]*)"/g, (_, quoted: string) => quoted.replaceAll(' ', '-'))
  const argv = words.split(/\s+/)
  let ran = ''
  await program(io, (declared) => {
    ran = declared.name
    return Promise.resolve()
  }).parseAsync(argv, { from: 'user' })
  expect(ran).toBe(argv[0])
})

test('there are such command lines', () => {
  expect(commandLines().length).toBeGreaterThan(4)
})

test('every environment name of ours is that of a setting', () => {
  const known = new Set<string>(Object.values(SETTINGS).map(({ env }) => env))
  const named = new Set(texts.flatMap((text) => text.match(/\b(?:KJITSI|KEYCLOAK)_[A-Z_]+\b/g) ?? []))
  expect([...named].filter((name) => !known.has(name))).toEqual([])
  expect(named.size).toBeGreaterThan(2)
})
