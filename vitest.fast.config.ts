import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { testsWithoutDatabase } from './test/support/tests-without-database.js'
import base, { ISOLATED } from './vitest.config.js'

const root = fileURLToPath(new URL('.', import.meta.url))

/** Tests without a database that take longer than 5 s: npm run test:fast leaves them to npm test. */
const SLOW: readonly string[] = [
  'test/graphql/compiled/compile-operation.test.ts',
  'test/sources/filesystem/folder-model.test.ts',
  'test/sources/filesystem/hostile-files.test.ts',
  'test/sources/sync/sync-model.test.ts',
]

const files = testsWithoutDatabase(`${root}test`)
  .map((file) => relative(root, file))
  .filter((file) => !SLOW.includes(file))
const isIsolated = (file: string) => ISOLATED.some((path) => file.startsWith(path))

/** npm run test:fast: every test that reaches no database, no browser and no process of its own. */
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    globalSetup: [],
    projects: [
      { extends: true, test: { name: 'shared', include: files.filter((file) => !isIsolated(file)), isolate: false } },
      { extends: true, test: { name: 'isolated', include: files.filter(isIsolated) } },
    ],
  },
})
