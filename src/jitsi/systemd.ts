// The units of the key server, and of an export every 5 minutes.
import type { ConfigFile, Published } from './config-file.ts'
import { settingList, shellWords, unitArgument, unitAssignment, unitPath } from './literals.ts'

/** @param keysDir absolute path of the folder for the keys */
export function systemdFiles(
  { url, realm, allowKeysFrom }: Omit<Published, 'keyserver' | 'told'>,
  keysDir: string,
): readonly ConfigFile[] {
  const source = {
    KEYCLOAK_URL: unitAssignment('KEYCLOAK_URL', url),
    KEYCLOAK_REALM: unitAssignment('KEYCLOAK_REALM', settingList('--realm', realm)),
    ALLOW_KEYS_FROM: unitAssignment('KJITSI_ALLOW_KEYS_FROM', allowKeysFrom.join(',')),
  }
  const what = '--keys-dir'
  const folder = {
    DIR: unitArgument(what, keysDir),
    WRITABLE: unitPath(what, keysDir),
    SHOWN_DIR: shellWords(what, [keysDir]),
  }
  return [
    ['kjitsi-serve-certs.service', source] as const,
    ['kjitsi-export-certs.service', { ...source, ...folder }] as const,
    ['kjitsi-export-certs.timer', {}] as const,
  ].map(([name, values]) => ({ name, template: `systemd/${name}`, values }))
}
