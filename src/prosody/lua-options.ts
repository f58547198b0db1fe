// Reads pieces of Prosody's configuration, which is Lua, as far as they are plain assignments such as
// `cache_keys_url="https://…"` and `asap_accepted_issuers={"a";"b"}`. What is more than that is handed back,
// not guessed.

export type LuaValue = string | number | boolean | readonly string[]

export interface LuaOptions {
  /** Of a name that is assigned twice, the last value, as in Prosody. */
  readonly values: ReadonlyMap<string, LuaValue>
  /** From where on it is no plain assignment; empty where all was read. */
  readonly rest: string
}

// Without escapes: a string with a backslash is left to Lua.
const TEXT = `"[^"\\\\\\n]*"|'[^'\\\\\\n]*'`
const LIST = `\\{\\s*(?:(?:${TEXT})(?:\\s*[;,]\\s*(?:${TEXT}))*\\s*[;,]?\\s*)?\\}`
const ASSIGNMENT = new RegExp(
  `(?<name>[A-Za-z_]\\w*)\\s*=\\s*(?:(?<text>${TEXT})|(?<list>${LIST})|(?<word>true|false|-?\\d+))(?=[\\s;]|$)`,
  'y',
)
const BETWEEN = /[\s;]*/y

export function readLuaOptions(source: string): LuaOptions {
  const values = new Map<string, LuaValue>()
  for (let at = 0; ;) {
    BETWEEN.lastIndex = at
    at += BETWEEN.exec(source)?.[0].length ?? 0
    ASSIGNMENT.lastIndex = at
    const match = ASSIGNMENT.exec(source)
    if (match === null) return { values, rest: source.slice(at) }
    const { name = '', text, list, word = '' } = match.groups ?? {}
    if (text !== undefined) values.set(name, text.slice(1, -1))
    else if (list !== undefined)
      values.set(
        name,
        [...list.matchAll(new RegExp(TEXT, 'g'))].map(([item]) => item.slice(1, -1)),
      )
    else values.set(name, word === 'true' || (word !== 'false' && Number(word)))
    at = ASSIGNMENT.lastIndex
  }
}
