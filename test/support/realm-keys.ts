// What a test does to the keys of a realm: new ones, old ones that sign no more, old ones that are gone. And a door to
// Keycloak that can be shut.
import type KeycloakAdminClient from '@keycloak/keycloak-admin-client'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net'
import { decodeProtectedHeader } from 'jose'

const TYPE = 'org.keycloak.keys.KeyProvider'

/** Adds a provider whose key signs from now on, unless another algorithm than the realm's is asked for. */
export async function addKey(
  admin: KeycloakAdminClient,
  config: Readonly<Record<string, string>> = {},
  providerId = 'rsa-generated',
): Promise<string> {
  const { id = '' } = (await admin.realms.findOne({ realm: admin.realmName })) ?? {}
  const all = { priority: '200', enabled: 'true', active: 'true', ...config }
  const made = await admin.components.create({
    name: `key-${createHash('sha256').update(JSON.stringify(all)).digest('hex').slice(0, 8)}`,
    parentId: id,
    providerId,
    providerType: TYPE,
    config: Object.fromEntries(Object.entries(all).map(([name, value]) => [name, [value]])),
  })
  return made.id
}

/** The provider that a new realm signs with. */
export async function firstKey(admin: KeycloakAdminClient): Promise<string> {
  const components = await admin.components.find({ type: TYPE })
  return components.find(({ name }) => name === 'rsa-generated')?.id ?? ''
}

/** `{ active: 'false' }` has a key verify only, `{ enabled: 'false' }` takes it out of use. */
export async function changeKey(
  admin: KeycloakAdminClient,
  id: string,
  change: Readonly<Record<string, string>>,
): Promise<void> {
  const before = await admin.components.findOne({ id })
  const changed = Object.fromEntries(Object.entries(change).map(([name, value]) => [name, [value]]))
  await admin.components.update({ id }, { ...before, config: { ...before?.config, ...changed } })
}

export function kidOf(token: string): string {
  return decodeProtectedHeader(token).kid ?? ''
}

export interface Door extends AsyncDisposable {
  readonly url: string
  /** Paths that were asked for through it, in order. */
  readonly seen: readonly string[]
  /** Ends all connections, and refuses others. */
  readonly shut: () => Promise<void>
  readonly open: () => Promise<void>
}

/** A port that leads to `target` while it is open. Keycloak takes the address by which it is asked for its own. */
export async function makeDoor(target: string): Promise<Door> {
  const { hostname, port: targetPort } = new URL(target)
  const seen: string[] = []
  const sockets = new Set<Socket>()
  const makeServer = (): Server =>
    createServer((inside) => {
      const outside = connect(Number(targetPort), hostname)
      for (const socket of [inside, outside]) {
        sockets.add(socket)
        socket.on('error', () => undefined)
        socket.on('close', () => {
          sockets.delete(socket)
          inside.destroy()
          outside.destroy()
        })
      }
      inside.on('data', (bytes) => {
        for (const [, path = ''] of bytes.toString('latin1').matchAll(/^GET (\S+) HTTP/gm)) seen.push(path)
      })
      inside.pipe(outside).pipe(inside)
    })
  let server = makeServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const shut = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve))
    for (const socket of sockets) socket.destroy()
    await closed
  }
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    shut,
    async open() {
      server = makeServer()
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
    },
    [Symbol.asyncDispose]: shut,
  }
}
