import { LeaseLost, type RecordChanges } from '../../contract/source-records.js'
import type { DrizzleClient } from '../base/drizzle-client.js'
import { idColumns } from '../base/entry-row.js'
import { COPY_FROM_ROWS } from '../commit/copy-batch.js'

/**
 * Saves the entries and locations of a source, under its lease. One raw statement: the lease's row is locked while the
 * records change, and a gateway that stops responding holds no lock.
 */
export class SourceRecordWriter {
  #rowsSinceAnalyze = 0
  #analyzeAfter = COPY_FROM_ROWS

  constructor(
    private readonly client: DrizzleClient,
    private readonly holder: string,
  ) {}

  /** @throws LeaseLost if another gateway holds the source; nothing has been written then */
  async save(source: string, changes: RecordChanges): Promise<void> {
    const { entries, removedEntries, locations, removedLocations } = changes
    const ids = idColumns(entries.map(({ id }) => id))
    const owned = idColumns(entries.filter(({ revision }) => revision !== null).map(({ id }) => id))
    const removed = idColumns(removedEntries)
    const [found] = await this.client.run(
      (_, sql) => sql<{ held: boolean }[]>`
      WITH lease AS (SELECT 1 FROM source WHERE name = ${source} AND holder = ${this.holder} AND lease_until > now() FOR SHARE),
      gone AS (
        DELETE FROM source_entry e USING lease, unnest(${removed.ns}::text[], ${removed.name}::text[]) AS wanted(ns, name)
        WHERE e.source = ${source} AND e.ns = wanted.ns AND e.name = wanted.name
      ),
      put AS (
        INSERT INTO source_entry (source, ns, name, location, digest, revision)
        SELECT ${source}, given.* FROM lease, unnest(
          ${ids.ns}::text[], ${ids.name}::text[], ${entries.map(({ location }) => location)}::text[],
          ${entries.map(({ digest }) => digest)}::text[], ${entries.map(({ revision }) => revision)}::bigint[]
        ) AS given(ns, name, location, digest, revision)
        ON CONFLICT (source, ns, name) DO UPDATE
        SET location = excluded.location, digest = excluded.digest, revision = excluded.revision
      ),
      taken AS (
        UPDATE source_entry e SET revision = NULL
        FROM lease, unnest(${owned.ns}::text[], ${owned.name}::text[]) AS wanted(ns, name)
        WHERE e.ns = wanted.ns AND e.name = wanted.name AND e.revision IS NOT NULL AND e.source <> ${source}
      ),
      left_behind AS (
        DELETE FROM source_location l USING lease, unnest(${[...removedLocations]}::text[]) AS wanted(location)
        WHERE l.source = ${source} AND l.key = md5(wanted.location)
      ),
      saved AS (
        INSERT INTO source_location (source, key, location, stamp, entries)
        SELECT ${source}, md5(given.location), given.* FROM lease, unnest(
          ${locations.map(({ location }) => location)}::text[], ${locations.map(({ stamp }) => stamp)}::text[],
          ${locations.map((record) => record.entries)}::integer[]
        ) AS given(location, stamp, entries)
        ON CONFLICT (source, key) DO UPDATE SET location = excluded.location, stamp = excluded.stamp, entries = excluded.entries
      )
      SELECT EXISTS (SELECT 1 FROM lease) AS held`,
    )
    if (!found!.held) throw new LeaseLost(source)
    await this.#analyze(entries.length + locations.length)
  }

  /** The server itself analyzes a table only after a minute. Until then it would plan for an empty table. */
  async #analyze(rows: number): Promise<void> {
    this.#rowsSinceAnalyze += rows
    if (this.#rowsSinceAnalyze < this.#analyzeAfter) return
    this.#rowsSinceAnalyze = 0
    this.#analyzeAfter *= 2
    await this.client.run((_, sql) => sql`ANALYZE source_entry, source_location`).catch(() => undefined)
  }
}
