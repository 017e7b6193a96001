import type { SourceFailure } from '../contract/source-failure.js'
import { SHOWN_FAILURES } from '../contract/source-failure.js'

/** Failures as one look at a source finds them: the first are kept, all are counted. */
export class FailureList {
  readonly shown: SourceFailure[] = []
  readonly #places = new Set<string>()

  add(failure: SourceFailure): void {
    this.#places.add(JSON.stringify([failure.file, failure.line, failure.entryId]))
    if (this.shown.length < SHOWN_FAILURES) this.shown.push(failure)
  }

  /** Definitions that failed: one with several faults is one, and so is a file that does not parse. */
  get definitions(): number {
    return this.#places.size
  }
}

export function failureAt(file: string, line: number | null, entryId: string | null, message: string): SourceFailure {
  return { file, line, column: null, entryId, message }
}
