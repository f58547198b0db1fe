// The settings that every command has.
import { duration } from '../duration.ts'
import { plain } from './readers.ts'
import { onOff, setting } from './setting.ts'

export const COMMON = {
  json: setting({
    flag: '--json',
    env: 'KJITSI_JSON',
    help: 'print one JSON document on stdout, errors too',
    parse: onOff,
  }),
  quiet: setting({ flag: '--quiet', env: 'KJITSI_QUIET', help: 'say nothing but errors', parse: onOff }),
  verbose: setting({
    flag: '--verbose',
    env: 'KJITSI_VERBOSE',
    help: 'say where each setting came from, and each HTTP request',
    parse: onOff,
  }),
  input: setting({
    flag: '--no-input',
    env: 'KJITSI_INPUT',
    help: 'never ask; a missing setting is an error',
    parse: onOff,
    default: 'true',
  }),
  timeout: setting({
    flag: '--timeout <duration>',
    env: 'KJITSI_TIMEOUT',
    help: 'longest wait for one answer',
    parse: duration,
    default: '10s',
  }),
  wait: setting({
    flag: '--wait <duration>',
    env: 'KJITSI_WAIT',
    help: 'go on trying this long while Keycloak is still starting',
    parse: duration,
    default: '0s',
  }),
  caFile: setting({
    flag: '--ca-file <path>',
    env: 'KJITSI_CA_FILE',
    help: 'PEM file of a certificate authority to trust as well',
    parse: plain,
  }),
  // Never --env-file: Node takes that for its own wherever it stands, and obeys NODE_OPTIONS in the file.
  settings: setting({
    flag: '--settings <file>',
    env: 'KJITSI_SETTINGS',
    help: 'file of settings, in the form NAME=value (default: .env, if there)',
    parse: plain,
  }),
}
