// Builds dist/ before any test runs, so that tests that start the real command never run yesterday's code.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

let built: Promise<unknown> | undefined

export async function setup(): Promise<void> {
  built ??= promisify(execFile)('npm', ['run', '--silent', 'build'])
  await built
}
