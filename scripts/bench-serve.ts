// How serve-certs fares beside nginx: the same PEM files, the same client (wrk), in turns, on one machine.
//
//   npm run bench:serve [-- SECONDS_A_TURN TURNS]
//
// The servers run on one core and the client on another. Turns alternate, and medians are compared, since other work on
// the machine comes and goes; processor time for each request hardly depends on it, and is the ratio to look at first.
import { execFileSync, spawn } from 'node:child_process'
import { createHash, createPublicKey, randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'

const [seconds = 3, turns = 5] = process.argv.slice(2).map(Number)
const CONNECTIONS = 64
const FEW = 3
const MANY = 10_000
const REQUESTS = 1_000_000

interface Server {
  readonly name: string
  readonly url: string
  /** Of the process that answers. */
  readonly pid: number
  readonly stop: () => Promise<void>
}

interface Measured {
  readonly perSecond: number
  readonly p99: number
  /** Processor time of the server for each request, microseconds. */
  readonly cpu: number
  readonly requests: number
  readonly failed: number
}

const box = mkdtempSync(join(tmpdir(), 'kjitsi-bench-'))
// nginx answers as another user.
chmodSync(box, 0o755)
const say = (line: string): void => void process.stdout.write(`${line}\n`)

/** PEM files of keys that nobody has: random numbers of 2048 bits, which is all that a server sees of a key. */
function makeKeys(dir: string, count: number): readonly string[] {
  mkdirSync(dir, { recursive: true })
  return Array.from({ length: count }, (_, i) => {
    const n = randomBytes(256)
    n[0] = (n[0] ?? 0) | 0x80
    n[255] = (n[255] ?? 0) | 1
    const key = createPublicKey({ format: 'jwk', key: { kty: 'RSA', n: n.toString('base64url'), e: 'AQAB' } })
    const name = `${createHash('sha256').update(`key ${i}`).digest('hex')}.pem`
    writeFileSync(join(dir, name), key.export({ type: 'spki', format: 'pem' }))
    return `/certs/${name}`
  })
}

/** `certs` is the folder that serve-certs is given, its parent the root of nginx. */
async function startNginx(root: string, port: number, more = ''): Promise<Server> {
  const home = mkdtempSync(join(box, 'nginx-'))
  const bodies = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  writeFileSync(
    join(home, 'nginx.conf'),
    `worker_processes 1; daemon off; pid ${home}/pid; error_log ${home}/error.log;
     events { worker_connections 1024; }
     http {
       access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; ${more}
       types { "application/x-x509-ca-cert" pem; }
       ${bodies.map((one) => `${one}_temp_path ${home}/${one};`).join(' ')}
       server { listen 127.0.0.1:${port}; root ${root}; }
     }`,
  )
  const child = pinned('nginx', ['-e', `${home}/error.log`, '-c', `${home}/nginx.conf`])
  await untilAnswers(`http://127.0.0.1:${port}/`)
  const workers = execFileSync('pgrep', ['-P', String(child.pid)], { encoding: 'utf8' })
    .trim()
    .split('\n')
  return {
    name: more === '' ? 'nginx' : 'nginx, files kept open',
    url: `http://127.0.0.1:${port}`,
    pid: Number(workers[0]),
    stop: () => stop(child),
  }
}

async function startServe(dir: string, port: number): Promise<Server> {
  const child = pinned(process.execPath, [
    'bin/kjitsi.js',
    'serve-certs',
    '--dir',
    dir,
    '--port',
    String(port),
  ])
  const url = `http://127.0.0.1:${port}`
  await untilAnswers(`${url}/readyz`, 200)
  return { name: 'serve-certs', url, pid: child.pid ?? 0, stop: () => stop(child) }
}

type Child = ReturnType<typeof pinned>

/** On the first core, which the client keeps off. */
function pinned(command: string, args: readonly string[]) {
  const child = spawn('taskset', ['-c', '0', command, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  createInterface(child.stderr).on('line', (line) => {
    if (/error|emerg/.test(line)) say(line)
  })
  return child
}

async function stop(child: Child): Promise<void> {
  if (child.exitCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await exited
}

async function untilAnswers(url: string, status?: number): Promise<void> {
  const deadline = performance.now() + 30_000
  for (;;) {
    const answer = await fetch(url).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer && (status === undefined || answer.status === status)) return
    if (performance.now() > deadline) throw new Error(`nothing answers at ${url}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** One turn of the client, which asks for the paths one after the other. */
async function measure(
  server: Server,
  paths: readonly string[],
  headers: readonly string[],
  forSeconds = seconds,
): Promise<Measured> {
  const script = join(box, 'paths.lua')
  // The request texts are made beforehand, so that the client is not what is measured.
  writeFileSync(
    script,
    `local paths = { ${paths.map((path) => `"${path}"`).join(', ')} }
     local texts, i = {}, 0
     init = function() for n, path in ipairs(paths) do texts[n] = wrk.format("GET", path) end end
     request = function() i = i % #texts + 1; return texts[i] end
     done = function(summary, latency)
       local failed = summary.errors.status
       local lost = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
       io.stderr:write(string.format("%d %d %d %d %d\\n", summary.requests, summary.duration, latency:percentile(99), failed, lost))
     end`,
  )
  const before = cpuOf(server.pid)
  const wrk = ['-t1', `-c${CONNECTIONS}`, `-d${forSeconds}s`, '-s', script]
  const client = spawn(
    'taskset',
    ['-c', '1', 'wrk', ...wrk, ...headers.flatMap((one) => ['-H', one]), server.url],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  const line = (await text(client.stderr)).trim().split('\n').at(-1) ?? ''
  const [requests = 0, micros = 1, p99 = 0, status = 0, lost = 0] = line.split(' ').map(Number)
  if (!(requests > 0)) throw new Error(`wrk said: ${line}`)
  const cpu = ((cpuOf(server.pid) - before) * 1e6) / requests
  return { perSecond: requests / (micros / 1e6), p99: p99 / 1000, cpu, requests, failed: status + lost }
}

/** Seconds of processor time, user's and system's. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

function megabytes(pid: number): number {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) / 1024
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN
}

async function compare(
  title: string,
  servers: readonly Server[],
  paths: readonly string[],
  headers: readonly string[] = [],
): Promise<readonly Measured[]> {
  const all = servers.map((): Measured[] => [])
  for (const server of servers) await measure(server, paths, headers, 1)
  for (let turn = 0; turn < turns; turn++) {
    for (const [i, server] of servers.entries()) all[i]?.push(await measure(server, paths, headers))
  }
  const rows = all.map((found) => ({
    perSecond: median(found.map(({ perSecond }) => perSecond)),
    p99: median(found.map(({ p99 }) => p99)),
    cpu: median(found.map(({ cpu }) => cpu)),
    requests: found.reduce((sum, { requests }) => sum + requests, 0),
    failed: found.reduce((sum, { failed }) => sum + failed, 0),
  }))
  say(`\n${title}`)
  const ours = rows.at(-1)
  rows.forEach((row, i) => {
    const ratio =
      ours && row !== ours
        ? `   ours: ${(ours.perSecond / row.perSecond).toFixed(2)} × requests/s, ${(ours.p99 / row.p99).toFixed(2)} × p99, ` +
          `${(row.cpu / ours.cpu).toFixed(2)} × requests per processor second`
        : ''
    say(
      `  ${(servers[i]?.name ?? '').padEnd(23)} ${row.perSecond.toFixed(0).padStart(7)}/s  p99 ${row.p99.toFixed(2).padStart(7)} ms  ` +
        `cpu ${row.cpu.toFixed(1).padStart(5)} µs  not 2xx or lost: ${row.failed} of ${row.requests}${ratio}`,
    )
  })
  return rows
}

const running: Server[] = []
const start = async (server: Promise<Server>): Promise<Server> => {
  const started = await server
  running.push(started)
  return started
}

try {
  const few = makeKeys(join(box, 'few/certs'), FEW)
  const nginx = await start(startNginx(join(box, 'few'), 9301))
  const open = await start(startNginx(join(box, 'few'), 9302, 'open_file_cache max=20000;'))
  const serve = await start(startServe(join(box, 'few/certs'), 9303))
  say(
    `${CONNECTIONS} connections, ${turns} turns of ${seconds} s each, medians; serve-certs starts with ${megabytes(serve.pid).toFixed(0)} MB`,
  )

  const unknown = Array.from({ length: 1000 }, () => `/certs/${randomBytes(32).toString('hex')}.pem`)
  const servers = [nginx, open, serve]
  const [, , hits] = await compare('keep-alive', servers, few)
  await compare('no keep-alive', servers, few, ['Connection: close'])
  const [, , misses] = await compare('404 flood, keep-alive', servers, unknown)
  if (hits && misses)
    say(`  serve-certs: ${(misses.perSecond / hits.perSecond).toFixed(2)} × the requests/s of hits`)
  say(`\nmemory of serve-certs after all this: ${megabytes(serve.pid).toFixed(0)} MB`)
  await serve.stop()

  for (const [title, headers] of [
    ['keep-alive', []],
    ['no keep-alive', ['Connection: close']],
  ] as const) {
    const fresh = await start(startServe(join(box, 'few/certs'), 9304))
    const [before, deadline] = [megabytes(fresh.pid), performance.now() + 240_000]
    let done = 0
    while (done < REQUESTS && performance.now() < deadline)
      done += (await measure(fresh, few, headers, 5)).requests
    say(
      `memory after ${done} requests, ${title}: ${megabytes(fresh.pid).toFixed(0)} MB (before: ${before.toFixed(0)} MB)`,
    )
    await fresh.stop()
  }

  const many = makeKeys(join(box, 'many/certs'), MANY)
  const full = await start(startServe(join(box, 'many/certs'), 9305))
  const before = megabytes(full.pid)
  await measure(full, many, [], 10)
  say(
    `memory with ${MANY} keys: ${before.toFixed(0)} MB at the start, ${megabytes(full.pid).toFixed(0)} MB after 10 s of requests for all of them`,
  )
} finally {
  for (const server of running) await server.stop()
  rmSync(box, { recursive: true, force: true })
}
