import { forEachInSteps } from '../../../core/algorithms/steps.js'
import type { EntryRevision } from '../../../core/entry/entry.js'
import type { EntryId } from '../../../core/entry/entry-id.js'
import { inSlices } from '../../coalescing/time-slices.js'
import { derivedDeletes, derivedOf } from '../../contract/derived-entries.js'
import type { CommitRequest } from '../../contract/history-writer.js'
import { entryOfRow } from '../../planning/change-row.js'
import { type CommitState, type Reply, replyKey } from '../../planning/commit-state.js'
import { pickColumns, selectList } from '../base/columns.js'
import { type ChangeColumns, changeColumns, changeRowOfColumns, idColumns, latestChange } from '../base/entry-row.js'
import type { HeadPointerColumns } from '../base/history-columns.js'
import type { Sql, Transaction } from '../base/open-pool.js'
import { headPointer } from '../base/tables.js'
import { countInstances, InstanceCounts, lockEntries } from '../instances/instance-counts.js'
import { IDS_AT_ONCE } from './copy-batch.js'
import { HAS_PARTICIPANTS } from './has-participants.js'
import { HEAD_STAMP, TOUCH_HEAD_POINTER } from './head-stamp.js'

/**
 * The writers that the lock excludes: other writers, or also an earlier attempt at the same batch. That attempt may
 * still be on its way although its connection is gone.
 */
export type Lock = 'none' | 'others' | 'earlier attempt'

/** The state of a batch, with the live instances of the entries that it deletes. */
export type PostgresCommitState = CommitState & { readonly instances: InstanceCounts }

export interface ReadCommitState {
  readonly state: PostgresCommitState
  /** Whether a request of the batch is in the log already. */
  readonly isCommitted: boolean
  readonly hasParticipants: boolean
  /** The pointer's stamp (see head-stamp.ts). */
  readonly stamp: string
}

function lockPointer(sql: Sql | Transaction, lock: Lock): PromiseLike<unknown> | [] {
  if (lock === 'none') return []
  if (lock === 'others') return sql`SELECT FROM head_pointer FOR UPDATE`
  return sql.unsafe(TOUCH_HEAD_POINTER, [], { prepare: true })
}

/**
 * Reads the state on which a batch is planned. All of it is of one moment, except replies and instances, which may be
 * newer. With a lock, no other writer commits until the transaction ends.
 */
export async function readCommitState(
  sql: Sql | Transaction,
  requests: readonly CommitRequest[],
  lock: Lock,
): Promise<ReadCommitState> {
  const ids = [
    ...new Set(
      requests.flatMap((request) => [
        ...(request.action.type === 'changeset' ? request.action.operations.map(({ id }) => id) : []),
        ...derivedOf(request).map(({ id }) => id),
      ]),
    ),
  ]
  const first = ids.slice(0, IDS_AT_ONCE)
  const deleted = [...new Set(requests.flatMap(deletedIds))]
  const keyed = requests.filter(({ idempotency }) => idempotency !== null)
  // Pipelined. Each statement after the lock sees everything that was committed before the lock was granted.
  const [, found, repliesAtOnce, , used] = await Promise.all([
    lockPointer(sql, lock),
    readFound(sql, requests, first),
    lock === 'none' ? null : readReplies(sql, keyed),
    lock === 'none' ? [] : lockEntries(sql, deleted),
    countInstances(sql, deleted),
  ])
  // Without a lock the statement may use another connection and run first. Then a request that lost a race for its key
  // would find the entry and no reply.
  const replies = repliesAtOnce ?? (await readReplies(sql, keyed))
  const pointer = found[0]!
  const instances = new InstanceCounts()
  instances.add(used)
  const entries = new Map<EntryId, EntryRevision>()
  const lastChanged = new Map<EntryId, number>()
  addLatest(
    found.filter((row): row is FoundColumns & ChangeColumns => row.ns !== null),
    { entries, lastChanged },
  )
  const state = {
    head: { revision: pointer.p_revision, version: pointer.p_version },
    oldestRevision: pointer.p_oldestRevision,
    lastVersion: pointer.p_lastVersion,
    versionDigest: pointer.p_versionDigest,
    transitionDigest: pointer.p_transitionDigest,
    entryCount: pointer.p_entryCount,
    // The server's clock, so that gateways agree. It may go back, but transitions must not.
    now: new Date(Math.max(pointer.now.getTime(), pointer.p_movedAt.getTime())),
    entries,
    lastChanged,
    replies: new Map(replies.map((reply) => [replyKey(reply.author, reply.key), reply])),
    instances,
  }
  // Only a transaction has so many, so the state is still the same.
  await addEntries(sql, ids.slice(IDS_AT_ONCE), state)
  const { is_committed: isCommitted, has_participants: hasParticipants, stamp } = pointer
  return { state, isCommitted, hasParticipants, stamp }
}

