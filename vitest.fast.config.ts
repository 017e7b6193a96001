import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig, mergeConfig } from 'vitest/config'
import { testsWithoutDatabase } from './test/support/tests-without-database.js'
import base from './vitest.config.js'

const root = fileURLToPath(new URL('.', import.meta.url))

/** Tests without a database that take longer than 10 s: npm run test:fast leaves them to npm test. */
const SLOW: readonly string[] = []

/** npm run test:fast: every test that reaches no database, no browser and no process of its own. */
export default mergeConfig(
  { ...base, test: { ...base.test, globalSetup: [], include: [] } },
  defineConfig({
    test: {
      include: testsWithoutDatabase(`${root}test`)
        .map((file) => relative(root, file))
        .filter((file) => !SLOW.includes(file)),
    },
  }),
)
