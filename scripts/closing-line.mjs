/**
 * The one line that a run of the suite ends with.
 * @param {{ numPassedTests: number, numFailedTests: number } | undefined} report vitest's, where it wrote one
 * @param {number} exitCode vitest's
 * @param {number} failedChecks what failed before the suite
 */
export function closingLine(report, exitCode, failedChecks) {
  const { numPassedTests: passed, numFailedTests } = report ?? { numPassedTests: 0, numFailedTests: 0 }
  // Something besides a test can fail: a file that does not load, an error outside of any test, no test at all.
  const besides = exitCode !== 0 && numFailedTests === 0 ? 1 : 0
  return `${passed} passed, ${numFailedTests + besides + failedChecks} failed`
}
