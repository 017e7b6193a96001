import { type EntryRevision, SealedContent } from '../../../core/entry/entry.js'
import type { EntryId } from '../../../core/entry/entry-id.js'
import type { ChangeRow } from '../../planning/change-row.js'
import { columnsOf, type StoredRow, selectList } from './columns.js'
import { change, head } from './tables.js'

const ENTRY = columnsOf(head, ['metaIndex'])
const CONTENT = columnsOf(head, ['ns', 'name', 'metaIndex'])
const CHANGE = columnsOf(change, ['metaIndex'])

/** The columns that make up an entry, of `head` or of `change`. `prefix` precedes each name in the result. */
export const entryColumns = (alias: string, prefix?: string) => selectList(ENTRY, alias, prefix)
/** The columns of `entryColumns` without the id, for a side of an outer join. */
export const contentColumns = (alias: string, prefix?: string) => selectList(CONTENT, alias, prefix)
/** The names of the columns that make up an entry, except its id. */
export const CONTENT_COLUMN_NAMES: readonly string[] = CONTENT.map(({ name }) => name)
/** The columns of `change` that readers use. */
export const changeColumns = (alias: string) => selectList(CHANGE, alias)

export type EntryColumns = Omit<StoredRow<typeof head>, 'metaIndex'>
export type ChangeColumns = Omit<StoredRow<typeof change>, 'metaIndex'>
/** The row of `contentColumns` with a prefix. Its values are null if the outer join found no row. */
export type ContentColumns<Prefix extends string> = {
  readonly [Column in keyof Omit<EntryColumns, 'ns' | 'name'> as `${Prefix}${Column}`]: EntryColumns[Column] | null
}

// Only the primary key has the order that this asks for, so the planner has no other choice. It used to have one:
// `ns = … AND name = … ORDER BY revision` is also met by walking `change_ns`, which reads all rows of the namespace for each
// id. With statistics of a small table that seemed as cheap, and took 154 ms instead of 2 among 100,000 entries.
const last = (column: string, id: string, revision: string, condition = '') => `
  SELECT last.${column} FROM change last
  WHERE ${condition}(last.ns, last.name) >= (${id}.ns, ${id}.name)
    AND (last.ns, last.name, last.revision) <= (${id}.ns, ${id}.name, ${revision})
  ORDER BY last.ns DESC, last.name DESC, last.revision DESC LIMIT 1`

/**
 * The subquery for the last row of `change` of an id up to a revision, for LATERAL. No row if there is none.
 * @param id alias of the row that has the columns `ns` and `name`
 * @param condition a condition on that row, if not all need the lookup
 */
export function latestChange(id: string, revision: string, condition?: string): string {
  return last('*', id, revision, condition === undefined ? '' : `${condition} AND `)
}

/** Whether a row of `change` is the last one of its id up to a revision, which must not be below the row's own. */
export function isLatestChange(alias: string, revision: string): string {
  return `${alias}.revision = (${last('revision', alias, revision)})`
}

/** Joins a stored namespace and name. Ids were validated before they were stored. */
export function storedId(ns: string, name: string): EntryId {
  return `${ns}:${name}` as EntryId
}

export function entryOfColumns(row: EntryColumns): EntryRevision {
  return {
    id: storedId(row.ns, row.name),
    content: new SealedContent(row.kind, row.meta, row.data, row.digest),
    revision: row.revision,
    version: row.version,
  }
}

/** The entry in the prefixed columns; null if there is none. */
export function entryOfPrefixed<Prefix extends string>(
  row: Pick<EntryColumns, 'ns' | 'name'> & ContentColumns<Prefix>,
  prefix: Prefix,
): EntryRevision | null {
  const value = (column: string) => row[`${prefix}${column}` as keyof typeof row] as never
  if (value('kind') === null) return null
  return {
    id: storedId(row.ns, row.name),
    content: new SealedContent(value('kind'), value('meta'), value('data'), value('digest')),
    revision: value('revision'),
    version: value('version'),
  }
}

export function changeRowOfColumns(row: ChangeColumns): ChangeRow {
  const { ns, name, kind, meta, data, digest, ...rest } = row
  const content = kind === null ? null : new SealedContent(kind, meta!, data!, digest!)
  return {
    id: storedId(ns, name),
    content,
    revision: rest.revision,
    operation: rest.operation,
    position: rest.position,
    deletePosition: rest.deletePosition,
    version: rest.version,
    previousRevision: rest.previousRevision,
  }
}

/** The ids as two parallel arrays, the form that `unnest` accepts. */
export function idColumns(ids: readonly EntryId[]): { ns: string[]; name: string[] } {
  const ns: string[] = []
  const name: string[] = []
  for (const id of ids) {
    const colon = id.indexOf(':')
    ns.push(id.slice(0, colon))
    name.push(id.slice(colon + 1))
  }
  return { ns, name }
}
