import type { EntryContent } from '../entry/entry.js'
import type { EntryId } from '../entry/entry-id.js'
import { EVENT_KINDS, EVENT_TYPES, type EventKind, type EventKindOf, type EventType } from './event-kinds.js'

interface EventOf<Type extends EventType> {
  readonly type: Type
  readonly system: (typeof EVENT_TYPES)[Type]['system']
  readonly kind: EventKindOf<Type>
  /** The id of the entry or transaction, or the source's name. */
  readonly path: string
  /** By the clock of the gateway where it happened. */
  readonly at: Date
}

/** A transaction begins or ends. */
export interface TransactionEvent extends EventOf<'transaction'> {
  readonly transaction: string
  readonly operationCount: number
  /** The transition that a commit made; null if it changed nothing. */
  readonly revision: number | null
  /** The reason for a discard. */
  readonly error: string | null
}

/** An operation is offered or undone (by its inverse), or a participant answers it. */
export interface EntryEvent extends EventOf<'entry'> {
  readonly transaction: string
  readonly entryId: EntryId
  readonly entry: EntryContent | null
  readonly original: EntryContent | null
  /** The participant that answers. Null for the operation itself. */
  readonly participant: string | null
  /** The reason for a rejection. */
  readonly reason: string | null
}

/** A source is loaded again, or has a failure that it did not have before. */
export interface SourceEvent extends EventOf<'source'> {
  /** Counts of entries. Null for a failure. */
  readonly created: number | null
  readonly updated: number | null
  readonly deleted: number | null
  /** Count of definitions. */
  readonly failed: number
  /** The first failure, if it failed. */
  readonly error: string | null
}

/** Marks a gap in a subscriber's stream. It is sent whatever the filter. */
export interface MissedEvents extends EventOf<'missed'> {
  readonly count: number
}

/** An event that gateways publish and send to one another. */
export type BusEvent = TransactionEvent | EntryEvent | SourceEvent

/** An event that a subscriber receives. */
export type ReceivedEvent = BusEvent | MissedEvents

type EventOfKind<Kind extends EventKind> = Extract<ReceivedEvent, { type: (typeof EVENT_KINDS)[Kind]['type'] }>
type Fields<Event> = Omit<Event, 'type' | 'system' | 'kind'>

/** Makes an event: its type and system follow from the kind. */
export function busEvent<Kind extends EventKind>(kind: Kind, fields: Fields<EventOfKind<Kind>>): EventOfKind<Kind> {
  const { type } = EVENT_KINDS[kind]
  return { type, system: EVENT_TYPES[type].system, kind, ...fields } as unknown as EventOfKind<Kind>
}
