import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readEnv } from '../../src/env-file/parse.ts'
import { type EnvSetting, mergeEnv } from '../../src/env-file/merge.ts'
import { envLiteral } from '../../src/env-file/literal.ts'

const settings = (values: Readonly<Record<string, string>>): readonly EnvSetting[] =>
  Object.entries(values).map(([key, value]) => ({
    key,
    value,
    lines: [`# about ${key}`, `${key}=${envLiteral(key, value)}`],
  }))

// Each is what docker-jitsi-meet's users have in their files, or what compose-go was seen to read in an odd way.
const PLACES: readonly (readonly [what: string, before: string, after: string])[] = [
  ['an empty file', '', '# >>> kjitsi\n# about ID\nID=jitsi\n# <<< kjitsi\n'],
  ['a byte order mark alone', '\uFEFF', '\uFEFF# >>> kjitsi\n# about ID\nID=jitsi\n# <<< kjitsi\n'],
  ['other settings', 'TZ=UTC\n', 'TZ=UTC\n\n# >>> kjitsi\n# about ID\nID=jitsi\n# <<< kjitsi\n'],
  ['an empty line at the end', 'TZ=UTC\n\n', 'TZ=UTC\n\n# >>> kjitsi\n# about ID\nID=jitsi\n# <<< kjitsi\n'],
  ['no last newline', 'TZ=UTC', 'TZ=UTC\n\n# >>> kjitsi\n# about ID\nID=jitsi\n# <<< kjitsi'],
  ['CRLF', 'TZ=UTC\r\n', 'TZ=UTC\r\n\r\n# >>> kjitsi\r\n# about ID\r\nID=jitsi\r\n# <<< kjitsi\r\n'],
  [
    'a block of ours',
    '# >>> kjitsi\nA=1\n# <<< kjitsi\nB=2',
    '# >>> kjitsi\nA=1\n# about ID\nID=jitsi\n# <<< kjitsi\nB=2',
  ],
  [
    'half a block',
    '# >>> kjitsi\nA=1\n',
    '# >>> kjitsi\nA=1\n\n# >>> kjitsi\n# about ID\nID=jitsi\n# <<< kjitsi\n',
  ],
  [
    'the end of a block first',
    '# <<< kjitsi\n',
    '# <<< kjitsi\n\n# >>> kjitsi\n# about ID\nID=jitsi\n# <<< kjitsi\n',
  ],
  ['a name alone', 'ID\n', 'ID\n\n# >>> kjitsi\n# about ID\nID=jitsi\n# <<< kjitsi\n'],

  ['an old value', 'A=1\nID=old\nB=2\n', 'A=1\nID=jitsi\nB=2\n'],
  ['an old value without a last newline', 'ID=old', 'ID=jitsi'],
  ['an old value with CRLF', 'ID=old\r\nB=2\r\n', 'ID=jitsi\r\nB=2\r\n'],
  ['no value', 'ID=\nB=2\n', 'ID=jitsi\nB=2\n'],
  ['no value with CRLF', 'ID=\r\nB=2\r\n', 'ID=jitsi\r\nB=2\r\n'],
  ['no value at the end of the file', 'B=2\nID=', 'B=2\nID=jitsi'],
  ['export', 'export ID=old\n', 'export ID=jitsi\n'],
  ['blanks', '  ID =  old  \n', '  ID =  jitsi  \n'],
  ['the form of YAML', 'ID: old\n', 'ID: jitsi\n'],
  ['double quotes', 'ID="old"\n', 'ID=jitsi\n'],
  ['several lines', 'ID="old\nvalue"\nB=2\n', 'ID=jitsi\nB=2\n'],
  ['a comment behind it', 'ID=old # mine\n', 'ID=jitsi # mine\n'],
  ['a comment behind quotes', "ID='old' # mine\n", 'ID=jitsi # mine\n'],
  ['a comment in place of a value', 'ID= # mine\n', 'ID=jitsi # mine\n'],
  ['a comment glued to quotes', "ID='old'# mine\n", "ID='jitsi'# mine\n"],
  ['a statement behind quotes', "ID='old' B=2\n", "ID='jitsi' B=2\n"],
  ['a value that compose cannot read', 'ID=${\n', 'ID=jitsi\n'],
  ['a byte order mark', '\uFEFFID=old\n', '\uFEFFID=jitsi\n'],
  ['two of them', 'ID=1\nB=2\nID=3\n', 'ID=jitsi\nB=2\nID=jitsi\n'],

  ['the value already', 'ID=jitsi\n', 'ID=jitsi\n'],
  ['the value already, in quotes', 'ID="jitsi"\n', 'ID="jitsi"\n'],
  ['the value already, by another variable', 'A=jit\nID=${A}si\n', 'A=jit\nID=${A}si\n'],

  ['a comment of it', '#ID=my_id\nB=2\n', '#ID=my_id\nID=jitsi\nB=2\n'],
  ['a comment with a space', '# ID = my_id\r\nB=2\n', '# ID = my_id\r\nID=jitsi\r\nB=2\n'],
  ['a comment at the end', 'B=2\n#ID=my_id', 'B=2\n#ID=my_id\nID=jitsi'],
  ['a comment with export', '#export ID=my_id\n', '#export ID=my_id\nID=jitsi\n'],
  ['two comments', '#ID=1\n#ID=2\n', '#ID=1\nID=jitsi\n#ID=2\n'],
  ['a comment and a value', '#ID=1\nB=2\nID=3\n', '#ID=1\nB=2\nID=jitsi\n'],
  [
    'a comment in a value',
    "B='\n#ID=1\n'\n",
    "B='\n#ID=1\n'\n\n# >>> kjitsi\n# about ID\nID=jitsi\n# <<< kjitsi\n",
  ],
  [
    'a comment behind quotes that looks like it',
    "B='1' #ID=1\n",
    "B='1' #ID=1\n\n# >>> kjitsi\n# about ID\nID=jitsi\n# <<< kjitsi\n",
  ],
  [
    'a comment about it',
    '# ID is an id\n#IDS=1\n',
    '# ID is an id\n#IDS=1\n\n# >>> kjitsi\n# about ID\nID=jitsi\n# <<< kjitsi\n',
  ],
]

