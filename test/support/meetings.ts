// Meetings of Jitsis that kjitsi has set up, in a real browser: Jitsi's origin and Keycloak each behind https, on two sites.
import { mkdir, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { BrowserContext, Page } from 'playwright-core'
import { onTestFinished } from 'vitest'
import { type Jitsi, makeJitsi } from './jitsi.ts'
import { startProxy } from './proxy.ts'
import {
  ADMIN_ENV,
  type Spoil,
  type TestRealm,
  giveRole,
  keycloak,
  makeRealm,
  makeUser,
  spoilClient,
} from './realm.ts'
import { startChromium } from './chromium.ts'
import { type Served, configJs, serveJitsi } from './jitsi-site.ts'
import { makeAuthority } from './authority.ts'

const ARTEFACTS = fileURLToPath(new URL('../artefacts/login/', import.meta.url))
export const ROOM = 'Team A'

export interface Changed {
  /** In the client, after setup-client. */
  readonly spoil?: Spoil
  /** In config.js, at its end. */
  readonly config?: string
  /** In what the Jitsi origin serves. */
  readonly headers?: Served['headers']
  /** Of Jitsi, if another than 443. */
  readonly port?: number
}

interface Opened {
  readonly jitsi: Jitsi
  readonly meeting: Page
  /** What any page of this browser wrote to its console as an error. */
  readonly said: readonly string[]
  readonly context: BrowserContext
}

export interface Meetings extends AsyncDisposable {
  /** With alice, mona, whom each client's role makes a moderator, and root, its administrator. */
  readonly realm: TestRealm
  /** How kjitsi gets at Keycloak: as the browser does. */
  readonly access: Readonly<Record<string, string>>
  /** Makes a Jitsi with kjitsi and opens a meeting of it in a browser without a history. */
  readonly open: (changed?: Changed) => Promise<Opened>
}

export async function startMeetings(): Promise<Meetings> {
  await rm(ARTEFACTS, { recursive: true, force: true })
  await mkdir(ARTEFACTS, { recursive: true })
  const authority = await makeAuthority('DNS:localhost,DNS:*.meet.example.org')
  const proxy = await startProxy(keycloak.url, { tls: authority.server })
  // The certificate is for a name, and the browser takes this one for another site than Jitsi's.
  const keycloakUrl = proxy.url.replace('127.0.0.1', 'localhost')
  const served = await serveJitsi(authority)
  const chromium = await startChromium(authority, { '*.meet.example.org': `127.0.0.1:${served.port}` })
  const realm = await makeRealm()
  await realm.admin.realms.update({ realm: realm.name }, { attributes: { frontendUrl: keycloakUrl } })
  await makeUser(realm, 'alice')
  const monaId = await makeUser(realm, 'mona')
  await giveRole(realm, await makeUser(realm, 'root'), 'realm-management', 'realm-admin')
  const access = { ...ADMIN_ENV, KEYCLOAK_URL: keycloakUrl, KJITSI_CA_FILE: authority.caFile }

  return {
    realm,
    access,
    async open({ spoil, config = '', headers = {}, port } = {}) {
      const host = `n${served.sites.size + 1}.meet.example.org`
      const origin = `https://${host}${port === undefined ? '' : `:${port}`}`
      const jitsi = await makeJitsi(realm, origin, access)
      await giveRole(realm, monaId, jitsi.clientId, 'owner')
      if (spoil) await spoilClient(realm, jitsi.clientId, spoil)
      served.sites.set(host, { config: `${configJs(jitsi.env, jitsi.web)}\n${config}`, headers })
      const context = await chromium.browser.newContext()
      onTestFinished(async ({ task }) => {
        if (task.result?.state === 'fail')
          for (const [i, page] of context.pages().entries()) await picture(page, `failed ${task.name} ${i}`)
        await context.close()
      })
      const said: string[] = []
      context.on('console', (message) => {
        if (message.type() === 'error') said.push(message.text())
      })
      const meeting = await context.newPage()
      await meeting.goto(`${origin}/${encodeURIComponent(ROOM)}`)
      return { jitsi, meeting, said, context }
    },
    async [Symbol.asyncDispose]() {
      for (const one of [realm, chromium, served, proxy, authority]) await one[Symbol.asyncDispose]()
    },
  }
}

/** Clicks Log-in; gives the popup. */
export async function startLogin(meeting: Page): Promise<Page> {
  const [popup] = await Promise.all([
    meeting.waitForEvent('popup'),
    meeting.getByRole('button', { name: 'Log-in' }).click(),
  ])
  return popup
}

/** Clicks Log-in and fills in Keycloak's form; the password is the user name. */
export async function logIn(meeting: Page, username: string): Promise<Page> {
  const popup = await startLogin(meeting)
  await fillIn(popup, username)
  return popup
}

export async function fillIn(page: Page, username: string): Promise<void> {
  await page.locator('#username').fill(username)
  await page.locator('#password').fill(username)
  await page.locator('#kc-login').click()
}

/** Waits until a text is there. */
export async function says(page: Page, text: string): Promise<void> {
  await page.getByText(text).waitFor()
}

/** Keeps what a person sees, in test/artefacts. */
export async function picture(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: `${ARTEFACTS}${name.replaceAll(/\W+/g, '-')}.png` })
}

/** What the meeting holds after a login. */
export function sessionOf(meeting: Page): Promise<{ readonly accessToken: string }> {
  return meeting.evaluate<{ readonly accessToken: string }>('session')
}
