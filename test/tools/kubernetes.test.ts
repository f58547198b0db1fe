// The manifests against the schemas of the real API, of an old and of a new Kubernetes; and what their pods do.
import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { fileNameOf } from '../../src/certs/key.ts'
import { MANIFEST_FILE } from '../../src/certs/manifest.ts'
import { duration } from '../../src/duration.ts'
import { sharedFolder } from '../support/folder.ts'
import { publishedKey } from '../support/keys.ts'
import { BIN, run } from '../support/run.ts'
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
  return runProgram('kubernetes-validate', ['--strict', '--kubernetes-version', version, resolve(dir, file)])
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

describe('the pods', () => {
  test('of the key server have the time that its end takes, and keep the keys in a volume', async () => {
    const [deployment] = parseAllDocuments(await readFile(join(dir, 'kjitsi.yaml'), 'utf8'))
    const { spec } = (deployment?.toJS() as Deployment).spec.template
    const [{ env = [], volumeMounts = [] } = {}] = spec.containers
    const values = new Map(env.map(({ name, value }) => [name, value]))
    const drain = duration(values.get('KJITSI_DRAIN') ?? '')
    expect(drain).toBeGreaterThan(0)
    expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(drain + 2)
    const mount = volumeMounts.find(({ mountPath }) => mountPath === values.get('KJITSI_KEEP_DIR'))
    expect(spec.volumes).toMatchObject([{ name: mount?.name, emptyDir: {} }])
  })

  test('of the CronJob keep a key that has left for a day, from one run to the next', async () => {
    const cronjob = parseAllDocuments(await readFile(join(dir, 'kjitsi-cronjob.yaml'), 'utf8'))
      .map((document) => document.toJS() as CronJob)
      .find(({ kind }) => kind === 'CronJob')
    const { initContainers, volumes } = cronjob?.spec.jobTemplate.spec.template.spec ?? {}
    expect(volumes).toMatchObject([{ name: 'work' }, { name: 'before', configMap: { name: 'kjitsi-keys' } }])
    const jwks = join(dir, 'jwks.json')
    let data: Readonly<Record<string, string>> = {}

    /** What the init containers of one run do, with the ConfigMap as kubelet mounts it. */
    async function runJob(...keys: readonly unknown[]): Promise<readonly string[]> {
      const pod = await mkdtemp(join(dir, 'pod-'))
      const files = join(pod, 'before', '..2026_05_01')
      await mkdir(files, { recursive: true })
      await mkdir(join(pod, 'work'))
      await symlink('..2026_05_01', join(pod, 'before', '..data'))
      for (const [name, text] of Object.entries(data)) {
        await writeFile(join(files, name), text)
        await symlink(join('..data', name), join(pod, 'before', name))
      }
      await writeFile(jwks, JSON.stringify({ keys }))
      for (const { command, args = [] } of initContainers ?? []) {
        const [program = '', ...options] = command ?? [process.execPath, BIN]
        const more = command === undefined ? ['--jwks', jwks] : []
        const argv = [...options, ...args].map((one) => one.replace(/^\/(before|work)\//, `${pod}/$1/`))
        expect(spawnSync(program, [...argv, ...more], { encoding: 'utf8' })).toMatchObject({ status: 0 })
      }
      const file = join(pod, 'work', 'configmap.json')
      expect(validate(file, '1.37')).toMatchObject({ exitCode: 0 })
      const made = JSON.parse(await readFile(file, 'utf8')) as ConfigMap
      expect(made).toMatchObject({ kind: 'ConfigMap', metadata: { name: 'kjitsi-keys' } })
      data = made.data
      return Object.keys(data).sort()
    }

    const [a, b] = [fileNameOf('a'), fileNameOf('b')]
    const [keyA, keyB] = [publishedKey('a'), publishedKey('b')]
    expect(await runJob(keyA, keyB)).toEqual([MANIFEST_FILE, a, b].sort())
    expect(await runJob(keyB)).toEqual([MANIFEST_FILE, a, b].sort())
    const since = /"\d{4}-[^"]*Z"/
    const list = data[MANIFEST_FILE] ?? ''
    expect(list).toMatch(since)
    data = { ...data, [MANIFEST_FILE]: list.replace(since, `"${daysAgo(0.9)}"`) }
    expect(await runJob(keyB)).toEqual([MANIFEST_FILE, a, b].sort())
    data = { ...data, [MANIFEST_FILE]: list.replace(since, `"${daysAgo(1.1)}"`) }
    expect(await runJob(keyB)).toEqual([MANIFEST_FILE, b].sort())
  })
})

const daysAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString()

interface CronJob {
  readonly kind: string
  readonly spec: {
    readonly jobTemplate: { readonly spec: { readonly template: { readonly spec: PodSpec } } }
  }
}

interface Deployment {
  readonly spec: { readonly template: { readonly spec: PodSpec } }
}

interface PodSpec {
  readonly terminationGracePeriodSeconds: number
  readonly initContainers: readonly Container[]
  readonly containers: readonly Container[]
  readonly volumes: readonly object[]
}

interface Container {
  readonly command?: readonly string[]
  readonly args?: readonly string[]
  readonly env?: readonly { readonly name: string; readonly value: string }[]
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[]
}

interface ConfigMap {
  readonly data: Readonly<Record<string, string>>
}
