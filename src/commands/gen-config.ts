// kjitsi gen-config KIND [DIR]: the files around Jitsi's .env, each kind a command of its own.
import type { CommandGroup } from '../cli/context.ts'
import { compose } from './gen-config/compose.ts'
import { helm } from './gen-config/helm.ts'
import { kubernetes } from './gen-config/kubernetes.ts'
import { nginx } from './gen-config/nginx.ts'
import { prosody } from './gen-config/prosody.ts'
import { systemd } from './gen-config/systemd.ts'
import { web } from './gen-config/web.ts'

const KINDS = [web, prosody, nginx, systemd, compose, kubernetes, helm]

export const genConfig: CommandGroup = {
  name: 'gen-config',
  summary: `write the other files: ${KINDS.map(({ name }) => name).join(', ')}`,
  subcommands: KINDS,
}
