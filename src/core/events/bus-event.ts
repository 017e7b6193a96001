import type { EntryContent } from '../entry/entry.js'
import type { EntryId } from '../entry/entry-id.js'

export const TRANSACTION_EVENT_KINDS = ['registry.begin', 'registry.commit', 'registry.discard'] as const
export type TransactionEventKind = (typeof TRANSACTION_EVENT_KINDS)[number]

export const OPERATION_EVENT_KINDS = ['entry.create', 'entry.update', 'entry.delete'] as const
export type OperationEventKind = (typeof OPERATION_EVENT_KINDS)[number]

export const ENTRY_EVENT_KINDS = [...OPERATION_EVENT_KINDS, 'entry.accept', 'entry.reject'] as const
export type EntryEventKind = (typeof ENTRY_EVENT_KINDS)[number]

/** A transaction began, or ended one way or the other. */
export interface TransactionEvent {
  readonly type: 'transaction'
  readonly system: 'registry'
  readonly kind: TransactionEventKind
  /** The transaction's id. */
  readonly path: string
  readonly at: Date
  readonly transaction: string
  readonly operationCount: number
  /** Of a commit: the transition it made; null where there was nothing to do. */
  readonly revision: number | null
  /** Of a discard: why. */
  readonly error: string | null
}

/** An operation was offered or taken back (an inverse), or a participant has answered it. */
export interface EntryEvent {
  readonly type: 'entry'
  readonly system: 'registry'
  readonly kind: EntryEventKind
  /** The entry's id. */
  readonly path: string
  readonly at: Date
  readonly transaction: string
  readonly entryId: EntryId
  readonly entry: EntryContent | null
  readonly original: EntryContent | null
  /** Who has answered; null for the operation itself. */
  readonly participant: string | null
  /** Of a rejection. */
  readonly reason: string | null
}

export const SOURCE_EVENT_KINDS = ['source.reloaded', 'source.failed'] as const
export type SourceEventKind = (typeof SOURCE_EVENT_KINDS)[number]

/** A source was loaded anew, or something of it failed that had not failed before. */
export interface SourceEvent {
  readonly type: 'source'
  readonly system: 'source'
  readonly kind: SourceEventKind
  /** The source's name. */
  readonly path: string
  readonly at: Date
  /** Entries; null for a failure. */
  readonly created: number | null
  readonly updated: number | null
  readonly deleted: number | null
  /** Definitions. */
  readonly failed: number
  /** Of a failure: the first one. */
  readonly error: string | null
}

export type BusEvent = TransactionEvent | EntryEvent | SourceEvent
