import { RegistryError } from '../../../core/errors/registry-error.js'
import { derivedOf } from '../../contract/derived-entries.js'
import type { CommitRequest } from '../../contract/history-writer.js'
import type { BatchWrites } from '../../planning/commit-state.js'
import type { PlannedOutcome } from '../../planning/planned-outcome.js'
import { COPY_FROM_CHARACTERS, COPY_FROM_ROWS } from './copy-batch.js'

/** The progress of the attempts at one batch. */
export interface Attempt {
  /** The outcomes of the last attempt. They are final once that attempt turns out to have been committed. */
  planned: readonly PlannedOutcome[] | null
  /** Whether the last attempt sent a durable write. */
  isSent: boolean
  /**
   * Whether an attempt was lost after it sent a write. Until a later attempt is committed, that write may have been
   * committed or still be executed.
   */
  isUnknown: boolean
  /** Whether the batch has too many references for one statement. */
  isLarge: boolean
}

export interface Ran {
  readonly planned: readonly PlannedOutcome[]
  /** The write that is in flight when COMMIT is sent. */
  readonly written: Promise<unknown>
}

export class DeadlinePassed extends Error {}

export function outcomeUnknown(cause: unknown): RegistryError {
  const message =
    'The connection to the store was lost during the commit. The changeset may or may not have been applied. Read the registry before you send it again, or send it with the same idempotencyKey.'
  return new RegistryError('OUTCOME_UNKNOWN', message, {}, { cause })
}

/**
 * Whether one statement can write the requests. Deletes lock entries, and some requests need reads in several steps, so
 * these cannot.
 */
export function fitOneStatement(requests: readonly CommitRequest[]): boolean {
  let operations = 0
  let characters = 0
  for (const request of requests) {
    const { action, offered } = request
    if (action.type !== 'changeset' || offered !== undefined || derivedOf(request).length > 0) return false
    operations += action.operations.length
    if (operations >= COPY_FROM_ROWS) return false
    for (const { kind, content } of action.operations) {
      if (kind === 'DELETE') return false
      characters += content!.metaText.length + content!.dataText.length
    }
  }
  return characters < COPY_FROM_CHARACTERS
}

export function isNothing({ transitions, replies }: BatchWrites): boolean {
  return transitions.length === 0 && replies.length === 0
}
