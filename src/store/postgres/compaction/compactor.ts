import { RegistryError } from '../../../core/errors/registry-error.js'
import type { Compaction, CompactRequest, HistoryCompactor, HistoryOptions } from '../../contract/history.js'
import { type CompactionState, planCompaction } from '../../planning/plan-compaction.js'
import { sumText } from '../../verify/baseline.js'
import { type Measured, measureBaseline } from '../../verify/verify-history.js'
import type { Sql, Transaction } from '../base/open-pool.js'
import { toRegistryError } from '../base/postgres-errors.js'
import type { RetryingClient } from '../base/retrying-client.js'
import { withStoredHistory } from './postgres-stored-history.js'
import { removeCompacted } from './remove-compacted.js'

/** A gateway that stalls loses the writers' lock after 10 seconds. */
const RELEASE_LOCK = `SET LOCAL idle_in_transaction_session_timeout = 10000`

/*
 * Compacts history in three steps, each of which leaves a complete registry:
 *
 *   measure   verifies all of history without a lock, and computes the baseline that replaces the compacted part
 *   mark      stores the baseline and raises the oldest revision, in one short transaction under the writers' lock
 *   remove    deletes rows in the background, in small steps; any gateway continues it, at start and every hour
 */
export class Compactor implements HistoryCompactor {
  readonly #stop = new AbortController()
  /** Compactions run one at a time, because measuring holds the ids of all entries in memory. */
  #queue: Promise<unknown> = Promise.resolve()
  #removing: Promise<void> | null = null
  #again = false

  constructor(
    private readonly client: RetryingClient,
    private readonly databaseUrl: string,
    private readonly options: Pick<HistoryOptions, 'references' | 'onFault'>,
  ) {}

  async oldestRevision(): Promise<number> {
    const [row] = await this.client.run(
      (sql) => sql<{ oldest: number }[]>`SELECT oldest_revision AS oldest FROM head_pointer`,
    )
    return row!.oldest
  }

  async compact(request: CompactRequest): Promise<Compaction> {
    const state = await this.client.run((sql) => readCompactionState(sql))
    if (!planCompaction(request, state)) return nothingDone(state)
    if (request.dryRun) return this.client.run((sql) => readLosses(sql, request.before, state))
    const compaction = this.#queue.then(() => this.#squash(request.before))
    this.#queue = compaction.catch(() => undefined)
    return compaction
  }

  /** Continues to remove compacted rows in the background. */
  continueRemoval(): void {
    this.#again = true
    if (this.#removing !== null || this.#stop.signal.aborted) return
    this.#again = false
    this.#removing = removeCompacted(this.client, this.#stop.signal)
      // This or another gateway tries again within an hour.
      .catch((error: unknown) => this.options.onFault?.('Compacted rows could not be removed', error))
      .finally(() => {
        this.#removing = null
        if (this.#again) this.continueRemoval()
      })
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#removing
  }

  async #squash(before: number): Promise<Compaction> {
    if (this.#stop.signal.aborted)
      throw new RegistryError('UNAVAILABLE', 'The store is closing. Nothing was compacted.')
    // An earlier compaction in the queue may have done it already.
    const state = await this.client.run((sql) => readCompactionState(sql))
    if (!planCompaction({ before }, state)) return nothingDone(state)
    const losses = await this.client.run((sql) => readLosses(sql, before, state))
    const measured = await this.#measure(before)
    let result: Compaction | null = null
    await this.client.run((pool) =>
      pool.begin('ISOLATION LEVEL READ COMMITTED READ WRITE', async (sql) => {
        await sql.unsafe(RELEASE_LOCK)
        await sql`SELECT FROM head_pointer FOR UPDATE`
        const now = await readCompactionState(sql)
        if (!planCompaction({ before }, now)) {
          // A retry after a broken connection may find that its own work is done.
          if (result === null || now.oldestRevision !== before) result = nothingDone(now)
          return
        }
        const isSame = now.oldestRevision === state.oldestRevision
        result = { ...(isSame ? losses : await readLosses(sql, before, now)), oldestRevision: before }
        await writeBaseline(sql, before, measured)
      }),
    )
    this.continueRemoval()
    return result!
  }

  async #measure(before: number): Promise<Measured> {
    try {
      return await withStoredHistory(this.databaseUrl, this.options.references, (stored) =>
        measureBaseline(stored, before),
      )
    } catch (error) {
      throw toRegistryError(error)
    }
  }
}

function nothingDone({ oldestRevision }: CompactionState): Compaction {
  return { oldestRevision, versions: 0, changes: 0 }
}

/** Versions and their revisions rise together, so the tag on the lowest version has the lowest revision. */
async function readCompactionState(sql: Sql | Transaction): Promise<CompactionState> {
  type Row = { revision: number; oldest: number; tag: string | null; number: number | null; tagged: number | null }
  const [row] = await sql<Row[]>`
    SELECT p.revision, p.oldest_revision AS oldest, t.name AS tag, t.number, t.tagged
    FROM head_pointer p LEFT JOIN LATERAL (
      SELECT t.name, v.number, v.revision AS tagged FROM tag t JOIN version v ON v.number = t.version
      WHERE t.version > 0 ORDER BY t.version, t.name LIMIT 1
    ) t ON true`
  const { revision, oldest, tag, number, tagged } = row!
  const lowestTag = tag === null ? null : { tag: { name: tag }, version: { number: number!, revision: tagged! } }
  return { headRevision: revision, oldestRevision: oldest, lowestTag }
}

async function readLosses(
  sql: Sql | Transaction,
  before: number,
  { oldestRevision }: CompactionState,
): Promise<Compaction> {
  const [row] = await sql<{ versions: number; changes: number }[]>`
    SELECT count(*) FILTER (WHERE kind = 'CHANGESET') AS versions, coalesce(sum(change_count), 0)::bigint AS changes
    FROM transition WHERE revision >= ${oldestRevision} AND revision < ${before}`
  return { oldestRevision, versions: row!.versions, changes: row!.changes }
}

/**
 * Stores the baseline, with the sums of versions that were applied since it was measured. All sums are known, and
 * versions do not change.
 */
async function writeBaseline(sql: Transaction, before: number, { baseline, sums }: Measured): Promise<void> {
  const heads = await sql<{ number: number }[]>`
    SELECT DISTINCT v.number FROM transition t JOIN version v ON v.number = t.to_version
    WHERE t.revision >= ${before - 1} AND v.revision < ${before} AND v.number > 0 AND (t.kind = 'VERSION' OR t.revision = ${before - 1})`
  const numbers = heads.map(({ number }) => number)
  const states = numbers.map((number) => sumText(sums.get(number)!))
  const { versionsDigest, transitionsDigest, rows } = baseline
  await sql`UPDATE version SET state = NULL WHERE state IS NOT NULL AND NOT number = ANY(${numbers}::bigint[])`
  await sql`
    UPDATE version v SET state = needed.state FROM unnest(${numbers}::bigint[], ${states}::text[]) AS needed(number, state)
    WHERE v.number = needed.number`
  await sql`
    INSERT INTO baseline (id, revision, versions_digest, transitions_digest, rows, removed)
    VALUES (1, ${before}, ${versionsDigest}, ${transitionsDigest}, ${rows}, false)
    ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, versions_digest = excluded.versions_digest,
      transitions_digest = excluded.transitions_digest, rows = excluded.rows, removed = false`
  await sql`UPDATE head_pointer SET oldest_revision = ${before}`
}
