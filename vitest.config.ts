import { createRequire } from 'node:module'
import { defineConfig } from 'vitest/config'
import { HeavyFirst } from './test/support/heavy-first.js'
import { workerBundles } from './test/support/worker-bundles.js'

const require = createRequire(import.meta.url)

/**
 * Paths of tests whose state would reach other files: they close a thread that their process shares, or measure its
 * memory. Each file has a process of its own.
 */
export const ISOLATED = [
  'test/sources/',
  'test/process/',
  'test/graphql/supergraph/',
  'test/gateway/following-costs.test.ts',
]
const isolated = ISOLATED.map((path) => (path.endsWith('/') ? `${path}**/*.test.ts` : path))

export default defineConfig({
  plugins: [workerBundles()],
  // One package imports `graphql` and another requires it. The alias gives both the same file.
  resolve: { alias: [{ find: /^graphql$/, replacement: require.resolve('graphql/index.js') }] },
  test: {
    projects: [
      // Loading the modules for each file would take 600 s of CPU time instead of 90.
      {
        extends: true,
        test: {
          name: 'shared',
          include: ['test/**/*.test.ts'],
          exclude: ['**/node_modules/**', ...isolated],
          isolate: false,
        },
      },
      { extends: true, test: { name: 'isolated', include: isolated } },
    ],
    // postgres.js 3.4.9 writes to the socket of a connection that has just been closed under it: a TypeError outside
    // of any promise. The gateway logs it and continues (src/server/serve.ts), and so do the tests that kill servers.
    onUnhandledError: (error) =>
      !(error.name === 'TypeError' && /nextWrite.*postgres.src.connection\.js/.test(String(error.stack))),
    // A test may take far longer beside other work. These limits only end a test that would never pass.
    testTimeout: 120_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 60_000 } },
    globalSetup: ['test/support/global-setup.ts'],
    sequence: { sequencer: HeavyFirst },
    pool: 'forks',
    // Many tests wait for leases, timeouts and killed processes. A third worker uses two cores meanwhile.
    maxWorkers: 3,
    server: {
      deps: {
        inline: [/graphql-yoga/, /@pothos/, /@graphql-tools/, /@envelop/, /graphql-ws/, /graphql-http/, /graphql-sse/],
      },
    },
  },
})
