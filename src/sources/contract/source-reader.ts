import type { SealedContent } from '../../core/entry/entry.js'
import type { EntryId } from '../../core/entry/entry-id.js'
import type { SourceFailure } from './source-failure.js'

// What reads a source and what applies it meet here. A source is a list of *locations*: files of a folder, files in
// its archives, pages of an HTTP registry. Each location gives entries or failures or both:
//
//   scan(known)  ──►  a.yaml       unchanged            nothing is parsed, what it gave before still holds
//                     b.zip!/c.md  entries, failures    it is new, or has changed, or had a failure before
//                     d.yaml       failures             does not parse: the last good content of its entries stays
//                     (e.yaml is not among them: it is gone, and so are its entries)

/** An entry that a location gives. */
export interface LocationEntry {
  readonly id: EntryId
  readonly content: SealedContent
  /** From 1; null where the location has no lines. */
  readonly line: number | null
}

/** A location as one look at the source finds it. */
export type ScannedLocation =
  /** `also` are locations right behind it that are unchanged, too: told together, as most of many mostly are. */
  | { readonly location: string; readonly unchanged: true; readonly also?: readonly string[] }
  | {
      readonly location: string
      readonly unchanged: false
      /** Opaque to all but the reader: given back by `known`, it tells the reader that nothing has changed here. */
      readonly stamp: string
      /** When the content was last changed, where the source tells; `conflict: newer` compares by it. */
      readonly modifiedAt: Date | null
      readonly entries: readonly LocationEntry[]
      /** Where there is one, entries that were given from here before and are not among `entries` now stay. */
      readonly failures: readonly SourceFailure[]
    }

/** Reads one source. Knows nothing of the registry. */
export interface SourceReader {
  /**
   * Every location in the same total order each time (an id that two locations define counts at the first), as a stream:
   * no more than a few locations are held in memory.
   * @param known the stamp under which a location was fully taken over before; undefined where it has to be read
   * @throws Error where the source as a whole cannot be read; nothing is then known of its locations
   */
  scan(known: (location: string) => string | undefined, signal: AbortSignal): AsyncIterable<ScannedLocation>
  /** Calls `changed` whenever a scan may find something else, until the signal aborts. Undefined where nothing tells. */
  watch?(changed: () => void, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}
