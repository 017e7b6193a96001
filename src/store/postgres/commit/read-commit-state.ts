import type { EntryRevision } from '../../../core/entry/entry.js'
import type { EntryId } from '../../../core/entry/entry-id.js'
import type { Problem } from '../../../core/errors/problem.js'
import type { Change } from '../../../core/history/change.js'
import type { CommitRequest } from '../../contract/history-writer.js'
import { byPosition, changesOfRow, entryOfRow } from '../../planning/change-row.js'
import { type CommitState, type Reply, replyKey } from '../../planning/commit-state.js'
import { versionCompactedProblem } from '../../planning/compacted-errors.js'
import { deletedBy, nothingToRevertProblem, type VersionTarget } from '../../planning/plan-commit.js'
import {
  type ChangeColumns,
  changeRowOfColumns,
  type EntryColumns,
  entryOfColumns,
  idColumns,
} from '../base/entry-row.js'
import type { Sql, Transaction } from '../base/retrying-client.js'
import { InstanceCounts } from '../instances/instance-counts.js'
import { lockEntries, readUse } from '../instances/instance-sql.js'
import { DIFFERENCES, type DifferenceColumns, differenceOfColumns } from '../read/read-log.js'
import { HAS_PARTICIPANTS } from './has-participants.js'

export interface PointerColumns {
  readonly revision: number
  readonly version: number
  readonly last_version: number
  readonly version_digest: string
  readonly transition_digest: string
  readonly entry_count: number
  readonly moved_at: Date
  readonly tag_sum: string
  readonly oldest_revision: number
}

/** Against whom: other writers; also an earlier try of the same, which may be on its way still though its connection is gone. */
export type Lock = 'none' | 'others' | 'against earlier'

function lockPointer(sql: Sql | Transaction, lock: Lock): PromiseLike<unknown> | [] {
  if (lock === 'none') return []
  if (lock === 'others') return sql`SELECT FROM head_pointer FOR UPDATE`
  return sql`UPDATE head_pointer SET revision = revision`
}

/**
 * What the registry looks like to a batch, of one moment save for what is said of keys and instances, which may be later.
 * With a lock, nobody else commits until the transaction ends.
 */
export async function readCommitState(
  sql: Sql | Transaction,
  requests: readonly CommitRequest[],
  lock: Lock,
): Promise<{
  standing: CommitState & { readonly instances: InstanceCounts }
  isCommitted: boolean
  isAttended: boolean
  stamp: string
}> {
  const ids = [
    ...new Set(
      requests.flatMap(({ action }) => (action.type === 'changeset' ? action.operations.map(({ id }) => id) : [])),
    ),
  ]
  const deleted = [...new Set(requests.flatMap(deletedIds))]
  const keyed = requests.filter(({ idempotency }) => idempotency !== null)
  // Sent without waiting; each statement after the lock sees what was committed before it.
  const [, found, repliesAtOnce, , used] = await Promise.all([
    lockPointer(sql, lock),
    readFound(sql, requests, ids),
    lock === 'none' ? null : readReplies(sql, keyed),
    lock === 'none' ? [] : lockEntries(sql, deleted),
    readUse(sql, deleted),
  ])
  // Without a lock it may go another way and come first: then who lost to the same key would find the entry there and no reply.
  const replies = repliesAtOnce ?? (await readReplies(sql, keyed))
  const pointer = found[0]!
  const use = new InstanceCounts()
  use.add(used)
  const entries = new Map<EntryId, EntryRevision>()
  const lastChanged = new Map<EntryId, number>()
  placeLatest(
    found.filter((row): row is FoundColumns & ChangeColumns => row.ns !== null),
    { entries, lastChanged },
  )
  const standing = {
    head: { revision: pointer.at, version: pointer.at_version },
    oldestRevision: pointer.oldest_revision,
    lastVersion: pointer.last_version,
    versionDigest: pointer.version_digest,
    transitionDigest: pointer.transition_digest,
    entryCount: pointer.entry_count,
    // The server's clock, so that gateways agree; it may go back, transitions may not.
    now: new Date(Math.max(pointer.now.getTime(), pointer.moved_at.getTime())),
    entries,
    lastChanged,
    replies: new Map(replies.map((reply) => [replyKey(reply.author, reply.key), reply])),
    instances: use,
  }
  return { standing, isCommitted: pointer.is_committed, isAttended: pointer.is_attended, stamp: pointer.stamp }
}

