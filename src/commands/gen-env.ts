// kjitsi gen-env [FILE]: the part of docker-jitsi-meet's `.env` that makes Prosody accept a realm's tokens.
import { resolve } from 'node:path'
import { type Context, command } from '../cli/context.ts'
import { onOff, setting, under } from '../cli/setting.ts'
import { KjitsiError } from '../errors.ts'
import { checkTarget, readIfThere, writeIfChanged } from '../files.ts'
import { readEnv } from '../env-file/parse.ts'
import { factsOf, keyserverOf, moderatedByEnv } from '../jitsi/config.ts'
import { issuerFindings } from '../jitsi/env-findings.ts'
import { type EnvPlan, planEnv } from '../jitsi/env-plan.ts'
import { moderatorRoleOf } from '../jitsi/moderation.ts'
import { givenOrigin } from '../jitsi/public-url.ts'
import { shownEnvValue } from '../jitsi/shown-env.ts'
import { adviseOptions } from '../keycloak/advice.ts'
import { readTemplate } from '../templates.ts'
import {
  ACCEPTED,
  CLIENT,
  GUESTS,
  JITSI_URLS,
  KEYCLOAK,
  KEYS,
  KEYSERVER,
  MODERATORS,
  PLAN,
} from '../settings.ts'

const SETTINGS = {
  ...KEYCLOAK,
  client: CLIENT,
  ...under('What Jitsi is to accept:', {
    ...ACCEPTED,
    issuer: { ...ACCEPTED.issuer, unset: 'what Keycloak says' },
    audience: { ...ACCEPTED.audience, unset: 'account and the client id' },
    appId: { ...ACCEPTED.appId, unset: 'the client id' },
    guests: GUESTS,
    moderators: { ...MODERATORS, unset: 'what FILE has, else everyone' },
    keyserver: { ...KEYSERVER, unset: 'what FILE has, else http://localhost:9000/certs' },
    keys: KEYS,
  }),
  ...under('Login at Jitsi:', {
    login: setting({
      flag: '--login',
      env: 'KJITSI_LOGIN',
      help: "also write TOKEN_AUTH_URL, which Jitsi's login button needs; of the first realm",
      parse: onOff,
    }),
    jitsiUrls: { ...JITSI_URLS, unset: 'PUBLIC_URL of FILE' },
  }),
  ...PLAN,
}

export const genEnv = command({
  name: 'gen-env',
  summary: "write the JWT block of Jitsi's .env, to stdout or merged into FILE",
  args: [['[file]', "Jitsi's .env, to be merged into; without it the block goes to stdout"]],
  settings: SETTINGS,
  examples: [
    ['kjitsi gen-env --url https://auth.example.org --realm meet', 'prints the block'],
    ['kjitsi gen-env .env --keyserver https://meet.example.org/kjitsi-keys', 'merges it into .env'],
    ['kjitsi gen-env .env --realm meet --moderators role:owner --login', 'also who moderates, and the login'],
  ],
  async run(context) {
    const { settings, output, io } = context
    const name = context.args[0]
    const file = name === undefined ? undefined : resolve(io.cwd, name)
    if (file === undefined && settings.check) {
      throw new KjitsiError('usage', '--check needs FILE: there is nothing else to compare with')
    }
    if (file !== undefined) await checkTarget(file)
    const { issuers, url } = await acceptedIssuers(context)
    const before = file === undefined ? undefined : await readIfThere(file)
    const valuesBefore = readEnv(before ?? '', io.env, file)
    const origin = settings.login
      ? await originOf(before === undefined ? undefined : file, context)
      : undefined
    const keyserver = keyserverOf(settings.keyserver, valuesBefore)
    const facts = factsOf(settings, issuers, keyserver, origin, moderatedByEnv(valuesBefore))
    const plan = planEnv(facts, before ?? '', {
      template: await readTemplate('jitsi.env'),
      environment: io.env,
      file: file ?? 'stdout',
      guestsByDefault: context.sources.guests === 'default',
      moderatorsByDefault: settings.moderators === undefined,
    })
    const moderatorRole = moderatorRoleOf(settings.moderators)
    for (const found of [
      ...issuerFindings(issuers, url),
      ...plan.findings,
      ...adviseOptions({ moderatorRole }),
    ]) {
      output.find(found)
    }
    if (file === undefined) {
      output.data('env', { file: null, ...describe(plan), text: plan.text }, plan.text)
      return undefined
    }
    const dryRun = settings.dryRun || settings.check
    const result = before === undefined ? 'created' : plan.text === before ? 'unchanged' : 'updated'
    if (!dryRun) await writeIfChanged(file, plan.text, 0o600, { text: before })
    const { envDiff } = await import('../env-file/diff.ts')
    output.result('env', { file, dryRun, result, ...describe(plan) }, () => {
      if (result === 'unchanged') return `${file}: no changes`
      return dryRun
        ? envDiff(
            file,
            before ?? '',
            plan.text,
            (key, value) => shownEnvValue(key, value, plan.own),
            plan.comments,
          )
        : changeList(file, result, plan)
    })
    if (!dryRun && result !== 'unchanged')
      output.note('Jitsi reads it when its containers are made anew: docker compose up -d')
    return settings.check && result !== 'unchanged' ? 'drift' : undefined
  },
})

/** The issuers to accept, and the address of the Keycloak that named them, where one was asked. */
async function acceptedIssuers(
  context: Context<typeof SETTINGS>,
): Promise<{ issuers: readonly string[]; url?: string }> {
  const { settings, http } = context
  if (settings.issuer.length > 0) return { issuers: settings.issuer }
  const { url, realm: realms } = await context.need(['url', 'realm'])
  const { issuersOf } = await import('../keycloak/discovery.ts')
  return { issuers: await issuersOf(http, url, realms), url }
}

/**
 * The address under which people open Jitsi.
 * @param env Jitsi's `.env`, undefined where FILE is not there; without FILE, it is the one of the working folder
 */
async function originOf(env: string | undefined, context: Context<typeof SETTINGS>): Promise<string> {
  const { settings, args, io } = context
  const isNew = args[0] !== undefined && env === undefined
  const given = settings.jitsiUrls
  const origin = isNew && given.length === 0 ? undefined : await givenOrigin(given, env, io)
  return origin ?? (await context.need(['jitsiUrls'])).jitsiUrls.join()
}

function describe({ values, changes, own }: EnvPlan): Readonly<Record<string, unknown>> {
  const shown = (key: string, value: string | undefined): string | null =>
    value === undefined ? null : shownEnvValue(key, value, own)
  return {
    settings: Object.fromEntries([...values].map(([key, value]) => [key, shown(key, value)])),
    changes: changes.map(({ key, before, after }) => ({
      key,
      before: shown(key, before),
      after: shown(key, after),
    })),
  }
}

function changeList(file: string, result: string, { changes, own }: EnvPlan): string {
  const lines = changes.map(({ key, before, after }) => {
    const was = before === undefined ? '(not set)' : shownEnvValue(key, before, own)
    return `  ${key}: ${was} → ${shownEnvValue(key, after, own)}`
  })
  return [`${file}: ${result}`, ...lines].join('\n')
}
