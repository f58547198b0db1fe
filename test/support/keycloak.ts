// The real Keycloak that the tests run against: the one named by KJITSI_TEST_KEYCLOAK_URL, or a sandbox of
// our own.
import type { TestProject } from 'vitest/node'
import { startSandbox } from '../../src/sandbox/keycloak.ts'

export interface KeycloakUnderTest {
  readonly url: string
  readonly user: string
  readonly password: string
}

declare module 'vitest' {
  export interface ProvidedContext {
    keycloak: KeycloakUnderTest
  }
}

export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const url = process.env['KJITSI_TEST_KEYCLOAK_URL']
  if (url) {
    const { KEYCLOAK_USER: user = 'admin', KEYCLOAK_PASSWORD: password = 'admin' } = process.env
    project.provide('keycloak', { url: url.replace(/\/+$/, ''), user, password })
    return undefined
  }
  const sandbox = await startSandbox({
    onProgress: (what, seconds) => {
      if (seconds === 0) process.stderr.write(`${what} …\n`)
    },
  })
  project.provide('keycloak', { url: sandbox.url, user: sandbox.user, password: sandbox.password })
  return () => sandbox.stop()
}