function readReplies(sql: Sql | Transaction, keyed: readonly CommitRequest[]): PromiseLike<readonly Reply[]> | [] {
  if (keyed.length === 0) return []
  return sql<Reply[]>`
    SELECT r.author, r.key, r.digest, r.revision, r.version
    FROM unnest(${keyed.map(({ author }) => author ?? '')}::text[], ${keyed.map(({ idempotency }) => idempotency!.key)}::text[]) AS asked(author, key)
    JOIN reply r ON r.author = asked.author AND r.key = asked.key`
}

/** Ids that a changeset deletes for good: of one that it replaces, the instances stay. */
function deletedIds({ action }: CommitRequest): EntryId[] {
  if (action.type !== 'changeset') return []
  const deletes = action.operations.filter(({ kind }) => kind === 'DELETE').map(({ id }) => id)
  if (deletes.length === 0) return deletes
  const created = new Set(action.operations.filter(({ kind }) => kind === 'CREATE').map(({ id }) => id))
  return deletes.filter((id) => !created.has(id))
}

/** As above, of a version or revert: which entries it deletes is known only when its target has been read. */
async function addUse(sql: Transaction, ids: readonly EntryId[], use: InstanceCounts, lock: boolean): Promise<void> {
  if (ids.length === 0) return
  const [, used] = await Promise.all([lock ? lockEntries(sql, ids) : [], readUse(sql, ids)])
  use.add(used)
}

type FoundColumns = { readonly [Column in keyof ChangeColumns]: ChangeColumns[Column] | null } & Omit<
  PointerColumns,
  'revision' | 'version' | 'tag_sum'
> & {
    readonly at: number
    readonly at_version: number
    /** Another after whatever changes the pointer's row. */
    readonly stamp: string
    readonly now: Date
    readonly is_committed: boolean
    readonly is_attended: boolean
  }

const LATEST_COLUMNS = `c.ns, c.name, c.revision, c.operation, c.position, c.delete_position, c.kind, c.meta, c.data, c.digest, c.version,
  c.previous_revision`

/** Of ids as two arrays. */
const latest = (ns: string, name: string) => `
  unnest(${ns}::text[], ${name}::text[]) AS wanted(ns, name)
  CROSS JOIN LATERAL (
    SELECT * FROM change c WHERE c.ns = wanted.ns AND c.name = wanted.name ORDER BY c.revision DESC LIMIT 1
  ) c`

/** Whether somebody takes part is asked here: asked before, it would be a way there and back for each changeset. */
const FOUND = `
  SELECT s.*, ${LATEST_COLUMNS} FROM (
    SELECT p.revision AS at, p.version AS at_version, p.last_version, p.version_digest, p.transition_digest, p.entry_count, p.moved_at, p.oldest_revision,
      p.xmin::text AS stamp, clock_timestamp() AS now, EXISTS (SELECT FROM transition WHERE request_id = ANY($1::uuid[])) AS is_committed,
      $2::boolean AND ${HAS_PARTICIPANTS} AS is_attended
    FROM head_pointer p
  ) s LEFT JOIN (SELECT c.* FROM ${latest('$3', '$4')}) c ON true`

/**
 * What is asked in every case: one row for each id that was ever touched, and at least one. No async function: one would
 * send its statement before those that stand before it in a `Promise.all`, the lock above all, and read what others are about
 * to change.
 */
function readFound(
  sql: Sql | Transaction,
  requests: readonly CommitRequest[],
  ids: readonly EntryId[],
): PromiseLike<readonly FoundColumns[]> {
  const { ns, name } = idColumns(ids)
  const asksWhoAttends = requests.some(({ expectsNoParticipants: unattended }) => unattended === true)
  return sql.unsafe<FoundColumns[]>(FOUND, [requests.map(({ id }) => id), asksWhoAttends, ns, name], { prepare: true })
}

