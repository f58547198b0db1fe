import { expect, test } from 'vitest'
import { commandTree } from '../../src/cli/program.ts'
import { CHECK, NEXT, commandSteps } from '../../src/demo/story.ts'
import { PROGRAM } from '../../src/main.ts'
import { testIo } from '../support/io.ts'

const COMMANDS = [
  ...commandSteps('https://auth.example.org', 'admin').map(({ args }) => args),
  CHECK.args,
  ...NEXT.map(({ command }) => command.split(' ').slice(2)),
]

test.each(COMMANDS.map((args) => [args]))('%j is a command of kjitsi', async (args) => {
  let run: string | undefined
  const tree = commandTree(PROGRAM, testIo(), ({ name }) => {
    run = name
    return Promise.resolve()
  })
  await tree.parseAsync([...args], { from: 'user' })
  expect(run).toBe(args[0])
})
