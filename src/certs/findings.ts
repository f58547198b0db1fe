// What is worth knowing about keys, their sources and the folder that they are in.
import { findingsOf, kind } from '../finding.ts'

export const certsFinding = findingsOf({
  'private-key-published': kind<{ source: string; key: string; members: readonly string[] }>({
    level: 'error',
    say: ({ source, key, members }) =>
      `${source} publishes private parts of ${key} (${members.join(', ')}): whoever read them can sign tokens with it`,
    fix: () =>
      'take that key out of use at once, and publish public keys only; kjitsi wrote none of those parts',
  }),
  'source-failed': kind<{ failure: string; message: string; hint: string | undefined }>({
    level: 'error',
    say: ({ message }) => message,
    fix: ({ hint }) => hint,
  }),
  'nothing-pruned': kind<{ dir: string; sources: readonly string[] }>({
    level: 'warning',
    say: ({ dir, sources }) =>
      `no key of ${sources.join(', ')} was removed from ${dir}: what could not be read keeps its keys`,
  }),
  'manifest-spoilt': kind<{ file: string }>({
    level: 'warning',
    say: ({ file }) =>
      `${file} is not the list of the files that kjitsi wrote: it begins anew, and of what was there before nothing is removed`,
    fix: () => 'restore it from a backup, or remove by hand the keys that are no longer in use',
  }),
  'foreign-keys': kind<{ dir: string; files: readonly string[] }>({
    level: 'note',
    say: ({ dir, files }) =>
      files.length === 1
        ? `${dir} holds ${files.join()}, not made by kjitsi: it stays`
        : `${dir} holds ${files.length} files <64 hex>.pem not made by kjitsi, such as ${files.slice(0, 1).join()}: they stay`,
    fix: () => 'remove by hand what is no longer in use: Prosody trusts every key in this folder',
  }),
  'others-keys': kind<{ dir: string; files: readonly string[]; sources: readonly string[] }>({
    level: 'note',
    say: ({ dir, files, sources }) =>
      `${dir} holds ${files.length} ${files.length === 1 ? 'key' : 'keys'} of sources that are not read here, and stay` +
      (sources.length === 0 ? '' : `: ${sources.join(', ')}`),
    fix: () => 'remove by hand those that nothing reads any more: Prosody trusts every key in this folder',
  }),
  'stale-keys': kind<{ dir: string; files: readonly string[] }>({
    level: 'note',
    say: ({ dir, files }) =>
      `${dir} holds ${files.length} more ${files.length === 1 ? 'key that has' : 'keys that have'} left these key sets`,
    fix: () => '--prune removes them',
  }),
  'pruned-later': kind<{ dir: string; files: readonly string[]; grace: string }>({
    level: 'note',
    say: ({ dir, files, grace }) =>
      `${dir} holds ${files.length} more ${files.length === 1 ? 'key that has' : 'keys that have'} left these key sets; ` +
      `a key is removed when it has been gone for ${grace}`,
  }),
  'pruned-still-trusted': kind<{ files: readonly string[] }>({
    level: 'warning',
    say: () => 'Prosody goes on trusting a key that it has fetched before, until it restarts',
    fix: () => 'restart Prosody where a removed key must not be accepted any more',
  }),
  'kid-clash': kind<{ kid: string; kept: string; refused: string }>({
    level: 'warning',
    say: ({ kid, kept, refused }) =>
      kept === refused
        ? `${kept} publishes two different keys under the kid ${kid}: the first of them is taken`
        : `${refused} publishes another key than ${kept} under the kid ${kid}: that of ${kept}, which was named first, is taken`,
    fix: () =>
      'Prosody finds a key by its kid alone: rotate one of the two, or give each realm keys and a Jitsi of its own',
  }),
  'key-replaced': kind<{ key: string; source: string; before: string }>({
    level: 'warning',
    say: ({ key, source, before }) =>
      `${key} is now another one under the same kid, that of ${source}${before === source ? '' : ` in place of ${before}`}`,
    fix: () => 'restart Prosody: it keeps the one that it has fetched before',
  }),
  'key-dropped': kind<{ key: string; source: string; grace: string }>({
    level: 'note',
    say: ({ key, source, grace }) =>
      `${key} left ${source} ${grace === '0s' ? 'just now' : `${grace} ago`} and is no longer served; ` +
      'a Prosody that has fetched it keeps it until it restarts',
    fix: () => 'restart Prosody where it must not be accepted any more',
  }),
  'keys-kept': kind<SourceArgs & { kept: number | null; limit: string }>({
    level: 'warning',
    say: ({ source, message, kept, limit }) => {
      const reason = reasonOf(source, message)
      if (kept === null) return `${source} has given no key yet, and is asked again: ${reason}`
      const still =
        kept === 0
          ? 'none of its keys is left'
          : `what it gave last stays (${kept} ${kept === 1 ? 'key' : 'keys'}), for ${limit} at most`
      return `${source} is asked again, and ${still}: ${reason}`
    },
    fix: ({ hint }) => hint,
  }),
  'keys-expire': kind<{ source: string; since: string | undefined; left: string | undefined }>({
    level: 'warning',
    say: ({ source, since, left }) => `${source} could not be read for ${since}: its keys leave in ${left}`,
    fix: () => 'see why it cannot be read; --max-age says how long its keys stay without it',
  }),
  'keys-expired': kind<{ source: string; limit: string }>({
    level: 'error',
    say: ({ source, limit }) => `${source} could not be read for ${limit}: what it gave last counts no more`,
    fix: () => 'see why it cannot be read; --max-age says how long its keys stay without it',
  }),
  'keys-none': kind<SourceArgs>({
    level: 'warning',
    say: ({ source, message }) =>
      `${source} publishes no key that can be used, and is asked again: ${reasonOf(source, message)}`,
    fix: ({ hint }) => hint,
  }),
  'tls-kept': kind<{ message: string; hint: string | undefined }>({
    level: 'warning',
    say: ({ message }) => `${message}; the certificate that was read before is served on`,
    fix: ({ hint }) => hint,
  }),
  'folder-closed': kind<{ dir: string }>({
    level: 'note',
    say: ({ dir }) =>
      `${dir} can be read by its owner or group only: a web server of another user answers 403`,
    fix: ({ dir }) => `chmod 755 ${dir}`,
  }),
})

/** A source of keys, and why it gave none. */
interface SourceArgs {
  source: string
  message: string
  hint: string | undefined
}

/** A failure's message without the name of the source, which stands before it already. */
function reasonOf(source: string, message: string): string {
  return message.startsWith(`${source}: `) ? message.slice(source.length + 2) : message
}
