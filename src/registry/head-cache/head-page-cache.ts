import { LRUCache } from 'lru-cache'
import { partitionPoint } from '../../core/algorithms/partition-point.js'
import type { EntryRevision } from '../../core/entry/entry.js'
import { compareEntryIds, type EntryId } from '../../core/entry/entry-id.js'
import { withoutParsedCache } from '../../core/entry/without-parsed-cache.js'
import type { EntryPage } from '../../store/contract/history-reader.js'
import { entryBytes } from '../../store/planning/content-size.js'

/** All entries of one range of the list by id, valid from revision `at` on. */
interface KeyRange {
  /** The range begins after this id. Null means the beginning of the list. */
  readonly after: EntryId | null
  /** The range ends with this id. Null means the end of the list. */
  readonly upTo: EntryId | null
  readonly entries: EntryRevision[]
  /** The revision at which it was read. */
  readonly at: number
}

/**
 * @bound Entries of a cached range that is updated in place. A longer one is dropped, because each insertion moves the
 * entries behind it.
 */
const MAX_RANGE_ENTRIES = 4_000

/**
 * Caches pages of the entries at the head as ranges of ids that do not overlap. A page may span adjoining ranges, so
 * pages of any size and beginning can be served, each of one revision. The owner reports each revision of the head and
 * its changes.
 *
 *   read pages   [──── a ────][── b ──]      [─── c ───]
 *   served             [─── page ──]    a gap is a miss
 */
export class HeadPageCache {
  /** In the order of the list. */
  readonly #ranges: KeyRange[] = []
  readonly #recent: LRUCache<KeyRange, KeyRange>

  constructor(bytes: number) {
    this.#recent = new LRUCache({
      maxSize: bytes,
      sizeCalculation: rangeBytes,
      dispose: (range, _, reason) => {
        if (reason === 'evict') this.#take(range)
      },
    })
  }

  get bytes(): number {
    return this.#recent.calculatedSize
  }

  clear(): void {
    this.#ranges.length = 0
    this.#recent.clear()
  }

  /** Whether the entry right after this id is cached. */
  covers(after: EntryId | null): boolean {
    return this.#covering(after) >= 0
  }

  /** Returns a page at `revision`, the last one reported by `advance`. Null if a part of it is not cached. */
  page(after: EntryId | null, limit: number, revision: number): EntryPage | null {
    const items: EntryRevision[] = []
    const first = this.#covering(after)
    if (first < 0) return null
    for (let i = first, from = after; ; i++) {
      const range = this.#ranges[i]
      if (range === undefined || range.at > revision || (i > first && range.after !== from)) return null
      this.#recent.get(range)
      const { entries, upTo } = range
      for (let index = from === null ? 0 : indexBehind(entries, from); index < entries.length; index++) {
        if (items.length === limit) return { items, hasMore: true, revision }
        items.push(withoutParsedCache(entries[index]!))
      }
      if (upTo === null) return { items, hasMore: false, revision }
      from = upTo
    }
  }

  /** Caches a page, unless it is older than `revision`, the last one reported by `advance`, because it may be stale. */
  add(after: EntryId | null, page: EntryPage, revision: number): void {
    const upTo = page.hasMore ? page.items.at(-1)?.id : null
    if (upTo === undefined || page.revision < revision) return
    for (const range of this.#ranges.filter((known) => isBefore(after, known.upTo) && isBefore(known.after, upTo))) {
      this.#drop(range)
      const { at, entries } = range
      if (after !== null && (range.after === null || compareEntryIds(range.after, after) < 0)) {
        this.#put({ at, after: range.after, upTo: after, entries: entries.slice(0, indexBehind(entries, after)) })
      }
      if (upTo !== null && isBefore(upTo, range.upTo))
        this.#put({ at, after: upTo, upTo: range.upTo, entries: entries.slice(indexBehind(entries, upTo)) })
    }
    this.#put({ at: page.revision, after, upTo, entries: page.items.map(withoutParsedCache) })
  }

  /**
   * Reports a revision of the head.
   * @param changed - entries that changed since the previous report. A null entry was deleted or its content is not known; a null
   *   map means that the changes are not known
   */
  advance(revision: number, changed: ReadonlyMap<EntryId, EntryRevision | null> | null): void {
    if (changed === null) {
      for (const range of [...this.#ranges]) if (range.at < revision) this.#drop(range)
      return
    }
    for (const [id, entry] of changed) {
      const range = this.#ranges[this.#holding(id)]
      if (range === undefined || range.at >= revision) continue
      const index = indexBehind(range.entries, id)
      const isThere = range.entries[index - 1]?.id === id
      if (entry === null || range.entries.length > MAX_RANGE_ENTRIES) this.#drop(range)
      else {
        range.entries.splice(isThere ? index - 1 : index, isThere ? 1 : 0, entry)
        // Setting it again measures its new size.
        this.#recent.set(range, range)
      }
    }
  }

  #put(range: KeyRange): void {
    this.#ranges.splice(this.#beginningBefore(range.after) + 1, 0, range)
    this.#recent.set(range, range)
    // The LRU cache rejects a range larger than itself without calling `dispose`.
    if (!this.#recent.has(range)) this.#take(range)
  }

  #drop(range: KeyRange): void {
    this.#take(range)
    this.#recent.delete(range)
  }

  #take(range: KeyRange): void {
    const index = this.#ranges.indexOf(range)
    if (index >= 0) this.#ranges.splice(index, 1)
  }

  /** Index of the last range that begins at or before this id, or -1. */
  #beginningBefore(after: EntryId | null): number {
    return (
      partitionPoint(
        this.#ranges,
        ({ after: begins }) => begins === null || (after !== null && compareEntryIds(begins, after) <= 0),
      ) - 1
    )
  }

  /** Index of the range that holds the entry right behind this id, or -1. */
  #covering(after: EntryId | null): number {
    const index = this.#beginningBefore(after)
    return index >= 0 && isBefore(after, this.#ranges[index]!.upTo) ? index : -1
  }

  /** Index of the range that holds this id, or would, or -1. */
  #holding(id: EntryId): number {
    const index = this.#beginningBefore(id)
    const at = index >= 0 && this.#ranges[index]!.after === id ? index - 1 : index
    const upTo = this.#ranges[at]?.upTo
    return upTo === null || (upTo !== undefined && compareEntryIds(id, upTo) <= 0) ? at : -1
  }
}

/** Compares a range's beginning with an end. Null is the beginning or the end of the list. */
function isBefore(after: EntryId | null, upTo: EntryId | null): boolean {
  return after === null || upTo === null || compareEntryIds(after, upTo) < 0
}

/** Index of the first entry behind an id. */
function indexBehind(entries: readonly EntryRevision[], id: EntryId): number {
  return partitionPoint(entries, (entry) => compareEntryIds(entry.id, id) <= 0)
}

function rangeBytes({ entries }: KeyRange): number {
  return entries.reduce((sum, entry) => sum + 2 * (entry.id.length + entryBytes(entry)), 500)
}
