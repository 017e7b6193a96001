import type { EntryId } from '../../../core/entry/entry-id.js'
import type { BatchInstances } from '../../contract/instances.js'
import { idColumns, storedId } from '../base/entry-row.js'
import type { Sql, Transaction } from '../base/open-pool.js'
import { notifiedEntries } from './instance-row.js'

/** The instances of entries as one database transaction found them, and those that it ends. */
export class InstanceCounts implements BatchInstances {
  /** Live instances by entry; 0 if all of its rows have expired. */
  readonly #live = new Map<EntryId, number>()
  #ended: EntryId[] = []

  add(rows: readonly InstanceCountRow[]): void {
    for (const { ns, name, live } of rows) this.#live.set(storedId(ns, name), live)
  }

  live(id: EntryId): number {
    return this.#live.get(id) ?? 0
  }

  end(id: EntryId): void {
    // Expired rows are deleted too, because a clock that is set back must not revive an instance of a deleted entry.
    if (this.#live.delete(id)) this.#ended.push(id)
  }

  /** Deletes the instances that have been ended since the last call. */
  async flush(sql: Transaction): Promise<void> {
    if (this.#ended.length === 0) return
    const { ns, name } = idColumns(this.#ended.splice(0))
    await sql`
    WITH done AS (
      DELETE FROM instance i USING unnest(${ns}::text[], ${name}::text[]) AS ended(ns, name)
      WHERE i.ns = ended.ns AND i.name = ended.name RETURNING i.ns, i.name
    ), ${notifiedEntries(sql)}
    SELECT count(*) FROM notified`
  }
}

export interface InstanceCountRow {
  readonly ns: string
  readonly name: string
  readonly live: number
}

/*
 * These two are not async functions. A commit sends them in the same tick as its other statements, so that all travel
 * together.
 */

/** Prevents acquires of instances of these entries until the transaction ends. */
export function lockEntries(sql: Sql | Transaction, ids: readonly EntryId[]): PromiseLike<unknown> | [] {
  if (ids.length === 0) return []
  const { ns, name } = idColumns(ids)
  return sql`
    SELECT FROM unnest(${ns}::text[], ${name}::text[]) AS wanted(ns, name)
    JOIN head h ON h.ns = wanted.ns AND h.name = wanted.name FOR UPDATE OF h`
}

/** Counts the instances of entries that have any, including those acquired while `lockEntries` waited. */
export function countInstances(
  sql: Sql | Transaction,
  ids: readonly EntryId[],
): PromiseLike<readonly InstanceCountRow[]> | [] {
  if (ids.length === 0) return []
  const { ns, name } = idColumns(ids)
  return sql<InstanceCountRow[]>`
    SELECT i.ns, i.name, count(*) FILTER (WHERE i.expires_at > clock_timestamp())::int AS live
    FROM unnest(${ns}::text[], ${name}::text[]) AS wanted(ns, name)
    JOIN instance i ON i.ns = wanted.ns AND i.name = wanted.name GROUP BY i.ns, i.name`
}
