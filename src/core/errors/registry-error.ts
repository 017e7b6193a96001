import type { EntryRevision } from '../entry/entry.js'
import type { EntryId } from '../entry/entry-id.js'

export const PROBLEM_CODES = [
  'EMPTY_CHANGESET',
  'DUPLICATE_OPERATION',
  'INVALID_ENTRY',
  'ENTRY_EXISTS',
  'ENTRY_NOT_FOUND',
  'KIND_MISMATCH',
  'CONFLICT',
  'HEAD_MOVED',
  'VERSION_NOT_FOUND',
  'REVISION_NOT_FOUND',
  'COMPACTED',
  'REJECTED',
  'PARTICIPANT_TIMEOUT',
  'PARTICIPANT_FAILED',
  'ENTRY_IN_USE',
  'FORBIDDEN',
  'TOO_LARGE',
  'IDEMPOTENCY_KEY_REUSED',
] as const
export type ProblemCode = (typeof PROBLEM_CODES)[number]

/** One reason why a write was refused. */
export interface Problem {
  readonly code: ProblemCode
  /** What was wrong with which input, and what to do. */
  readonly message: string
  /** The id as far as it could be read; a malformed one stands as it was sent. */
  readonly entryId?: EntryId | string
  /** `entryId` is none; shown as text it may look like another entry's: `{ns: "a:b", name: "c"}` is not `a:b:c`. */
  readonly isMalformedId?: true
  /** Index into the operations sent. */
  readonly operation?: number
  /** The entry as it stands, where that explains the problem. */
  readonly current?: EntryRevision
  readonly participant?: string
}

/** Codes of errors that a caller can cause or must know of; GraphQL carries them as `extensions.code`. */
export const ERROR_CODES = [
  'BAD_USER_INPUT',
  'INVALID_CRITERIA',
  'INVALID_CURSOR',
  'VERSION_NOT_FOUND',
  'REVISION_NOT_FOUND',
  'COMPACTED',
  'HISTORY_NOT_KEPT',
  'TAG_NOT_FOUND',
  'TAG_FIXED',
  'TAG_MOVED',
  'PINNED_BY_TAG',
  'HISTORY_DAMAGED',
  'SOURCE_NOT_FOUND',
  'ENTRY_NOT_FOUND',
  'INSTANCE_EXISTS',
  'INSTANCE_EXPIRED',
  'TOO_LARGE',
  'TIMEOUT',
  'UNAVAILABLE',
  'OUTCOME_UNKNOWN',
] as const
export type ErrorCode = (typeof ERROR_CODES)[number]

/** An error that tells its caller what was wrong and what to do; everything else is masked. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError'

  constructor(
    readonly code: ErrorCode,
    message: string,
    /** Further facts for machines, e.g. the oldest revision to be had. */
    readonly details: Readonly<Record<string, string | number | boolean | null>> = {},
    options?: { cause?: unknown },
  ) {
    super(message, options)
  }
}
