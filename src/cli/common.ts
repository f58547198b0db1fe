// The settings that every command has.
import { duration } from '../duration.ts'
import { plain } from './readers.ts'
import { onOff, setting } from './setting.ts'

export const COMMON = {
  json: setting({
    flag: '--json',
    env: 'KJITSI_JSON',
    help: 'one JSON document on stdout, errors too',
    parse: onOff,
  }),
  quiet: setting({ flag: '--quiet', env: 'KJITSI_QUIET', help: 'print nothing but errors', parse: onOff }),
  verbose: setting({
    flag: '--verbose',
    env: 'KJITSI_VERBOSE',
    help: 'print the source of each setting, and each HTTP request',
    parse: onOff,
  }),
  input: setting({
    flag: '--input',
    env: 'KJITSI_INPUT',
    help: 'ask for missing settings on a terminal',
    parse: onOff,
    default: 'true',
  }),
  timeout: setting({
    flag: '--timeout <duration>',
    env: 'KJITSI_TIMEOUT',
    help: 'time limit of a request',
    parse: duration,
    default: '10s',
  }),
  wait: setting({
    flag: '--wait <duration>',
    env: 'KJITSI_WAIT',
    help: 'keep trying while a server starts',
    parse: duration,
    default: '0s',
  }),
  caFile: setting({
    flag: '--ca-file <path>',
    env: 'KJITSI_CA_FILE',
    help: 'PEM file of a CA to trust as well',
    parse: plain,
  }),
  // Never --env-file: Node takes that for its own wherever it stands, and obeys NODE_OPTIONS in the file.
  settings: setting({
    flag: '--settings <file>',
    env: 'KJITSI_SETTINGS',
    help: 'file of settings, NAME=value',
    unset: '.env',
    parse: plain,
  }),
}
