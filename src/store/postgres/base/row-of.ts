import type { InferSelectModel } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'

type SnakeCase<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? First extends Lowercase<First>
    ? `${First}${SnakeCase<Rest>}`
    : `_${Lowercase<First>}${SnakeCase<Rest>}`
  : ''

/** A row of a table as raw SQL returns it, under the columns' own names. */
export type RowOf<Table extends PgTable> = {
  readonly [Key in keyof InferSelectModel<Table> & string as SnakeCase<Key>]: InferSelectModel<Table>[Key]
}
