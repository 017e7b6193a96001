import type { Steps } from '../../core/algorithms/steps.js'
import type { EntryId } from '../../core/entry/entry-id.js'
import type { Problem } from '../../core/errors/problem.js'
import type { RegistryError } from '../../core/errors/registry-error.js'
import type { Warning } from '../../core/errors/warning.js'
import type { Change } from '../../core/history/change.js'
import type { Head, Transition, Version } from '../../core/history/version.js'
import type { Operation, SubmittedOperation } from '../../core/ordering/operation.js'
import type { DerivedEntries } from './derived-entries.js'

/** A write to be committed. */
export interface CommitRequest {
  /** A random id, by which a lost outcome can be looked up. */
  readonly id: string
  readonly author: string | null
  readonly message: string | null
  readonly idempotency: Idempotency | null
  readonly expectedHead: number | null
  readonly dryRun: boolean
  readonly action: ChangesetAction | VersionAction | RevertAction
  /**
   * The originals about which participants were asked: the digest of each touched entry, or null if it did not exist.
   * The request is refused (`stale`) if it now touches other entries or finds other originals. It is also refused if
   * this gateway no longer owns the transaction according to the journal.
   */
  readonly offered?: ReadonlyMap<EntryId, string | null>
  /** No participant is known. The request is refused (`stale`) if a client participates at any gateway. */
  readonly expectsNoParticipants?: boolean
  /** Entries that the gateway computes from others. */
  readonly derived?: DerivedEntries
}

export interface Idempotency {
  readonly key: string
  /** The digest of the whole input. The same key with another digest is a reuse. */
  readonly digest: string
  /** Whether an earlier release stored this digest for the same input. */
  isEarlierDigest?(stored: string): Steps<boolean>
}

export interface ChangesetAction {
  readonly type: 'changeset'
  readonly operations: readonly SubmittedOperation[]
  readonly base: number | null
  /** Problems found before any state was read. If there are any, the changeset is refused. */
  readonly problems: readonly Problem[]
}

export interface VersionAction {
  readonly type: 'version'
  readonly version: number
  /** Applies the version even if it deletes entries with live instances. */
  readonly force?: boolean
}

/** Applies the inverse of one version's changeset, as a changeset of its own on top of the head. */
export interface RevertAction {
  readonly type: 'revert'
  readonly version: number
  /** As in `VersionAction`. */
  readonly force?: boolean
}

export type CommitOutcome =
  | {
      readonly type: 'applied'
      /** The head afterwards. In a dry run, the current head. */
      readonly head: Head
      /** The revision of its transition. Null in a dry run and if nothing changed. */
      readonly revision: number | null
      /** The applied operations in order. In a dry run, the ones that would be applied. */
      readonly delta: readonly Operation[]
      readonly dryRun: boolean
      readonly replayed: boolean
      /** Set on a replayed outcome whose changes have been compacted. `delta` is then empty. */
      readonly compacted?: true
      /** The objects that the write made, so that an answer reads nothing that the write knew. Absent if the head did not move, and on a replayed outcome. */
      readonly made?: MadeByWrite
      /** Warnings that were found before the commit. */
      readonly warnings?: readonly Warning[]
    }
  | {
      readonly type: 'refused'
      readonly problems: readonly Problem[]
      /**
       * Why the request has to be planned again. The originals of an `offered` request or of a derived entry have
       * changed, another gateway has discarded it, or a participant has joined although the request
       * `expectsNoParticipants`.
       */
      readonly stale?: 'changed' | 'discarded' | 'joined'
    }

/** The rows of a write that moved the head. */
export interface MadeByWrite {
  /** The version at the head afterwards. */
  readonly version: Version
  readonly transition: Transition
  /** The changes in the order in which they were applied, as the log has them. Computed by each call. */
  changes(): Steps<readonly Change[]>
}

/** The answer to one request of a batch: its outcome, or the error of a request that this store cannot decide. */
export type CommitAnswer = CommitOutcome | { readonly type: 'failed'; readonly error: RegistryError }

/** Writes to history. */
export interface HistoryWriter {
  /**
   * Commits a batch of requests, in order, as consecutive transitions of one durable step. Each request is checked
   * against the state after the earlier ones and has an outcome of its own. A refused request uses no number and
   * changes nothing, and so does a failed one. Either all outcomes are final, or the call throws and none is.
   * @throws RegistryError UNAVAILABLE (nothing was committed) or OUTCOME_UNKNOWN (it may have been)
   */
  commit(requests: readonly CommitRequest[]): Promise<readonly CommitAnswer[]>
}
