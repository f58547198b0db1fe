// What several kinds of gen-config share: settings, and what is made of some of them together.
import packageJson from '../../../package.json' with { type: 'json' }
import type { Context } from '../../cli/context.ts'
import { dnsLabel } from '../../cli/readers.ts'
import { type SettingTable, setting, under, wordsFor } from '../../cli/setting.ts'
import { givenOrigin } from '../../jitsi/public-url.ts'
import { ALLOW_KEYS_FROM } from '../../key-settings.ts'
import { ACCEPTED_BY_DEFAULT, CLIENT, GUESTS, JITSI, KEYCLOAK, KEYS, MODERATORS } from '../../settings.ts'

/** Where keys come from. */
export const KEYS_OF = { ...KEYCLOAK, ...under('Keys:', { allowKeysFrom: ALLOW_KEYS_FROM }) }

/** The one Jitsi that the files are for. */
export const ONE_JITSI = under('Jitsi:', JITSI)

const ACCEPTS_TITLE = 'What Jitsi is to accept:'

export const ISSUER = under(ACCEPTS_TITLE, { issuer: ACCEPTED_BY_DEFAULT.issuer })

/** What tokens Jitsi accepts, and who moderates. */
export const JITSI_ACCEPTS = {
  client: CLIENT,
  ...under(ACCEPTS_TITLE, {
    appId: ACCEPTED_BY_DEFAULT.appId,
    audience: ACCEPTED_BY_DEFAULT.audience,
    guests: GUESTS,
    signType: ACCEPTED_BY_DEFAULT.signType,
    moderators: { ...MODERATORS, unset: 'everyone' },
  }),
}

/** The same for a kind that uses none of it itself, but names commands that do. */
export const TOLD = under('For the commands that the file names:', {
  ...JITSI_ACCEPTS,
  moderators: MODERATORS,
  keys: KEYS,
})

/** The values of these settings as flags; without those that are as by default. */
export function wordsOf(table: SettingTable, values: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(table).flatMap(([key, one]) => wordsFor(one, values[key]))
}

export const DEBIAN = setting({
  flag: '--debian',
  env: 'KJITSI_DEBIAN',
  help: "for Jitsi's Debian packages",
})

export const XMPP_DOMAIN = setting({
  flag: '--xmpp-domain <name>',
  env: 'XMPP_DOMAIN',
  help: "Jitsi's domain in Prosody",
})

export const INTO = setting({
  flag: '--into <file>',
  env: 'KJITSI_INTO',
  help: 'file to merge a marked block into',
})

export const IMAGE = setting({
  flag: '--image <name>',
  env: 'KJITSI_IMAGE',
  help: 'image of kjitsi',
  default: `kjitsi:${packageJson.version}`,
})

export const NAMESPACE = setting({
  flag: '--namespace <name>',
  env: 'KJITSI_NAMESPACE',
  help: 'namespace of Jitsi',
  parse: dnsLabel,
  default: 'jitsi',
})

/** The key server of `gen-config kubernetes`, by its whole name: Prosody's resolver does not search the cluster's domains. */
export function inCluster(namespace: string): string {
  return `http://kjitsi.${namespace}.svc.cluster.local:9000/certs`
}

/**
 * Where Keycloak is, and under which address people open the one Jitsi: what is missing of both is named at once.
 * @param asksKeycloak false where its issuers are known, and nobody has to be asked
 * @param isAddressed false where it does not matter where Jitsi is; its address then is empty
 */
export async function needJitsi(
  context: Context<typeof KEYCLOAK & typeof ONE_JITSI>,
  { asksKeycloak = true, isAddressed = true },
): Promise<{ readonly url: string; readonly realm: readonly string[]; readonly origin: string }> {
  const { settings, io } = context
  const found = isAddressed ? await givenOrigin(settings.jitsiUrls, settings.jitsiEnv, io) : ''
  const {
    url = '',
    realm = [],
    jitsiUrls = [],
  } = await context.need([
    ...(asksKeycloak ? (['url', 'realm'] as const) : []),
    ...(found === undefined ? (['jitsiUrls'] as const) : []),
  ])
  return { url, realm, origin: found ?? jitsiUrls.join() }
}
