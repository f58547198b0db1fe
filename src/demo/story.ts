// What the demo tells: plain words for somebody who sees Keycloak and Jitsi for the first time.
import type { ChalkInstance } from 'chalk'
import { table } from '../table.ts'

export const REALM = 'meet'
export const DEMO_CLIENT = 'jitsi'
export const PERSON = 'alice'

/** A step of the demo; one with `args` is a kjitsi command. */
export interface Step {
  readonly title: string
  readonly why: string
  readonly args?: readonly string[]
}

export const START: Step = {
  title: 'Starting a Keycloak just for this demo',
  why: 'Keycloak is where people log in. This one is for this machine only and is thrown away afterwards.',
}

export const MAKE: Step = {
  title: `Making a realm "${REALM}", a client "${DEMO_CLIENT}" and a user "${PERSON}"`,
  why: 'A realm holds users and the keys that sign their tokens; a client is an application, here Jitsi.',
}

/** The commands that make Jitsi accept the tokens of the Keycloak at `url`. */
export function commandSteps(url: string, user: string): readonly (Step & { args: readonly string[] })[] {
  const realm = ['--url', url, '--realm', REALM]
  return [
    {
      args: ['setup-mappers', ...realm, '--client', DEMO_CLIENT, '--user', user],
      title: 'Telling Keycloak what to write into the tokens',
      why: 'A mapper adds a claim to each token of the client; Jitsi wants one that names the room.',
    },
    {
      args: ['gen-env', '.env', ...realm, '--client', DEMO_CLIENT],
      title: "Writing Jitsi's settings",
      why: 'Whose tokens to accept, and where the keys are; on http and localhost here, hence the warnings.',
    },
    {
      args: ['export-certs', 'certs', ...realm],
      title: 'Exporting the public keys of the realm',
      why: 'Keycloak signs tokens with a private key, which it never gives away; the public key checks them.',
    },
  ]
}

export const CHECK = {
  args: ['check-token', '-', '--jitsi-env', '.env', '--certs', 'certs', '--join', 'team-a'],
  title: `Logging ${PERSON} in and checking her token as Jitsi does`,
  why: 'Jitsi does not ask Keycloak about her: it trusts a token whose signature fits an exported key.',
} as const satisfies Step

/** What to do after the demo, on one's own servers. */
export const NEXT = [
  {
    command: 'npx kjitsi setup-mappers --url https://YOUR-KEYCLOAK --realm YOUR-REALM --user admin --dry-run',
    does: 'asks for the password and shows what is missing; without --dry-run it makes it',
  },
  {
    command: 'npx kjitsi gen-env path/to/.env --url https://YOUR-KEYCLOAK --realm YOUR-REALM',
    does: "merges the settings into Jitsi's own .env",
  },
  {
    command: 'npx kjitsi export-certs certs --url https://YOUR-KEYCLOAK --realm YOUR-REALM',
    does: 'writes the keys; serve that folder at the address in JWT_ASAP_KEYSERVER',
  },
] as const

/** How to reach and to stop the Keycloak that goes on running. */
export interface Kept {
  readonly url: string
  readonly user: string
  readonly password: string
  readonly realmUser: string
  readonly realmPassword: string
  /** Of the files that were made; goes with the server. */
  readonly folder: string
  readonly stop: string
}

/** The result for people. */
export function resultText(kept: Kept | undefined, paint: ChalkInstance): string {
  return [
    paint.bold('Next, with your own Keycloak'),
    ...NEXT.flatMap(({ command, does }) => [paint.dim(`  # ${does}`), `  ${command}`]),
    ...(kept === undefined ? [] : ['', ...keptLines(kept, paint)]),
  ].join('\n')
}

function keptLines(kept: Kept, paint: ChalkInstance): readonly string[] {
  const rows = [
    ['administrator', `${kept.url}/admin/`, `${kept.user} / ${kept.password}`],
    ['user', `${kept.url}/realms/${REALM}/account/`, `${kept.realmUser} / ${kept.realmPassword}`],
    ['files', kept.folder],
    ['stop it with', kept.stop, paint.dim('which removes the files too')],
  ]
  return [paint.bold('The Keycloak goes on running'), indent(table(rows))]
}

/** Every line a little to the right. */
export function indent(text: string, by = '  '): string {
  return text.replace(/^(?=.)/gm, by)
}
