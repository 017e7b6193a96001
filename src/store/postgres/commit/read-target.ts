import { endsInstances } from '../../../core/changeset/entry-in-use.js'
import type { Problem } from '../../../core/errors/problem.js'
import type { Change } from '../../../core/history/change.js'
import { byPosition, changesOfRow } from '../../planning/change-row.js'
import { versionCompactedProblem } from '../../planning/compacted-errors.js'
import { nothingToRevertProblem } from '../../planning/plan-revert.js'
import { endedBy, type VersionTarget } from '../../planning/plan-version.js'
import {
  type ChangeColumns,
  type ContentColumns,
  changeColumns,
  changeRowOfColumns,
  contentColumns,
  entryOfPrefixed,
} from '../base/entry-row.js'
import { type VersionColumns, versionColumns } from '../base/history-columns.js'
import type { Transaction } from '../base/open-pool.js'
import { DIFFERENCES, type DifferenceColumns, differenceOfColumns } from '../read/read-differences.js'
import { addEntries, addInstances, type PostgresCommitState } from './read-commit-state.js'

/** Reads the data for reverting a version, and adds the entries that the version touched to the state. */
export async function readRevertTarget(
  sql: Transaction,
  version: number,
  state: PostgresCommitState,
  lock: boolean,
): Promise<{ changes: readonly Change[] } | { missing: Problem }> {
  const found = await sql<{ revision: number }[]>`SELECT revision FROM version WHERE number = ${version} AND number > 0`
  if (found[0] === undefined) return { missing: nothingToRevertProblem(version, state.lastVersion) }
  const { revision } = found[0]
  if (revision < state.oldestRevision)
    return { missing: versionCompactedProblem(version, revision, state.oldestRevision) }
  const rows = await sql<(ChangeColumns & ContentColumns<'p_'>)[]>`
    SELECT ${sql.unsafe(changeColumns('c'))}, ${sql.unsafe(contentColumns('p', 'p_'))}
    FROM change c LEFT JOIN change p ON p.ns = c.ns AND p.name = c.name AND p.revision = c.previous_revision
    WHERE c.revision = ${revision}`
  const changes = rows
    .flatMap((row) => changesOfRow(changeRowOfColumns(row), entryOfPrefixed(row, 'p_')))
    .sort(byPosition)
  await addEntries(sql, [...new Set(changes.map(({ id }) => id))], state)
  const after = new Map(changes.map(({ id, entry }) => [id, entry]))
  const before = new Map(changes.toReversed().map(({ id, previous }) => [id, previous]))
  const ended = [...after.keys()].filter((id) => endsInstances(after.get(id), before.get(id)))
  await addInstances(sql, ended, state.instances, lock)
  return { changes }
}

/** Reads the data for applying a version, as of this transaction. */
export async function readVersionTarget(
  sql: Transaction,
  version: number,
  state: PostgresCommitState,
  lock: boolean,
): Promise<VersionTarget | { missing: Problem }> {
  const [row] = await sql<VersionColumns[]>`
    SELECT ${sql.unsafe(versionColumns('v'))} FROM version v WHERE v.number = ${version}`
  if (row === undefined) {
    const message = `There is no version ${version}; the newest is ${state.lastVersion}.`
    return { missing: { code: 'VERSION_NOT_FOUND', message } }
  }
  // The empty registry needs no history, and neither does a head that does not move.
  if (row.revision < state.oldestRevision && version !== 0 && version !== state.head.version) {
    return { missing: versionCompactedProblem(version, row.revision, state.oldestRevision) }
  }
  // A generic plan for any two revisions costs far more than a plan for these two.
  await sql`SET LOCAL plan_cache_mode = auto`
  const rows = await sql.unsafe<DifferenceColumns[]>(DIFFERENCES, [row.revision, state.head.revision], {
    prepare: true,
  })
  const differences = rows.map(differenceOfColumns).map(({ id, low, high }) => ({ id, before: high, after: low }))
  const target = { version: row, differences }
  await addInstances(sql, endedBy(target), state.instances, lock)
  return target
}
