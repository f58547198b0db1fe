// How many verdicts a second: the rules alone, and the real command with --batch, on tokens of the fixture
// that are accepted (each has its signature checked). Prints a line for each; npx tsx
// scripts/bench-verdict.ts [SECONDS]
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CORPUS, verdictOn } from '../test/support/corpus.ts'

const SETTINGS = 'one-one'
const LINES = 20_000
const seconds = Number(process.argv[2] ?? 5)

function say(what: string, count: number, ms: number): void {
  process.stdout.write(
    `${what}: ${Math.round((count / ms) * 1000)} a second (${count} in ${Math.round(ms)} ms)\n`,
  )
}

const accepted = CORPUS.cases.filter((one) => one.settings === SETTINGS && one.join?.accepted)
const one = accepted[0]
const installation = CORPUS.installations.find(({ id }) => id === SETTINGS)
if (one === undefined || installation === undefined) throw new Error('the fixture has changed')

for (const [what, cases] of [
  ['an accepted token', [one]],
  ['the whole fixture', CORPUS.cases],
] as const) {
  let count = 0
  const start = performance.now()
  while (performance.now() - start < seconds * 1000) {
    for (const asked of cases) verdictOn(CORPUS, asked)
    count += cases.length
  }
  say(what, count, performance.now() - start)
}

const dir = mkdtempSync(join(tmpdir(), 'kjitsi-bench-'))
try {
  mkdirSync(join(dir, 'certs'))
  for (const [name, text] of Object.entries(installation.certs)) writeFileSync(join(dir, 'certs', name), text)
  writeFileSync(join(dir, 'jitsi.env'), installation.env)
  const line = (i: number): string => {
    const { token, room, now } = accepted[i % accepted.length] ?? one
    return `${JSON.stringify({ token, room, at: now })}\n`
  }
  writeFileSync(join(dir, 'tokens.jsonl'), Array.from({ length: LINES }, (_, i) => line(i)).join(''))
  const bin = fileURLToPath(new URL('../bin/kjitsi.js', import.meta.url))
  const start = performance.now()
  const argv = [bin, 'check-token', '--jitsi-env', 'jitsi.env', '--certs', 'certs', '--batch', 'tokens.jsonl']
  const child = spawn(process.execPath, argv, { cwd: dir, stdio: ['ignore', 'pipe', 'inherit'] })
  let answers = 0
  for await (const chunk of child.stdout as AsyncIterable<Buffer>)
    answers += chunk.toString('latin1').split('\n').length - 1
  if (answers !== LINES) throw new Error(`${answers} answers to ${LINES} lines`)
  say('check-token --batch, its start included', LINES, performance.now() - start)
} finally {
  rmSync(dir, { recursive: true })
}
