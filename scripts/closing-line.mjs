/**
 * The one line that a run of the suite ends with.
 * @param {{ passed: number, failed: number } | undefined} count of the tests, where the run got as far as to count them
 * @param {number} exitCode vitest's
 * @param {number} failedChecks what failed before the suite
 */
export function closingLine(count, exitCode, failedChecks) {
  const { passed, failed } = count ?? { passed: 0, failed: 0 }
  // Something besides a test can fail: a file that does not load, an error outside of any test, no test at all.
  const besides = exitCode !== 0 && failed === 0 ? 1 : 0
  return `${passed} passed, ${failed + besides + failedChecks} failed`
}
