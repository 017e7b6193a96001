import type { Tag } from '../../../core/history/tag.js'
import type { Transition } from '../../../core/history/version.js'
import { columnsOf, type StoredRow, selectList } from './columns.js'
import { baseline, headPointer, tag, transition, version } from './tables.js'

/** The columns of a version except its changeset, which may have 64 MiB, and the sum that only compaction writes. */
const VERSION = columnsOf(version, ['changeset', 'state'])
const TRANSITION = columnsOf(transition, ['entryCount', 'digest', 'requestId'])
const STORED_TRANSITION = columnsOf(transition)
const TAG = columnsOf(tag)
const BASELINE = columnsOf(baseline, ['id'])
const HEAD_POINTER = columnsOf(headPointer)

export type VersionColumns = Omit<StoredRow<typeof version>, 'changeset' | 'state'>
export type StoredTransitionColumns = StoredRow<typeof transition>
export type TransitionColumns = Omit<StoredTransitionColumns, 'entryCount' | 'digest' | 'requestId'>
export type TagColumns = StoredRow<typeof tag>
export type BaselineColumns = Omit<StoredRow<typeof baseline>, 'id'>
export type HeadPointerColumns = StoredRow<typeof headPointer>

export const versionColumns = (alias: string) => selectList(VERSION, alias)
export const transitionColumns = (alias: string) => selectList(TRANSITION, alias)
export const storedTransitionColumns = (alias: string) => selectList(STORED_TRANSITION, alias)
export const tagColumns = (alias: string) => selectList(TAG, alias)
export const baselineColumns = (alias: string) => selectList(BASELINE, alias)
export const headPointerColumns = (alias: string) => selectList(HEAD_POINTER, alias)

export function transitionOfColumns(row: TransitionColumns): Transition {
  const { revision, kind, fromVersion: from, toVersion: to, author, message, createdAt, changeCount } = row
  return { revision, kind, from, to, author, message, createdAt, changeCount }
}

export function tagOfColumns({ name, version, movable, createdAt, author }: TagColumns): Tag {
  return { name, version, movable, createdAt, author }
}
