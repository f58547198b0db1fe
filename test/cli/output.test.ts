import { describe, expect, test } from 'vitest'
import { KjitsiError } from '../../src/errors.ts'
import { jitsiFinding } from '../../src/jitsi/findings.ts'
import { table } from '../../src/table.ts'
import type { Output } from '../../src/io.ts'
import { type OutputOptions, createOutput, printable } from '../../src/cli/output.ts'
import { testIo, readAll } from '../support/io.ts'

interface Said {
  readonly stdout: string
  readonly stderr: string
}

const PLAIN = { json: false, quiet: false, verbose: false, secrets: [], about: 'kjitsi 1.2.3' }

function say(
  act: (output: Output) => void,
  options: Partial<OutputOptions> = {},
  env: Record<string, string> = {},
  isTTY = false,
): Said {
  const io = testIo({ env, terminal: isTTY })
  act(createOutput(io, { ...PLAIN, ...options }))
  return { stdout: readAll(io.stdout), stderr: readAll(io.stderr) }
}

const result = (output: Output): void => {
  output.result('thing', { a: 1 }, (paint) => paint.green('made'))
}
const warn = (output: Output): void => {
  output.find(jitsiFinding('keyserver-default', { keyserver: 'http://localhost:9000/certs' }))
}

test('a result is text on stdout', () => {
  expect(say(result)).toEqual({ stdout: 'made\n', stderr: '' })
})

test('with --json a result is one document that holds the findings', () => {
  const { stdout, stderr } = say(
    (output) => {
      warn(output)
      result(output)
    },
    { json: true },
  )
  expect(stderr).toBe('')
  expect(JSON.parse(stdout)).toMatchObject({
    version: 1,
    kind: 'thing',
    a: 1,
    findings: [{ code: 'keyserver-default', level: 'note', message: expect.any(String) as unknown }],
  })
})

test('a jitsiFinding is a sentence on stderr with its mend below', () => {
  expect(say(warn).stderr).toMatch(
    /^note: JWT_ASAP_KEYSERVER is http:\/\/localhost:9000\/certs.*\n {2}→ give --keyserver/,
  )
})

describe('--quiet', () => {
  const act = (output: Output): void => {
    warn(output)
    output.note('n')
    result(output)
  }
  const broken = (output: Output): void => {
    output.find({ code: 'broken', level: 'error', args: {}, message: 'broken' })
  }

  test('says nothing where nothing is wrong', () => {
    expect(say(act, { quiet: true })).toEqual({ stdout: '', stderr: '' })
  })

  test('says errors', () => {
    const { stdout, stderr } = say(
      (output) => {
        broken(output)
        act(output)
        output.error(new KjitsiError('login', 'no'))
      },
      { quiet: true },
    )
    expect({ stdout, stderr }).toEqual({ stdout: '', stderr: 'error: broken\nerror: no\n' })
  })

  test('leaves what the command was called for, and the document', () => {
    const data = (output: Output): void => {
      output.data('file', { text: 'a\r\n' }, 'a\r\n')
    }
    expect(say(data, { quiet: true })).toEqual({ stdout: 'a\r\n', stderr: '' })
    expect(JSON.parse(say(data, { quiet: true, json: true }).stdout)).toMatchObject({ text: 'a\r\n' })
    expect(JSON.parse(say(result, { quiet: true, json: true }).stdout)).toMatchObject({ kind: 'thing' })
  })
})

