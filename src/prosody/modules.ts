// What a block at the end of Prosody's configuration cannot change: a list further up lacks modules, or an option is set
// there that is not to be.
import { KjitsiError } from '../errors.ts'
import type { Finding } from '../finding.ts'
import { prosodyFinding } from './findings.ts'

/** What a section's modules_enabled is to have, and what not. */
export interface Section {
  /** A VirtualHost or a Component. */
  readonly host: string
  readonly modules: readonly string[]
  readonly modulesNot: readonly string[]
}

/**
 * Warnings about modules that a configuration does not name in the sections where they belong, or names where they work
 * against the rest. It looks for their names in quotes, outside of comments.
 */
export function adviseModules(text: string, sections: readonly Section[], file: string): readonly Finding[] {
  return sections.flatMap(({ host, modules, modulesNot }) => {
    const section = sectionOf(withoutComments(text), host)
    const has = (name: string): boolean => section.includes(`"${name}"`) || section.includes(`'${name}'`)
    const missing = modules.filter((name) => !has(name))
    return [
      ...(missing.length > 0 ? [prosodyFinding('modules-missing', { host, modules: missing, file })] : []),
      ...modulesNot.filter(has).map((module) => prosodyFinding('module-unwanted', { host, module, file })),
    ]
  })
}

/**
 * Sees to it that a host gets no value of an option that is not to be used: a block further down can set one, but not take
 * one away.
 * @param unused the setting that the options do not go with, such as `--keys pem`
 * @throws KjitsiError `usage` naming the line
 */
export function refuseOptions(
  text: string,
  {
    host,
    options,
    unused,
  }: { readonly host: string; readonly options: readonly string[]; readonly unused: string },
  file: string,
): void {
  const plain = withoutComments(text)
  for (const { name, start, end } of sectionsOf(plain)) {
    if (name !== undefined && name !== host) continue
    for (const option of options) {
      const set = new RegExp(`\\b${option}\\s*=(?!=|\\s*nil\\b)`).exec(plain.slice(start, end))
      if (set === null) continue
      const line = plain.slice(0, start + set.index).split('\n').length
      throw new KjitsiError(
        'usage',
        `${file} sets ${option} in line ${line}, which ${unused} does not use: lines at its end cannot take that away, and Prosody would take keys from there`,
        { hint: `take that line out, or give --keys both; nothing was written` },
      )
    }
  }
}

const STRINGS = `"(?:[^"\\\\\\n]|\\\\[^])*"|'(?:[^'\\\\\\n]|\\\\[^])*'|\\[(?<string>=*)\\[[^]*?\\]\\k<string>\\]`
const COMMENTS = `--\\[(?<comment>=*)\\[[^]*?\\]\\k<comment>\\]|--.*`

/** The same lines, without what is behind `--` outside of strings. */
function withoutComments(text: string): string {
  return text.replace(new RegExp(`${STRINGS}|${COMMENTS}`, 'g'), (found) =>
    found.startsWith('--') ? found.replace(/[^\n]/g, '') : found,
  )
}

interface Span {
  /** The host, undefined for what stands before the first section and holds for all hosts. */
  readonly name: string | undefined
  readonly start: number
  readonly end: number
}

function sectionsOf(text: string): readonly Span[] {
  const heads = [...text.matchAll(/^[ \t]*(?:VirtualHost|Component)\b\s*\(?\s*(?:["']([^"']*)["'])?/gm)]
  const starts = [
    { name: undefined, start: 0 },
    ...heads.map(({ index, 1: name = '' }) => ({ name, start: index })),
  ]
  return starts.map((one, i) => ({ ...one, end: starts[i + 1]?.start ?? text.length }))
}

/** The text of all sections of a host. */
function sectionOf(text: string, host: string): string {
  return sectionsOf(text)
    .filter(({ name }) => name === host)
    .map(({ start, end }) => text.slice(start, end))
    .join('\n')
}
