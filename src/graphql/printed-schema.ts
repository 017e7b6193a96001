import { lexicographicSortSchema, printSchema } from 'graphql'
import { schema } from './schema.js'

/** Prints the schema as sorted SDL, the content of schema/schema.graphql. */
export function printedSchema(): string {
  return `${printSchema(lexicographicSortSchema(schema))}\n`
}
