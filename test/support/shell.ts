// Runs the real command as a shell script sets it up: under limits, without rights, on a full disk, with its output closed.
import { execFile, spawnSync } from 'node:child_process'
import { BIN, type Ran } from './run.ts'

/**
 * Runs `script` with sh; in it, `"$@"` is kjitsi with `argv`.
 * @param cwd where to run it
 */
export async function shell(script: string, argv: readonly string[], cwd: string): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(
      'sh',
      ['-c', script, 'sh', process.execPath, BIN, ...argv],
      { cwd, env: { PATH: process.env['PATH'] } },
      (_, stdout, stderr) => {
        resolve({ exitCode: child.exitCode, stdout, stderr })
      },
    )
  })
}

const isRoot = process.getuid?.() === 0

/** What to put before a command so that the rights of files count for it: root has to give up its pass. */
export const WITHOUT_PASS = isRoot ? 'setpriv --bounding-set -dac_override,-dac_read_search' : ''

/**
 * What to put before a command so that it may mount a file system that nobody else sees.
 * @throws Error where nobody may: a container has to be given the right, or a kernel that lets users have namespaces
 */
export function mayMount(): string {
  const prefixes = ['unshare --mount', 'unshare --map-root-user --mount']
  const found = prefixes.find(
    (prefix) => spawnSync('sh', ['-c', `${prefix} mount -t tmpfs none /mnt`]).status === 0,
  )
  if (found === undefined) {
    throw new Error(
      'This test mounts a file system, which nobody may here: allow the user, or the container, to.',
    )
  }
  return found
}
