import type { EntryId } from '../../core/entry/entry-id.js'
import type { Problem } from '../../core/errors/problem.js'
import type { Head } from '../../core/history/version.js'
import type { Operation, SubmittedOperation } from '../../core/ordering/operation.js'

/** One write that waits to be committed. */
export interface CommitRequest {
  /** Random: by it an outcome that was never heard can be looked up. */
  readonly id: string
  readonly author: string | null
  readonly message: string | null
  readonly idempotency: Idempotency | null
  readonly expectedHead: number | null
  readonly dryRun: boolean
  readonly action: ChangesetAction | VersionAction | RevertAction
  /**
   * What participants were asked about: of each entry that it touches the digest of its original, null where there
   * is none. Refused (`stale`) where it would now touch others or find other originals, or where the journal no
   * longer has this gateway as the transaction's owner.
   */
  readonly offered?: ReadonlyMap<EntryId, string | null>
  /** Nobody seems to take part in transactions: refused (`stale`) where a client, on whichever gateway, does. */
  readonly expectsNoParticipants?: boolean
}

export interface Idempotency {
  readonly key: string
  /** Of the request's whole input: the same key with another digest is a reuse. */
  readonly digest: string
}

export interface ChangesetAction {
  readonly type: 'changeset'
  readonly operations: readonly SubmittedOperation[]
  readonly base: number | null
  /** Found before any state was looked at; with one of them the changeset is refused, whatever the state. */
  readonly problems: readonly Problem[]
}

export interface VersionAction {
  readonly type: 'version'
  readonly version: number
  /** Even where it deletes entries with live instances. */
  readonly force?: boolean
}

/** The inverse of one version's changeset, as a changeset of its own on top of the head. */
export interface RevertAction {
  readonly type: 'revert'
  readonly version: number
  /** As a `VersionAction`'s. */
  readonly force?: boolean
}

export type CommitOutcome =
  | {
      readonly type: 'applied'
      /** The head afterwards; on a dry run the head as it is. */
      readonly head: Head
      /** The transition it made; null on a dry run and where nothing was to be done. */
      readonly revision: number | null
      /** What was changed, or on a dry run would have been, in order. */
      readonly delta: readonly Operation[]
      readonly dryRun: boolean
      readonly replayed: boolean
      /** Of a replayed one: what it changed has been compacted away since, and `delta` does not tell it. */
      readonly compacted?: true
    }
  | {
      readonly type: 'refused'
      readonly problems: readonly Problem[]
      /**
       * Of an `offered` request: the registry has moved on from what was offered, or another gateway has ended it.
       * Of an `unattended` one: somebody takes part.
       */
      readonly stale?: 'changed' | 'discarded' | 'joined'
    }

/** Writing. */
export interface HistoryWriter {
  /**
   * Commits what waits, in order, as consecutive transitions of one durable step: each request is checked
   * against the state the ones before it left, and has an outcome of its own; a refused one takes no number
   * and changes nothing. Either all outcomes stand, or the call throws and none does.
   * @throws RegistryError UNAVAILABLE (nothing was committed) or OUTCOME_UNKNOWN (it may have been)
   */
  commit(requests: readonly CommitRequest[]): Promise<readonly CommitOutcome[]>
}
