import { flatMapInSteps, forEachInSteps, ITEMS_PER_STEP, type Steps } from '../../../core/algorithms/steps.js'
import type { ExtractReferences } from '../../../core/dependency/reference.js'
import type { EntryRevision } from '../../../core/entry/entry.js'
import { type EntryId, nameOf, namespaceOf } from '../../../core/entry/entry-id.js'
import type { ChangeRow } from '../../planning/change-row.js'
import type { BatchWrites, CommitState, Reply, TransitionRow } from '../../planning/commit-state.js'
import { type Column, columnsOf, pickColumns, type StoredRow } from '../base/columns.js'
import type { ChangeColumns } from '../base/entry-row.js'
import type { HeadPointerColumns, StoredTransitionColumns } from '../base/history-columns.js'
import { type ReferenceColumns, referenceRows } from '../base/reference-row.js'
import { type ColumnReaders, RowParameters } from '../base/row-parameters.js'
import { change, head, headPointer, reference, reply, transition, version } from '../base/tables.js'

/*
 * The rows of a batch, by table. A batch does not write the sum of a version's state, which compaction writes, nor the
 * searchable copy of meta, which is derived from meta.
 */

export type VersionInsert = Omit<StoredRow<typeof version>, 'state' | 'changeset'> & { readonly changeset: Uint8Array }
export type HeadInsert = StoredRow<typeof head>
export type ReplyInsert = StoredRow<typeof reply>

export const VERSION_COLUMNS = columnsOf(version, ['state'])
export const TRANSITION_COLUMNS = columnsOf(transition)
export const CHANGE_COLUMNS = columnsOf(change)
export const HEAD_COLUMNS = columnsOf(head)
export const REFERENCE_COLUMNS = columnsOf(reference)
export const REPLY_COLUMNS = columnsOf(reply)
const POINTER_KEYS = [
  'revision',
  'version',
  'lastVersion',
  'versionDigest',
  'transitionDigest',
  'entryCount',
  'movedAt',
] as const satisfies readonly (keyof HeadPointerColumns)[]
const POINTER_COLUMNS = pickColumns(headPointer, POINTER_KEYS)

export const versionParameters = new RowParameters<VersionInsert>(VERSION_COLUMNS, ['digest'])
export const transitionParameters = new RowParameters<StoredTransitionColumns>(TRANSITION_COLUMNS, ['kind', 'digest'])
export const referenceParameters = new RowParameters<ReferenceColumns>(REFERENCE_COLUMNS, ['ns', 'name', 'targetType'])
export const replyParameters = new RowParameters<ReplyInsert>(REPLY_COLUMNS)

export function transitionRow({ from: fromVersion, to: toVersion, ...row }: TransitionRow): StoredTransitionColumns {
  return { ...row, fromVersion, toVersion }
}

export const CHANGE_READERS: ColumnReaders<ChangeColumns, ChangeRow> = {
  ns: ({ id }) => namespaceOf(id),
  name: ({ id }) => nameOf(id),
  revision: ({ revision }) => revision,
  operation: ({ operation }) => operation,
  position: ({ position }) => position,
  deletePosition: ({ deletePosition }) => deletePosition,
  kind: ({ content }) => content?.kind ?? null,
  meta: ({ content }) => content?.metaText ?? null,
  data: ({ content }) => content?.dataText ?? null,
  digest: ({ content }) => content?.digest ?? null,
  version: ({ version }) => version,
  previousRevision: ({ previousRevision }) => previousRevision,
}

export const HEAD_READERS: ColumnReaders<HeadInsert, EntryRevision> = {
  ns: ({ id }) => namespaceOf(id),
  name: ({ id }) => nameOf(id),
  revision: ({ revision }) => revision,
  version: ({ version }) => version,
  kind: ({ content }) => content.kind,
  meta: ({ content }) => content.metaText,
  data: ({ content }) => content.dataText,
  digest: ({ content }) => content.digest,
  metaIndex: ({ content }) => content.metaText,
}

/** Reads each column by its key, for rows that are complete already. */
function readersByKey<Row>(columns: readonly Column[]): ColumnReaders<Row, Row> {
  const readers = columns.map(({ key }) => [key, (row: Row) => row[key as keyof Row]])
  return Object.fromEntries(readers) as unknown as ColumnReaders<Row, Row>
}

export const REFERENCE_READERS = readersByKey<ReferenceColumns>(REFERENCE_COLUMNS)
export const VERSION_READERS = readersByKey<VersionInsert>(VERSION_COLUMNS)

export function replyRow(row: Reply, createdAt: Date): ReplyInsert {
  return { ...row, createdAt }
}

/** @bound References that one statement writes. A batch with more is written by COPY. */
const MOST_REFERENCES = 5_000

/** The references of entries, as long as there are fewer than `limit`. Null if there are more. */
export function* referencesOf(
  entries: readonly EntryRevision[],
  references: ExtractReferences,
  limit: number,
): Steps<readonly ReferenceColumns[] | null> {
  const rows: ReferenceColumns[] = []
  for (const [i, { id, content }] of entries.entries()) {
    const found = yield* references.inSteps(id, content)
    if (rows.length + found.length >= limit) return null
    yield* forEachInSteps(yield* referenceRows(id, found), (row) => rows.push(row))
    if (i % ITEMS_PER_STEP === ITEMS_PER_STEP - 1) yield
  }
  return rows
}

/** The entries that the batch touched and did not delete. */
export function* entriesLeft({ changes }: BatchWrites, { entries }: CommitState): Steps<readonly EntryRevision[]> {
  const ids = new Set<EntryId>()
  yield* forEachInSteps(changes, ({ id }) => ids.add(id))
  return yield* flatMapInSteps(ids, (id) => {
    const entry = entries.get(id)
    return entry === undefined ? [] : [entry]
  })
}

/** The references of the entries that a batch leaves. Null if there are too many for one statement. */
export function* referencesLeft(
  writes: BatchWrites,
  state: CommitState,
  references: ExtractReferences,
): Steps<readonly ReferenceColumns[] | null> {
  return yield* referencesOf(yield* entriesLeft(writes, state), references, MOST_REFERENCES)
}

/** The number of parameters of `pointerAssignments`. */
export const POINTER_PARAMETERS = POINTER_COLUMNS.length

/** `SET` of an UPDATE of `head_pointer`, whose parameters begin at this number. */
export function pointerAssignments(first: number): string {
  return POINTER_COLUMNS.map(({ name, type }, i) => `${name} = $${first + i}::${type}`).join(', ')
}

/** The parameters of `pointerAssignments`. */
export function pointerValues(state: CommitState): unknown[] {
  const values: Readonly<Record<(typeof POINTER_KEYS)[number], unknown>> = {
    revision: state.head.revision,
    version: state.head.version,
    lastVersion: state.lastVersion,
    versionDigest: state.versionDigest,
    transitionDigest: state.transitionDigest,
    entryCount: state.entryCount,
    movedAt: state.now.toISOString(),
  }
  return POINTER_COLUMNS.map(({ key }) => values[key as keyof typeof values])
}
