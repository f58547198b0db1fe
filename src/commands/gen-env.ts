// kjitsi gen-env [FILE]: the part of docker-jitsi-meet's `.env` that makes Prosody accept a realm's tokens.
import { resolve } from 'node:path'
import { type Context, command } from '../cli/context.ts'
import { setting, under } from '../cli/setting.ts'
import { KjitsiError } from '../errors.ts'
import { type Target, planFile } from '../files/plan.ts'
import { readTarget } from '../files/target.ts'
import { readEnv } from '../env-file/parse.ts'
import { factsOf, keyserverOf, moderatedByEnv } from '../jitsi/config.ts'
import { planEnv } from '../jitsi/env-plan.ts'
import { jitsiFinding } from '../jitsi/findings.ts'
import { moderatorRoleOf } from '../jitsi/moderation.ts'
import { givenOrigin } from '../jitsi/public-url.ts'
import { adviseRole } from '../keycloak/advice.ts'
import { readTemplate } from '../templates.ts'
import {
  ACCEPTED_BY_DEFAULT,
  CLIENT,
  GUESTS,
  JITSI_URLS,
  KEYCLOAK,
  KEYS,
  KEYSERVER,
  MODERATORS,
  PLAN,
  needIssuers,
} from '../settings.ts'

const SETTINGS = {
  ...KEYCLOAK,
  client: CLIENT,
  ...under('What Jitsi is to accept:', {
    ...ACCEPTED_BY_DEFAULT,
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
    const { settings, http, output, io } = context
    const name = context.args[0]
    const file = name === undefined ? undefined : resolve(io.cwd, name)
    if (file === undefined && settings.check) {
      throw new KjitsiError('usage', '--check needs FILE: there is nothing else to compare with')
    }
    // Before anybody is asked for what goes into it.
    if (file !== undefined) await readTarget(file)
    const source = await needIssuers(context)
    const { acceptedIssuers } = await import('../keycloak/accepted.ts')
    const { issuers, findings } = await acceptedIssuers(http, source)
    const target = file === undefined ? undefined : await readTarget(file)
    const before = target?.text ?? ''
    const valuesBefore = readEnv(before, io.env, file)
    const origin = settings.login ? await originOf(target, context) : undefined
    const keyserver = keyserverOf(settings.keyserver, valuesBefore)
    const facts = factsOf(settings, issuers, keyserver, origin, moderatedByEnv(valuesBefore))
    const plan = planEnv(facts, before, {
      template: await readTemplate('jitsi.env'),
      environment: io.env,
      file: file ?? 'stdout',
      guestsByDefault: context.sources.guests === 'default',
      moderatorsByDefault: settings.moderators === undefined,
    })
    const isNew = target?.there === 'nothing'
    const more = [...plan.findings, ...adviseRole(moderatorRoleOf(settings.moderators))]
    if (isNew) output.find(jitsiFinding('env-created', { file: target.path }))
    for (const found of [...findings, ...more]) output.find(found)
    const { text, mask } = plan
    if (target === undefined) {
      output.data('env', { file: null, settings: plan.settings, text }, text)
      return undefined
    }
    const item = planFile(target, { what: "Jitsi's .env", text, mode: 0o600, mask })
    const { runFiles } = await import('../files/run.ts')
    const payload = { file: target.path, settings: plan.settings }
    const run = { ...settings, kind: 'env', payload, output, signal: io.signal }
    const ended = await runFiles([item], run)
    if (!settings.dryRun && !settings.check && item.action !== 'keep')
      output.note('Jitsi reads it when its containers are made anew: docker compose up -d')
    return ended
  },
})

/**
 * The address under which people open Jitsi.
 * @param target FILE; without one, Jitsi's `.env` is the one of the working folder
 */
async function originOf(target: Target | undefined, context: Context<typeof SETTINGS>): Promise<string> {
  const { settings, io } = context
  const isNew = target !== undefined && target.text === undefined
  const given = settings.jitsiUrls
  const origin = isNew && given.length === 0 ? undefined : await givenOrigin(given, target?.path, io)
  return origin ?? (await context.need(['jitsiUrls'])).jitsiUrls.join()
}
