// One writer for each syntax that a value must survive. What a syntax cannot hold is refused, never escaped by luck: the
// writer throws a KjitsiError `usage` that names `what`, the setting, and the character.
import { CONTROL, INVISIBLE, type CharacterRule, refuseCharacters } from '../characters.ts'
import { shellWord } from '../shell.ts'
import { shownValue } from '../shown.ts'
import { isSharedList } from './shown-env.ts'

/** A value that docker-jitsi-meet puts into a `"…"` string of Prosody's Lua configuration, without escaping it. */
export function luaText(what: string, value: string): string {
  refuse(what, value, [
    [CONTROL, 'which cannot stand in a setting'],
    [/"/, "which would end the string in Prosody's configuration"],
    [/\\/, "which begins an escape in Prosody's configuration"],
  ])
  return value
}

/** A value that docker-jitsi-meet puts into a `'…'` string of the web client's config.js, without escaping it. */
export function jsText(what: string, value: string): string {
  refuse(what, value, [
    INVISIBLE,
    [/'/, "which would end the string in the web client's config.js"],
    [/\\/, "which begins an escape in the web client's config.js"],
  ])
  return value
}

/** Items as one of Jitsi's comma lists. It splits them at every comma, compares them as they stand, and trims nothing. */
export function commaList(what: string, items: readonly string[]): string {
  for (const item of items) {
    refuse(what, item, [
      [/,/, 'which Jitsi takes for the end of an item'],
      [/^\s|\s$/, 'at its edge, which Jitsi would compare as well'],
    ])
  }
  return [...new Set(items)].join(',')
}

/** Text that a writer made fit for its syntax; nothing else gets into a file of `gen-config`. */
export type Literal = string & { readonly [literal]: true }
declare const literal: unique symbol

/** A `"…"` string of Prosody's Lua configuration. */
export function luaString(what: string, value: string): Literal {
  refuse(what, value, [INVISIBLE])
  return `"${luaText(what, value)}"` as Literal
}

/** A boolean, which Lua and YAML (1.2, section 10.2.1.2) write alike. */
export function booleanLiteral(value: boolean): Literal {
  return String(value) as Literal
}

/** A table of strings in Lua, compared by Prosody as they stand. */
export function luaList(what: string, items: readonly string[]): Literal {
  return `{ ${[...new Set(items)].map((item) => luaString(what, item)).join(', ')} }` as Literal
}

/** Names of Prosody's modules, as they stand in a list. */
export function luaNames(names: readonly string[]): Literal {
  return (
    names.length === 0 ? 'nothing' : names.map((name) => luaString('module', name)).join('; ')
  ) as Literal
}

/** A string of JavaScript, also inside of a page's `<script>`, where the web server puts the web client's config.js. */
export function jsString(what: string, value: string): Literal {
  refuse(what, value, [INVISIBLE])
  return `'${value.replace(/['\\]/g, '\\$&').replaceAll('<', '\\x3C')}'` as Literal
}

/** A string of nginx's configuration (ngx_conf_file.c). nginx has no escape for `$`, which begins a variable. */
export function nginxString(what: string, value: string): Literal {
  refuse(what, value, [INVISIBLE, [/\$/, "which begins a variable in nginx's configuration"]])
  return quoted(value)
}

/** An assignment for `Environment=` of a systemd unit (systemd.exec(5)); `%` begins a specifier there. */
export function unitAssignment(name: string, value: string): Literal {
  refuse(name, value, [INVISIBLE])
  return quoted(`${name}=${value}`.replaceAll('%', '%%'))
}

/** An argument of a command in a systemd unit (systemd.service(5)), where `$` begins a variable as well. */
export function unitArgument(what: string, value: string): Literal {
  refuse(what, value, [INVISIBLE])
  return quoted(value.replaceAll('%', '%%').replaceAll('$', '$$$$'))
}

/** A path for `ReadWritePaths=` of a systemd unit; not every version of systemd knows an escape in its quotes. */
export function unitPath(what: string, path: string): Literal {
  refuse(what, path, [INVISIBLE, [/["\\]/, 'which a path in a systemd unit cannot hold']])
  return quoted(path.replaceAll('%', '%%'))
}

/** A double-quoted scalar of YAML (1.2, section 7.3.1), free of what YAML 1.1 and 1.2 read differently. */
export function yamlString(what: string, value: string): Literal {
  refuse(what, value, [INVISIBLE])
  return quoted(value)
}

/**
 * A scalar of YAML whose reader expands variables, and takes `$$` for `$`: docker compose, and the environment and
 * arguments of a container in Kubernetes.
 */
export function yamlExpanded(what: string, value: string): Literal {
  return yamlString(what, value.replaceAll('$', '$$$$'))
}

/** A scalar of YAML among the values that jitsi-helm runs through Go's templates. */
export function helmString(what: string, value: string): Literal {
  refuse(what, value, [[/\{\{/, 'which begins a template in jitsi-helm']])
  return yamlString(what, value)
}

/** Words of a shell's command line, for a comment: one line, whatever reads the file. */
export function shellWords(what: string, words: readonly string[]): Literal {
  const written = words.map((word) => {
    refuse(what, word, [INVISIBLE])
    return shellWord(word)
  })
  return written.join(' ') as Literal
}

/** A folder as a shell's word; a `~/` at its beginning stays what it is to compose and to the shell, somebody's home. */
export function shellFolder(what: string, path: string): Literal {
  const [, home = '', rest = ''] = /^(~\/)?([\s\S]*)$/.exec(path) ?? []
  return (home + (home !== '' && rest === '' ? '' : shellWords(what, [rest]))) as Literal
}

/** Items as the environment gives a repeated setting of kjitsi: cut at every comma, and trimmed. */
export function settingList(what: string, items: readonly string[]): string {
  for (const item of items) {
    refuse(what, item, [
      [/,/, 'which ends an item where it is read from the environment'],
      [/^\s|\s$/, 'at its edge, which is lost where it is read from the environment'],
    ])
  }
  return items.join(',')
}

function quoted(text: string): Literal {
  return `"${text.replace(/["\\]/g, '\\$&')}"` as Literal
}

/** @throws KjitsiError `usage`, with the value where it may be shown */
function refuse(what: string, value: string, rules: readonly CharacterRule[]): void {
  refuseCharacters(isSharedList(what) ? what : `${what} ${JSON.stringify(shownValue(value))}`, value, rules)
}
