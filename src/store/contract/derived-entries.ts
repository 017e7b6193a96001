import type { SealedContent } from '../../core/entry/entry.js'
import type { EntryId } from '../../core/entry/entry-id.js'
import type { Operation } from '../../core/ordering/operation.js'

/** Entries that the gateway computes from others. */
export interface DerivedEntries {
  /** A revert leaves these entries out: its inverse would undo what later versions contributed to them. */
  readonly ids: ReadonlySet<EntryId>
  /** The entries after the changeset, which are written in addition to its own operations. */
  readonly entries: readonly DerivedEntry[]
}

export interface DerivedEntry {
  readonly id: EntryId
  /** Null if there is no such entry afterwards. */
  readonly content: SealedContent | null
  /**
   * The entry's content from which it was computed, or null if there was none. If it is another one at the commit, the
   * request is refused (`stale`), because what the entry is computed from has changed too.
   */
  readonly original: SealedContent | null
}

/** The derived entries of a request. */
export function derivedOf({ derived }: { readonly derived?: DerivedEntries }): readonly DerivedEntry[] {
  return derived?.entries ?? []
}

/** The operation on a derived entry. None if the changeset leaves the entry as it is. */
export function derivedOperation({ id, content, original }: DerivedEntry): Operation[] {
  if (content?.digest === original?.digest) return []
  return [{ kind: original === null ? 'CREATE' : content === null ? 'DELETE' : 'UPDATE', id, content, original }]
}

/** The ids of the derived entries that a request deletes. */
export function derivedDeletes(request: { readonly derived?: DerivedEntries }): EntryId[] {
  return derivedOf(request).flatMap(({ id, content, original }) => (content === null && original !== null ? [id] : []))
}
