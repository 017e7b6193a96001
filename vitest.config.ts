import { createRequire } from 'node:module'
import { defineConfig } from 'vitest/config'

const require = createRequire(import.meta.url)

export default defineConfig({
  // Two realms of `graphql` meet where one package imports it and another requires it: everybody gets the one file.
  resolve: { alias: [{ find: /^graphql$/, replacement: require.resolve('graphql/index.js') }] },
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    server: { deps: { inline: [/graphql-yoga/, /@pothos/, /@graphql-tools/, /@envelop/, /graphql-ws/, /graphql-http/, /graphql-sse/] } },
  },
})
