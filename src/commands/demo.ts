// The main job from beginning to end, on a Keycloak that is thrown away afterwards.
import type { Run } from '../cli/context.ts'
import { runDemo } from '../sandbox/demo.ts'
import { NEXT, indent, resultText } from '../sandbox/story.ts'

const STEPS = 6

/**
 * With --json: `{kind: 'demo', steps: [{title, why, command?, outcome}], settings, claims: [{name, value,
 * meaning}], keyFile, kept?, next}`: `settings` is what gen-env wrote, `kept` how to reach and stop the
 * server that --keep left running.
 */
export const run: Run<'keep'> = async ({ settings: { keep }, http, io, output }) => {
  const steps: { title: string; why: string; command?: string; outcome?: string }[] = []
  const demo = await runDemo({
    http,
    env: io.env,
    keep,
    onStep: ({ title, why, ...rest }) => {
      const command = 'args' in rest ? ['kjitsi', ...rest.args].join(' ') : undefined
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
  const { settings, proof, kept } = demo
  const next = NEXT.map(([command, does]) => ({ command, does }))
  const { claims, keyFile } = proof
  output.result(
    'demo',
    { steps, settings, claims, keyFile, ...(kept === undefined ? {} : { kept }), next },
    (paint) => resultText(demo, paint),
  )
  return undefined
}
