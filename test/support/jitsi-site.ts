// A web server for the Jitsi origin: pages that do what Jitsi's web client does for a login, with the config.js of the
// host that was asked for, as docker-jitsi-meet builds it.
import { readFileSync } from 'node:fs'
import type { OutgoingHttpHeaders } from 'node:http'
import { createServer } from 'node:https'
import type { TestAuthority } from './authority.ts'
import { type Listening, listen } from './http.ts'

/** What one Jitsi has that others have not. */
export interface Served {
  readonly config: string
  readonly headers: OutgoingHttpHeaders
}

export interface JitsiSites extends Listening {
  /** By the host in the address, without a port. */
  readonly sites: Map<string, Served>
}

const JS = 'text/javascript; charset=utf-8'
const HTML = 'text/html; charset=utf-8'

const FILES: Readonly<Record<string, readonly [type: string, body: Buffer]>> = {
  '/meeting.js': [JS, file('meeting.js')],
  '/static/sso.html': [HTML, file('sso.html')],
  '/static/sso.js': [JS, file('sso.js')],
  '/static/logout.html': [HTML, file('logout.html')],
}
const MEETING = [HTML, file('meeting.html')] as const

function file(name: string): Buffer {
  return readFileSync(new URL(`../browser/jitsi/${name}`, import.meta.url))
}

export async function serveJitsi({ server: tls }: TestAuthority): Promise<JitsiSites> {
  const sites = new Map<string, Served>()
  const server = createServer(tls, ({ url, headers: { host = '' } }, response) => {
    const { pathname } = new URL(url ?? '', 'https://jitsi')
    const site = sites.get(host.replace(/:.*/, ''))
    const [type, body] =
      pathname === '/config.js' ? ([JS, site?.config ?? ''] as const) : (FILES[pathname] ?? MEETING)
    response.writeHead(200, { 'content-type': type, ...site?.headers }).end(body)
  })
  return { ...(await listen(server)), sites }
}

/**
 * The config.js of docker-jitsi-meet, as far as a login reads it.
 * @param custom text of custom-config.js, which stands at its end
 */
export function configJs(env: ReadonlyMap<string, string>, custom: string): string {
  return `var config = {};\nconfig.tokenAuthUrl = '${env.get('TOKEN_AUTH_URL') ?? ''}';\n${custom}`
}
