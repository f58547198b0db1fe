// What the demo tells: plain words for somebody who sees Keycloak and Jitsi for the first time.
import type { ChalkInstance } from 'chalk'
import { table } from '../table.ts'

export const REALM = 'meet'
export const CLIENT = 'jitsi'
export const PERSON = 'alice'

/** A step of the demo; one with `args` is a kjitsi command. */
export interface Step {
  readonly title: string
  readonly why: string
}

export interface CommandStep extends Step {
  readonly args: readonly string[]
}

export const START: Step = {
  title: 'Starting a Keycloak just for this demo',
  why: 'Keycloak is where people log in. This one is for this machine only and is thrown away afterwards.',
}

export const MAKE: Step = {
  title: `Making a realm "${REALM}", a client "${CLIENT}" and a user "${PERSON}"`,
  why: 'A realm holds users and the keys that sign their tokens; a client is an application, here Jitsi.',
}

export const LOG_IN: Step = {
  title: `Logging ${PERSON} in and checking her token as Jitsi does`,
  why: 'Jitsi does not ask Keycloak about her: it trusts a token whose signature fits an exported key.',
}

/** The three commands, on the Keycloak at `url`. */
export function commandSteps(url: string, user: string): readonly CommandStep[] {
  const realm = ['--url', url, '--realm', REALM]
  return [
    {
      args: ['setup-mappers', ...realm, '--client', CLIENT, '--user', user],
      title: 'Telling Keycloak what to write into the tokens',
      why: 'A mapper adds a claim to each token of the client; Jitsi wants one that names the room.',
    },
    {
      args: ['gen-env', '.env', ...realm, '--client', CLIENT],
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

/** A claim, or a member of the token's head. */
export interface Claim {
  readonly name: string
  /** Undefined where the token has none. */
  readonly value: unknown
  readonly meaning: string
}

/** The part of a token that matters to Jitsi. */
export function claimsOf(
  head: Readonly<Record<string, unknown>>,
  claims: Readonly<Record<string, unknown>>,
): readonly Claim[] {
  const claim = (name: string, meaning: string): Claim => ({ name, value: claims[name], meaning })
  return [
    { name: 'kid', value: head['kid'], meaning: 'names the key; its sha256 is the name of the file' },
    { name: 'alg', value: head['alg'], meaning: 'how it is signed; Jitsi takes RS256 unless told otherwise' },
    claim('iss', 'who issued it; one of JWT_ACCEPTED_ISSUERS'),
    claim('aud', 'for whom; one of JWT_ACCEPTED_AUDIENCES, and no list'),
    claim('exp', 'when it ends'),
    claim('nbf', 'when it begins; may be absent, setup-mappers --nbf writes it'),
    claim('sub', "the user's id; has to be there"),
    claim('room', 'the room that it opens; * opens every room'),
    claim('bnf', 'nothing: what Jitsi reads is nbf, though some guides ask for bnf'),
  ]
}

/** What to do after the demo, on one's own servers. */
export const NEXT: readonly (readonly [command: string, does: string])[] = [
  [
    'npx kjitsi setup-mappers --url https://YOUR-KEYCLOAK --realm YOUR-REALM --user admin --dry-run',
    'asks for the password and shows what is missing; without --dry-run it makes it',
  ],
  [
    'npx kjitsi gen-env path/to/.env --url https://YOUR-KEYCLOAK --realm YOUR-REALM',
    "merges the settings into Jitsi's own .env",
  ],
  [
    'npx kjitsi export-certs certs --url https://YOUR-KEYCLOAK --realm YOUR-REALM',
    'writes the keys; serve that folder at the address in JWT_ASAP_KEYSERVER',
  ],
]

export interface Proof {
  readonly claims: readonly Claim[]
  /** The PEM file that verified the signature, relative to the demo's folder. */
  readonly keyFile: string
}

interface Kept {
  readonly url: string
  readonly user: string
  readonly password: string
  readonly realmUser: string
  readonly realmPassword: string
  /** Of the files that were made; goes with the server. */
  readonly folder: string
  readonly stop: string
}

export interface Demo {
  /** The settings that gen-env wrote, by name. */
  readonly settings: Readonly<Record<string, string>>
  readonly proof: Proof
  /** Undefined where the server was stopped. */
  readonly kept: Kept | undefined
}

/** The result for people. */
export function resultText({ settings, proof, kept }: Demo, paint: ChalkInstance): string {
  const rows = proof.claims.map(({ name, value, meaning }) => [name, shown(name, value), paint.dim(meaning)])
  const lines = [
    paint.bold(`What is in ${PERSON}'s token, and what it is to Jitsi`),
    indent(table(rows)),
    '',
    paint.bold("What is in Jitsi's .env"),
    indent(table(Object.entries(settings).map(([name, value]) => [name, value]))),
    '',
    paint.green(`✓ ${proof.keyFile} verifies the signature, found by the token's own kid.`),
    paint.green('✓ Issuer and audience are among those that .env accepts, and the token has not ended.'),
    '',
    paint.bold('Next, with your own Keycloak'),
    ...NEXT.flatMap(([command, does]) => [paint.dim(`  # ${does}`), `  ${command}`]),
  ]
  return [...lines, ...(kept === undefined ? [] : ['', ...keptLines(kept, paint)])].join('\n')
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

function shown(name: string, value: unknown): string {
  if (value === undefined) return '-'
  if (name === 'exp' && typeof value === 'number')
    return `${value} (${new Date(value * 1000).toISOString().replace('.000', '')})`
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Every line a little to the right. */
export function indent(text: string, by = '  '): string {
  return text.replace(/^(?=.)/gm, by)
}
