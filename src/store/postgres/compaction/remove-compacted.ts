import { setTimeout as sleep } from 'node:timers/promises'
import { RegistryError } from '../../../core/errors/registry-error.js'
import { idColumns, storedId } from '../base/entry-row.js'
import type { RetryingClient } from '../base/retrying-client.js'

/** @bound Log rows that a compaction removes in one step. If all of them are removed, writers wait about 50 ms. */
const ROWS_AT_ONCE = 2_000
/** @bound Versions whose changesets are removed in one transaction. */
const VERSIONS_AT_ONCE = 500
/** Pause between two steps, so that writers get the lock. */
const PAUSE_MS = 20
/** Pause before another try if the store cannot be reached. */
const AWAY_MS = 30_000

/**
 * Removes the rows that readers no longer see. These are rows before the oldest revision that a later row before it supersedes,
 * deletes, names of entries without a row, and changesets. Any number of gateways may do so at once and stop at any
 * point.
 */
export async function removeCompacted(client: RetryingClient, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const [baseline] = await client.run(
        (sql) => sql<{ revision: number; removed: boolean }[]>`SELECT revision, removed FROM baseline`,
      )
      if (baseline === undefined || baseline.removed) return
      const { revision } = baseline
      await removeRows(client, revision, signal)
      await removeChangesets(client, revision, signal)
      if (!signal.aborted)
        await client.run((sql) => sql`UPDATE baseline SET removed = true WHERE revision = ${revision}`)
    } catch (error) {
      if (!(error instanceof RegistryError && (error.code === 'UNAVAILABLE' || error.code === 'TIMEOUT'))) throw error
      await pause(AWAY_MS, signal)
    }
  }
}

interface LogRow {
  readonly ns: string
  readonly name: string
  readonly revision: number
  readonly position: number
  readonly superseded: boolean
}

/**
 * Removes older rows first. If a delete were removed before the create that it follows, the entry would exist again.
 */
async function removeRows(client: RetryingClient, before: number, signal: AbortSignal): Promise<void> {
  let after = { revision: 0, position: -1 }
  while (!signal.aborted) {
    const rows = await client.run(
      (sql) => sql<LogRow[]>`
      SELECT c.ns, c.name, c.revision, c.position, c.operation = 'delete' OR EXISTS (
        SELECT FROM change later WHERE later.ns = c.ns AND later.name = c.name AND later.revision > c.revision AND later.revision < ${before}
      ) AS superseded
      FROM change c WHERE c.revision < ${before} AND (c.revision, c.position) > (${after.revision}, ${after.position})
      ORDER BY c.revision, c.position LIMIT ${ROWS_AT_ONCE}`,
    )
    const gone = rows.filter(({ superseded }) => superseded)
    if (gone.length > 0) await removeStep(client, gone)
    if (rows.length < ROWS_AT_ONCE) return
    after = rows.at(-1)!
    await pause(PAUSE_MS, signal)
  }
}

async function removeStep(client: RetryingClient, gone: readonly LogRow[]): Promise<void> {
  const { ns, name } = idColumns(gone.map((row) => storedId(row.ns, row.name)))
  const revisions = gone.map(({ revision }) => revision)
  await client.run((pool) =>
    pool.begin('ISOLATION LEVEL READ COMMITTED READ WRITE', async (sql) => {
      // A batch that creates an entry again relies on its name, so writers must wait.
      await sql`SELECT FROM head_pointer FOR UPDATE`
      await sql`
      DELETE FROM change c USING unnest(${ns}::text[], ${name}::text[], ${revisions}::bigint[]) AS gone(ns, name, revision)
      WHERE c.ns = gone.ns AND c.name = gone.name AND c.revision = gone.revision`
      await sql`
      DELETE FROM entry_name e USING (SELECT DISTINCT * FROM unnest(${ns}::text[], ${name}::text[]) AS gone(ns, name)) gone
      WHERE e.ns = gone.ns AND e.name = gone.name AND NOT EXISTS (SELECT FROM change c WHERE c.ns = e.ns AND c.name = e.name)`
    }),
  )
}

async function removeChangesets(client: RetryingClient, before: number, signal: AbortSignal): Promise<void> {
  const [last] = await client.run(
    (sql) => sql<{ number: number }[]>`
    SELECT to_version AS number FROM transition WHERE kind = 'CHANGESET' AND revision < ${before} ORDER BY revision DESC LIMIT 1`,
  )
  for (let after = 0; after < (last?.number ?? 0) && !signal.aborted; after += VERSIONS_AT_ONCE) {
    const { count } = await client.run(
      (sql) => sql`
      UPDATE version SET changeset = NULL
      WHERE number > ${after} AND number <= ${after + VERSIONS_AT_ONCE} AND revision < ${before} AND changeset IS NOT NULL`,
    )
    if (count > 0) await pause(PAUSE_MS, signal)
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined)
}
