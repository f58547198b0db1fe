// What may be found at a path in place of a regular file.
import { execFile } from 'node:child_process'
import { mkdir, symlink } from 'node:fs/promises'
import { createServer } from 'node:net'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'

const command = promisify(execFile)

/** Each makes it at an absolute path, and gives what kjitsi is to say that it is. */
export const NO_FILES: Readonly<Record<string, (path: string) => Promise<string>>> = {
  folder: async (path) => {
    await mkdir(path)
    return 'it is a folder'
  },
  pipe: async (path) => {
    await command('mkfifo', [path])
    return 'it is a named pipe'
  },
  'link to a device': async (path) => {
    const device = await endlessDevice(`${path}.device`)
    await symlink(device, path)
    return `it is a link to ${device}, a device`
  },
  socket: async (path) => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(path, resolve))
    onTestFinished(() => {
      server.close()
    })
    return 'it is a socket'
  },
  'link to a pipe': async (path) => {
    await command('mkfifo', [`${path}.pipe`])
    await symlink(`${path}.pipe`, path)
    return `it is a link to ${path}.pipe, a named pipe`
  },
  'link to itself': async (path) => {
    await symlink(path, path)
    return 'it is a link that leads to itself'
  },
}

/** One of our own, so that a kjitsi that replaces it does no harm; the system's where none can be made, nor replaced. */
async function endlessDevice(path: string): Promise<string> {
  return command('mknod', [path, 'c', '1', '5']).then(
    () => path,
    () => '/dev/zero',
  )
}
