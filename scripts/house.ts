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
    // The sandbox owns a process group, which it ends with the process; the demo runs kjitsi by the Node that runs it.
    except: /^src\/main\.ts$|^src\/(sandbox|demo)\//,
    why: 'take it from Io, so that a test can hand in its own',
  },
  {
    pattern: /\bas any\b|@ts-ignore|@ts-nocheck/,
    files: /^(src|test|scripts)\/.*\.ts$/,
    why: 'say the type',
  },
  {
    pattern:
      /\.(?:only|skip|skipIf|runIf|todo|fails)\b|\b(?:[xf](?:it|test|describe)|f?describe\.x)\(|[{,]\s*(?:skip|todo|only|fails):|\{[^{}]*\bskip\b[^{}]*\}\)* =>/,
    files: /^test\/.*\.ts$/,
    why: 'a test that does not run is no test',
  },
  {
    pattern: /(?<!\bresetModules\(\)[^]*)\bvi\.mock\(/,
    files: /^test\/.*\.ts$/,
    why: 'files share their modules: call vi.resetModules() in vi.hoisted before, and in afterAll',
  },
  { pattern: /\bexport default\b/, files: /^(src|test|scripts)\//, why: 'export by name' },
  { pattern: /\bexport \* from\b/, files: /^src\//, why: 'no barrels: import from the file that has it' },
  {
    pattern:
      /\bimport (?:\{[^}]*\b(?:readFile|open|createReadStream)(?:Sync)?\b[^}]*\}|(?:\* as )?\w+) from 'node:fs|\bimport\('node:fs/,
    files: /^src\//,
    // The sandbox reads what it has made itself, templates.ts what comes with the package.
    except: /^src\/files\/|^src\/templates\.ts$|^src\/sandbox\//,
    why: 'open it by files/read.ts, which refuses what is no regular file: opening a named pipe waits for ever',
  },
  {
    pattern: /(?<![.\w])fetch\(/,
    files: /^src\//,
    // The sandbox asks a server of its own whether it is up.
    except: /^src\/http\/|^src\/sandbox\//,
    why: 'ask by http/http.ts: it has the time limit, the size cap, the CA and the proxy',
  },
  {
    pattern: /\.canParse\(/,
    files: /^src\//,
    why: 'ask urlOf of url.ts: in Node 20 and 22 canParse refuses hosts such as café.example.org after some thousand calls',
  },
  {
    pattern: /\bmkdir(?:Sync)?\((?:[^()]|\([^()]*\))*\brecursive\b/,
    files: /^src\//,
    why: 'makeFolder of files/write.ts makes it: the recursive one never ends under /proc',
  },
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
  const text = readFileSync(file, 'utf8')
  for (const { pattern, why } of rules) {
    // The text as a whole: an import may take several lines.
    for (const { 0: found, index } of text.matchAll(new RegExp(pattern, 'g'))) {
      const line = text.slice(0, index).split('\n').length
      broken.push(`${file}:${line}: ${found}\n  ${why}`)
    }
  }
}
/** Where each exported name stands, so that a name tells what is meant wherever it is imported. */
const exported = new Map<string, string>()
for (const file of tracked.split('\n').filter((name) => /^src\/.*\.ts$/.test(name))) {
  const names = /^export (?:async )?(?:function|const|interface|type|class) (\w+)/gm
  for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(names)) {
    const before = exported.get(name)
    if (before !== undefined) broken.push(`${file}: ${name}\n  ${before} exports that name already`)
    exported.set(name, file)
  }
}
if (broken.length > 0) {
  process.stderr.write(`${broken.join('\n')}\n`)
  process.exitCode = 1
}
