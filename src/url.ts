// Addresses, as the URL standard reads them.

/**
 * The address that a text is, undefined where it is none. In place of `URL.canParse`: that of Node 20 and 22 refuses hosts
 * with other letters than ASCII's once it has been called some thousand times, as in a key server or a long batch
 * (https://github.com/AikidoSec/firewall-node/pull/1086).
 * @param base what a relative address starts from
 */
export function urlOf(text: string, base?: string): URL | undefined {
  try {
    return new URL(text, base)
  } catch {
    return undefined
  }
}
