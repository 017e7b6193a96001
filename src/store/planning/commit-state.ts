import type { EntryRevision } from '../../core/entry/entry.js'
import type { EntryId } from '../../core/entry/entry-id.js'
import type { Head, Transition, Version } from '../../core/history/version.js'
import type { BatchInstances } from '../contract/instances.js'
import type { ChangeRow } from './change-row.js'

/** The state of the registry on which a batch is planned. Each applied request advances it. */
export interface CommitState {
  head: Head
  /** Earlier revisions have been compacted. */
  readonly oldestRevision: number
  lastVersion: number
  /** The digest of the version at the head. */
  versionDigest: string
  /** The digest of the last transition. */
  transitionDigest: string
  entryCount: number
  /** The time of the batch, which is not earlier than that of any transition before it. */
  readonly now: Date
  /** The current entry of every id that the batch touches. Ids without an entry are absent. */
  readonly entries: Map<EntryId, EntryRevision>
  /** The revision that last changed each of these ids, including deletes. */
  readonly lastChanged: Map<EntryId, number>
  /** The replies stored under the batch's idempotency keys. */
  readonly replies: Map<string, Reply>
  /** Instances of the entries that the batch deletes. The ones that it ends are stored with its rows. */
  readonly instances: BatchInstances
}

/** A reply stored under an idempotency key. */
export interface Reply {
  readonly author: string
  readonly key: string
  readonly digest: string
  /** Null if nothing changed. */
  readonly revision: number | null
  readonly version: number
}

export interface VersionRow extends Version {
  readonly changeset: Uint8Array
}

export interface TransitionRow extends Transition {
  readonly digest: string
  /** Number of entries after the transition. */
  readonly entryCount: number
  /** The id of the commit request that made it. */
  readonly requestId: string
}

/** The rows that a batch writes. */
export interface BatchWrites {
  readonly versions: VersionRow[]
  readonly transitions: TransitionRow[]
  readonly changes: ChangeRow[]
  readonly replies: Reply[]
}

export function emptyWrites(): BatchWrites {
  return { versions: [], transitions: [], changes: [], replies: [] }
}

/** The key of a reply in `CommitState.replies`. A null author and an empty one are the same. */
export function replyKey(author: string | null, key: string): string {
  return JSON.stringify([author ?? '', key])
}
