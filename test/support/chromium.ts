// Debian's Chromium, without a window, which trusts an authority of the test and finds the test's hosts on this machine.
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import { program, runProgram } from './programs.ts'
import type { TestAuthority } from './authority.ts'

export interface Chromium extends AsyncDisposable {
  readonly browser: Browser
}

/** @param hosts where each host is in truth, `127.0.0.1:PORT`; a `*` stands for any part of a name */
export async function startChromium(
  { caFile }: TestAuthority,
  hosts: Readonly<Record<string, string>>,
): Promise<Chromium> {
  const executablePath = program('chromium')
  const home = await mkdtemp(join(tmpdir(), 'kjitsi-chromium-'))
  await trust(home, caFile)
  const rules = Object.entries(hosts).map(([host, place]) => `MAP ${host} ${place}`)
  const browser = await chromium.launch({
    executablePath,
    args: [
      // Tests run as root in containers.
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-sync',
      `--host-resolver-rules=${['EXCLUDE localhost', ...rules, 'MAP * ~NOTFOUND'].join(', ')}`,
    ],
    // A popup opens by a click here, or not at all.
    ignoreDefaultArgs: ['--disable-popup-blocking'],
    env: { ...process.env, HOME: home },
  })
  return {
    browser,
    async [Symbol.asyncDispose]() {
      await browser.close()
      await rm(home, { recursive: true })
    },
  }
}

/** Chromium on Linux reads the authorities that its user added from NSS's database in the home folder. */
async function trust(home: string, caFile: string): Promise<void> {
  const folder = join(home, '.pki/nssdb')
  await mkdir(folder, { recursive: true })
  for (const args of [
    ['-N', '--empty-password'],
    ['-A', '-t', 'C,,', '-n', 'Test CA', '-i', caFile],
  ]) {
    const { exitCode, stderr } = runProgram('certutil', ['-d', `sql:${folder}`, ...args])
    if (exitCode !== 0) throw new Error(`certutil ${args.join(' ')}: ${stderr}`)
  }
}
