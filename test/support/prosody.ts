// Debian's Prosody, really started.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { program } from './programs.ts'

/**
 * Starts Prosody, opens a stream to a host of it, and ends it again.
 * @param port where the configuration has it listen for clients; it logs to the console
 * @returns what came back on the stream, or what Prosody wrote where it ended before
 */
export async function greet(config: string, port: number, host: string): Promise<string> {
  const prosody = spawn(program('prosody'), ['--config', config, '-F'], { stdio: ['ignore', 'pipe', 'pipe'] })
  let wrote = ''
  const ended = once(prosody, 'close')
  const listening = new Promise<boolean>((resolve) => {
    const read = (chunk: Buffer): void => {
      wrote += chunk.toString()
      if (wrote.includes("Activated service 'c2s'")) resolve(true)
    }
    prosody.stdout.on('data', read)
    prosody.stderr.on('data', read)
    void ended.then(() => {
      resolve(false)
    })
  })
  try {
    return (await listening) ? await openStream(port, host) : wrote
  } finally {
    prosody.kill('SIGKILL')
    await ended
  }
}

async function openStream(port: number, host: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(
    `<?xml version='1.0'?><stream:stream to='${host}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`,
  )
  let text = ''
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    text += chunk.toString()
    if (/<\/stream:features>|<stream:features\/>|<\/stream:stream>/.test(text)) break
  }
  socket.destroy()
  return text
}
