import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** Only tests that need neither a database nor a process: they run against thousands of mutants. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: { include: ['test/core/**/*.test.ts', 'test/registry/writing/**/*.test.ts'], testTimeout: 60_000 },
})
