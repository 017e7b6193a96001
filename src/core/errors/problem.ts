import type { EntryRevision } from '../entry/entry.js'
import type { EntryId } from '../entry/entry-id.js'
import type { ProblemCode } from './codes.js'

/** One reason why a write was refused. */
export interface Problem {
  readonly code: ProblemCode
  /** States what was wrong with which input, and what to do. */
  readonly message: string
  /** The id, or the submitted value if it is not a valid id. */
  readonly entryId?: EntryId | string
  /**
   * Set if `entryId` is not a valid id. As text it may look like another entry's: `{ns: "a:b", name: "c"}` is not
   * `a:b:c`.
   */
  readonly isMalformedId?: true
  /** Index into the operations sent. */
  readonly operation?: number
  /** The current entry, if it explains the problem. */
  readonly current?: EntryRevision
  readonly participant?: string
}
