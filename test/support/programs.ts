// The programs that read what kjitsi writes. One that is missing fails the test, and says what installs it.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export type Program =
  | ('nginx' | 'systemd-analyze' | 'docker-compose' | 'kubernetes-validate' | 'hadolint' | 'openssl')
  | ('lua5.4' | 'luac5.4' | 'prosody' | 'prosodyctl' | 'chromium' | 'certutil')

const VENV = fileURLToPath(new URL('../../node_modules/.cache/kjitsi-tools/bin', import.meta.url))
// Where Debian has programs that are not on everybody's PATH.
const FOLDERS = [VENV, ...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin']

/** The path of a program. */
export function program(name: Program): string {
  const path = FOLDERS.map((folder) => join(folder, name)).find((file) => existsSync(file))
  if (path === undefined) {
    throw new Error(`This test needs ${name}, which is not here: bash scripts/test-tools.sh installs it.`)
  }
  return path
}

export interface Said {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end. */
export function runProgram(
  name: Program,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Said {
  const { status, stdout, stderr, error } = spawnSync(program(name), args, {
    encoding: 'utf8',
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    maxBuffer: 100_000_000,
  })
  if (error) throw error
  return { exitCode: status, stdout, stderr }
}
