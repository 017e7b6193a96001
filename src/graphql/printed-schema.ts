import { lexicographicSortSchema, printSchema } from 'graphql'
import { schema } from './schema.js'

/**
 * graphql-js has this directive built in and does not print it. Tools that know an older edition of the specification,
 * such as Apollo's composition, refuse a schema that uses a directive without defining it.
 */
const ONE_OF = '"""Exactly one field must be given, and it must not be null."""\ndirective @oneOf on INPUT_OBJECT'

/** Prints the schema as sorted SDL, the content of schema/schema.graphql. */
export function printedSchema(): string {
  return `${ONE_OF}\n\n${printSchema(lexicographicSortSchema(schema))}\n`
}
