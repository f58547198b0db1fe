// What is worth knowing about Prosody's own files.
import { findingsOf, kind } from '../finding.ts'

export const prosodyFinding = findingsOf({
  'modules-missing': kind<{ host: string; modules: readonly string[]; file: string }>({
    level: 'warning',
    say: ({ host, modules, file }) =>
      `${file} does not name ${modules.join(', ')} in the section of ${host}: tokens, guests or moderators are not what was asked for`,
    fix: ({ modules }) => `add ${modules.map((name) => `"${name}"`).join('; ')} to modules_enabled there`,
  }),
  'module-unwanted': kind<{ host: string; module: string; file: string }>({
    level: 'warning',
    say: ({ host, module, file }) =>
      `${file} names ${module} in the section of ${host}: others moderate as well than was asked for`,
    fix: ({ module }) => `take "${module}" out of modules_enabled there`,
  }),
})
