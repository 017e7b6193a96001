import type { EntryId } from '../../core/entry-id.js'
import type { EntryRevision } from '../../core/entry.js'
import { entryOfRow } from '../change-row.js'
import type { CommitRequest } from '../history.js'
import { replyKey, type Reply, type Standing, type VersionTarget } from '../plan-batch.js'
import { changeRowOfColumns, idColumns, type ChangeColumns } from './entry-row.js'
import { DIFFERENCES, differenceOfColumns, type DifferenceColumns } from './read-log.js'
import type { Transaction } from './read-client.js'

export interface PointerColumns {
  readonly revision: number
  readonly version: number
  readonly last_version: number
  readonly version_digest: string
  readonly transition_digest: string
  readonly entry_count: number
  readonly moved_at: Date
}

/** What the registry looks like to a batch. With `lock`, nobody else commits until the transaction ends. */
export async function readStanding(
  sql: Transaction, requests: readonly CommitRequest[], lock: boolean,
): Promise<{ standing: Standing; isCommitted: boolean; isAttended: boolean }> {
  const ids = [...new Set(requests.flatMap(({ action }) => action.type === 'changeset' ? action.operations.map(({ id }) => id) : []))]
  const { ns, name } = idColumns(ids)
  const keyed = requests.filter(({ idempotency }) => idempotency !== null)
  // Sent without waiting; each statement after the lock sees what was committed before it.
  const [pointers, clock, committed, rows, replies, attended] = await Promise.all([
    sql<PointerColumns[]>`SELECT * FROM head_pointer ${lock ? sql`FOR UPDATE` : sql``}`,
    sql<{ now: Date }[]>`SELECT clock_timestamp() AS now`,
    sql<{ revision: number }[]>`SELECT revision FROM transition WHERE request_id = ANY(${requests.map(({ id }) => id)}::uuid[])`,
    ids.length === 0 ? [] : sql<ChangeColumns[]>`
      SELECT c.ns, c.name, c.revision, c.operation, c.position, c.delete_position, c.kind, c.meta, c.data, c.digest, c.version,
        c.previous_revision
      FROM unnest(${ns}::text[], ${name}::text[]) AS wanted(ns, name)
      CROSS JOIN LATERAL (
        SELECT * FROM change c WHERE c.ns = wanted.ns AND c.name = wanted.name ORDER BY c.revision DESC LIMIT 1
      ) c`,
    keyed.length === 0 ? [] : sql<Reply[]>`
      SELECT r.author, r.key, r.digest, r.revision, r.version
      FROM unnest(${keyed.map(({ author }) => author ?? '')}::text[], ${keyed.map(({ idempotency }) => idempotency!.key)}::text[]) AS asked(author, key)
      JOIN reply r ON r.author = asked.author AND r.key = asked.key`,
    // Asked before, it would be a way there and back for each changeset: a third of what 64 writers get done.
    !requests.some(({ unattended }) => unattended === true) ? [] : sql`
      SELECT FROM participation p JOIN gateway g ON g.id = p.gateway WHERE g.lease_until > clock_timestamp() LIMIT 1`,
  ])
  const pointer = pointers[0]!
  const entries = new Map<EntryId, EntryRevision>()
  const lastChanged = new Map<EntryId, number>()
  for (const row of rows.map(changeRowOfColumns)) {
    lastChanged.set(row.id, row.revision)
    const entry = entryOfRow(row)
    if (entry !== null) entries.set(row.id, entry)
  }
  const standing: Standing = {
    head: { revision: pointer.revision, version: pointer.version },
    lastVersion: pointer.last_version,
    versionDigest: pointer.version_digest,
    transitionDigest: pointer.transition_digest,
    entryCount: pointer.entry_count,
    // The server's clock, so that gateways agree; it may go back, transitions may not.
    now: new Date(Math.max(clock[0]!.now.getTime(), pointer.moved_at.getTime())),
    entries,
    lastChanged,
    replies: new Map(replies.map((reply) => [replyKey(reply.author, reply.key), reply])),
  }
  return { standing, isCommitted: committed.length > 0, isAttended: attended.length > 0 }
}

/** What applying a version needs to know, as of this transaction. */
export async function readVersionTarget(
  sql: Transaction, version: number, standing: Standing,
): Promise<VersionTarget | { missing: { code: 'VERSION_NOT_FOUND'; message: string } }> {
  const [row] = await sql<{ revision: number; digest: string }[]>`SELECT revision, digest FROM version WHERE number = ${version}`
  if (row === undefined) {
    const message = `there is no version ${version}; the newest is ${standing.lastVersion}`
    return { missing: { code: 'VERSION_NOT_FOUND', message } }
  }
  const rows = await sql.unsafe<DifferenceColumns[]>(DIFFERENCES, [row.revision, standing.head.revision], { prepare: true })
  const differences = rows.map(differenceOfColumns).map(({ id, low, high }) => ({ id, before: high, after: low }))
  return { version, digest: row.digest, differences }
}
