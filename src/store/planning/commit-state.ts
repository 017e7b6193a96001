import type { EntryRevision } from '../../core/entry/entry.js'
import type { EntryId } from '../../core/entry/entry-id.js'
import type { Head, Transition, Version } from '../../core/history/version.js'
import type { BatchInstances } from '../contract/instances.js'
import type { ChangeRow } from './change-row.js'

/** The registry as the batch finds it, moved on by each request that is applied. */
export interface CommitState {
  head: Head
  /** What lies before it has been compacted away. */
  readonly oldestRevision: number
  lastVersion: number
  /** Of the version that is the head. */
  versionDigest: string
  /** Of the last transition. */
  transitionDigest: string
  entryCount: number
  /** When the batch is written: not earlier than any transition before it. */
  readonly now: Date
  /** Of every id that the batch touches: the entry as it stands; absent where there is none. */
  readonly entries: Map<EntryId, EntryRevision>
  /** Of those ids, the revision that last touched them, a delete's too. */
  readonly lastChanged: Map<EntryId, number>
  /** What was answered before under the keys of the batch. */
  readonly replies: Map<string, Reply>
  /** Of the entries that the batch deletes; what it ends is written down with its rows. */
  readonly instances: BatchInstances
}

/** An answer that is kept under an idempotency key. */
export interface Reply {
  readonly author: string
  readonly key: string
  readonly digest: string
  /** Null where nothing was to be done. */
  readonly revision: number | null
  readonly version: number
}

export interface VersionRow extends Version {
  readonly changeset: Uint8Array
}

export interface TransitionRow extends Transition {
  readonly digest: string
  /** Number of entries after it. */
  readonly entryCount: number
  /** Of the commit request that made it. */
  readonly requestId: string
}

/** Rows to be written; the standing afterwards is what the batch leaves. */
export interface BatchWrites {
  readonly versions: VersionRow[]
  readonly transitions: TransitionRow[]
  readonly changes: ChangeRow[]
  readonly replies: Reply[]
}

export function emptyWrites(): BatchWrites {
  return { versions: [], transitions: [], changes: [], replies: [] }
}

/** Null author and empty author are one: nobody said who. */
export function replyKey(author: string | null, key: string): string {
  return JSON.stringify([author ?? '', key])
}
