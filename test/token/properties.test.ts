import fc from 'fast-check'
import { expect, test } from 'vitest'
import { plainFindings, plainRules } from '../../src/token/render.ts'
import { type Verdict, verdictOf } from '../../src/token/verdict.ts'
import { CORPUS, type Asked, askedOf } from '../support/corpus.ts'
import { CLAIMS, HEADER, token } from '../support/tokens.ts'

const installation = fc.constantFrom(...CORPUS.asked.values())
const room = fc.option(fc.oneof(fc.constantFrom('team-a', 'acme/Team A'), fc.string({ unit: 'binary' })), {
  nil: undefined,
})
const clock = fc.integer({ min: 0, max: 4_000_000_000 })

/** Real tokens with some characters put in, taken out or replaced. */
const mutated = fc
  .tuple(
    fc.constantFrom(...CORPUS.cases.flatMap((one) => one.token ?? [])),
    fc.array(fc.tuple(fc.nat(), fc.nat(3), fc.string({ unit: 'binary', maxLength: 3 })), {
      minLength: 1,
      maxLength: 4,
    }),
  )
  .map(([text, edits]) =>
    edits.reduce((now, [at, cut, put]) => {
      const place = at % (now.length + 1)
      return now.slice(0, place) + put + now.slice(place + cut)
    }, text),
  )

const value = fc.jsonValue({ stringUnit: 'binary' })
/** Rightly made of any JSON at all, and of claims of any kind under the names that count. */
const made = fc.oneof(
  fc.tuple(value, value).map(([header, body]) => token(body as object, header as object)),
  fc
    .dictionary(
      fc.constantFrom('iss', 'aud', 'sub', 'exp', 'iat', 'nbf', 'room', 'context', 'user_id', '__proto__'),
      value,
    )
    .map((claims) => token({ ...CLAIMS, ...claims })),
  fc
    .dictionary(fc.constantFrom('kid', 'alg', 'typ', 'crit'), value)
    .map((members) => token(CLAIMS, { ...HEADER, ...members })),
)

const anything = fc.oneof(fc.string({ unit: 'binary' }), fc.base64String(), mutated, made, fc.constant(null))

/** What holds for every verdict. */
function expectVerdict(verdict: Verdict, asked: Asked): void {
  const { auth, join, answered, determined, accepted } = verdict
  for (const answer of [auth, ...(join ? [join] : [])]) {
    // Only a refusal has words, and it always has both.
    expect(answer.accepted && answer.text !== null).toBe(false)
    expect(answer.text === null).toBe(answer.condition === null)
    expect(answer.accepted || answer.text !== null || !answered || !determined).toBe(true)
  }
  if (join) expect(auth.accepted).toBe(true)
  expect(accepted).toBe(determined && auth.accepted && join?.accepted !== false)
  if (accepted) expect(answered).toBe(true)
  const failing = verdict.rules.some(({ outcome }) => outcome.is === 'refused' || outcome.is === 'no answer')
  if (!accepted && determined) expect(failing).toBe(true)
  expect(asked.prosody.login === 'none' && accepted).toBe(false)
  // It can be said in full, and what is said is never the token.
  const told = JSON.stringify([plainRules(verdict), plainFindings(verdict)])
  const parts = verdict.attempt.parts.filter((part) => part.length > 60)
  for (const part of parts) expect(told.includes(part)).toBe(false)
}

test('any text gets a verdict, in any installation, and never an exception', () => {
  fc.assert(
    fc.property(anything, installation, room, clock, (text, asked, typed, now) => {
      expectVerdict(verdictOf(text, asked.prosody, asked.keys, typed, now), asked)
    }),
    { numRuns: 3000 },
  )
})

test('a token of the corpus that is changed in its header or payload is not accepted', () => {
  const accepted = CORPUS.cases.filter(
    (one) => one.join?.accepted && one.token && !one.settings.startsWith('allow'),
  )
  fc.assert(
    fc.property(
      fc.constantFrom(...accepted),
      fc.nat(),
      fc.constantFrom('A', 'b', '-', '9'),
      (one, at, put) => {
        const text = one.token ?? ''
        // Empty parts count for nothing, so a dot may also stand before the header or behind the signature.
        const [, , signature = ''] = text.split(/[\\.]/).filter((part) => part !== '')
        const place = at % text.lastIndexOf(signature)
        const changed = text.slice(0, place) + put + text.slice(place + 1)
        fc.pre(changed !== text && text[place] !== '.')
        const { prosody, keys } = askedOf(CORPUS, one.settings)
        expect(verdictOf(changed, prosody, keys, one.room, one.now).accepted).toBe(false)
      },
    ),
    { numRuns: 1000 },
  )
})
