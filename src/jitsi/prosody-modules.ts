// Which modules a host's section of Prosody's configuration lacks. A block at the end of a file cannot add to a list.
import { type Finding, finding } from '../findings.ts'

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
export function moduleFindings(text: string, sections: readonly Section[], file: string): readonly Finding[] {
  return sections.flatMap(({ host, modules, modulesNot }) => {
    const section = sectionOf(withoutComments(text), host)
    const has = (name: string): boolean => section.includes(`"${name}"`) || section.includes(`'${name}'`)
    const missing = modules.filter((name) => !has(name))
    return [
      ...(missing.length > 0 ? [finding('modules-missing', { host, modules: missing, file })] : []),
      ...modulesNot.filter(has).map((module) => finding('module-unwanted', { host, module, file })),
    ]
  })
}

function withoutComments(text: string): string {
  return text.replace(/--\[(=*)\[[\s\S]*?\]\1\]/g, '').replace(/--.*/g, '')
}

/** The text of all sections of a host. */
function sectionOf(text: string, host: string): string {
  const sections = text.split(/^[ \t]*(?=(?:VirtualHost|Component)\b)/m)
  const named = (section: string): string | undefined => /^\w+\s*\(?\s*["']([^"']*)["']/.exec(section)?.[1]
  return sections.filter((section) => named(section) === host).join('\n')
}
