// What is worth knowing about a plan of files.
import { findingsOf, kind } from '../finding.ts'

export const fileFinding = findingsOf({
  'file-drift': kind<{ changes: readonly string[] }>({
    level: 'error',
    say: ({ changes }) => `the files differ from what these options make: ${changes.join(', ')}`,
    fix: () => 'run it without --check to make these changes',
  }),
  'file-not-ours': kind<{ file: string }>({
    level: 'error',
    say: ({ file }) => `${file} was not made by kjitsi, and is not replaced`,
    fix: () => 'look at the difference; --force replaces it, or move it out of the way',
  }),
})
