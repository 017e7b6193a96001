import type { EntryId } from '../../../core/entry/entry-id.js'
import type { BatchWrites, CommitState } from '../../planning/commit-state.js'
import { ADVANCE_CHANNEL } from '../base/channels.js'
import { columnNames, columnsOf } from '../base/columns.js'
import type { ChangeColumns } from '../base/entry-row.js'
import type { Sql, Transaction } from '../base/open-pool.js'
import type { ReferenceColumns } from '../base/reference-row.js'
import { RowParameters } from '../base/row-parameters.js'
import { change } from '../base/tables.js'
import {
  CHANGE_COLUMNS,
  CHANGE_READERS,
  HEAD_COLUMNS,
  POINTER_PARAMETERS,
  pointerAssignments,
  pointerValues,
  REFERENCE_COLUMNS,
  REPLY_COLUMNS,
  referenceParameters,
  replyParameters,
  replyRow,
  TRANSITION_COLUMNS,
  transitionParameters,
  transitionRow,
  VERSION_COLUMNS,
  versionParameters,
} from './batch-rows.js'
import { HAS_PARTICIPANTS } from './has-participants.js'
import { HEAD_STAMP } from './head-stamp.js'

/** A row of `change`, and whether it becomes the entry's row of `head`. */
type ChangeInsert = ChangeColumns & { readonly isHeadRow: boolean }

const changeParameters = new RowParameters<ChangeInsert>(
  [...columnsOf(change, ['metaIndex']), { key: 'isHeadRow', name: 'is_head_row', type: 'boolean' }],
  ['ns', 'name', 'operation', 'kind', 'meta', 'data', 'digest'],
)

/** Where each table's parameters begin. The pointer's come last, then the stamp, then whether participants matter. */
const [CHANGES, VERSIONS, TRANSITIONS, REFERENCES, REPLIES, POINTER, STAMP, CHECKS_PARTICIPANTS] = starts([
  changeParameters.count,
  versionParameters.count,
  transitionParameters.count,
  referenceParameters.count,
  replyParameters.count,
  POINTER_PARAMETERS,
  1,
  1,
])

/**
 * One statement writes all tables, because each statement costs 50 to 100 µs between here and the server, whatever it
 * writes, and each round trip wakes two sleeping processes. The pointer is moved first, if its stamp is the one on
 * which the batch was planned. The rest reads from it, and so writes nothing if it has not moved. Replaced rows must be
 * deleted before their successors are inserted, hence the counts.
 */
const write = ({ only, knownName }: { readonly only: string; readonly knownName: string }) => `
  WITH pointer AS (
    UPDATE head_pointer SET ${pointerAssignments(POINTER)}
    WHERE ($${STAMP}::text IS NULL OR ${HEAD_STAMP} = $${STAMP}::text) ${only}
    RETURNING ${HEAD_STAMP} AS stamp
  ),
  rows AS MATERIALIZED (
    SELECT rows.*, meta::jsonb AS meta_index FROM pointer CROSS JOIN ${changeParameters.from(CHANGES, 'rows')}
  ),
  versions AS (
    INSERT INTO version (${columnNames(VERSION_COLUMNS)})
    SELECT ${versionParameters.selected()} FROM pointer CROSS JOIN ${versionParameters.from(VERSIONS, 'v')}
  ),
  transitions AS (
    INSERT INTO transition (${columnNames(TRANSITION_COLUMNS)})
    SELECT ${transitionParameters.selected()} FROM pointer CROSS JOIN ${transitionParameters.from(TRANSITIONS, 't')}
  ),
  changes AS (
    INSERT INTO change (${columnNames(CHANGE_COLUMNS)}) SELECT ${columnNames(CHANGE_COLUMNS)} FROM rows
  ),
  names AS (INSERT INTO entry_name (ns, name) SELECT ns, name FROM rows WHERE operation = 'create' ${knownName}),
  gone AS MATERIALIZED (SELECT DISTINCT ns, name FROM rows WHERE operation <> 'create'),
  old_heads AS (DELETE FROM head t USING gone WHERE t.ns = gone.ns AND t.name = gone.name RETURNING 1),
  old_refs AS (DELETE FROM reference t USING gone WHERE t.ns = gone.ns AND t.name = gone.name RETURNING 1),
  heads AS (
    INSERT INTO head (${columnNames(HEAD_COLUMNS)})
    SELECT ${columnNames(HEAD_COLUMNS)} FROM rows WHERE is_head_row AND (SELECT count(*) FROM old_heads) >= 0
  ),
  refs AS (
    INSERT INTO reference (${columnNames(REFERENCE_COLUMNS)})
    SELECT ${referenceParameters.selected()} FROM pointer CROSS JOIN ${referenceParameters.from(REFERENCES, 'r')}
    WHERE (SELECT count(*) FROM old_refs) >= 0
  ),
  replies AS (
    INSERT INTO reply (${columnNames(REPLY_COLUMNS)})
    SELECT ${replyParameters.selected()} FROM pointer CROSS JOIN ${replyParameters.from(REPLIES, 'a')}
  )
  SELECT 'written' AS outcome, stamp, pg_notify('${ADVANCE_CHANNEL}', '') FROM pointer`

