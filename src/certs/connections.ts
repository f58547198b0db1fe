// Keeps slow, idle and half-open connections from using up a server: there is room for so many, and who comes when it
// is full takes the place of the one that has been silent for longest.
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'

export interface Connections {
  /** To be called at each request: it moves the connection behind all others. */
  readonly touch: (socket: Socket) => void
  /** Ends the connections on which nothing was ever asked. */
  readonly endSilent: () => void
  readonly stop: () => void
}

const TICK_MS = 1000

/**
 * Limits the connections of `server`.
 * @param most how many there may be at once
 * @param idleSeconds how long one may be silent between two requests
 */
export function limitConnections(server: Server, most: number, idleSeconds: number): Connections {
  // Seconds since the start, of when each was last active; those that were active last are last in the map.
  const active = new Map<Socket, number>()
  let seconds = 0
  const touch = (socket: Socket): void => {
    active.delete(socket)
    active.set(socket, seconds)
  }
  function forget(this: Socket): void {
    active.delete(this)
  }
  const enter = (socket: Socket): void => {
    active.set(socket, seconds)
    socket.once('close', forget)
    if (active.size <= most) return
    const [oldest] = active.keys()
    oldest?.destroy()
    if (oldest) active.delete(oldest)
  }

  // A TLS connection is another object than the TCP connection below it, and the one becomes the other.
  const handshakes = new Map<string, Socket>()
  server.on('connection', (socket: Socket) => {
    enter(socket)
    if (!isTls(server)) return
    const name = nameOf(socket)
    handshakes.set(name, socket)
    socket.once('close', () => handshakes.delete(name))
  })
  server.on('secureConnection', (socket: TLSSocket) => {
    const below = handshakes.get(nameOf(socket))
    if (below) active.delete(below)
    enter(socket)
  })

  const timer = setInterval(() => {
    seconds += TICK_MS / 1000
    for (const [socket, since] of active) {
      if (seconds - since <= idleSeconds) break
      active.delete(socket)
      socket.destroy()
    }
  }, TICK_MS).unref()
  return {
    touch,
    endSilent: () => {
      for (const socket of [...active.keys()]) if (socket.bytesRead === 0) socket.destroy()
    },
    stop: () => {
      clearInterval(timer)
    },
  }
}

function isTls(server: Server): boolean {
  return 'setSecureContext' in server
}

function nameOf({ remoteAddress, remotePort }: Socket): string {
  return `${String(remoteAddress)} ${String(remotePort)}`
}
