// Puts a marked block into the text of somebody's file, and leaves everything else in it as it is.
import { KjitsiError } from '../errors.ts'

/**
 * Merges a block into a text: in the place of the one that an earlier merge has put there, else at the end, where what
 * it sets comes last. A second merge changes nothing.
 * @param block its first and its last line are its marks
 * @param name what to call the file in an error
 * @throws KjitsiError `usage` where the marks in the text are not one pair
 */
export function mergeBlock(text: string, block: string, name: string): string {
  const newline = text.includes('\r\n') ? '\r\n' : '\n'
  const lines = block.replace(/\n$/, '').split('\n')
  const [first = '', last = ''] = [lines[0], lines.at(-1)]
  const there = text.split('\n')
  const at = (mark: string): readonly number[] =>
    there.flatMap((line, i) => (line.trim() === mark ? [i] : []))
  const [starts, ends] = [at(first), at(last)]
  const written = lines.join(newline)
  if (starts.length === 0 && ends.length === 0) {
    const gap = text === '' ? '' : text.endsWith('\n') ? newline : newline + newline
    return text + gap + written + newline
  }
  const [start, end] = [starts[0] ?? 0, ends[0] ?? -1]
  if (starts.length !== 1 || ends.length !== 1 || end < start) {
    throw new KjitsiError('usage', `${name}: the marks ${first} and ${last} are not there as one pair`, {
      hint: 'take all of them out, with what they enclose, and run this again',
    })
  }
  const after = there.slice(end + 1).join('\n')
  // The last line of a text may lack its newline.
  const tail = end + 1 < there.length ? newline + after : ''
  return [...there.slice(0, start), ''].join('\n') + written + tail
}
