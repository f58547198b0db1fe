// Reads the texts in templates/. They hold {{PLACEHOLDER}}s and no logic: what is to be decided is decided before.
import { readFile } from 'node:fs/promises'

/** The text of one template, its name relative to `templates/`. */
export async function readTemplate(name: string): Promise<string> {
  return readFile(new URL(`../templates/${name}`, import.meta.url), 'utf8')
}

/**
 * A template's text with every `{{NAME}}` replaced by `values.NAME`, as it stands.
 * @throws Error where the template asks for a name that is not there, or a value is never asked for: both are bugs.
 */
export function fillTemplate(template: string, values: Readonly<Record<string, string>>): string {
  const unused = new Set(Object.keys(values))
  const text = template.replace(/\{\{([A-Z0-9_]+)\}\}/g, (_, name: string) => {
    const value = values[name]
    if (value === undefined) throw new Error(`template asks for {{${name}}}, which nobody gave`)
    unused.delete(name)
    return value
  })
  if (unused.size > 0) throw new Error(`template never asks for ${[...unused].join(', ')}`)
  return text
}
