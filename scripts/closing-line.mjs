/**
 * The last line of a run of the test suite.
 * @param {{ passed: number, failed: number } | undefined} count of the tests, if the run got far enough to count them
 * @param {number} exitCode of vitest
 * @param {number} failedChecks the number of checks that failed before the suite
 */
export function closingLine(count, exitCode, failedChecks) {
  const { passed, failed } = count ?? { passed: 0, failed: 0 }
  // Something other than a test can fail: a file that does not load, an error outside of any test, or no tests at all.
  const besides = exitCode !== 0 && failed === 0 ? 1 : 0
  return `${passed} passed, ${failed + besides + failedChecks} failed`
}