describe('mergeEnv', () => {
  it.each(PLACES)('finds the place: %s', (_, before, after) => {
    expect(mergeEnv(before, settings({ ID: 'jitsi' })).text).toBe(after)
    expect(mergeEnv(after, settings({ ID: 'jitsi' })).text).toBe(after)
  })

  it.each([
    ['ID=old #1\n', '$a', "ID='$a' #1\n"],
    ['ID=old #1\n', '', "ID='' #1\n"],
    ['ID="old"\n', ' # ', "ID=' # '\n"],
    // An empty value and a block, both at the end of the text.
    ['ID=', 'x', 'ID=x\n\n# >>> kjitsi\n# about B\nB=1\n# <<< kjitsi'],
    // A value that names a variable which only now gets a value.
    ['#B=\nID=$B\n', '', "#B=\nB=1\nID=''\n"],
    ['# >>> kjitsi\n# <<< kjitsi\nID=$B\n', '', "# >>> kjitsi\n# about B\nB=1\n# <<< kjitsi\nID=''\n"],
    ['B=0\nID=x$B\n', 'x0', 'B=1\nID=x0\n'],
    ['B=0\nID=x$B\n', 'x1', 'B=1\nID=x$B\n'],
  ])('%j with ID %j', (before, id, after) => {
    const wanted = after.includes('B=1') ? { ID: id, B: '1' } : { ID: id }
    expect(mergeEnv(before, settings(wanted)).text).toBe(after)
    expect(mergeEnv(after, settings(wanted)).text).toBe(after)
  })

  it('puts each setting where it belongs', () => {
    const before = '# Jitsi\n\n#A=old\nB=${HOST:-"x"}/r # mine\nHOST=h\nC="c"\n'
    const merged = mergeEnv(before, settings({ A: 'a', B: 'b', C: 'c', D: 'd' }))
    expect(merged.text).toBe(
      '# Jitsi\n\n#A=old\nA=a\nB=b # mine\nHOST=h\nC="c"\n\n# >>> kjitsi\n# about D\nD=d\n# <<< kjitsi\n',
    )
  })

  it('says which settings are assigned more than once, by the lines of the new text', () => {
    const merged = mergeEnv('#B=\nA=1\nA="2\n3"\nA=4\nC=1\nC=2\n', settings({ A: 'a', B: 'b' }))
    expect(merged.duplicates).toEqual([{ key: 'A', lines: [3, 4, 5] }])
    expect(merged.text).toBe('#B=\nB=b\nA=a\nA=a\nA=a\nC=1\nC=2\n')
  })

  it('changes nothing where it cannot read', () => {
    expect(() => mergeEnv("ID='old\n", settings({ ID: 'x' }), 'FILE')).toThrow('FILE, line 1')
    expect(() => mergeEnv('A B', settings({ ID: 'x' }), 'FILE')).toThrow('FILE, line 1')
  })
})

