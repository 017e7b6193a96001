import type { Instance } from '../../../core/entry/instance.js'
import { INSTANCE_CHANNEL } from '../base/channels.js'
import { pickColumns, type StoredRow, selectList } from '../base/columns.js'
import { storedId } from '../base/entry-row.js'
import type { Sql, Transaction } from '../base/open-pool.js'
import { instance } from '../base/tables.js'

const COLUMNS = pickColumns(instance, [
  'id',
  'ns',
  'name',
  'holder',
  'acquiredAt',
  'expiresAt',
  'token',
  'metadataBytes',
])

/** The columns of `instance` that make up an `Instance`. */
export type InstanceColumns = Pick<
  StoredRow<typeof instance>,
  'id' | 'ns' | 'name' | 'holder' | 'acquiredAt' | 'expiresAt' | 'token' | 'metadataBytes'
>

export const instanceColumns = (alias: string) => selectList(COLUMNS, alias)
/** The names that `instanceColumns` has in a result, without the id. */
export const INSTANCE_COLUMN_KEYS: readonly string[] = COLUMNS.map(({ key }) => `"${key}"`).filter(
  (key) => key !== '"id"',
)

export function instanceOfColumns(row: InstanceColumns): Instance {
  return {
    id: row.id,
    entryId: storedId(row.ns, row.name),
    name: row.holder,
    acquiredAt: row.acquiredAt,
    expiresAt: row.expiresAt,
    fencingToken: row.token,
    metadataBytes: row.metadataBytes,
  }
}

/** @bound Entries of one write that are notified one by one. Above, one notification stands for any entry. */
const MAX_NOTIFIED_ENTRIES = 50

/**
 * The CTE `notified`, which notifies gateways of the entries of the CTE `done`. It only runs if the statement reads it.
 */
export function notifiedEntries(sql: Sql | Transaction) {
  return (sql as Sql)`notified AS (
  SELECT pg_notify(${INSTANCE_CHANNEL}, CASE WHEN entries <= ${MAX_NOTIFIED_ENTRIES} THEN ns || ':' || name ELSE '*' END)
  FROM (SELECT ns, name, count(*) OVER () AS entries FROM done GROUP BY ns, name) AS changed
)`
}
