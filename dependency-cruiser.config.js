// The house: who may know whom. `npm run check:house` holds src/ against it, `npm run house:draw` draws it.

const FLOWS = 'keycloak|jitsi|prosody|certs|token|sandbox|demo'
const LOWER = 'http|env-file|files'

/** Files that compute and do no I/O; what is not listed here may. */
const PURE = [
  'src/(duration|url|finding|table|errors|shell|shown|characters)\\.ts',
  'src/cli/(exit-codes|readers|setting|common|mistakes|help)\\.ts',
  'src/env-file/',
  'src/files/(bytes|findings|plan|reasons|wording)\\.ts',
  'src/jitsi/(?!public-url|env-plan)',
  'src/prosody/',
  'src/keycloak/(address|advice|desired-client|findings|login|mappers|plan|plan-client|plan-mappers|wording)\\.ts',
  'src/certs/(findings|handler|jwks|key|keyring|log|reading|sources)\\.ts',
  'src/token/(?!check|settings|fetch-keys|batch)',
]

export default {
  forbidden: [
    { name: 'no-circle', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'cli-knows-no-flow',
      comment: 'src/cli makes a command line of any commands',
      severity: 'error',
      from: { path: '^src/cli/' },
      to: { path: `^src/(${FLOWS}|commands)/|^src/(main|(login-|key-)?settings)\\.ts$` },
    },
    {
      name: 'flows-know-no-edge',
      comment: 'a flow is given what it needs, whatever command line it is for',
      severity: 'error',
      from: { path: `^src/(${FLOWS}|${LOWER})/` },
      to: { path: '^src/(cli|commands)/|^src/(main|(login-|key-)?settings)\\.ts$' },
    },
    {
      name: 'lower-knows-no-flow',
      severity: 'error',
      from: { path: `^src/(${LOWER})/` },
      to: { path: `^src/(${FLOWS})/` },
    },
    {
      name: 'commands-are-apart',
      severity: 'error',
      from: { path: '^src/commands/([^/]+)\\.ts$' },
      to: { path: '^src/commands/', pathNot: '^src/commands/$1/' },
    },
    {
      name: 'commands-of-a-group-are-apart',
      comment: 'but for what they share: settings, and what is done with their files',
      severity: 'error',
      from: { path: '^src/commands/([^/]+)/' },
      to: { path: '^src/commands/', pathNot: '^src/commands/$1/(settings|target)\\.ts$' },
    },
    {
      name: 'pure-does-no-io',
      severity: 'error',
      from: { path: `^(${PURE.join('|')})` },
      to: {
        path: '^(node:)?(fs|fs/promises|http|https|net|tls|child_process|undici)$|^src/http/|^src/files/(read|write|target|apply|run)\\.ts$|^src/templates\\.ts$',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: 'specify',
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
    },
    reporterOptions: { archi: { collapsePattern: '^src/[^/]+/' } },
  },
}
