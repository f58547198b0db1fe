// What several kinds of gen-config share: settings, and what is made of some of them together.
import packageJson from '../../../package.json' with { type: 'json' }
import type { Context } from '../../cli/context.ts'
import { dnsLabel, plain } from '../../cli/readers.ts'
import { type SettingTable, onOff, setting, under, wordsFor } from '../../cli/setting.ts'
import { givenOrigin } from '../../jitsi/public-url.ts'
import {
  ACCEPTED,
  ALLOW_KEYS_FROM,
  CLIENT,
  GUESTS,
  JITSI_ENV_FILE,
  JITSI_URLS,
  KEYCLOAK,
  KEYS,
  MODERATORS,
} from '../../settings.ts'

/** Where keys come from. */
export const KEYS_OF = { ...KEYCLOAK, ...under('Keys:', { allowKeysFrom: ALLOW_KEYS_FROM }) }

/** The one Jitsi that the files are for. */
export const JITSI = under('Jitsi:', {
  jitsiUrls: { ...JITSI_URLS, unset: 'PUBLIC_URL of --jitsi-env' },
  jitsiEnv: { ...JITSI_ENV_FILE, unset: '.env' },
})

const ACCEPTS_TITLE = 'What Jitsi is to accept:'

export const ISSUER = under(ACCEPTS_TITLE, { issuer: { ...ACCEPTED.issuer, unset: 'what Keycloak says' } })

/** What tokens Jitsi accepts, and who moderates. */
export const JITSI_ACCEPTS = {
  client: CLIENT,
  ...under(ACCEPTS_TITLE, {
    appId: { ...ACCEPTED.appId, unset: 'the client id' },
    audience: { ...ACCEPTED.audience, unset: 'account and the client id' },
    guests: GUESTS,
    signType: ACCEPTED.signType,
    moderators: { ...MODERATORS, unset: 'everyone' },
  }),
}

/** The same for a kind that reads none of it itself: the commands that its file names are told. */
export const TOLD = under('For the commands that the file names:', {
  ...JITSI_ACCEPTS,
  moderators: MODERATORS,
  keys: KEYS,
})

/** The values of these settings as the words that give them; none where they are as by default. */
export function wordsOf(table: SettingTable, values: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(table).flatMap(([key, one]) => wordsFor(one, values[key]))
}

export const DEBIAN = setting({
  flag: '--debian',
  env: 'KJITSI_DEBIAN',
  help: "for Jitsi's Debian packages",
  parse: onOff,
})

export const XMPP_DOMAIN = setting({
  flag: '--xmpp-domain <name>',
  env: 'XMPP_DOMAIN',
  help: "Jitsi's domain in Prosody",
  parse: plain,
  unset: 'with --debian the host of its address',
})

export const INTO = setting({
  flag: '--into <file>',
  env: 'KJITSI_INTO',
  help: 'file to merge a marked block into',
  parse: plain,
})

export const IMAGE = setting({
  flag: '--image <name>',
  env: 'KJITSI_IMAGE',
  help: 'image of kjitsi',
  parse: plain,
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
  context: Context<typeof KEYCLOAK & typeof JITSI>,
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