describe('errors among the findings', () => {
  const find = (level: 'error' | 'warning') => (output: Output) => {
    output.find({ code: level, level, args: {}, message: level })
  }
  /** Whatever is printed, in its order. */
  function inOrder(act: (output: Output) => void, options: Partial<OutputOptions> = {}): string {
    const io = testIo()
    const output = createOutput({ ...io, stderr: io.stdout }, { ...PLAIN, ...options })
    act(output)
    output.end()
    return readAll(io.stdout)
  }
  const all = (output: Output): void => {
    find('error')(output)
    find('warning')(output)
    result(output)
  }

  test('are said last', () => {
    expect(inOrder(all)).toBe('warning: warning\nmade\nerror: error\n')
  })

  test('are said where there is no result, and before the failure', () => {
    expect(inOrder(find('error'))).toBe('error: error\n')
    expect(
      inOrder((output) => {
        find('error')(output)
        output.error(new KjitsiError('login', 'no'))
      }),
    ).toBe('error: error\nerror: no\n')
  })

  test('with --strict, are the warnings too, and the command fails as by drift', () => {
    expect(inOrder(all, { strict: true })).toBe('made\nerror: error\nerror: warning\n')
    const ends: string[][] = []
    const json = say(
      (output) => {
        all(output)
        ends.push((output as ReturnType<typeof createOutput>).end())
      },
      { strict: true, json: true },
    )
    expect(JSON.parse(json.stdout)).toMatchObject({
      findings: [
        { code: 'error', level: 'error' },
        { code: 'warning', level: 'error' },
      ],
    })
    expect(ends).toEqual([['drift']])
  })

  test('without --strict, or without warnings, nothing fails', () => {
    for (const [act, options] of [
      [all, {}],
      [find('error'), { strict: true }],
      [warn, { strict: true }],
    ] as const) {
      say((output) => {
        act(output)
        expect((output as ReturnType<typeof createOutput>).end()).toEqual([])
      }, options)
    }
  })
})

test('details only with --verbose', () => {
  expect(
    say((output) => {
      output.detail('d')
    }).stderr,
  ).toBe('')
  expect(
    say(
      (output) => {
        output.detail('d')
      },
      { verbose: true },
    ).stderr,
  ).toBe('d\n')
})

describe('errors', () => {
  const mistake = new KjitsiError('login', 'refused', { hint: 'try again' })
  test('of the user: message and hint, no stack', () => {
    expect(
      say((output) => {
        output.error(mistake)
      }).stderr,
    ).toBe('error: refused\n  → try again\n')
  })
  test('of the user, as a document', () => {
    expect(
      JSON.parse(
        say(
          (output) => {
            output.error(mistake)
          },
          { json: true },
        ).stdout,
      ),
    ).toEqual({
      version: 1,
      kind: 'error',
      error: { code: 'login', exitCode: 4, message: 'refused', hint: 'try again' },
      findings: [],
    })
  })
  test('of ours: version and stack', () => {
    const { stderr } = say((output) => {
      output.error(new TypeError('x is not a function'))
    })
    expect(stderr).toMatch(
      /^error: unexpected: x is not a function\nkjitsi 1\.2\.3\nTypeError: [^]*output\.test\.ts/,
    )
    expect(stderr).toMatch(/This is a bug in kjitsi\.\n$/)
  })
})

test.each([
  ['plain', 'hunter22'],
  ['URL-encoded', encodeURIComponent('hunt er/22')],
])('a secret is blotted out, %s', (_, form) => {
  const secrets = ['hunter22', 'hunt er/22']
  const act = (output: Output): void => {
    output.note(`a ${form} b`)
    output.result('thing', { text: `a ${form} b` }, () => `a ${form} b`)
  }
  expect(say(act, { secrets })).toEqual({ stdout: 'a (masked) b\n', stderr: 'a (masked) b\n' })
  expect(JSON.parse(say(act, { secrets, json: true }).stdout)).toMatchObject({ text: 'a (masked) b' })
})

test('what the command was called for keeps every byte, whatever secret it may be', () => {
  const act = (output: Output): void => {
    output.data('file', { text: 'A=hunter22' }, 'A=hunter22')
  }
  expect(say(act, { secrets: ['hunter22'] }).stdout).toBe('A=hunter22')
  expect(say(act, { secrets: ['hunter22'], json: true }).stdout).toContain('A=hunter22')
})

