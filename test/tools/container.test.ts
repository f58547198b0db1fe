// The Dockerfile and the compose file, as far as they can be checked without a docker daemon.
import fc from 'fast-check'
import { spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { serverAddress } from '../../src/keycloak/address.ts'
import { parse } from 'yaml'
import { makeAuthority } from '../support/authority.ts'
import { serve, freePort } from '../support/http.ts'
import { sharedFolder } from '../support/folder.ts'
import { run } from '../support/run.ts'
import { type Said, runProgram } from '../support/programs.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const dir = sharedFolder()

describe('Dockerfile', () => {
  test('hadolint has nothing to say', () => {
    expect(runProgram('hadolint', [join(ROOT, 'Dockerfile')])).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: '',
    })
  })

  describe('HEALTHCHECK', () => {
    async function healthcheck(env: Readonly<Record<string, string>>): Promise<number | null> {
      const dockerfile = await readFile(join(ROOT, 'Dockerfile'), 'utf8')
      const [, words = '[]'] = /^HEALTHCHECK .* CMD (\[.*\])$/m.exec(dockerfile) ?? []
      const [command = '', ...args] = JSON.parse(words) as string[]
      expect(command).toBe('node')
      const child = spawn(process.execPath, args, { env, stdio: 'ignore' })
      return new Promise((resolve) => child.once('close', resolve))
    }

    test.each([
      [200, 0],
      [404, 1],
      [503, 1],
    ])('%i at /healthz is exit %i', async (status, exitCode) => {
      const asked: (string | undefined)[] = []
      const url = await serve((request, response) => {
        asked.push(request.url)
        response.writeHead(status).end()
      })
      expect(await healthcheck({ KJITSI_LISTEN_PORT: new URL(url).port })).toBe(exitCode)
      expect(asked).toEqual(['/healthz'])
    })

    test('nobody there is exit 1', async () => {
      expect(await healthcheck({ KJITSI_LISTEN_PORT: String(await freePort()) })).toBe(1)
    })

    test('over TLS, with whatever certificate', async () => {
      await using authority = await makeAuthority('DNS:kjitsi')
      const url = await serve((_, response) => response.end(), authority.server)
      const env = { KJITSI_LISTEN_PORT: new URL(url).port, KJITSI_TLS_CERT: '/tls/tls.crt' }
      expect(await healthcheck(env)).toBe(0)
    })
  })
})

/** What docker-jitsi-meet's own file has of what the override joins. */
const JITSI = `
services:
  prosody:
    image: ghcr.io/jitsi/prosody:\${JITSI_IMAGE_VERSION:-unstable}
    environment:
      - JWT_ASAP_KEYSERVER
    networks:
      meet.jitsi:
networks:
  meet.jitsi:
`

function compose(files: readonly string[]): Said {
  const named = files.flatMap((file) => ['--file', file])
  return runProgram('docker-compose', [...named, 'config'], {
    cwd: dir,
    env: { COMPOSE_PROJECT_NAME: 'test' },
  })
}

interface Project {
  readonly services: Readonly<Record<string, { readonly environment: Readonly<Record<string, string>> }>>
}

/** Nothing and `{}` are one and the same to compose. */
function read(printed: string): Project {
  return parse(printed, (_, value: unknown) => value ?? {}) as Project
}

/** docker-compose writes `$` as `$$` again in what it prints. */
function environmentOf(printed: string, service: string): Readonly<Record<string, string>> {
  const { environment } = read(printed).services[service] ?? { environment: {} }
  return Object.fromEntries(
    Object.entries(environment).map(([key, value]) => [key, value.replaceAll('$$', '$')]),
  )
}

describe('compose', () => {
  beforeAll(async () => {
    await writeFile(join(dir, 'docker-compose.yml'), JITSI)
    await writeFile(join(dir, '.env'), 'RESTART_POLICY=always\n')
  })

  test("joins docker-jitsi-meet's network, and changes nothing of its services", async () => {
    const argv = ['gen-config', 'compose', dir, '--url', 'https://auth.example.org', '--realm', 'meet']
    expect(await run(argv)).toMatchObject({ exitCode: 0 })
    const [before, after] = [['docker-compose.yml'], ['docker-compose.yml', 'kjitsi.yml']].map(compose)
    expect(after).toMatchObject({ exitCode: 0, stderr: '' })
    const { services, ...rest } = read(after?.stdout ?? '')
    const { kjitsi, ...others } = services
    expect({ services: others, ...rest }).toEqual(read(before?.stdout ?? ''))
    expect(kjitsi).toMatchObject({
      command: ['serve-certs'],
      networks: { 'meet.jitsi': {} },
      restart: 'always',
      read_only: true,
      environment: {
        KEYCLOAK_URL: 'https://auth.example.org',
        KEYCLOAK_REALM: 'meet',
        KJITSI_LISTEN_HOST: '0.0.0.0',
      },
    })
    expect(kjitsi).not.toHaveProperty('ports')
  })

  test('whatever the values, the container gets what was given, or they were refused', async () => {
    const hostile = fc.oneof(
      fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }),
      fc.string({ minLength: 1, maxLength: 12, unit: 'binary' }),
      fc
        .array(
          fc.constantFrom(
            '$',
            '${A}',
            '$A',
            '$$',
            '"',
            "'",
            '\\',
            '\\n',
            '#',
            ': ',
            '{',
            '&',
            '*',
            '!',
            '%',
            '- ',
          ),
          {
            minLength: 1,
            maxLength: 6,
          },
        )
        .map((parts) => parts.join('')),
    )
    const services: string[] = []
    const wanted: Record<string, string>[] = []
    for (const [path, realm] of fc.sample(fc.tuple(hostile, hostile), { numRuns: 60, seed: 4 })) {
      const url = `https://auth.example.org/${path}`
      const { exitCode, stdout } = await run(['gen-config', 'compose', '--url', url, '--realm', realm])
      expect([0, 2]).toContain(exitCode)
      if (exitCode === 2) continue
      const block = stdout.slice(stdout.indexOf('\n  kjitsi:'))
      services.push(block.replace('kjitsi:', `case-${wanted.length}:`))
      wanted.push({
        KEYCLOAK_URL: serverAddress(url.trim()).replace(/\/+$/, ''),
        KEYCLOAK_REALM: realm.trim(),
      })
    }
    expect(wanted.length).toBeGreaterThan(20)
    await writeFile(join(dir, 'many.yml'), `services:${services.join('')}`)
    const { exitCode, stdout, stderr } = compose(['docker-compose.yml', 'many.yml'])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    wanted.forEach((values, i) => {
      expect(environmentOf(stdout, `case-${i}`)).toMatchObject(values)
    })
  })
})
