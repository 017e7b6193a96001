// npm test: installs, builds, checks types and drift, runs the suite. What follows `--` goes to vitest.
// The last line is always "N passed, N failed", where a check that fails counts as one.
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { checks } from './checks.mjs'
import { prepare, root } from './prepare/prepare.mjs'
import { runTool } from './prepare/run-tool.mjs'

process.on('exit', (code) => {
  if (code !== 0 && !said) process.stdout.write('0 passed, 1 failed\n')
})
let said = false

await prepare()

let failed = 0
for (const { name, script, args } of checks) {
  const code = await runTool(process.execPath, [join(root, script), ...args], { cwd: root })
  process.stdout.write(`${code === 0 ? 'ok' : 'FAILED'}: ${name}\n`)
  if (code !== 0) failed++
}

const report = join(root, 'dist', `.test-report-${process.pid}.json`)
mkdirSync(join(root, 'dist'), { recursive: true })
const code = await runTool(
  process.execPath,
  [
    join(root, 'node_modules/vitest/vitest.mjs'), 'run',
    '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...process.argv.slice(2),
  ],
  { cwd: root },
)
const counted = count(report)
failed += counted.failed
// Something besides a test failed: a file that does not load, an error outside of any test, no tests at all.
if (code !== 0 && counted.failed === 0) failed++
said = true
process.stdout.write(`${counted.passed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 ? 0 : 1

function count(file) {
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(file, 'utf8'))
    return { passed: numPassedTests, failed: numFailedTests }
  } catch {
    // It did not get as far as to write one; its exit code says so.
    return { passed: 0, failed: 0 }
  } finally {
    rmSync(file, { force: true })
  }
}
