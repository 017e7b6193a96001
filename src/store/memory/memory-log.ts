import { partitionPoint } from '../../core/algorithms/partition-point.js'
import type { EntryRevision } from '../../core/entry/entry.js'
import { compareEntryIds, type EntryId } from '../../core/entry/entry-id.js'
import type { Change } from '../../core/history/change.js'
import type { ReadAt } from '../contract/history-reader.js'
import { byPosition, type ChangeRow, changesOfRow, entryOfRow } from '../planning/change-row.js'
import type { TransitionRow, VersionRow } from '../planning/commit-state.js'

/** A stored version. Compaction may have removed its changeset. */
export type RetainedVersion = Omit<VersionRow, 'changeset'> & { readonly changeset: Uint8Array | null }

/**
 * The rows of a registry in memory. An entry's rows ascend by revision, so a binary search finds its state at any
 * revision.
 */
export class MemoryLog {
  readonly versions: RetainedVersion[]
  /** transitions[i] is revision i + 1. */
  readonly transitions: TransitionRow[] = []
  readonly rowsOf = new Map<EntryId, ChangeRow[]>()
  readonly rowsAt = new Map<number, ChangeRow[]>()
  #ids: EntryId[] | null = null

  constructor(root: RetainedVersion) {
    this.versions = [root]
  }

  get revision(): number {
    return this.transitions.length
  }

  append(row: ChangeRow): void {
    const rows = this.rowsOf.get(row.id)
    if (rows === undefined) {
      this.rowsOf.set(row.id, [row])
      this.#ids = null
    } else {
      rows.push(row)
    }
    const sameRevision = this.rowsAt.get(row.revision)
    if (sameRevision === undefined) this.rowsAt.set(row.revision, [row])
    else sameRevision.push(row)
  }

  /**
   * Drops the rows that only states before `revision` need: those that the rows of `revision` replaced. The rows of `revision`
   * remain, because a follower just before it still needs both contents.
   */
  dropBefore(revision: number): void {
    for (const { id, operation } of this.rowsAt.get(revision) ?? []) {
      const rows = this.rowsOf.get(id)!
      const retained = rows.filter((row) => row.revision >= revision)
      if (retained.length === 1 && operation === 'delete') {
        this.rowsOf.delete(id)
        this.#ids = null
      } else {
        this.rowsOf.set(id, retained)
      }
    }
    this.rowsAt.delete(revision)
  }

  /** Drops all rows before `revision` except those that make up its state, and the changesets before it. */
  squashBefore(revision: number): void {
    for (const [id, rows] of this.rowsOf) {
      const first = rows.findIndex((row) => row.revision >= revision)
      const end = first === -1 ? rows.length : first
      if (end === 0) continue
      const retained = rows.slice(rows[end - 1]!.content === null ? end : end - 1)
      if (retained.length > 0) this.rowsOf.set(id, retained)
      else this.rowsOf.delete(id)
    }
    this.#ids = null
    for (const [at, rows] of this.rowsAt) {
      if (at >= revision) continue
      const retained = rows.filter((row) => this.rowsOf.get(row.id)?.includes(row))
      if (retained.length > 0) this.rowsAt.set(at, retained)
      else this.rowsAt.delete(at)
    }
    for (const [i, version] of this.versions.entries()) {
      if (version.revision < revision) this.versions[i] = { ...version, changeset: null }
    }
  }

  /** All ids that ever had an entry, in order. */
  get ids(): readonly EntryId[] {
    return (this.#ids ??= [...this.rowsOf.keys()].sort(compareEntryIds))
  }

  lastRow(id: EntryId, at: ReadAt): ChangeRow | undefined {
    const rows = this.rowsOf.get(id)
    if (rows === undefined) return undefined
    if (at === 'head') return rows.at(-1)
    return rows[partitionPoint(rows, ({ revision }) => revision <= at) - 1]
  }

  entry(id: EntryId, at: ReadAt): EntryRevision | null {
    const row = this.lastRow(id, at)
    return row === undefined ? null : entryOfRow(row)
  }

  *state(at: ReadAt): Generator<EntryRevision> {
    for (const id of this.ids) {
      const entry = this.entry(id, at)
      if (entry !== null) yield entry
    }
  }

  changesAt(revision: number): Change[] {
    const rows = this.rowsAt.get(revision) ?? []
    return rows.flatMap((row) => changesOfRow(row, this.#previous(row))).sort(byPosition)
  }

  #previous(row: ChangeRow): EntryRevision | null {
    return row.previousRevision === null ? null : this.entry(row.id, row.revision - 1)
  }
}
