import type { EntryContent } from '../../core/entry/entry.js'
import { SealedContent } from '../../core/entry/entry.js'
import type { EntryId } from '../../core/entry/entry-id.js'
import type { BusEvent, EntryEvent } from '../../core/events/bus-event.js'
import { EVENT_TYPES } from '../../core/events/event-kinds.js'

/** A content as gateways send it to each other: its texts, unchanged. */
export interface EncodedContent {
  readonly id: string
  readonly kind: string
  readonly meta: string
  readonly data: string
  readonly digest: string
}

export function encodeContent(entry: EntryContent | null): EncodedContent | null {
  if (entry === null) return null
  const { kind, metaText, dataText, digest } = entry.content
  return { id: entry.id, kind, meta: metaText, data: dataText, digest }
}

export function decodeContent(written: EncodedContent | null): EntryContent | null {
  if (written === null) return null
  const { id, kind, meta, data, digest } = written
  return { id: id as EntryId, content: new SealedContent(kind, meta, data, digest) }
}

/** Writes an event in the format in which gateways send it to each other. */
export function encodeEvent(event: BusEvent): string {
  return JSON.stringify(withContents(event, encodeContent))
}

export function decodeEvent(text: string): BusEvent {
  const event = JSON.parse(text)
  return { ...withContents(event, decodeContent), at: new Date(event.at) }
}

/** Estimates the size of an event in memory, in bytes. */
export function eventBytes(event: BusEvent): number {
  const contents = contentsOf(event).reduce((sum, content) => sum + contentBytes(content), 0)
  return FIXED_EVENT_BYTES + contents + ('error' in event ? (event.error?.length ?? 0) : 0)
}

const FIXED_EVENT_BYTES = 400

function withContents<Event extends BusEvent>(event: Event, convert: (content: never) => unknown): Event {
  const result: Record<string, unknown> = { ...event }
  for (const field of EVENT_TYPES[event.type].contents) result[field] = convert(result[field] as never)
  return result as unknown as Event
}

function contentsOf(event: BusEvent): readonly (EntryContent | null)[] {
  return EVENT_TYPES[event.type].contents.map((field) => (event as EntryEvent)[field])
}

function contentBytes(entry: EntryContent | null): number {
  return entry === null ? 0 : entry.content.metaText.length + entry.content.dataText.length
}