const WRITE = write({ only: '', knownName: 'ON CONFLICT DO NOTHING' })
/** An id that is not new makes the statement fail, as does a key under which a reply is stored. */
const WRITE_OPTIMISTICALLY = write({
  only: `AND NOT ($${CHECKS_PARTICIPANTS}::boolean AND ${HAS_PARTICIPANTS})`,
  knownName: '',
})

interface Written {
  /** The pointer's stamp from now on. */
  readonly stamp: string
}

/**
 * Writes a batch of fewer than `COPY_FROM_ROWS` rows, or nothing if the pointer's stamp has changed. With a stamp it
 * needs no transaction around it. Without one the caller must hold the lock. The statement is sent before this returns,
 * so later statements on the connection come after it.
 * @param references - of the entries that the batch leaves
 * @returns null if nothing was written
 */
export function writeBatch(
  sql: Sql | Transaction,
  writes: BatchWrites,
  stamp: string | null,
  state: CommitState,
  references: readonly ReferenceColumns[],
): Promise<Written | null> {
  return sql
    .unsafe<Written[]>(WRITE, parametersOf(writes, stamp, state, references) as never[], { prepare: true })
    .then(([row]) => row ?? null)
}

/**
 * Writes a batch without having read its ids. If `expectsNoParticipants` and there is a participant, it writes nothing.
 * @returns null if nothing was written
 * @throws PostgresError unique_violation if a created id or a reply's key exists; nothing is written then
 */
export function writeBatchOptimistically(
  sql: Sql,
  writes: BatchWrites,
  stamp: string,
  state: CommitState,
  references: readonly ReferenceColumns[],
  expectsNoParticipants: boolean,
): Promise<Written | null> {
  const parameters = [...parametersOf(writes, stamp, state, references), expectsNoParticipants]
  return sql
    .unsafe<Written[]>(WRITE_OPTIMISTICALLY, parameters as never[], { prepare: true })
    .then(([row]) => row ?? null)
}

function parametersOf(
  writes: BatchWrites,
  stamp: string | null,
  state: CommitState,
  references: readonly ReferenceColumns[],
): unknown[] {
  return [
    ...changeValues(writes),
    ...versionParameters.values(writes.versions),
    ...transitionParameters.values(writes.transitions.map(transitionRow)),
    ...referenceParameters.values(references),
    ...replyParameters.values(writes.replies.map((reply) => replyRow(reply, state.now))),
    ...pointerValues(state),
    stamp,
  ]
}

function changeValues({ changes }: BatchWrites): unknown[] {
  const last = new Map<EntryId, number>()
  for (const [i, { id }] of changes.entries()) last.set(id, i)
  return changeParameters.valuesOf(changes, {
    ...CHANGE_READERS,
    isHeadRow: ({ id, content }, i) => content !== null && last.get(id) === i,
  })
}

/** The first parameter of each group, given the sizes of the groups. */
function starts<Counts extends readonly number[]>(counts: readonly [...Counts]): { [Index in keyof Counts]: number } {
  let next = 1
  return counts.map((count) => {
    const start = next
    next += count
    return start
  }) as { [Index in keyof Counts]: number }
}
