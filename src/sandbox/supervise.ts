// Runs a program that must not outlive this process, however this process ends: a shell between the two, in a
// process group of its own, ends the whole group once the pipe from here is closed, which the kernel does
// even after a SIGKILL.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type FileHandle, open, rm } from 'node:fs/promises'

/**
 * `$1` is a folder that goes when the program fails or is ended, `$2` a command that is run once it has ended, the rest is
 * the program.
 *
 * The line `keep` on its input makes it outlive the starter; the end of the input without that line ends it.
 * A second signal to the group cuts the ten seconds short that the program has to end by itself. The watcher stays until it
 * is killed: the number of a process that has ended is given to another.
 */
const SUPERVISOR = `
folder=$1
after=$2
shift 2
trap : HUP INT TERM
exec 3<&0
"$@" </dev/null 3<&- &
program=$!
{
  trap : HUP INT TERM
  read -r word <&3
  if [ "$word" != keep ]; then
    kill -s TERM -- -$$
    sleep 10
    kill -s KILL "$program"
  fi
  trap '' HUP INT TERM
  exec sleep 2147483647
} 2>/dev/null &
watcher=$!
exec 3<&-
wait "$program"
status=$?
while kill -0 "$program" 2>/dev/null; do
  wait "$program"
  status=$?
done
kill -s KILL "$watcher"
$after </dev/null >/dev/null 2>&1
[ "$status" = 0 ] && exit
rm -rf "$folder"
kill -s KILL -- -$$
`

const LOG_TAIL_BYTES = 16_384

export interface Supervised {
  /** Of the shell, and so of the whole process group. */
  readonly pid: number
  /** Settles once the program has ended: true where it ended well. Where not, its folder is gone. */
  readonly ended: Promise<boolean>
  /** The last lines of what it printed, readable even when its folder is gone. */
  readonly lastLines: (count: number) => Promise<string>
  /** Lets it outlive this process. */
  readonly keep: () => Promise<void>
  /** Ends it with all its children, and its folder with it. */
  readonly stop: () => Promise<void>
  /**
   * The same at once, for what has nothing to bring to an end; the last of the children may still be dying.
   */
  readonly kill: () => Promise<void>
}

/**
 * Starts `command` with its output in `folder`/log.
 * @param folder of this program's own, removed when it fails or is ended
 * @param after words, none of which a shell would split, of a command that is run once it has ended, however it did
 */
export async function supervise(
  command: readonly string[],
  folder: string,
  env: Readonly<Record<string, string | undefined>>,
  after: readonly string[] = [],
): Promise<Supervised> {
  const log = await open(`${folder}/log`, 'w+', 0o600)
  const child = spawn('sh', ['-c', SUPERVISOR, 'kjitsi', folder, after.join(' '), ...command], {
    cwd: folder,
    env,
    // A group of its own, so that Ctrl-C in the terminal comes to us first.
    detached: true,
    stdio: ['pipe', log.fd, log.fd],
  })
  await once(child, 'spawn')
  const { stdin, pid } = child
  if (stdin === null || pid === undefined) throw new Error('started without a pipe or a process id')
  // It may be gone before it is told to end.
  stdin.on('error', () => undefined)
  const ended = once(child, 'exit').then(([code]: unknown[]) => code === 0)
  return {
    pid,
    ended,
    lastLines: (count) => readTail(log, count),
    keep: async () => {
      await new Promise<void>((resolve) => {
        stdin.end('keep\n', resolve)
      })
      child.unref()
      await log.close()
    },
    stop: async () => {
      stdin.end()
      await ended
      await log.close()
    },
    kill: async () => {
      if (child.exitCode === null && child.signalCode === null) process.kill(-pid, 'SIGKILL')
      await ended
      await log.close()
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

async function readTail(log: FileHandle, count: number): Promise<string> {
  const { size } = await log.stat()
  const length = Math.min(size, LOG_TAIL_BYTES)
  const { buffer } = await log.read(Buffer.alloc(length), 0, length, size - length)
  return buffer.toString('utf8').trimEnd().split('\n').slice(-count).join('\n')
}
