// npm test: installs, builds, checks types and drift, runs the suite. What follows `--` goes to vitest.
// The last line is always "N passed, N failed", where a check that fails counts as one.
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { runChecks } from './checks.mjs'
import { closingLine } from './closing-line.mjs'
import { prepare, root } from './prepare/prepare.mjs'
import { runTool } from './prepare/run-tool.mjs'

// Where even the build fails, the process ends before the suite.
let line = closingLine(undefined, 1, 0)
process.once('exit', () => process.stdout.write(`${line}\n`))

await prepare()

const failedChecks = await runChecks(root)

// A file of this run's own: two runs side by side in one clone do not read each other's.
const file = join(root, 'dist', `.test-count-${process.pid}.json`)
mkdirSync(join(root, 'dist'), { recursive: true })
const args = [
  'run',
  '--reporter=default',
  `--reporter=${join(root, 'scripts/count-reporter.mjs')}`,
  ...process.argv.slice(2),
]
const code = await runTool(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), ...args], {
  cwd: root,
  env: { ...process.env, CADASTRE_TEST_COUNT: file },
})
line = closingLine(readCount(), code, failedChecks)
process.exitCode = code === 0 && failedChecks === 0 ? 0 : 1

function readCount() {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    // It did not get as far as to write one; its exit code says so.
    return undefined
  } finally {
    rmSync(file, { force: true })
  }
}
