// npm test: installs, builds, checks types and generated files, and runs the test suite. Arguments after `--` go to
// vitest. The last line is always "N passed, N failed". A check that fails counts as one.
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { runChecks } from './checks.mjs'
import { closingLine } from './closing-line.mjs'
import { prepare, root } from './prepare/prepare.mjs'
import { runTool } from './prepare/run-tool.mjs'

// If the build fails, the process ends before the suite.
let line = closingLine(undefined, 1, 0)
process.once('exit', () => process.stdout.write(`${line}\n`))

await prepare()

const failedChecks = await runChecks(root)

// Each run has its own file, so two runs in one clone do not read each other's.
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
    // The run ended before it wrote the file. Its exit code reports that.
    return undefined
  } finally {
    rmSync(file, { force: true })
  }
}
