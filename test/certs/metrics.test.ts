import { expect, test } from 'vitest'
import { createMetrics } from '../../src/certs/metrics.ts'
import type { SourceState } from '../../src/certs/refresh.ts'

const state: SourceState = {
  source: 'realm meet',
  keys: 2,
  ageSeconds: 12.5,
  maxAgeSeconds: 9,
  hasAnswered: true,
  failures: 0,
  failing: false,
}

test('the numbers of a scrape are those of now', async () => {
  const counts = new Map<number, number>()
  let states: readonly SourceState[] = [
    { ...state, ageSeconds: 7, hasAnswered: false, keys: 0 },
    { ...state, source: 'b"\\\n' },
  ]
  const { contentType, text } = createMetrics(() => ({ counts, states, served: 3 }))
  expect(contentType).toBe('text/plain; version=0.0.4; charset=utf-8')
  const before = await text()
  expect(linesOf(before)).toEqual([
    'kjitsi_refresh_failures_total{source="realm meet"} 0',
    'kjitsi_refresh_failures_total{source="b\\"\\\\\\n"} 0',
    'kjitsi_key_set_age_seconds{source="realm meet"} 7',
    'kjitsi_key_set_age_seconds{source="b\\"\\\\\\n"} 12.5',
    'kjitsi_key_set_max_age_seconds{source="realm meet"} 9',
    'kjitsi_key_set_max_age_seconds{source="b\\"\\\\\\n"} 9',
    'kjitsi_keys{source="realm meet"} 0',
    'kjitsi_keys{source="b\\"\\\\\\n"} 2',
    'kjitsi_keys_served 3',
  ])
  for (const kind of [
    'requests_total counter',
    'refresh_failures_total counter',
    'key_set_age_seconds gauge',
  ])
    expect(before).toContain(`# TYPE kjitsi_${kind}\n`)

  counts.set(200, 5)
  counts.set(404, 1)
  states = [{ ...state, failures: 7 }]
  const after = await text()
  expect(await text()).toBe(after)
  expect(linesOf(after)).toEqual([
    'kjitsi_requests_total{status="200"} 5',
    'kjitsi_requests_total{status="404"} 1',
    'kjitsi_refresh_failures_total{source="realm meet"} 7',
    'kjitsi_key_set_age_seconds{source="realm meet"} 12.5',
    'kjitsi_key_set_max_age_seconds{source="realm meet"} 9',
    'kjitsi_keys{source="realm meet"} 2',
    'kjitsi_keys_served 3',
  ])
})

function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
}
