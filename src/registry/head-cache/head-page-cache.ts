import { LRUCache } from 'lru-cache'
import type { EntryRevision } from '../../core/entry/entry.js'
import { compareEntryIds, type EntryId } from '../../core/entry/entry-id.js'
import { partitionPoint } from '../../core/entry/partition-point.js'
import { withoutParsedCache } from '../../core/entry/without-parsed-cache.js'
import type { EntryPage } from '../../store/contract/history-reader.js'
import { entryBytes } from '../../store/planning/content-size.js'

/** All entries of a part of the list by id, as they stand from `at` on. */
interface Stretch {
  /** It begins behind this id; null: with the list. */
  readonly after: EntryId | null
  /** It ends with this id; null: with the list. */
  readonly upTo: EntryId | null
  readonly entries: EntryRevision[]
  /** The revision that it was read at. */
  readonly at: number
}

/** Longer ones are given up: each insertion moves what stands behind it. */
const LONGEST = 4_000

/**
 * Stretches of the list of entries at the head, by id, that do not overlap. Pages are taken out of what adjoins, whichever
 * pages were read, and are of one revision. Whoever owns this tells it each revision of the head and what changed.
 */
export class HeadPageCache {
  /** In the list's order. */
  readonly #stretches: Stretch[] = []
  readonly #recent: LRUCache<Stretch, Stretch>

  constructor(bytes: number) {
    this.#recent = new LRUCache({
      maxSize: bytes,
      sizeCalculation: stretchBytes,
      dispose: (stretch, _, reason) => {
        if (reason === 'evict') this.#take(stretch)
      },
    })
  }

  get bytes(): number {
    return this.#recent.calculatedSize
  }

  clear(): void {
    this.#stretches.length = 0
    this.#recent.clear()
  }

  /** Whether anything is known of what stands behind this id. */
  covers(after: EntryId | null): boolean {
    return this.#covering(after) >= 0
  }

  /** A page as of `revision`, up to which all here has been told; null where not all of it is known. */
  page(after: EntryId | null, limit: number, revision: number): EntryPage | null {
    const items: EntryRevision[] = []
    const first = this.#covering(after)
    if (first < 0) return null
    for (let i = first, from = after; ; i++) {
      const stretch = this.#stretches[i]
      if (stretch === undefined || stretch.at > revision || (i > first && stretch.after !== from)) return null
      this.#recent.get(stretch)
      const { entries, upTo } = stretch
      for (let place = from === null ? 0 : behind(entries, from); place < entries.length; place++) {
        if (items.length === limit) return { items, hasMore: true, revision }
        items.push(withoutParsedCache(entries[place]!))
      }
      if (upTo === null) return { items, hasMore: false, revision }
      from = upTo
    }
  }

  /** Keeps a page that was read. `revision` is what all here has been told up to; what is older than that may not be true any more. */
  keep(after: EntryId | null, page: EntryPage, revision: number): void {
    const upTo = page.hasMore ? page.items.at(-1)?.id : null
    if (upTo === undefined || page.revision < revision) return
    for (const stretch of this.#stretches.filter(
      (known) => isBefore(after, known.upTo) && isBefore(known.after, upTo),
    )) {
      this.#drop(stretch)
      const { at, entries } = stretch
      if (after !== null && (stretch.after === null || compareEntryIds(stretch.after, after) < 0)) {
        this.#put({ at, after: stretch.after, upTo: after, entries: entries.slice(0, behind(entries, after)) })
      }
      if (upTo !== null && isBefore(upTo, stretch.upTo))
        this.#put({ at, after: upTo, upTo: stretch.upTo, entries: entries.slice(behind(entries, upTo)) })
    }
    this.#put({ at: page.revision, after, upTo, entries: page.items.map(withoutParsedCache) })
  }

  /** The head is at this revision, and these have changed since it was told last: null where what they are now is not known, or which. */
  advance(revision: number, changed: ReadonlyMap<EntryId, EntryRevision | null> | null): void {
    if (changed === null) {
      for (const stretch of [...this.#stretches]) if (stretch.at < revision) this.#drop(stretch)
      return
    }
    for (const [id, entry] of changed) {
      const stretch = this.#stretches[this.#holding(id)]
      if (stretch === undefined || stretch.at >= revision) continue
      const place = behind(stretch.entries, id)
      const isThere = stretch.entries[place - 1]?.id === id
      if (entry === null || stretch.entries.length > LONGEST) this.#drop(stretch)
      else {
        stretch.entries.splice(isThere ? place - 1 : place, isThere ? 1 : 0, entry)
        // It may take more than before.
        this.#recent.set(stretch, stretch)
      }
    }
  }

  #put(stretch: Stretch): void {
    this.#stretches.splice(this.#beginningBefore(stretch.after) + 1, 0, stretch)
    this.#recent.set(stretch, stretch)
    // More than all may take is not kept, of which no word is said.
    if (!this.#recent.has(stretch)) this.#take(stretch)
  }

  #drop(stretch: Stretch): void {
    this.#take(stretch)
    this.#recent.delete(stretch)
  }

  #take(stretch: Stretch): void {
    const place = this.#stretches.indexOf(stretch)
    if (place >= 0) this.#stretches.splice(place, 1)
  }

  /** Of the last stretch that begins at or before this id; -1 where none does. */
  #beginningBefore(after: EntryId | null): number {
    return (
      partitionPoint(
        this.#stretches,
        ({ after: begins }) => begins === null || (after !== null && compareEntryIds(begins, after) <= 0),
      ) - 1
    )
  }

  /** Of the stretch that knows what stands right behind this id; -1 where none does. */
  #covering(after: EntryId | null): number {
    const place = this.#beginningBefore(after)
    return place >= 0 && isBefore(after, this.#stretches[place]!.upTo) ? place : -1
  }

  /** Of the stretch in which this id stands, or would; -1 where there is none. */
  #holding(id: EntryId): number {
    const place = this.#beginningBefore(id)
    const at = place >= 0 && this.#stretches[place]!.after === id ? place - 1 : place
    const upTo = this.#stretches[at]?.upTo
    return upTo === null || (upTo !== undefined && compareEntryIds(id, upTo) <= 0) ? at : -1
  }
}

/** Of a beginning and an end, where null means those of the list. */
function isBefore(after: EntryId | null, upTo: EntryId | null): boolean {
  return after === null || upTo === null || compareEntryIds(after, upTo) < 0
}

/** The place of the first entry behind an id. */
function behind(entries: readonly EntryRevision[], id: EntryId): number {
  return partitionPoint(entries, (entry) => compareEntryIds(entry.id, id) <= 0)
}

function stretchBytes({ entries }: Stretch): number {
  return entries.reduce((sum, entry) => sum + 2 * (entry.id.length + entryBytes(entry)), 500)
}
