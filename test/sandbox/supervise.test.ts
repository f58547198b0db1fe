// That nothing is left running, and nothing left lying about, however the process that started it ends.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, expect, test, vi } from 'vitest'
import { supervise } from '../../src/sandbox/supervise.ts'
import { tempFolder } from '../support/folder.ts'

const STARTER = fileURLToPath(new URL('../support/starter.ts', import.meta.url))

/**
 * Shell programs in place of a server; each runs a child, says so in a file `ready`, and goes on for an hour.
 */
const OBEDIENT = 'sleep 3600 & : >ready; wait'
const STUBBORN = 'trap "" TERM; sleep 3600 & : >ready; while :; do wait; done'

let base: string
let folder: string

beforeEach(async () => {
  base = tempFolder()
  folder = join(base, 'run')
  await mkdir(folder)
})

/** Whether any process of the group is alive: one that is dead but that nobody has collected yet is not. */
function isRunning(group: number): boolean {
  try {
    process.kill(-group, 0)
  } catch {
    return false
  }
  return !existsSync('/proc/self/stat') || processesOf(group).length > 0
}

function processesOf(group: number): readonly string[] {
  return readdirSync('/proc').filter((pid) => {
    const [state, , itsGroup] = /^\d+$/.test(pid) ? statOf(pid) : []
    return itsGroup === String(group) && state !== 'Z'
  })
}

/** State, parent, group and so on of a process (proc_pid_stat(5)); none where it has just gone. */
function statOf(pid: string): readonly string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return []
  }
}

async function untilReady(): Promise<void> {
  await vi.waitUntil(() => existsSync(join(folder, 'ready')), { timeout: 10_000 })
}

/** The supervised group of a starter in a process of its own. */
async function startedElsewhere(program: string): Promise<{ starter: ChildProcess; group: number }> {
  const command = [STARTER, folder, 'sh', '-c', program]
  const starter = spawn(process.execPath, ['--import', 'tsx', ...command], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const [line] = (await once(starter.stdout, 'data')) as [Buffer]
  await untilReady()
  return { starter, group: Number(line.toString()) }
}

test.each([
  ['is killed', (starter: ChildProcess) => starter.kill('SIGKILL')],
  ['is interrupted', (starter: ChildProcess) => starter.kill('SIGINT')],
  ['exits', (starter: ChildProcess) => starter.stdin?.end('exit')],
  ['throws', (starter: ChildProcess) => starter.stdin?.end('throw')],
])('the group and its folder go when the starter %s', async (_, end) => {
  const { starter, group } = await startedElsewhere(OBEDIENT)
  expect(isRunning(group)).toBe(true)
  end(starter)
  await vi.waitUntil(() => !isRunning(group), { timeout: 10_000 })
  expect(existsSync(folder)).toBe(false)
})

test('what is kept outlives the starter, and a signal to its group ends it and its folder', async () => {
  const { starter, group } = await startedElsewhere(OBEDIENT)
  starter.stdin?.end('keep')
  await once(starter, 'exit')
  expect(isRunning(group)).toBe(true)
  process.kill(-group)
  await vi.waitUntil(() => !isRunning(group), { timeout: 10_000 })
  expect(existsSync(folder)).toBe(false)
})

test('stop ends the whole group and its folder', async () => {
  const { pid, ended, stop } = await supervise(['sh', '-c', OBEDIENT], folder, process.env)
  await untilReady()
  await stop()
  expect(await ended).toBe(false)
  await vi.waitUntil(() => !isRunning(pid))
  expect(existsSync(folder)).toBe(false)
})

test('kill ends even what ignores signals at once, and its folder', async () => {
  const { pid, kill } = await supervise(['sh', '-c', STUBBORN], folder, process.env)
  await untilReady()
  await kill()
  await vi.waitUntil(() => !isRunning(pid))
  expect(existsSync(folder)).toBe(false)
})

test('a program that ignores the signal is killed in the end', async () => {
  const { pid, stop } = await supervise(['sh', '-c', STUBBORN], folder, process.env)
  await untilReady()
  const stopped = stop()
  // Cuts the seconds of grace short; before they have begun it does nothing, so it is said until it is heard.
  await vi.waitUntil(() => {
    if (isRunning(pid)) process.kill(-pid, 'SIGTERM')
    return !isRunning(pid)
  })
  await stopped
  expect(existsSync(folder)).toBe(false)
})

test('what is run afterwards runs however the program ended', async () => {
  for (const [program, after] of [
    ['exit 0', 'ok'],
    ['exit 3', 'failed'],
    [STUBBORN, 'killed'],
  ] as const) {
    await mkdir(folder, { recursive: true })
    const { pid, ended, stop } = await supervise(['sh', '-c', program], folder, process.env, [
      'touch',
      join(base, after),
    ])
    if (program === STUBBORN) {
      await untilReady()
      void stop()
      await vi.waitUntil(() => {
        if (isRunning(pid)) process.kill(-pid, 'SIGTERM')
        return !isRunning(pid)
      })
    }
    await ended
    expect(existsSync(join(base, after))).toBe(true)
  }
})

test('the process that watches over a kept program is there to be ended as long as that', async () => {
  const { starter, group } = await startedElsewhere(OBEDIENT)
  starter.stdin?.end('keep')
  await once(starter, 'exit')
  // The shell, the watcher, and the program with its child.
  expect(processesOf(group)).toHaveLength(4)
  process.kill(-group)
  await vi.waitUntil(() => processesOf(group).length === 0, { timeout: 10_000 })
})

test('a program that fails takes its folder along, and its last lines can still be read', async () => {
  const { ended, lastLines, stop } = await supervise(
    ['sh', '-c', 'printf "7\\n8\\n9\\n"; echo bad >&2; exit 3'],
    folder,
    process.env,
  )
  expect(await ended).toBe(false)
  expect(existsSync(folder)).toBe(false)
  expect(await lastLines(3)).toBe('8\n9\nbad')
  await stop()
})

test('a program that ends well leaves its folder, and nothing running', async () => {
  const { pid, ended, stop } = await supervise(['sh', '-c', 'echo good'], folder, process.env)
  expect(await ended).toBe(true)
  expect(await readFile(join(folder, 'log'), 'utf8')).toBe('good\n')
  await vi.waitUntil(() => !isRunning(pid))
  await stop()
})
