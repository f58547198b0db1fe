// Bundles src/ and every library it uses into dist/, one chunk a lazy import, so that the package installs
// nothing else and a command starts without reading a node_modules tree. The libraries' licences go with it.
import { build } from 'esbuild'
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

const { metafile } = await build({
  entryPoints: ['src/main.ts'],
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  // Flat, so that ../templates is right from every chunk as it is from src/.
  chunkNames: '[name]-[hash]',
  legalComments: 'none',
  // CommonJS libraries inside an ES module still ask for `require`.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  metafile: true,
})

// Yesterday's chunks go last, so that a kjitsi that runs meanwhile still finds its own.
const LICENCES = 'THIRD_PARTY_LICENSES.txt'
const current = new Set([...Object.keys(metafile.outputs).map((path) => basename(path)), LICENCES])
for (const name of readdirSync('dist'))
  if (!current.has(name)) rmSync(join('dist', name), { recursive: true })

const packages = new Set<string>()
for (const input of Object.keys(metafile.inputs)) {
  const name = /^.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)
  if (name) packages.add(name[0].replace(/\/$/, ''))
}
const notices = [...packages].sort().map((folder) => {
  const meta = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>
  const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name))
  const text = file && existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8').trim() : ''
  return `${String(meta['name'])} ${String(meta['version'])} (${String(meta['license'])})\n\n${text}\n`
})
writeFileSync(join('dist', LICENCES), notices.join(`\n${'-'.repeat(80)}\n\n`))
