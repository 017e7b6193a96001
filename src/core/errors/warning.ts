import type { EntryId } from '../entry/entry-id.js'

export const WARNING_CODES = ['DEPENDENCY_CYCLE', 'DANGLING_DEPENDENTS', 'BREAKING_CHANGE', 'MORE_WARNINGS'] as const
export type WarningCode = (typeof WARNING_CODES)[number]

/** A property of a valid changeset that its author may not have intended. */
export interface Warning {
  readonly code: WarningCode
  readonly message: string
  /** The entry that the warning is about: one that is deleted and still referred to, or one with a breaking change. Null for other warnings. */
  readonly entryId: EntryId | null
  /** The entries of the cycle, or those that still refer to a deleted target, by id. */
  readonly entryIds: readonly EntryId[]
}
