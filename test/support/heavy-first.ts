import { fileURLToPath } from 'node:url'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { testsWithoutDatabase } from './tests-without-database.js'

/**
 * Runs the files first that reach a database, a browser or a process. They take longest, and the short ones then keep
 * all workers busy until the end of a run.
 */
export class HeavyFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const light = new Set(testsWithoutDatabase(fileURLToPath(new URL('..', import.meta.url))))
    const sorted = await super.sort(files)
    const isLight = ({ moduleId }: TestSpecification) => light.has(moduleId)
    return [...sorted.filter((file) => !isLight(file)), ...sorted.filter(isLight)]
  }
}
