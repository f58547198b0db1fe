// A real nginx without rights, on a socket in a folder of its own.
import { spawn } from 'node:child_process'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { type OutgoingHttpHeaders, request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { program } from './programs.ts'

interface Answer {
  readonly status: number | undefined
  readonly type: string | undefined
  readonly headers: OutgoingHttpHeaders
  readonly body: string
}

export interface Nginx extends AsyncDisposable {
  /** Asks for a path as it stands, with nothing made of its dots, slashes or percent signs. */
  readonly get: (server: string, path: string, method?: string) => Promise<Answer>
}

const NOBODY = 65_534

/**
 * Starts an nginx in `dir`.
 * @param servers what stands in each server block, by a name that `get` knows it by
 */
export async function startNginx(dir: string, servers: Readonly<Record<string, string>>): Promise<Nginx> {
  const work = join(dir, 'work')
  await mkdir(work)
  await chmod(work, 0o777)
  const blocks = Object.entries(servers).map(
    ([name, inside]) => `server {\n  listen unix:${join(work, name)}.sock;\n${inside}\n}\n`,
  )
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${work};`,
  )
  await writeFile(
    join(dir, 'nginx.conf'),
    `daemon off;
pid ${work}/nginx.pid;
error_log stderr notice;
events { }
http {
  access_log off;
  include /etc/nginx/mime.types;
  ${temporary.join('\n  ')}
  ${blocks.join('\n')}
}
`,
  )
  const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}
  const child = spawn(program('nginx'), ['-e', 'stderr', '-p', dir, '-c', join(dir, 'nginx.conf')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    ...user,
  })
  const exited = new Promise<void>((resolve) =>
    child.once('close', () => {
      resolve()
    }),
  )
  let said = ''
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => {
      reject(new Error(`nginx does not start: ${said}`))
    })
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      // By then it listens.
      if (said.includes('start worker process')) resolve()
    })
  })
  return {
    get: (server, path, method = 'GET') => ask(`${join(work, server)}.sock`, path, method),
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await exited
    },
  }
}

function ask(socketPath: string, path: string, method: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path, method, headers: { host: 'meet.example.org' } }, (response) => {
      const { statusCode: status, headers } = response
      text(response).then((body) => {
        resolve({ status, type: headers['content-type'], headers, body })
      }, reject)
    })
    sent.on('error', reject)
    sent.end()
  })
}
