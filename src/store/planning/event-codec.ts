import type { EntryContent } from '../../core/entry/entry.js'
import { SealedContent } from '../../core/entry/entry.js'
import type { EntryId } from '../../core/entry/entry-id.js'
import type { BusEvent } from '../../core/events/bus-event.js'

/** A content as it travels between gateways: its texts are the truth, so they go as they are. */
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

export function encodeEvent(event: BusEvent): string {
  if (event.type !== 'entry') return JSON.stringify(event)
  return JSON.stringify({ ...event, entry: encodeContent(event.entry), original: encodeContent(event.original) })
}

export function decodeEvent(text: string): BusEvent {
  const event = JSON.parse(text)
  const at = new Date(event.at)
  if (event.type !== 'entry') return { ...event, at }
  return { ...event, at, entry: decodeContent(event.entry), original: decodeContent(event.original) }
}

/** About what an event takes in memory, in bytes. */
export function eventBytes(event: BusEvent): number {
  const fixed = 400
  return event.type !== 'entry'
    ? fixed + (event.error?.length ?? 0)
    : fixed + contentBytes(event.entry) + contentBytes(event.original)
}

function contentBytes(entry: EntryContent | null): number {
  return entry === null ? 0 : entry.content.metaText.length + entry.content.dataText.length
}
