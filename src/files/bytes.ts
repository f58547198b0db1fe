// Bytes as a text and back, without losing any: what is no UTF-8 comes as the lone surrogates U+DC80 to U+DCFF.

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Well-formed UTF-8 (RFC 3629, section 4), or one byte that is not, in bytes read as Latin-1. */
const SEQUENCES =
  // eslint-disable-next-line no-control-regex
  /[\x00-\x7F]+|[\xC2-\xDF][\x80-\xBF]|(?:\xE0[\xA0-\xBF]|[\xE1-\xEC\xEE\xEF][\x80-\xBF]|\xED[\x80-\x9F])[\x80-\xBF]|(?:\xF0[\x90-\xBF]|[\xF1-\xF3][\x80-\xBF]|\xF4[\x80-\x8F])[\x80-\xBF]{2}|[\x80-\xFF]/g

export function decode(bytes: Buffer): string {
  try {
    return UTF8.decode(bytes)
  } catch {
    return bytes.toString('latin1').replace(SEQUENCES, (sequence) => {
      const isStray = sequence.length === 1 && sequence > '\x7F'
      return isStray
        ? String.fromCharCode(0xdc00 + sequence.charCodeAt(0))
        : Buffer.from(sequence, 'latin1').toString()
    })
  }
}

export function encode(text: string): Buffer {
  const parts = text.split(/([\uDC80-\uDCFF])/u)
  return Buffer.concat(
    parts.map((part, i) => (i % 2 === 0 ? Buffer.from(part) : Buffer.of(part.charCodeAt(0) & 0xff))),
  )
}
