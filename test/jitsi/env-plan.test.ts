import { describe, expect, it } from 'vitest'
import { envValues } from '../../src/jitsi/config.ts'
import { commentedOut, parseEnv } from '../../src/env-file/parse.ts'
import { envSettings } from '../../src/jitsi/env-plan.ts'
import { loginOf } from '../../src/jitsi/login.ts'
import { readTemplate } from '../../src/templates.ts'

describe('envSettings', () => {
  it('writes comment and value of each variable', () => {
    const template = '# first\nA={{A}}\n# second\nB={{B}}\n'
    expect(envSettings(template, new Map([['B', ' b ']]))).toEqual([
      { key: 'B', value: ' b ', lines: ['# second', "B=' b '"] },
    ])
  })

  it('knows no variable that the template does not have', () => {
    expect(() => envSettings('# a\nA={{A}}\n', new Map([['B', 'b']]))).toThrow('no entry for B')
  })
})

describe('templates/jitsi.env', async () => {
  const template = await readTemplate('jitsi.env')
  const statements = parseEnv(template)

  it('has one comment of one line for each variable, and nothing else', () => {
    expect(template).toMatch(/^(?:# [^\n]{1,118}\n(\w+)=\{\{\1\}\}\n)+$/)
  })

  it('has every variable that there can be', () => {
    const issuer = 'https://auth.example.org/realms/meet'
    const values = envValues(
      {
        issuers: [issuer],
        audiences: ['b'],
        appId: 'c',
        keyserver: 'd',
        guests: true,
        signType: 'RS512',
        moderators: 'role',
        keys: 'both',
        login: loginOf(issuer, 'jitsi', 'https://meet.example.org'),
      },
      new Map(),
    )
    const inTemplate = statements.flatMap((one) => (one.kind === 'assignment' ? [one.key] : []))
    expect([...values.keys()].sort()).toEqual(inTemplate.sort())
    expect(envSettings(template, values).map(({ key }) => key)).toEqual([...values.keys()])
  })

  it('has no comment that looks like a variable, which would become the place of that variable', () => {
    for (const statement of statements) {
      if (statement.kind === 'comment') expect(commentedOut(template, statement)).toBeUndefined()
    }
  })
})
