import { defineConfig } from 'vitest/config'

const BUILD = 'test/support/build.ts'
const KEYCLOAK = 'test/support/keycloak.ts'

// Vitest leaves a core to itself, which a machine of two cannot spare. Most unit tests that take their time wait for a
// process or a limit of time, so more of them than there are cores do no harm to each other.
const WAITING = { maxWorkers: 4, sequence: { groupOrder: 0 } }
const WORKING = { maxWorkers: 2, sequence: { groupOrder: 1 } }

export default defineConfig({
  test: {
    // What runs in processes of its own is not seen: src/main.ts, and the ways in which a process ends.
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text', 'json-summary'],
      thresholds: { lines: 95, branches: 90 },
    },
    projects: [
      {
        test: {
          ...WAITING,
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/real/**', 'test/tools/**', 'test/browser/**'],
          globalSetup: [BUILD],
          // Files share the modules that they import; one that mocks a module loads it anew before and after.
          isolate: false,
          testTimeout: 20_000,
        },
      },
      {
        test: {
          ...WORKING,
          name: 'tools',
          include: ['test/tools/**/*.test.ts'],
          globalSetup: [BUILD],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          ...WORKING,
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          globalSetup: [BUILD, KEYCLOAK],
          // A browser on a busy machine is slower than the second that is given otherwise.
          expect: { poll: { timeout: 20_000 } },
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          ...WORKING,
          name: 'real',
          include: ['test/real/**/*.test.ts'],
          globalSetup: [BUILD, KEYCLOAK],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
