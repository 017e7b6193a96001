import type { SourceFailure } from '../contract/source-failure.js'
import { SHOWN_FAILURES } from '../contract/source-failure.js'

/** The failures of one scan. The first ones are stored, all are counted. */
export class FailureList {
  readonly shown: SourceFailure[] = []
  readonly #places = new Set<string>()

  add(failure: SourceFailure): void {
    const { definition, ...shown } = failure
    this.#places.add(JSON.stringify([failure.file, failure.line, failure.entryId, definition ?? null]))
    if (this.shown.length < SHOWN_FAILURES) this.shown.push(shown)
  }

  /** Number of failed definitions. A definition with several faults counts once, and so does a file that does not parse. */
  get definitions(): number {
    return this.#places.size
  }
}

export function failureAt(file: string, line: number | null, entryId: string | null, message: string): SourceFailure {
  return { file, line, column: null, entryId, message }
}
