/** Something that could not be read, and where it stands. */
export interface SourceFailure {
  readonly file: string
  /** From 1; null where it is the file as a whole. */
  readonly line: number | null
  readonly column: number | null
  readonly entryId: string | null
  readonly message: string
}

/** @bound Failures of a source that are stored and shown. Further ones are only counted. */
export const SHOWN_FAILURES = 1_000
