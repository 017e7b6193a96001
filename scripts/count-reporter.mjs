import { writeFileSync } from 'node:fs'

/**
 * A reporter for vitest that writes the numbers of passed and failed tests to the file named by CADASTRE_TEST_COUNT.
 */
export default class CountReporter {
  onTestRunEnd(testModules) {
    const count = { passed: 0, failed: 0 }
    for (const testModule of testModules) {
      for (const test of testModule.children.allTests()) {
        const { state } = test.result()
        if (state in count) count[state]++
      }
    }
    writeFileSync(process.env.CADASTRE_TEST_COUNT, JSON.stringify(count))
  }
}
