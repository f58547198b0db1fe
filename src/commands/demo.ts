// The main job from beginning to end, on a Keycloak that is thrown away afterwards.
import { command } from '../cli/context.ts'
import { onOff, setting } from '../cli/setting.ts'

const STEPS = 6

const SETTINGS = {
  keep: setting({
    flag: '--keep',
    env: 'KJITSI_KEEP',
    help: 'leave the Keycloak running',
    parse: onOff,
  }),
}

/**
 * With --json: `{kind: 'demo', steps: [{title, why, command?, outcome}], kept?, next: [{command, does}]}`: `kept` is how to
 * reach and stop the server that --keep left running.
 */
export const demo = command({
  name: 'demo',
  summary: 'boot a throw-away Keycloak, run the main commands on it and show the accepted token',
  args: [],
  settings: SETTINGS,
  examples: [['kjitsi demo', 'needs Java 17 and Maven, or docker']],
  async run({ settings: { keep }, http, io, output }) {
    const [{ runDemo }, { NEXT, indent, resultText }] = await Promise.all([
      import('../demo/demo.ts'),
      import('../demo/story.ts'),
    ])
    const steps: { title: string; why: string; command?: string; outcome?: string }[] = []
    const kept = await runDemo({
      http,
      env: io.env,
      keep,
      onStep: ({ title, why, args }) => {
        const command = args && ['kjitsi', ...args].join(' ')
        steps.push({ title, why, ...(command === undefined ? {} : { command }) })
        const lines = [why, ...(command === undefined ? [] : [`$ ${command}`])]
        output.note(`${steps.length}/${STEPS} ${title}\n${indent(lines.join('\n'))}`)
      },
      onDone: (outcome) => {
        Object.assign(steps.at(-1) ?? {}, { outcome })
        output.note(`${indent(outcome, '  │ ')}\n`)
      },
      onProgress: (what, seconds) => {
        if (seconds === 0) output.note(`  │ ${what}`)
        else output.progress(`  │ ${seconds} s`)
      },
    })
    output.result('demo', { steps, ...(kept && { kept }), next: NEXT }, (paint) => resultText(kept, paint))
    return undefined
  },
})
