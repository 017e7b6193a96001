import type { EntryContent, EntryRevision } from '../../core/entry/entry.js'
import type { Instance } from '../../core/entry/instance.js'
import type { Change } from '../../core/history/change.js'
import type { Tag } from '../../core/history/tag.js'
import type { Transition, Version } from '../../core/history/version.js'
import type { Operation } from '../../core/ordering/operation.js'
import { builder } from './builder.js'

/*
 * Refs of object types that refer to each other, with the shapes of their values. Each is implemented in a file of
 * its own. Declaring the refs here keeps those files free of import cycles.
 */

/** Operations between two states. */
export interface Delta {
  readonly operations: readonly Operation[]
  /** Names the two states in the cursors of the operations. */
  readonly between: string
}

export interface Snapshot {
  readonly revision: number
  /** Whether the same request shows another state later: it named no state, or a tag or time. Not set if it does not. */
  readonly isMoving?: boolean
}

export const EntryRef = builder.objectRef<EntryRevision>('Entry')
export const EntryRevisionRef = builder.objectRef<EntryRevision>('EntryRevision')
export const EntryContentRef = builder.objectRef<EntryContent>('EntryContent')
export const VersionRef = builder.objectRef<Version>('Version')
/** A changeset is identified by the version that it made. */
export const ChangesetRef = builder.objectRef<Version>('Changeset')
export const OperationRef = builder.objectRef<Change>('Operation')
export const SnapshotRef = builder.objectRef<Snapshot>('Snapshot')
export const TransitionRef = builder.objectRef<Transition>('Transition')
export const EntryChangeRef = builder.objectRef<Change>('EntryChange')
export const DeltaRef = builder.objectRef<Delta>('Delta')
export const InstanceRef = builder.objectRef<Instance>('Instance')
export const TagRef = builder.objectRef<Tag>('Tag')
