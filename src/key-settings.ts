// The settings that say where keys come from and how long they stay, and which of them count.
import { type Context, isMissing } from './cli/context.ts'
import { hostAndPort, urlOrPath } from './cli/readers.ts'
import { SOURCES, type Source } from './cli/resolve.ts'
import { setting } from './cli/setting.ts'
import type { KeySource } from './certs/sources.ts'
import { duration } from './duration.ts'
import { KjitsiError } from './errors.ts'
import type { KEYCLOAK } from './settings.ts'

export const JWKS = setting({
  flag: '--jwks <url|file>',
  env: 'KJITSI_JWKS',
  help: 'key set to read in place of asking Keycloak for it',
  parse: urlOrPath,
  repeat: true,
})

export const ALLOW_KEYS_FROM = setting({
  flag: '--allow-keys-from <host>',
  env: 'KJITSI_ALLOW_KEYS_FROM',
  help: "host or host:port, besides Keycloak's own, that may publish a realm's keys",
  parse: hostAndPort,
  repeat: true,
})

export const GRACE = setting({
  flag: '--grace <duration>',
  env: 'KJITSI_GRACE',
  help: 'how long a key that has left its key set is kept',
  parse: duration,
})

export const MAX_AGE = setting({
  flag: '--max-age <duration>',
  env: 'KJITSI_MAX_AGE',
  help: 'how long what a source gave last counts while it cannot be read',
  parse: duration,
  default: '7d',
})

type Sets = Context<typeof KEYCLOAK & { jwks: typeof JWKS; allowKeysFrom: typeof ALLOW_KEYS_FROM }>

/**
 * Where keys are read from. Realms and --jwks add up where both were given in the same way (as flags, in the environment,
 * in the settings file); otherwise those that were given more directly take the place of the others.
 * @param orElse how the command can be given keys besides, at the end of a sentence
 * @throws KjitsiError `usage` where there are none and nobody can be asked
 */
export async function needKeySources(context: Sets, orElse = ''): Promise<readonly KeySource[]> {
  const { settings, io, output } = context
  const { jwksSources, nameOfSource, realmSources } = await import('./certs/sources.ts')
  const [byRealm, byJwks] = [rankOf(context, 'realm'), rankOf(context, 'jwks')]
  const fromJwks = jwksSources(settings.jwks, io.cwd)
  if (byRealm > byJwks) {
    if (settings.realm.length > 0)
      output.note(`not read, since there is --jwks: realm ${settings.realm.join(', ')}`)
    return fromJwks
  }
  const { url, realm } = await context.need(['url', 'realm']).catch((error: unknown) => {
    if (!(error instanceof KjitsiError) || error.code !== 'usage') throw error
    const hint = `or give --jwks, the address or the file of a key set${orElse}`
    throw new KjitsiError('usage', error.message, { hint })
  })
  const fromRealms = realmSources(url, realm, settings.allowKeysFrom)
  if (byJwks === byRealm) return [...fromRealms, ...fromJwks]
  if (fromJwks.length > 0)
    output.note(`not read, since there is --realm: ${fromJwks.map(nameOfSource).join(', ')}`)
  return fromRealms
}

/** How directly a setting was given: 0 by flag, up to 3 by default; Infinity where it has no value. */
export function rankOf<K extends string>(
  { settings, sources }: { settings: Readonly<Record<K, unknown>>; sources: Partial<Record<K, Source>> },
  key: K,
): number {
  return isMissing(settings[key]) ? Infinity : SOURCES.indexOf(sources[key] ?? 'default')
}