describe('for any file and any value', () => {
  const KEYS = ['A', 'B', 'JWT_APP_ID', 'X.y'] as const
  const value = fc
    .oneof(
      fc.string(),
      fc
        .array(fc.constantFrom('$', '#', ' ', "'", '"', '{', '}', 'A', ',', '=', ':', '\u00A0'))
        .map((bits) => bits.join('')),
    )
    .filter((text) => isTaken(text))
  const wanted = fc.dictionary(fc.constantFrom(...KEYS), value, { noNullPrototype: true })

  const bit = fc.constantFrom(
    ...[
      ...KEYS,
      'export ',
      '=',
      '=',
      ':',
      '\n',
      '\n',
      '\r\n',
      ' ',
      '\t',
      '#',
      ' #',
      '"',
      "'",
      '\\',
      '$',
      '$A',
      '${B:-x}',
      'x',
    ],
    ...['# >>> kjitsi\n', '# <<< kjitsi\n'],
  )
  const soup = fc.array(bit).map((bits) => bits.join(''))

  it('the settings are read back by the rules of compose, and a second merge changes nothing', () => {
    fc.assert(
      fc.property(soup.filter(isReadable), wanted, (before, values) => {
        const merged = mergeEnv(before, settings(values))
        expect(Object.fromEntries(readEnv(merged.text))).toMatchObject(values)
        expect(mergeEnv(merged.text, settings(values)).text).toBe(merged.text)
      }),
      { numRuns: 3000 },
    )
  })

  interface Line {
    readonly text: string
    /** What it may become, as a regular expression. */
    readonly becomes: (wanted: ReadonlySet<string>) => string
  }
  const foreign: fc.Arbitrary<Line> = fc
    .constantFrom(
      ...[
        '',
        '# prose',
        '  # A is prose',
        '#',
        'TZ=UTC',
        "export P='it\\'s # $A'",
        'P="a\nb" # A=1',
        'Q: $A',
      ],
      ...['Q = ${A:-x}y # z', 'É=1', "P='1' Q=2", 'AA=1', '#AA=1', 'A'],
    )
    .map((text) => ({ text, becomes: () => escaped(text) }))
  const commented: fc.Arbitrary<Line> = fc
    .tuple(fc.constantFrom('#', '# ', '## export '), fc.constantFrom(...KEYS))
    .map(([lead, key]) => ({
      text: `${lead}${key}=old`,
      becomes: (keys) =>
        escaped(`${lead}${key}=old`) + (keys.has(key) ? `(?:\\r?\\n${key}=[^\\r\\n]*)?` : ''),
    }))
  const assigned: fc.Arbitrary<Line> = fc
    .tuple(
      fc.constantFrom('', 'export ', '  '),
      fc.constantFrom(...KEYS),
      fc.constantFrom('=', ' = ', ':'),
      fc.constantFrom('', 'v', '"v"', "'v\nw'", '${A}', 'v w'),
      fc.constantFrom('', ' # mine', ' '),
    )
    .map(([lead, key, equals, old, tail]) => ({
      text: lead + key + equals + old + tail,
      becomes: (keys) => {
        if (!keys.has(key)) return escaped(lead + key + equals + old + tail)
        const head = old === '' ? (lead + key + equals).trimEnd() : lead + key + equals
        return `${escaped(head)}(?:[^\\r\\n]*|${escaped(old)})${escaped(tail)}`
      },
    }))
  const file = fc.array(fc.tuple(fc.oneof(foreign, commented, assigned), fc.constantFrom('\n', '\r\n')), {
    minLength: 1,
    maxLength: 8,
  })

  it('every other byte stays', () => {
    fc.assert(
      fc.property(file, wanted, fc.boolean(), (lines, values, withLastNewline) => {
        const keys = new Set(Object.keys(values))
        const end = (i: number, then: string): string => (i < lines.length - 1 || withLastNewline ? then : '')
        const before = lines.map(([{ text }, newline], i) => text + end(i, newline)).join('')
        const kept = lines.map(([{ becomes }, newline], i) => becomes(keys) + end(i, newline)).join('')
        const ends = before === '' || before.endsWith('\n')
        const gap = ends ? '(?:\\r?\\n)?' : '(?:\\r?\\n){2}'
        const block = `(?:${gap}# >>> kjitsi\\r?\\n(?:[^\\r\\n]+\\r?\\n)+# <<< kjitsi${ends ? '\\r?\\n' : ''})?`
        expect(mergeEnv(before, settings(values)).text).toMatch(new RegExp(`^${kept}${block}$`))
      }),
      { numRuns: 2000 },
    )
  })
})

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}

function isTaken(text: string): boolean {
  try {
    envLiteral('KEY', text, true)
    return true
  } catch {
    return false
  }
}

function isReadable(text: string): boolean {
  try {
    readEnv(text)
    return true
  } catch {
    return false
  }
}
