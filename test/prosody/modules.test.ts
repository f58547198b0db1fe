import { expect, test } from 'vitest'
import { adviseModules } from '../../src/prosody/modules.ts'

const SECTIONS = [
  { host: 'a.example', modules: ['one'], modulesNot: [] },
  { host: 'muc.a.example', modules: ['two', 'three'], modulesNot: ['not'] },
]
const found = (text: string): readonly string[] =>
  adviseModules(text, SECTIONS, 'f').map(
    ({ code, args }) => `${code} ${String(args['modules'] ?? args['module'])}`,
  )

test.each<[string, string[]]>([
  ['', ['modules-missing one', 'modules-missing two,three']],
  [
    'VirtualHost "a.example"\n modules_enabled = { "one" }\nComponent "muc.a.example" "muc"\n modules_enabled = { "two"; \'three\' }',
    [],
  ],
  // Another section's list, a comment, another module's name.
  [
    'modules_enabled = { "one" }\nVirtualHost "a.example"\n --"one"\n',
    ['modules-missing one', 'modules-missing two,three'],
  ],
  [
    'VirtualHost "a.example"\n { "one_more" --[[ "one"\n ]] }\nComponent "muc.a.example" "muc"\n {"two"; "three"; "not"}',
    ['modules-missing one', 'module-unwanted not'],
  ],
  // A string that holds the sign of a comment.
  [
    'VirtualHost "a.example"\n x = "a--b"; modules_enabled = { "one" }\nComponent "muc.a.example" "muc"\n {"two"; "three"}',
    [],
  ],
  // A section that is opened twice.
  [
    'VirtualHost("a.example")\n {"one"}\nComponent "muc.a.example" "muc"\n {"two"}\nComponent "muc.a.example" "muc"\n {"three"; --"not"\n}',
    [],
  ],
])('%j: %j', (text, codes) => {
  expect(found(text)).toEqual(codes)
})

test('they name file, section and module, and what to do', () => {
  for (const one of adviseModules('Component "muc.a.example" "muc" "not"', SECTIONS, '/etc/x.lua')) {
    expect(one.message).toMatch(
      /^\/etc\/x.lua (does not name|names) .* in the section of (muc\.)?a\.example: /,
    )
    expect(one.fix).toContain('modules_enabled there')
  }
})