test('control characters of others are dropped, our colours and lines stay', () => {
  expect(printable('a\u001B[2Jb\u001B]0;title\u0007c\rd\u202Ee\n\u001B[31mred\u001B[39m')).toBe(
    'ab]0;titlecde\n\u001B[31mred\u001B[39m',
  )
})

describe('colour', () => {
  const GREEN = '\u001B[32mmade\u001B[39m\n'
  test.each([
    ['terminal', {}, true, GREEN],
    ['pipe', {}, false, 'made\n'],
    ['terminal, NO_COLOR', { NO_COLOR: '1' }, true, 'made\n'],
    ['terminal, TERM=dumb', { TERM: 'dumb' }, true, 'made\n'],
    ['pipe, FORCE_COLOR', { FORCE_COLOR: '1' }, false, GREEN],
    ['terminal, FORCE_COLOR=0', { FORCE_COLOR: '0' }, true, 'made\n'],
  ])('%s', (_, env, isTTY, stdout) => {
    expect(say(result, {}, env, isTTY).stdout).toBe(stdout)
  })
})

test('progress is shown on a terminal alone, and cleared before anything else is said', () => {
  const act = (output: Output): void => {
    output.progress('half')
    output.note('done')
  }
  expect(say(act, {}, {}, true).stderr).toBe('half\r\u001B[Kdone\n')
  expect(say(act).stderr).toBe('done\n')
})

test.each<[options: Partial<OutputOptions>, env: Record<string, string>]>([
  [{ quiet: true }, {}],
  [{ json: true }, {}],
  [{}, { TERM: 'dumb' }],
])('nor with %j and the environment %j', (options, env) => {
  const act = (output: Output): void => {
    output.progress('half')
  }
  expect(say(act, options, env, true).stderr).toBe('')
})

test('a table aligns its columns, whatever their colour', () => {
  expect(
    table([
      ['kid', 'bits'],
      ['\u001B[31mlonger\u001B[39m', '2048'],
    ]),
  ).toBe('kid     bits\n\u001B[31mlonger\u001B[39m  2048')
})

describe('a log', () => {
  const log = (output: Output): void => {
    output.log('note', 'a key')
    output.log('warning', 'no answer', { fix: 'wait', code: 'x' })
    output.log('error', 'broken')
  }

  test.each([
    ['as it is', {}, 'a key\nwarning: no answer\n  → wait\nerror: broken\n'],
    ['--json', { json: true }, 'a key\nwarning: no answer\n  → wait\nerror: broken\n'],
    ['--quiet', { quiet: true }, 'error: broken\n'],
  ])('goes to stderr, with %s', (_, options, stderr) => {
    expect(say(log, options)).toEqual({ stdout: '', stderr })
  })

  test('of JSON has a document a line, of all that is said', () => {
    const { stderr } = say(
      (output) => {
        log(output)
        output.note('a note')
        warn(output)
        output.detail('a detail')
        output.error(new KjitsiError('usage', 'bad', { hint: 'good' }))
      },
      { log: 'json', verbose: true },
      { FORCE_COLOR: '1' },
    )
    const lines = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string
    expect(lines).toMatchObject([
      { time, level: 'note', message: 'a key' },
      { time, level: 'warning', message: 'no answer', fix: 'wait', code: 'x' },
      { time, level: 'error', message: 'broken' },
      { time, level: 'note', message: 'a note' },
      { time, level: 'note', code: 'keyserver-default', args: { keyserver: 'http://localhost:9000/certs' } },
      { time, level: 'detail', message: 'a detail' },
      { time, level: 'error', message: 'bad', fix: 'good', code: 'usage' },
    ])
  })

  test.each(['text', 'json'] as const)('of %s has no secret in it, and no control character', (form) => {
    const { stderr } = say(
      (output) => {
        output.log('warning', 'a\u001B[2Jb pass"word', { fix: 'pass"word', name: 'pass"word' })
      },
      { log: form, secrets: ['pass"word'] },
    )
    expect(stderr).toContain('ab (masked)')
    expect(stderr).not.toContain('word')
    expect(stderr).not.toContain('u001b')
  })
})
