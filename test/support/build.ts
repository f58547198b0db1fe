// Builds dist/ before any test runs, so that tests that start the real command never run yesterday's code.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

// Each project loads this file for itself, in the same process; one build is enough for all.
const shared = globalThis as { kjitsiBuild?: Promise<unknown> }

export async function setup(): Promise<void> {
  shared.kjitsiBuild ??= promisify(execFile)('npm', ['run', '--silent', 'build'])
  await shared.kjitsiBuild
}
