import { forEachInSteps } from '../../../core/algorithms/steps.js'
import type { ExtractReferences } from '../../../core/dependency/reference.js'
import type { EntryRevision } from '../../../core/entry/entry.js'
import type { EntryId } from '../../../core/entry/entry-id.js'
import { inSlices } from '../../coalescing/time-slices.js'
import type { BatchWrites, CommitState } from '../../planning/commit-state.js'
import { entryBytes } from '../../planning/content-size.js'
import { ADVANCE_CHANNEL } from '../base/channels.js'
import { type Column, columnNames } from '../base/columns.js'
import { idColumns } from '../base/entry-row.js'
import type { Transaction } from '../base/open-pool.js'
import type { ReferenceColumns } from '../base/reference-row.js'
import type { RowParameters } from '../base/row-parameters.js'
import {
  CHANGE_COLUMNS,
  CHANGE_READERS,
  entriesLeft,
  HEAD_COLUMNS,
  HEAD_READERS,
  pointerAssignments,
  pointerValues,
  REFERENCE_COLUMNS,
  REFERENCE_READERS,
  REPLY_COLUMNS,
  referenceParameters,
  referencesOf,
  replyParameters,
  replyRow,
  TRANSITION_COLUMNS,
  transitionParameters,
  transitionRow,
  VERSION_COLUMNS,
  VERSION_READERS,
} from './batch-rows.js'
import { copyInto } from './copy-into.js'

/**
 * @bound Rows from which a batch is written by COPY instead of one statement. 100,000 rows then take 11 s instead of 20
 * s.
 */
export const COPY_FROM_ROWS = 2_000

/**
 * @bound Characters of contents from which a batch is written by COPY. The parameters of a statement are made in one
 * piece, which takes some 5 ms for as many.
 */
export const COPY_FROM_CHARACTERS = 1024 * 1024
/** Ids in one statement. The driver writes them as text in one go, about 1 µs each. */
export const IDS_AT_ONCE = 5_000
/** Size of the entries whose references are extracted together. */
const GROUP_BYTES = 64 * 1024

/** Whether a batch is written by COPY, whatever its references are. */
export function isLargeBatch({ changes }: BatchWrites): boolean {
  if (changes.length >= COPY_FROM_ROWS) return true
  let characters = 0
  for (const { content } of changes)
    characters += content === null ? 0 : content.metaText.length + content.dataText.length
  return characters >= COPY_FROM_CHARACTERS
}

/** Writes a large batch one table at a time, under the writers' lock. Tables with many rows are written by COPY. */
export async function copyBatch(
  sql: Transaction,
  writes: BatchWrites,
  state: CommitState,
  references: ExtractReferences,
): Promise<void> {
  const entries = await inSlices(entriesLeft(writes, state))
  const created: EntryId[] = []
  // Entries that this batch only creates have no rows yet.
  const replaced = new Set<EntryId>()
  await inSlices(
    forEachInSteps(writes.changes, ({ id, operation }) => {
      if (operation === 'create') created.push(id)
      else replaced.add(id)
    }),
  )
  const replies = writes.replies.map((reply) => replyRow(reply, state.now))
  const statements = [
    () => copyInto(sql, 'version', VERSION_COLUMNS, [writes.versions], VERSION_READERS),
    () =>
      insertRows(sql, 'transition', TRANSITION_COLUMNS, transitionParameters, writes.transitions.map(transitionRow)),
    () => copyInto(sql, 'change', CHANGE_COLUMNS, [writes.changes], COPIED_CHANGE),
    () => insertNames(sql, created),
    () => deleteIds(sql, 'head', [...replaced]),
    () => copyInto(sql, 'head', HEAD_COLUMNS, [entries], HEAD_READERS),
    () => deleteIds(sql, 'reference', [...replaced]),
    () => copyReferences(sql, entries, references),
    () => insertRows(sql, 'reply', REPLY_COLUMNS, replyParameters, replies),
    () => sql.unsafe(`UPDATE head_pointer SET ${pointerAssignments(1)}`, pointerValues(state) as never[]),
    () => sql`SELECT pg_notify(${ADVANCE_CHANNEL}, '')`,
  ]
  // A connection in COPY accepts nothing else. The server ends it if the next statement arrives too early.
  for (const statement of statements) await statement()
}

export function copyReferences(
  sql: Transaction,
  entries: readonly EntryRevision[],
  references: ExtractReferences,
): Promise<void> {
  return copyInto(sql, 'reference', REFERENCE_COLUMNS, referenceGroups(entries, references), REFERENCE_READERS)
}

/** Extracts the references entry by entry, because a batch may have millions. */
async function* referenceGroups(
  entries: readonly EntryRevision[],
  references: ExtractReferences,
): AsyncGenerator<readonly ReferenceColumns[]> {
  for (let from = 0, count: number; from < entries.length; from += count) {
    // Most entries have few references.
    count = 1
    let bytes = entryBytes(entries[from]!)
    while (bytes < GROUP_BYTES && from + count < entries.length) bytes += entryBytes(entries[from + count++]!)
    const rows = await inSlices(referencesOf(entries.slice(from, from + count), references, Infinity))
    yield rows!
  }
}

export async function insertReferences(
  sql: Transaction,
  entries: readonly EntryRevision[],
  references: ExtractReferences,
): Promise<void> {
  const rows = await inSlices(referencesOf(entries, references, COPY_FROM_ROWS))
  if (rows === null) await copyReferences(sql, entries, references)
  else await insertRows(sql, 'reference', REFERENCE_COLUMNS, referenceParameters, rows)
}

const COPIED_CHANGE = { ...CHANGE_READERS, metaIndex: CHANGE_READERS.meta }

async function insertNames(sql: Transaction, ids: readonly EntryId[]): Promise<void> {
  for (let from = 0; from < ids.length; from += IDS_AT_ONCE) {
    const { ns, name } = idColumns(ids.slice(from, from + IDS_AT_ONCE))
    await sql`INSERT INTO entry_name (ns, name) SELECT * FROM unnest(${ns}::text[], ${name}::text[]) ON CONFLICT DO NOTHING`
  }
}

async function deleteIds(sql: Transaction, table: 'head' | 'reference', ids: readonly EntryId[]): Promise<void> {
  for (let from = 0; from < ids.length; from += IDS_AT_ONCE) {
    const { ns, name } = idColumns(ids.slice(from, from + IDS_AT_ONCE))
    await sql`
      DELETE FROM ${sql(table)} t USING unnest(${ns}::text[], ${name}::text[]) AS gone(ns, name)
      WHERE t.ns = gone.ns AND t.name = gone.name`
  }
}

async function insertRows<Row>(
  sql: Transaction,
  table: string,
  columns: readonly Column[],
  parameters: RowParameters<Row>,
  rows: readonly Row[],
): Promise<void> {
  if (rows.length === 0) return
  await sql.unsafe(
    `INSERT INTO ${table} (${columnNames(columns)}) SELECT ${parameters.selected()} FROM ${parameters.from(1, 'rows')}`,
    parameters.values(rows) as never[],
    { prepare: true },
  )
}
