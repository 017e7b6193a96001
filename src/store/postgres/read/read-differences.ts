import { flatMapInSteps, type Steps } from '../../../core/algorithms/steps.js'
import type { ExtractReferences } from '../../../core/dependency/reference.js'
import { operationsBetween } from '../../../core/history/delta.js'
import type { Operation } from '../../../core/ordering/operation.js'
import { inSlices } from '../../coalescing/time-slices.js'
import { uncompactedRows, type WithOldestRevision, withOldestRevision } from '../base/compaction-guard.js'
import {
  type ContentColumns,
  contentColumns,
  type EntryColumns,
  entryOfPrefixed,
  latestChange,
  storedId,
} from '../base/entry-row.js'
import type { RetryingClient } from '../base/retrying-client.js'

export type DifferenceColumns = Pick<EntryColumns, 'ns' | 'name'> & ContentColumns<'low_'> & ContentColumns<'high_'>

const stateAt = (side: 'low' | 'high', parameter: string) =>
  `LEFT JOIN LATERAL (${latestChange('t', `${parameter}::bigint`)}) ${side} ON true`

/**
 * The entries that differ between two revisions. The cost depends on the changes between them, not on the number of
 * entries.
 */
export const DIFFERENCES = `
  WITH touched AS (SELECT DISTINCT ns, name FROM change WHERE revision > $1::bigint AND revision <= $2::bigint)
  SELECT t.ns, t.name, ${contentColumns('low', 'low_')}, ${contentColumns('high', 'high_')}
  FROM touched t ${stateAt('low', '$1')} ${stateAt('high', '$2')}
  WHERE low.digest IS DISTINCT FROM high.digest`

const UNCOMPACTED_DIFFERENCES = withOldestRevision(DIFFERENCES)

export function differenceOfColumns(row: DifferenceColumns) {
  return {
    id: storedId(row.ns, row.name),
    low: entryOfPrefixed(row, 'low_'),
    high: entryOfPrefixed(row, 'high_'),
  }
}

type Difference = ReturnType<typeof differenceOfColumns>

async function readDifferences(client: RetryingClient, low: number, high: number): Promise<readonly Difference[]> {
  const rows = await client.run((sql) =>
    sql.unsafe<WithOldestRevision<DifferenceColumns>[]>(UNCOMPACTED_DIFFERENCES, [low, high], { prepare: true }),
  )
  return inSlices(flatMapInSteps(uncompactedRows(rows, low), (row) => [differenceOfColumns(row)]))
}

/** The fewest operations that lead from one revision's state to another's. @throws RegistryError COMPACTED */
export async function readDelta(
  client: RetryingClient,
  from: number,
  to: number,
  references: ExtractReferences,
): Promise<readonly Operation[]> {
  const differences = await readDifferences(client, Math.min(from, to), Math.max(from, to))
  return inSlices(deltaOf(differences, from <= to, references))
}

function* deltaOf(
  differences: readonly Difference[],
  isForward: boolean,
  references: ExtractReferences,
): Steps<readonly Operation[]> {
  const pairs = yield* flatMapInSteps(differences, ({ id, low, high }) => {
    const [before, after] = isForward ? [low, high] : [high, low]
    return [{ id, before: before?.content ?? null, after: after?.content ?? null }]
  })
  return yield* operationsBetween(pairs, references)
}
