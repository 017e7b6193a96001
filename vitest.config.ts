import { createRequire } from 'node:module'
import { defineConfig } from 'vitest/config'
import { workerBundles } from './test/support/worker-bundles.js'

const require = createRequire(import.meta.url)

export default defineConfig({
  plugins: [workerBundles()],
  // Two realms of `graphql` meet where one package imports it and another requires it: everybody gets the one file.
  resolve: { alias: [{ find: /^graphql$/, replacement: require.resolve('graphql/index.js') }] },
  test: {
    include: ['test/**/*.test.ts'],
    // postgres.js 3.4.9 writes to the socket of a connection that has just been closed under it: a TypeError that
    // reaches nobody's promise. The gateway logs it and goes on (src/server/serve.ts); the tests that kill servers do so here.
    onUnhandledError: (error) =>
      !(error.name === 'TypeError' && /nextWrite.*postgres.src.connection\.js/.test(String(error.stack))),
    testTimeout: 60_000,
    // The default of 1 s is too short on a loaded machine.
    expect: { poll: { timeout: 30_000 } },
    hookTimeout: 120_000,
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    server: {
      deps: {
        inline: [/graphql-yoga/, /@pothos/, /@graphql-tools/, /@envelop/, /graphql-ws/, /graphql-http/, /graphql-sse/],
      },
    },
  },
})
