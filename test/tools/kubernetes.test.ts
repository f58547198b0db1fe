// The manifests against the schemas of the real API, of an old and of a new Kubernetes; and the script in the CronJob.
import { spawnSync } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { sharedFolder } from '../support/folder.ts'
import { run } from '../support/run.ts'
import { type Said, runProgram } from '../support/programs.ts'

const ARGUMENTS = [
  '--url',
  'https://auth.example.org',
  '--realm',
  'meet',
  '--jitsi-url',
  'https://meet.example.org',
]

const dir = sharedFolder()
beforeAll(async () => {
  for (const more of [[], ['--cronjob']]) {
    expect(await run(['gen-config', 'kubernetes', dir, ...ARGUMENTS, ...more])).toMatchObject({ exitCode: 0 })
  }
})

function validate(file: string, version: string): Said {
  return runProgram('kubernetes-validate', ['--strict', '--kubernetes-version', version, join(dir, file)])
}

describe.each([['1.25'], ['1.30'], ['1.37']])('Kubernetes %s', (version) => {
  test.each([
    ['kjitsi.yaml', ['deployment/kjitsi', 'service/kjitsi', 'poddisruptionbudget/kjitsi']],
    [
      'kjitsi-cronjob.yaml',
      [
        'configmap/kjitsi-keys',
        'serviceaccount/kjitsi-keys',
        'role/kjitsi-keys',
        'rolebinding/kjitsi-keys',
        'cronjob/kjitsi-keys',
      ],
    ],
  ])('takes %s', (file, resources) => {
    const { exitCode, stdout, stderr } = validate(file, version)
    const said = stdout + stderr
    expect({ exitCode, said }).toMatchObject({ exitCode: 0 })
    const passed = [...said.matchAll(/passed for resource (\S+)/g)].map(([, resource]) => resource)
    expect(passed).toEqual(resources)
  })
})

test.each([
  ['a field that there is not', (text: string) => text.replace('minAvailable:', 'minAvailabel:')],
  [
    'a field in the wrong place',
    (text: string) => text.replace('      automountService', '  automountService'),
  ],
  ['a number that is a text', (text: string) => text.replace('replicas: 2', 'replicas: two')],
])('%s would be seen', async (_, spoil) => {
  const text = await readFile(join(dir, 'kjitsi.yaml'), 'utf8')
  expect(spoil(text)).not.toBe(text)
  await writeFile(join(dir, 'spoilt.yaml'), spoil(text))
  expect(validate('spoilt.yaml', '1.37').exitCode).not.toBe(0)
})

describe('the script that makes the manifest of a folder', () => {
  test('holds every PEM and nothing else, and is a ConfigMap', async () => {
    const cronjob = parseAllDocuments(await readFile(join(dir, 'kjitsi-cronjob.yaml'), 'utf8'))
      .map((document) => document.toJS() as CronJob)
      .find(({ kind }) => kind === 'CronJob')
    const container = cronjob?.spec.jobTemplate.spec.template.spec.initContainers.find(
      ({ name }) => name === 'manifest',
    )
    const [command = '', ...options] = container?.command ?? []
    const [script = '', keys, manifest] = container?.args ?? []
    expect([command, options, keys, manifest]).toEqual([
      'node',
      ['--eval'],
      '/work/keys',
      '/work/configmap.json',
    ])

    await mkdir(join(dir, 'keys'))
    const pems = { [`${'a'.repeat(64)}.pem`]: 'first\n', [`${'b'.repeat(64)}.pem`]: 'second "\\\n' }
    for (const [name, pem] of Object.entries(pems)) await writeFile(join(dir, 'keys', name), pem)
    await writeFile(join(dir, 'keys', 'state.json'), '{}')
    const paths = [join(dir, 'keys'), join(dir, 'configmap.json')]
    expect(spawnSync(process.execPath, [...options, script, ...paths], { encoding: 'utf8' })).toMatchObject({
      status: 0,
      stdout: '',
      stderr: '',
    })

    expect(validate('configmap.json', '1.37')).toMatchObject({ exitCode: 0 })
    expect(JSON.parse(await readFile(join(dir, 'configmap.json'), 'utf8'))).toMatchObject({
      kind: 'ConfigMap',
      metadata: { name: 'kjitsi-keys' },
      data: pems,
    })
  })
})

interface CronJob {
  readonly kind: string
  readonly spec: {
    readonly jobTemplate: {
      readonly spec: {
        readonly template: { readonly spec: { readonly initContainers: readonly Container[] } }
      }
    }
  }
}

interface Container {
  readonly name: string
  readonly command?: readonly string[]
  readonly args?: readonly string[]
}
