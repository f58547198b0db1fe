// Whether a signature is right, as Prosody's OpenSSL sees it. Node asks the same library. A JWT library would
// be stricter than Prosody, which takes RSA keys of 1024 bits and knows no `crit`: its refusals would be
// wrong here.
import { createHmac, type KeyObject, verify } from 'node:crypto'
import type { Attempt } from './token.ts'
import { HIDDEN, type RuleOutcome, noAnswer, passed, undetermined } from './rule.ts'

/** The algorithms of luajwtjitsi, with their digests. */
export const DIGESTS: ReadonlyMap<string, string> = new Map([
  ['RS256', 'sha256'],
  ['RS384', 'sha384'],
  ['RS512', 'sha512'],
  ['HS256', 'sha256'],
  ['HS384', 'sha384'],
  ['HS512', 'sha512'],
])

/** For a token of three parts whose alg is the one that Prosody is set to. */
export function checkSignature(attempt: Attempt, signature: Buffer): RuleOutcome {
  const { parts, key, prosody, byKey } = attempt
  const digest = DIGESTS.get(prosody.signType)
  const signed = parts.slice(0, 2).join('.')
  if (digest === undefined) return HIDDEN
  if (prosody.signType.startsWith('HS')) {
    if (byKey || prosody.secret === undefined) return HIDDEN
    const right = createHmac(digest, prosody.secret).update(signed).digest().equals(signature)
    return right ? passed('right') : wrong('JWT_APP_SECRET')
  }
  switch (key?.is) {
    case 'unreadable':
      return noAnswer(
        key.what,
        `what Prosody gets for a key is ${key.what}, at which its OpenSSL throws`,
        NO_KEY,
      )
    case 'undetermined':
      return undetermined(key.what, `the key is ${key.what}`)
    case 'key':
      return checkWith(key.key, digest, Buffer.from(signed), signature)
    case 'absent':
    case 'unseen':
    case 'no text':
    case 'not in set':
    case undefined:
      return HIDDEN
  }
}

const NO_KEY =
  'see what that address answers: it has to be the file that kjitsi export-certs writes; ' +
  "on Jitsi's own host it takes an nginx location with ^~, or Jitsi's pages come first"

function wrong(maker: string): RuleOutcome {
  const told = `It was not made with ${maker}, or the token was changed after that`
  return { is: 'refused', found: 'wrong', expected: `made with ${maker}`, told }
}

// Beyond these OpenSSL has more to say than yes and no.
const [MIN_BITS, MAX_BITS] = [1024, 16_384]

function checkWith(key: KeyObject, digest: string, signed: Buffer, signature: Buffer): RuleOutcome {
  const type = key.asymmetricKeyType ?? ''
  if (type === 'ec' && signature[0] !== 0x30)
    return noAnswer(
      'an EC key',
      'the key is an EC key, with which OpenSSL throws at the signature of an RSA key',
    )
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0
  if (!type.startsWith('rsa') || bits < MIN_BITS || bits > MAX_BITS)
    return undetermined(
      `${type} key`,
      `versions of OpenSSL differ in what they say to this key (${type}, ${bits} bits)`,
    )
  return verify(digest, signed, key, signature) ? passed('right') : wrong('the key of that kid')
}
