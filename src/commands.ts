// THE table of commands: what each takes, and the file that runs it, which is imported only then.
import { type Command, command } from './cli/context.ts'

/** How to reach Keycloak and log in to it. */
export const ADMIN = [
  'url',
  'authRealm',
  'user',
  'password',
  'loginClient',
  'clientSecret',
  'accessToken',
] as const

export const COMMANDS: readonly Command[] = [
  command({
    name: 'setup-client',
    summary: 'create or correct the Keycloak client that Jitsi logs in with',
    details:
      'A new client also gets the mappers that setup-mappers makes by default (room and bnf); those of a client that is ' +
      'there are left to setup-mappers. Of such a client only what the login needs is changed: other addresses, attributes ' +
      'and mappers stay. --remove deletes a client that is exactly what these options create and has no roles; any other stays.',
    args: [],
    settings: [
      ...ADMIN,
      'realm',
      'client',
      'jitsiUrls',
      'jitsiEnv',
      'tokenLifespan',
      'tokenAudience',
      'moderators',
      'moderatorRole',
      'makePublic',
      'fullScopeChange',
      'remove',
      'dryRun',
      'check',
    ],
    examples: [
      [
        'kjitsi setup-client --realm meet --jitsi-url https://meet.example.org --dry-run',
        'shows the client that Jitsi needs, or what its client lacks',
      ],
      [
        'kjitsi setup-client --realm meet --env /srv/jitsi/.env --moderator-role owner',
        "takes the address from PUBLIC_URL of Jitsi's .env; who holds the client role owner is a moderator",
      ],
    ],
    load: async () => (await import('./commands/setup-client.ts')).run,
  }),
  command({
    name: 'setup-mappers',
    summary: 'create the claim mappers that Jitsi needs on a Keycloak client',
    args: [],
    settings: [
      ...ADMIN,
      'realm',
      'client',
      'room',
      'roomAttribute',
      'bnf',
      'nbf',
      'tokenAudience',
      'userContext',
      'nameFrom',
      'moderators',
      'moderatorRole',
      'groupFrom',
      'feature',
      'remove',
      'dryRun',
      'check',
    ],
    examples: [
      [
        'kjitsi setup-mappers --url https://auth.example.org --realm meet --user admin --dry-run',
        'shows what is missing',
      ],
      [
        'kjitsi setup-mappers --realm meet --user-context --moderator-role owner',
        'also names, and moderators by role',
      ],
    ],
    load: async () => (await import('./commands/setup-mappers.ts')).run,
  }),
  command({
    name: 'gen-env',
    summary: "write the JWT block of Jitsi's .env, to stdout or merged into FILE",
    args: [['[file]', "Jitsi's .env, to be merged into; without it the block goes to stdout"]],
    settings: [
      'url',
      'realm',
      'client',
      'issuer',
      'appId',
      'audience',
      'keyserver',
      'guests',
      'moderators',
      'keys',
      'signType',
      'login',
      'jitsiUrls',
      'dryRun',
      'check',
    ],
    examples: [
      ['kjitsi gen-env --url https://auth.example.org --realm meet', 'prints the block'],
      [
        'kjitsi gen-env ./.env --realm meet --keyserver https://meet.example.org/kjitsi-keys',
        'merges it into .env',
      ],
      [
        'kjitsi gen-env ./.env --realm meet --moderators role:owner --login',
        "also who moderates, and the login of PUBLIC_URL's Jitsi",
      ],
    ],
    load: async () => (await import('./commands/gen-env.ts')).run,
  }),
  command({
    name: 'export-certs',
    summary: "write the realm's public keys as DIR/<sha256(kid)>.pem",
    args: [['<dir>', 'folder for the PEM files; made if missing']],
    settings: [
      ...(['url', 'realm', 'jwks', 'allowKeysFrom', 'prune', 'grace', 'watch', 'interval', 'log'] as const),
      ...(['dryRun', 'check'] as const),
    ],
    examples: [
      [
        'kjitsi export-certs ./certs --url https://auth.example.org --realm meet',
        'writes a file for each key',
      ],
      [
        'kjitsi export-certs ./certs --realm meet --watch --prune',
        'goes on, and removes a key that has been gone for a day',
      ],
    ],
    load: async () => (await import('./commands/export-certs.ts')).run,
  }),
  command({
    name: 'serve-certs',
    summary: "serve the realm's public keys as GET /certs/<sha256(kid)>.pem",
    args: [],
    settings: [
      'url',
      'realm',
      'jwks',
      'allowKeysFrom',
      'dir',
      'host',
      'port',
      'path',
      'tlsCert',
      'tlsKey',
      'refresh',
      'cooldown',
      'grace',
      'log',
    ],
    examples: [
      [
        'kjitsi serve-certs --url https://auth.example.org --realm meet',
        'serves http://127.0.0.1:9000/certs/<sha256(kid)>.pem',
      ],
      [
        'kjitsi serve-certs --dir ./certs --host 0.0.0.0',
        'serves what export-certs wrote, to other machines too',
      ],
    ],
    load: async () => (await import('./commands/serve-certs.ts')).run,
  }),
  command({
    name: 'gen-config',
    summary: 'write the other files: web, prosody, nginx, systemd, compose, kubernetes or helm',
    args: [
      ['<kind>', 'web, prosody, nginx, systemd, compose, kubernetes or helm'],
      ['[dir]', 'folder to write the files into; without it they go to stdout'],
    ],
    settings: [
      'url',
      'realm',
      'jitsiUrls',
      'jitsiEnv',
      'keyserver',
      'debian',
      'xmppDomain',
      'into',
      'allowKeysFrom',
      'keysDir',
      'image',
      'namespace',
      'cronjob',
      'client',
      'issuer',
      'appId',
      'audience',
      'guests',
      'moderators',
      'keys',
      'signType',
      'roomClaim',
      'dryRun',
      'check',
    ],
    examples: [
      [
        'kjitsi gen-config web --into "$CONFIG/web/custom-config.js" --env ./.env --realm meet',
        "merges what the login needs into the web client's configuration",
      ],
      [
        'kjitsi gen-config nginx --url https://auth.example.org --realm meet --jitsi-url https://meet.example.org',
        "prints what makes Jitsi's own nginx serve the keys",
      ],
      [
        'kjitsi gen-config systemd /etc/systemd/system --url https://auth.example.org --realm meet',
        'writes the units of the key server, and of an export every 5 minutes',
      ],
    ],
    load: async () => (await import('./commands/gen-config.ts')).run,
  }),
  command({
    name: 'check-token',
    summary: 'say what Jitsi says to a token, and why, before anybody joins',
    args: [
      [
        '[token]',
        'the token, or - for stdin; also with `Bearer` or an address with ?jwt= around it. ' +
          'Other users of this machine can see an argument: stdin keeps it to yourself',
      ],
    ],
    settings: [
      'jitsiEnv',
      'joinRoom',
      'at',
      'batch',
      'certs',
      'keyserver',
      'jwks',
      'issuer',
      'audience',
      'appId',
      'signType',
      'domainVerification',
    ],
    examples: [
      ['kjitsi check-token - --env ./.env --room team-a < token.txt', "asks by Jitsi's own settings"],
      [
        'kjitsi check-token - --issuer https://auth.example.org/realms/meet --jwks certs.json < token.txt',
        'asks by flags alone',
      ],
      ['kjitsi check-token --env ./.env --certs ./certs --batch tokens.jsonl', 'audits many'],
    ],
    load: async () => (await import('./commands/check-token.ts')).run,
  }),
  command({
    name: 'demo',
    summary: 'boot a throw-away Keycloak, run the three commands on it and show the accepted token',
    args: [],
    settings: ['keep'],
    examples: [['kjitsi demo', 'needs Java 17 and Maven, or docker']],
    load: async () => (await import('./commands/demo.ts')).run,
  }),
]