function readReplies(sql: Sql | Transaction, keyed: readonly CommitRequest[]): PromiseLike<readonly Reply[]> | [] {
  if (keyed.length === 0) return []
  return sql<Reply[]>`
    SELECT r.author, r.key, r.digest, r.revision, r.version
    FROM unnest(${keyed.map(({ author }) => author ?? '')}::text[], ${keyed.map(({ idempotency }) => idempotency!.key)}::text[]) AS asked(author, key)
    JOIN reply r ON r.author = asked.author AND r.key = asked.key`
}

/** The ids that a changeset deletes, also those that it creates again: with another kind, their instances end. */
function deletedIds(request: CommitRequest): EntryId[] {
  const { action } = request
  const own = action.type === 'changeset' ? action.operations.filter(({ kind }) => kind === 'DELETE') : []
  return [...own.map(({ id }) => id), ...derivedDeletes(request)]
}

const POINTER_KEYS = [
  'revision',
  'version',
  'lastVersion',
  'versionDigest',
  'transitionDigest',
  'entryCount',
  'movedAt',
  'oldestRevision',
] as const satisfies readonly (keyof HeadPointerColumns)[]

type FoundColumns = { readonly [Column in keyof ChangeColumns]: ChangeColumns[Column] | null } & {
  readonly [Key in (typeof POINTER_KEYS)[number] as `p_${Key}`]: HeadPointerColumns[Key]
} & {
  readonly stamp: string
  readonly now: Date
  readonly is_committed: boolean
  readonly has_participants: boolean
}

/** The latest row of each id. Ids are passed as two arrays. */
const latest = (ns: string, name: string) => `
  unnest(${ns}::text[], ${name}::text[]) AS wanted(ns, name)
  CROSS JOIN LATERAL (${latestChange('wanted', String(Number.MAX_SAFE_INTEGER))}) c`

/** Also checks for participants, because a separate statement would cost each changeset a round trip. */
const FOUND = `
  SELECT s.*, ${changeColumns('c')} FROM (
    SELECT ${selectList(pickColumns(headPointer, POINTER_KEYS), 'p', 'p_')}, ${HEAD_STAMP} AS stamp, clock_timestamp() AS now,
      EXISTS (SELECT FROM transition WHERE request_id = ANY($1::uuid[])) AS is_committed,
      $2::boolean AND ${HAS_PARTICIPANTS} AS has_participants
    FROM head_pointer p
  ) s LEFT JOIN (SELECT c.* FROM ${latest('$3', '$4')}) c ON true`

/**
 * Reads the pointer and the latest row of each id. The result has one row for each id that ever existed, and at least
 * one. Not an async function, which would send its statement before the earlier ones of a `Promise.all`. It would then
 * read without the lock what others are about to change.
 */
function readFound(
  sql: Sql | Transaction,
  requests: readonly CommitRequest[],
  ids: readonly EntryId[],
): PromiseLike<readonly FoundColumns[]> {
  const { ns, name } = idColumns(ids)
  const asksForParticipants = requests.some(({ expectsNoParticipants }) => expectsNoParticipants)
  const params = [requests.map(({ id }) => id), asksForParticipants, ns, name]
  return sql.unsafe<FoundColumns[]>(FOUND, params, { prepare: true })
}

/** Adds the latest row of each id to the state. */
export async function addEntries(sql: Sql | Transaction, ids: readonly EntryId[], state: CommitState): Promise<void> {
  const text = `SELECT ${changeColumns('c')} FROM ${latest('$1', '$2')}`
  for (let from = 0; from < ids.length; from += IDS_AT_ONCE) {
    const { ns, name } = idColumns(ids.slice(from, from + IDS_AT_ONCE))
    const rows = await sql.unsafe<ChangeColumns[]>(text, [ns, name], { prepare: true })
    await inSlices(forEachInSteps(rows, (row) => addLatest([row], state)))
  }
}

/**
 * Adds the live instances of entries to the state. The deletes of a version or revert are known only from its target.
 */
export async function addInstances(
  sql: Transaction,
  ids: readonly EntryId[],
  instances: InstanceCounts,
  lock: boolean,
): Promise<void> {
  if (ids.length === 0) return
  const [, used] = await Promise.all([lock ? lockEntries(sql, ids) : [], countInstances(sql, ids)])
  instances.add(used)
}

function addLatest(
  rows: readonly ChangeColumns[],
  { entries, lastChanged }: Pick<CommitState, 'entries' | 'lastChanged'>,
): void {
  for (const row of rows.map(changeRowOfColumns)) {
    lastChanged.set(row.id, row.revision)
    const entry = entryOfRow(row)
    if (entry !== null) entries.set(row.id, entry)
  }
}
