// Started by the tests as a process of its own, to be ended in every way that a process can end: it
// supervises the program of its arguments, says the group's process id, and then does what the word on its
// input says.
import { once } from 'node:events'
import { supervise } from '../../src/sandbox/supervise.ts'

const [folder = '', ...command] = process.argv.slice(2)
const { pid, keep } = await supervise(command, folder, process.env)
process.stdout.write(`${pid}\n`)
const [word] = (await once(process.stdin.setEncoding('utf8'), 'data')) as [string]
if (word === 'throw') throw new Error('a bug')
if (word === 'keep') await keep()
process.exit(0)
