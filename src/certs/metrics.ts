// The numbers of a key server for Prometheus. prom-client is loaded with the first question, since many never ask.
import { Counter, Gauge, Registry } from 'prom-client'
import type { SourceState } from './refresh.ts'

export interface Numbers {
  /** Answers by status. */
  readonly counts: ReadonlyMap<number, number>
  readonly states: readonly SourceState[]
  /** Keys that are served, those that have left included. */
  readonly served: number
}

/** Gives the text of a scrape (exposition format 0.0.4). */
export function createMetrics(read: () => Numbers): {
  readonly contentType: string
  readonly text: () => Promise<string>
} {
  const registry = new Registry()
  const registers = [registry]
  new Counter({
    name: 'kjitsi_requests_total',
    help: 'Answers, by HTTP status.',
    labelNames: ['status'],
    registers,
    collect() {
      this.reset()
      for (const [status, count] of read().counts) this.inc({ status }, count)
    },
  })
  new Counter({
    name: 'kjitsi_refresh_failures_total',
    help: 'Readings of a key set that failed.',
    labelNames: ['source'],
    registers,
    collect() {
      this.reset()
      for (const { source, failures } of read().states) this.inc({ source }, failures)
    },
  })
  new Gauge({
    name: 'kjitsi_key_set_age_seconds',
    help: 'Time since the last good key set was read, or since the start where there was none yet.',
    labelNames: ['source'],
    registers,
    collect() {
      this.reset()
      for (const { source, ageSeconds } of read().states) this.set({ source }, ageSeconds)
    },
  })
  new Gauge({
    name: 'kjitsi_key_set_max_age_seconds',
    help: 'The age at which the keys of a set that cannot be read begin to leave.',
    labelNames: ['source'],
    registers,
    collect() {
      this.reset()
      for (const { source, maxAgeSeconds } of read().states) this.set({ source }, maxAgeSeconds)
    },
  })
  new Gauge({
    name: 'kjitsi_keys',
    help: 'Keys in the last good key set.',
    labelNames: ['source'],
    registers,
    collect() {
      this.reset()
      for (const { source, keys } of read().states) this.set({ source }, keys)
    },
  })
  new Gauge({
    name: 'kjitsi_keys_served',
    help: 'Keys that are served, those that have left their key set a short while ago included.',
    registers,
    collect() {
      this.set(read().served)
    },
  })
  return { contentType: registry.contentType, text: () => registry.metrics() }
}
