import { lexicographicSortSchema, printSchema } from 'graphql'
import { schema } from './schema.js'

/** The schema as SDL, sorted: what schema/schema.graphql holds. */
export function printedSchema(): string {
  return `${printSchema(lexicographicSortSchema(schema))}\n`
}