/** The latest row of each id. */
function readLatest(sql: Transaction, ids: readonly EntryId[]): PromiseLike<readonly ChangeColumns[]> | [] {
  if (ids.length === 0) return []
  const { ns, name } = idColumns(ids)
  return sql.unsafe<ChangeColumns[]>(`SELECT ${LATEST_COLUMNS} FROM ${latest('$1', '$2')}`, [ns, name], {
    prepare: true,
  })
}

function placeLatest(
  rows: readonly ChangeColumns[],
  { entries, lastChanged }: Pick<CommitState, 'entries' | 'lastChanged'>,
): void {
  for (const row of rows.map(changeRowOfColumns)) {
    lastChanged.set(row.id, row.revision)
    const entry = entryOfRow(row)
    if (entry !== null) entries.set(row.id, entry)
  }
}

/** What reverting a version needs to know; what it touched is added to the standing. */
export async function readRevertTarget(
  sql: Transaction,
  version: number,
  standing: CommitState & { readonly instances: InstanceCounts },
  lock: boolean,
): Promise<{ changes: readonly Change[] } | { missing: Problem }> {
  const found = await sql<{ revision: number }[]>`SELECT revision FROM version WHERE number = ${version} AND number > 0`
  if (found[0] === undefined) return { missing: nothingToRevertProblem(version, standing.lastVersion) }
  const { revision } = found[0]
  if (revision < standing.oldestRevision)
    return { missing: versionCompactedProblem(version, revision, standing.oldestRevision) }
  type Row = ChangeColumns & { [Column in keyof EntryColumns as `p_${Column}`]: EntryColumns[Column] | null }
  const rows = await sql<Row[]>`
    SELECT c.ns, c.name, c.revision, c.operation, c.position, c.delete_position, c.kind, c.meta, c.data, c.digest, c.version,
      c.previous_revision, p.kind AS p_kind, p.meta AS p_meta, p.data AS p_data, p.digest AS p_digest, p.version AS p_version
    FROM change c LEFT JOIN change p ON p.ns = c.ns AND p.name = c.name AND p.revision = c.previous_revision
    WHERE c.revision = ${revision}`
  const changes = rows
    .flatMap((row) =>
      changesOfRow(
        changeRowOfColumns(row),
        row.previous_revision === null
          ? null
          : entryOfColumns({
              ns: row.ns,
              name: row.name,
              kind: row.p_kind!,
              meta: row.p_meta!,
              data: row.p_data!,
              digest: row.p_digest!,
              revision: row.previous_revision,
              version: row.p_version!,
            }),
      ),
    )
    .sort(byPosition)
  placeLatest(await readLatest(sql, [...new Set(changes.map(({ id }) => id))]), standing)
  const left = new Map(changes.map(({ id, entry }) => [id, entry]))
  const before = new Map(changes.toReversed().map(({ id, previous }) => [id, previous]))
  await addUse(
    sql,
    [...left.keys()].filter((id) => left.get(id) !== null && before.get(id) === null),
    standing.instances,
    lock,
  )
  return { changes }
}

/** What applying a version needs to know, as of this transaction. */
export async function readVersionTarget(
  sql: Transaction,
  version: number,
  standing: CommitState & { readonly instances: InstanceCounts },
  lock: boolean,
): Promise<VersionTarget | { missing: Problem }> {
  const [row] = await sql<
    { revision: number; digest: string }[]
  >`SELECT revision, digest FROM version WHERE number = ${version}`
  if (row === undefined) {
    const message = `there is no version ${version}; the newest is ${standing.lastVersion}`
    return { missing: { code: 'VERSION_NOT_FOUND', message } }
  }
  // The empty registry needs no keeping, nor does the head to be moved to where it is.
  if (row.revision < standing.oldestRevision && version !== 0 && version !== standing.head.version) {
    return { missing: versionCompactedProblem(version, row.revision, standing.oldestRevision) }
  }
  // What a plan for any two revisions would cost is far from what it costs between these.
  await sql`SET LOCAL plan_cache_mode = auto`
  const rows = await sql.unsafe<DifferenceColumns[]>(DIFFERENCES, [row.revision, standing.head.revision], {
    prepare: true,
  })
  const differences = rows.map(differenceOfColumns).map(({ id, low, high }) => ({ id, before: high, after: low }))
  const target = { version, digest: row.digest, differences }
  await addUse(sql, deletedBy(target), standing.instances, lock)
  return target
}
