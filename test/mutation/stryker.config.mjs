// npm run mutate: changes the code of src/core and src/registry/writing in one place at a time, and expects a test to fail.
import { fileURLToPath } from 'node:url'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

export default {
  plugins: [here('node_modules/@stryker-mutator/vitest-runner/dist/src/index.js')],
  testRunner: 'vitest',
  vitest: { configFile: 'test/mutation/vitest.config.ts', related: false },
  coverageAnalysis: 'perTest',
  mutate: ['src/core/**/*.ts', 'src/registry/writing/**/*.ts'],
  ignorePatterns: ['dist', '.cadastre', 'test/mutation/node_modules', 'test/bench/node_modules', 'reports'],
  // The sandbox leaves tsconfig.json unchanged, because rewriting it needs TypeScript 5.
  tsconfigFile: 'no-tsconfig.json',
  ignoreStatic: true,
  // Most strings are messages for people, whose wording tests leave open.
  mutator: { excludedMutations: ['StringLiteral'] },
  dryRunTimeoutMinutes: 10,
  incremental: true,
  incrementalFile: 'node_modules/.cache/stryker/incremental.json',
  tempDirName: 'node_modules/.cache/stryker/sandbox',
  reporters: ['clear-text', 'json'],
  jsonReporter: { fileName: 'node_modules/.cache/stryker/report.json' },
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false, reportMutants: true },
  concurrency: 2,
  timeoutMS: 10_000,
  thresholds: { high: 95, low: 85, break: 85 },
  allowEmpty: false,
}
