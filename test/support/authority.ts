// A certificate authority that no machine knows.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Certificate } from './http.ts'

export interface TestAuthority extends AsyncDisposable {
  /** Path of the authority's own certificate. */
  readonly caFile: string
  /** What the authority signed for the server. */
  readonly server: Certificate
}

/**
 * Makes a certificate authority that no machine knows, with openssl.
 * @param names of the server that it signs a certificate for, as openssl writes them
 */
export async function makeAuthority(names = 'IP:127.0.0.1,DNS:localhost'): Promise<TestAuthority> {
  const folder = await mkdtemp(join(tmpdir(), 'kjitsi-ca-'))
  const openssl = async (...args: string[]): Promise<void> => {
    await promisify(execFile)('openssl', args, { cwd: folder })
  }
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  await openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-subj',
    '/CN=Test CA',
    '-days',
    '2',
  )
  await openssl('req', ...key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost')
  await writeFile(join(folder, 'san'), `subjectAltName=${names}\n`)
  const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'san']
  await openssl('x509', '-req', '-in', 'server.csr', '-out', 'server.pem', ...signed)
  return {
    caFile: join(folder, 'ca.pem'),
    server: {
      key: await readFile(join(folder, 'server.key'), 'utf8'),
      cert: await readFile(join(folder, 'server.pem'), 'utf8'),
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}
