/** The content of an entry. */
export interface Entry {
  readonly id: string
  readonly kind: string
  readonly meta: unknown
  readonly data: unknown
  readonly digest: string
  /** The revision that made this content. */
  readonly revision: number
}

/** One change of an entry, as seen through the filter. */
export interface Change {
  readonly kind: 'CREATE' | 'UPDATE' | 'DELETE'
  readonly entryId: string
  /** The content after the change; null for a DELETE. */
  readonly entry: Entry | null
}

/** Changes of one revision. */
export interface Batch {
  /** The position after this batch, from which a follower can continue. */
  readonly cursor: string
  readonly revision: number
  /** Whether the stream has caught up with the head. */
  readonly synced: boolean
  /** Whether this is the last batch of its revision. */
  readonly complete: boolean
  /**
   * Whether the history before was compacted while this client was away. The matching entries follow as CREATE, and
   * entries that are not among them are gone.
   */
  readonly reset: boolean
  readonly changes: readonly Change[]
}

interface SentEntry extends Omit<Entry, 'id'> {
  readonly entryId: string
}

/** A batch as the gateway sends it. */
export interface SentBatch extends Omit<Batch, 'changes' | 'reset'> {
  readonly changes: readonly {
    readonly kind: Change['kind']
    readonly entryId: string
    readonly entry: SentEntry | null
  }[]
}

export const CHANGES =
  'subscription ($find: JSONObject, $where: EntryFilter, $initial: Boolean, $after: String) { changes(find: $find, where: $where, initial: $initial, after: $after) { cursor revision synced complete changes { kind entryId entry { entryId kind meta data digest revision } } } }'

export function batchOf({ changes, ...batch }: SentBatch, reset: boolean): Batch {
  return {
    ...batch,
    reset,
    changes: changes.map(({ kind, entryId, entry }) => ({
      kind,
      entryId,
      entry: entry === null ? null : entryOf(entry),
    })),
  }
}

function entryOf({ entryId, ...entry }: SentEntry): Entry {
  return { id: entryId, ...entry }
}
