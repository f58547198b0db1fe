// Reads Prosody's configuration, which is Lua, as far as it is plain: options that are set to texts, numbers, switches and
// tables of them, in the section of a host or in none. There is no engine behind it: what is more than that is handed back
// as unknown, and only what no Lua takes, whatever stands around it, is said to be broken.

export type LuaValue = string | number | boolean | null | LuaTable

interface LuaTable {
  readonly items: readonly LuaValue[]
  readonly fields: ReadonlyMap<string, LuaValue>
}

/** Of a name that is assigned twice the last value, as in Prosody. null is nil. */
export type LuaOptions = ReadonlyMap<string, LuaValue>

export interface LuaFile {
  /** By host; '' is what stands before the first section and holds for all. */
  readonly sections: ReadonlyMap<string, LuaOptions>
  /** `broken`: Prosody stops at it. `unknown`: more than is read here. */
  readonly is: 'read' | 'broken' | 'unknown'
}

const BLANKS = /(?:[ \t\r\n\f\v]+|--\[(?<level>=*)\[[^]*?\]\k<level>\]|--(?!\[=*\[)[^\r\n]*)*/y
const WORD = /[A-Za-z_]\w*/y
const NUMBER = /(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+)(?![\w.])/y
const SYMBOL = /\.{1,3}|[=~<>]=|<<|>>|\/\/|::|[-+*/%^#&|~<>=(){}[\];:,]/y
const QUOTED = /"(?:[^"\\\r\n]|\\[^])*"|'(?:[^'\\\r\n]|\\[^])*'/y
/** Lua, but not read here: hexadecimal numbers, texts and comments in long brackets, and texts with `\z` in them. */
const NOT_READ = /0[xX][\da-fA-F.]|(?:--)?\[=*\[|["'][^]*\\z/y

const ESCAPE = /\\(?:([abfnrtv])|(["'\\\n])|(\d{1,3})|x([\da-fA-F]{2})|([^]))/g
const LETTERS = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' } as const

/** Lua's own words: those that begin what is not read here, and those that cannot begin a statement. */
const BLOCKS = 'and break do for function goto if local or repeat return while'.split(' ')
const WORDS = [...BLOCKS, ...'else elseif end false in nil not then true until'.split(' ')]
/** Names that are there without having been set: those of Lua's libraries, and Prosody's own words. */
const GLOBALS =
  /^(?:_G|_VERSION|arg|assert|bit\d*|collectgarbage|coroutine|debug|dofile|error|getmetatable|io|ipairs|load\w*|math|module|next|os|package|pairs|pcall|print|prosody|raw\w+|require|select|setmetatable|string|table|tonumber|tostring|type|unpack|utf8|warn|xpcall|ENV_\w*|[Hh]ost|VirtualHost|[Cc]omponent|Include|RunScript|FileContents|FileLines?|Credential|Lua)$/
const OPERATORS = /^(?:\.\.|[-+*/%^<>&|~]|\/\/|[=~<>]=|<<|>>|and|or)$/

interface Token {
  readonly type: 'text' | 'number' | 'word' | 'symbol' | 'end'
  readonly text: string
}

type Fate = 'broken' | 'unknown'

/** @param source a file, or what a template makes of a value, with what stands around it in the same statement */
export function readLua(source: string): LuaFile {
  const { tokens, ends } = tokensOf(source)
  const sections = new Map<string, Map<string, LuaValue>>()
  // What is no word of Lua's is a mistake wherever it stands.
  if (ends === 'broken') return { sections, is: 'broken' }
  let options = new Map<string, LuaValue>()
  sections.set('', options)
  let at = 0
  let fate: Fate | undefined
  const peek = (ahead = 0): Token => tokens[at + ahead] ?? { type: 'end', text: '' }
  const end = (as: Fate): LuaValue | undefined => {
    // Behind what is not read here, nothing is known.
    fate = ends === 'unknown' && at >= tokens.length ? 'unknown' : as
    return undefined
  }
  const isAt = (...texts: readonly string[]): boolean =>
    peek().type === 'symbol' && texts.includes(peek().text)

  function value(): LuaValue | undefined {
    const read = plainValue()
    const goesOn = peek().type !== 'text' && OPERATORS.test(peek().text)
    return read !== undefined && goesOn ? end('unknown') : read
  }

  function plainValue(): LuaValue | undefined {
    const { type, text } = peek()
    at++
    if (type === 'text') return text
    if (type === 'number') return Number(text)
    if (type === 'end') return end('unknown')
    if (text === '{') return table()
    if (text === '-' && peek().type === 'number') return -Number(tokens[at++]?.text)
    if (type === 'symbol') return end(['(', '#', '-', '~', '...'].includes(text) ? 'unknown' : 'broken')
    if (text === 'nil') return null
    if (text === 'true' || text === 'false') return text === 'true'
    if (WORDS.includes(text)) return end(['function', 'not'].includes(text) ? 'unknown' : 'broken')
    // An address without quotes: no method has the name that comes after `https:`.
    if (isAt(':') && peek(1).type !== 'word') return end('broken')
    // A name that nobody has set is nil.
    return peek().type === 'text' || isAt('.', '[', ':', '(', '{') || GLOBALS.test(text)
      ? end('unknown')
      : null
  }

  function table(): LuaValue | undefined {
    const items: LuaValue[] = []
    const fields = new Map<string, LuaValue>()
    while (!isAt('}')) {
      if (isAt('[')) return end('unknown')
      const { type, text } = peek()
      const isField = type === 'word' && peek(1).text === '=' && peek(1).type === 'symbol'
      if (isField) at += 2
      const read = value()
      if (read === undefined) return undefined
      if (isField) fields.set(text, read)
      else items.push(read)
      if (isAt(',', ';')) at++
      else if (!isAt('}')) return end(peek().type === 'end' ? 'unknown' : 'broken')
    }
    at++
    return { items, fields }
  }

  /** `VirtualHost "host"`, `Component "host" "module"`, and either with its options in braces, which hold for them alone. */
  function head(isComponent: boolean): unknown {
    // Prosody prepares the names of hosts, of which only small letters are made here.
    const host = peek().text.toLowerCase()
    if (!/^[\x21-\x7E]+$/.test(host)) return end('unknown')
    const section = sections.get(host) ?? new Map<string, LuaValue>()
    sections.set(host, section)
    options = section
    at += isComponent && peek(1).type === 'text' ? 2 : 1
    if (peek().type === 'text') return end('broken')
    if (isAt('(')) return end('unknown')
    if (!isAt('{')) return undefined
    at++
    const set = table()
    for (const [name, read] of isTable(set) ? set.fields : []) section.set(name, read)
    options = sections.get('') ?? section
    return undefined
  }

  function statement(): unknown {
    const { type, text } = peek()
    at++
    if (type === 'symbol' && text === ';') return undefined
    if (type === 'symbol' && (OPERATORS.test(text) || ['(', '::', '.', '[', ','].includes(text)))
      return end('unknown')
    if (type !== 'word') return end('broken')
    if (WORDS.includes(text)) return end(BLOCKS.includes(text) ? 'unknown' : 'broken')
    if (isAt('=')) {
      at++
      const read = value()
      if (read !== undefined) options.set(text, read)
      return undefined
    }
    if (peek().type === 'text' && /^(?:VirtualHost|Component)$/.test(text)) return head(text === 'Component')
    // A call of what is not there stops Prosody.
    if (peek().type === 'text' || isAt('(', '{')) return end(GLOBALS.test(text) ? 'unknown' : 'broken')
    if (isAt(':')) return end(peek(1).type === 'word' ? 'unknown' : 'broken')
    return end(isAt('.', '[', ',') ? 'unknown' : 'broken')
  }

  while (fate === undefined && peek().type !== 'end') statement()
  return { sections, is: fate ?? (ends === 'unknown' ? 'unknown' : 'read') }
}

function isTable(value: LuaValue | undefined): value is LuaTable {
  return typeof value === 'object' && value !== null
}

/** Up to what no Lua has, or what is not read here. */
function tokensOf(source: string): { readonly tokens: readonly Token[]; readonly ends: Fate | 'read' } {
  const tokens: Token[] = []
  let at = 0
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    return pattern.exec(source)?.[0]
  }
  const fateHere = (): Fate => (match(NOT_READ) === undefined ? 'broken' : 'unknown')
  for (;;) {
    at += match(BLANKS)?.length ?? 0
    if (at >= source.length) return { tokens, ends: 'read' }
    const quoted = match(QUOTED)
    const [type, text] =
      quoted !== undefined
        ? (['text', quoted] as const)
        : ([
            ['word', match(WORD)],
            ['number', match(NUMBER)],
            ['symbol', match(SYMBOL)],
          ].find(([, found]) => found !== undefined) ?? [])
    if (text === undefined || match(NOT_READ) !== undefined) return { tokens, ends: fateHere() }
    const plain = type === 'text' ? unescaped(text.slice(1, -1)) : text
    if (typeof plain !== 'string') return { tokens, ends: plain.is }
    tokens.push({ type: type as Token['type'], text: plain })
    at += text.length
  }
}

/** Of `\u{…}`, `\z` and bytes beyond ASCII nothing is made here. */
function unescaped(text: string): string | { readonly is: Fate } {
  let fate: Fate | undefined
  const plain = text.replace(
    ESCAPE,
    (_, letter?: keyof typeof LETTERS, same?: string, decimal?: string, hex?: string, other?: string) => {
      if (letter !== undefined) return LETTERS[letter]
      if (same !== undefined) return same
      const code = decimal === undefined ? parseInt(hex ?? '', 16) : Number(decimal)
      if (code < 128) return String.fromCharCode(code)
      fate ??= code < 256 || other === 'u' || other === 'z' || other === '\r' ? 'unknown' : 'broken'
      return ''
    },
  )
  return fate === undefined ? plain : { is: fate }
}
