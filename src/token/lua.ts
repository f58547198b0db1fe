// How Lua 5.4 sees the values of a token: numbers as text, text as numbers, small letters.

/**
 * A number as Lua's `tostring` writes it. lua-cjson makes every number a float, so 5 is `5.0`; the format is
 * `%.14g` (LUAI_NUMFFORMAT).
 */
export function luaNumber(value: number): string {
  // What the processors that Prosody mostly runs on make of infinity minus infinity prints with a sign.
  if (Number.isNaN(value)) return '-nan'
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf'
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  const [digits, exponent] = fourteenDigits(Math.abs(value))
  const significant = digits.replace(/0+$/, '')
  if (exponent < -4 || exponent >= 14) {
    const [first = '0', fraction] = [significant[0], significant.slice(1)]
    const power = String(Math.abs(exponent)).padStart(2, '0')
    return `${sign}${first}${fraction && `.${fraction}`}e${exponent < 0 ? '-' : '+'}${power}`
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${significant}`
  return `${sign}${digits.slice(0, exponent + 1)}.${significant.slice(exponent + 1) || '0'}`
}

/**
 * The digits and the decimal exponent of a number that is not negative; C rounds ties to even, JavaScript
 * upwards.
 */
function fourteenDigits(value: number): readonly [digits: string, exponent: number] {
  const exact = value.toExponential(40).replace('.', '')
  const isTie = /^\d{13}[02468]50*e/.test(exact)
  const [mantissa = '', exponent] = isTie
    ? exact.split('e')
    : value.toExponential(13).replace('.', '').split('e')
  return [mantissa.slice(0, 14), Number(exponent)]
}

const NUMERAL =
  /^[ \f\n\r\t\v]*(?<sign>[-+]?)(?:0[xX](?<hex>(?=\.?[\da-fA-F])[\da-fA-F]*\.?[\da-fA-F]*)(?:[pP](?<power>[-+]?\d+))?|(?<decimal>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?))[ \f\n\r\t\v]*$/

/**
 * What a text is in arithmetic: a number, or nothing, at which Lua throws. Undetermined are hexadecimal numbers that a float may not
 * hold.
 */
export function luaNumeral(text: string): number | 'undetermined' | undefined {
  const { sign, hex, power, decimal } = NUMERAL.exec(text)?.groups ?? {}
  const signed = (value: number): number => (sign === '-' ? -value : value)
  if (decimal !== undefined) return signed(Number(decimal))
  if (hex === undefined) return undefined
  // Without point and power it is an integer of 64 bits, which wraps.
  if (power === undefined && !hex.includes('.')) {
    const whole = BigInt(`0x${hex}`)
    return Number(BigInt.asIntN(64, sign === '-' ? -whole : whole))
  }
  const [whole = '', fraction = ''] = hex.split('.')
  const digits = (whole + fraction).replace(/^0+/, '')
  if (digits.length > 13 || Math.abs(Number(power ?? 0)) > 900) return 'undetermined'
  return signed(parseInt(digits || '0', 16) * 2 ** (Number(power ?? 0) - 4 * fraction.length))
}

/** `string.lower` in the C locale: ASCII only. */
export function luaLower(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}
