import type { SealedContent } from '../../core/entry/entry.js'
import type { EntryId } from '../../core/entry/entry-id.js'
import type { EntryRecord, LocationRecord } from '../../store/contract/source-records.js'

/** A definition whose content differs from the previous content from the source. */
export interface NewEntry {
  readonly type: 'new'
  readonly id: EntryId
  readonly content: SealedContent
  readonly modifiedAt: Date | null
  readonly location: string
  readonly line: number | null
  readonly record: EntryRecord | undefined
}

/** An entry that no location defines any more. */
export interface GoneEntry {
  readonly type: 'gone'
  readonly id: EntryId
  readonly record: EntryRecord
}

export type EntryIntent = NewEntry | GoneEntry

/** Entries and locations that are applied and recorded together. */
export class SourceBatch {
  readonly intents: EntryIntent[] = []
  /** Records that change without a change in the registry. */
  readonly notes: EntryRecord[] = []
  /** Recorded when their entries are applied, without a stamp if one of them failed. */
  readonly locations = new Map<string, LocationRecord>()
  readonly removedLocations: string[] = []
  /** Approximate size of the contents. */
  bytes = 0

  add(intent: EntryIntent): void {
    this.intents.push(intent)
    if (intent.type === 'new') this.bytes += intent.content.metaText.length + intent.content.dataText.length
  }

  locate(record: LocationRecord): void {
    this.locations.set(record.location, record)
  }

  get isEmpty(): boolean {
    return (
      this.locations.size === 0 && [this.intents, this.notes, this.removedLocations].every(({ length }) => length === 0)
    )
  }
}
