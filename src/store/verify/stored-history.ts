import type { EntryRevision } from '../../core/entry/entry.js'
import type { EntryId } from '../../core/entry/entry-id.js'
import type { Json } from '../../core/entry/json.js'
import type { Tag } from '../../core/history/tag.js'
import type { Head, Version } from '../../core/history/version.js'
import type { ChangeRow } from '../planning/change-row.js'
import type { TransitionRow } from '../planning/commit-state.js'
import type { Baseline } from './baseline.js'

/** The stored rows in order, unchecked. Each call reads them again. */
export interface StoredHistory {
  /** The versions, ascending, without changesets. */
  versions(): AsyncIterable<StoredVersion>
  changesets(numbers: readonly number[]): Promise<ReadonlyMap<number, Uint8Array>>
  transitions(): AsyncIterable<TransitionRow>
  /** The rows of the log, ascending by revision. `metaIndex` is the searchable copy of meta; null if there is none. */
  changes(): AsyncIterable<{ readonly row: ChangeRow; readonly metaIndex: Json }>
  /** The entries of a state, in any order. */
  stateAt(revision: number): AsyncIterable<EntryRevision>
  /** Null if nothing has been compacted. */
  baseline(): Promise<Baseline | null>
  head(): AsyncIterable<{ readonly entry: EntryRevision; readonly metaIndex: Json }>
  pointer(): Promise<StoredPointer>
  tags(): AsyncIterable<{ readonly tag: Tag; readonly digest: string }>
  /** Every id in the index of names; null if the store has no such index. */
  names: (() => AsyncIterable<EntryId>) | null
  /** The index of references, each row as one text, and the rows that an entry should have; null if there is no index. */
  readonly referenceIndex: {
    rows(): AsyncIterable<string>
    rowsOf(entry: EntryRevision): readonly string[]
  } | null
}

export interface StoredVersion extends Version {
  readonly hasChangeset: boolean
  /** The sum of its state, if compaction removed that state and the sum is still needed. */
  readonly state: string | null
}

/** The stored end of history. It saves the next batch from searching for it. */
export interface StoredPointer {
  readonly head: Head
  readonly lastVersion: number
  readonly versionDigest: string
  readonly transitionDigest: string
  readonly entryCount: number
  readonly tagSum: string
  readonly oldestRevision: number
}
