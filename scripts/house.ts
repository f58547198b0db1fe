// The house rules that no compiler and no linter knows: what may stand where, as plain text.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

interface Rule {
  readonly pattern: RegExp
  readonly files: RegExp
  readonly except?: RegExp
  readonly why: string
}

const RULES: readonly Rule[] = [
  { pattern: /\bconsole\./, files: /^src\//, why: 'print through output.ts: stdout is data, stderr is talk' },
  {
    pattern: /\bprocess\./,
    files: /^src\//,
    // The sandbox owns a process group, which it ends with the process.
    except: /^src\/cli\.ts$|^src\/sandbox\//,
    why: 'take it from Io, so that a test can hand in its own',
  },
  {
    pattern: /\bas any\b|@ts-ignore|@ts-nocheck/,
    files: /^(src|test|scripts)\/.*\.ts$/,
    why: 'say the type',
  },
  { pattern: /\.(only|skip|todo)\(/, files: /^test\/.*\.ts$/, why: 'a test that does not run is no test' },
  { pattern: /\bexport default\b/, files: /^(src|test|scripts)\//, why: 'export by name' },
  { pattern: /\bexport \* from\b/, files: /^src\//, why: 'no barrels: import from the file that has it' },
]

const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  encoding: 'utf8',
})
const broken: string[] = []
for (const file of tracked.split('\n')) {
  // This file is made of the very words that it looks for.
  const rules = RULES.filter(
    (rule) => rule.files.test(file) && !rule.except?.test(file) && file !== 'scripts/house.ts',
  )
  if (rules.length === 0) continue
  readFileSync(file, 'utf8')
    .split('\n')
    .forEach((line, i) => {
      for (const rule of rules) {
        if (rule.pattern.test(line)) broken.push(`${file}:${i + 1}: ${line.trim()}\n  ${rule.why}`)
      }
    })
}
if (broken.length > 0) {
  process.stderr.write(`${broken.join('\n')}\n`)
  process.exitCode = 1
}
