import type { SealedContent } from '../../core/entry/entry.js'
import type { EntryId } from '../../core/entry/entry-id.js'
import type { SourceFailure } from './source-failure.js'

// The interface between reading a source and applying it. A source is a list of *locations*: files of a folder, files
// in its archives, pages of an HTTP registry. Each location has entries or failures or both:
//
//   scan(known)  ──►  a.yaml       unchanged            not parsed: its entries are as before
//                     b.zip!/c.md  entries, failures    new, changed, or failed before
//                     d.yaml       failures             does not parse: its entries keep their last good content
//                     (e.yaml is missing: it was deleted, and its entries are deleted too)

/** An entry that a location defines. */
export interface LocationEntry {
  readonly id: EntryId
  readonly content: SealedContent
  /** From 1. Null if the location has no lines. */
  readonly line: number | null
}

/** A location as a scan finds it. */
export type ScannedLocation =
  /** `also` are the unchanged locations that follow directly. They are batched because most locations are unchanged. */
  | { readonly location: string; readonly unchanged: true; readonly also?: readonly string[] }
  | {
      readonly location: string
      readonly unchanged: false
      /** Opaque to everything but the reader. The next scan gets it back from `known` to detect changes. */
      readonly stamp: string
      /** Time of the last change, if the source knows it. `conflict: newer` compares it. */
      readonly modifiedAt: Date | null
      readonly entries: readonly LocationEntry[]
      /** If there is any, earlier entries of this location that are missing in `entries` are not deleted. */
      readonly failures: readonly SourceFailure[]
    }

/** Reads one source. It is independent of the registry. */
export interface SourceReader {
  /**
   * Streams every location, in the same total order in each scan: if two locations define an id, the first one counts.
   * Only a few locations are in memory at a time.
   * @param known returns the stamp with which a location was fully applied before; undefined if it must be read
   * @throws Error if the source as a whole cannot be read; its locations are then unknown
   */
  scan(known: (location: string) => string | undefined, signal: AbortSignal): AsyncIterable<ScannedLocation>
  /** Calls `changed` whenever a scan may find a change, until the signal aborts. Undefined if changes cannot be watched. */
  watch?(changed: () => void, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}
