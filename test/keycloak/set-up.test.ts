import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { KjitsiError } from '../../src/errors.ts'
import { inEachRealm } from '../../src/keycloak/set-up.ts'

test('at most eight realms are worked on at a time', async () => {
  const started: string[] = []
  const release: (() => void)[] = []
  const names = Array.from({ length: 20 }, (_, i) => `realm-${i}`)
  const all = inEachRealm(names, async (realm) => {
    started.push(realm)
    await new Promise<void>((resolve) => release.push(resolve))
    return realm.length
  })
  await setImmediate()
  expect(started).toEqual(names.slice(0, 8))
  release.shift()?.()
  await setImmediate()
  expect(started).toEqual(names.slice(0, 9))
  while (release.length > 0) {
    release.shift()?.()
    await setImmediate()
  }
  expect(await all).toEqual(names.map((realm) => ({ realm, result: realm.length })))
})

test('a failure stops no other realm, and is in its place', async () => {
  const error = new KjitsiError('not-found', 'no such realm')
  const outcomes = await inEachRealm(['a', 'b', 'c'], (realm) =>
    realm === 'b' ? Promise.reject(error) : Promise.resolve(realm),
  )
  expect(outcomes).toEqual([
    { realm: 'a', result: 'a' },
    { realm: 'b', error },
    { realm: 'c', result: 'c' },
  ])
})

test('a bug is no failure of a realm: it is thrown, once the others have ended', async () => {
  let ended = false
  const outcomes = inEachRealm(['a', 'b'], async (realm) => {
    if (realm === 'a') throw new TypeError('a bug')
    await setImmediate()
    ended = true
  })
  await expect(outcomes).rejects.toThrow('a bug')
  expect(ended).toBe(true)
})
