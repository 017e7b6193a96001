import { lexicographicSortSchema, printSchema } from 'graphql'
import { ONE_OF } from './base/one-of-directive.js'
import { schema } from './schema.js'

/** Prints the schema as sorted SDL, the content of schema/schema.graphql. */
export function printedSchema(): string {
  return `${ONE_OF}\n\n${printSchema(lexicographicSortSchema(schema))}\n`
}
