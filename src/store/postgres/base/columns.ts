import { getColumns, type InferSelectModel, type Table } from 'drizzle-orm'

/*
 * Lists of columns for SQL, derived from tables.ts. No statement writes them out, so a new column is part of every
 * list once the table has it.
 */

/** A stored row as Drizzle returns it. Its keys are the names in tables.ts, such as `createdAt` for `created_at`. */
export type StoredRow<Of extends Table> = Readonly<InferSelectModel<Of>>

export interface Column {
  /** The column's key in tables.ts. */
  readonly key: string
  /** The column's name in SQL. */
  readonly name: string
  /** The column's type as a cast: without collation or precision. */
  readonly type: string
}

type KeyOf<Of extends Table> = Extract<keyof InferSelectModel<Of>, string>

/** All columns of a table except the omitted ones, in the order of tables.ts. */
export function columnsOf<Of extends Table>(table: Of, omitted: readonly KeyOf<Of>[] = []): readonly Column[] {
  return Object.entries(getColumns(table))
    .filter(([key]) => !omitted.some((other) => other === key))
    .map(([key, column]) => ({ key, name: column.name, type: castType(column.getSQLType()) }))
}

/** Exactly these columns of a table. */
export function pickColumns<Of extends Table>(table: Of, keys: readonly KeyOf<Of>[]): readonly Column[] {
  const picked = new Set<string>(keys)
  return columnsOf(table).filter(({ key }) => picked.has(key))
}

/** The names, for the column list of an INSERT or COPY. */
export function columnNames(columns: readonly Column[]): string {
  return columns.map(({ name }) => name).join(', ')
}

/** The columns under an alias, for a SELECT whose rows have the keys of tables.ts. `prefix` precedes each key. */
export function selectList(columns: readonly Column[], alias: string, prefix = ''): string {
  return columns
    .map(({ key, name }) => (prefix + key === name ? `${alias}.${name}` : `${alias}.${name} AS "${prefix}${key}"`))
    .join(', ')
}

function castType(type: string): string {
  if (type.startsWith('timestamp')) return 'timestamptz'
  return type.replace(/ collate .*$/, '')
}
