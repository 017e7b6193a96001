/** Something in a source that could not be read or applied, and its place. */
export interface SourceFailure {
  readonly file: string
  /** From 1. Null if the failure is about the whole file. */
  readonly line: number | null
  readonly column: number | null
  readonly entryId: string | null
  readonly message: string
  /** Number of the definition within its location. Faults of one definition share it. Not stored. */
  readonly definition?: number
}

/** @bound Failures of a source that are stored and shown. Further ones are only counted. */
export const SHOWN_FAILURES = 1_000
