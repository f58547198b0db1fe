// Folders that are gone once the tests that use them are over. Everybody may read them, like the ones that mkdir makes.
import { chmodSync, mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, onTestFinished } from 'vitest'

function make(): { readonly folder: string; readonly remove: () => Promise<void> } {
  const folder = mkdtempSync(join(tmpdir(), 'kjitsi-test-'))
  chmodSync(folder, 0o755)
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) }
}

/** An empty one for this test; called in a test or in beforeEach. */
export function tempFolder(): string {
  const { folder, remove } = make()
  onTestFinished(remove)
  return folder
}

/** An empty one for all tests of a file or of a `describe`; called there, outside of its tests. */
export function sharedFolder(): string {
  const { folder, remove } = make()
  afterAll(remove)
  return folder
}
