import type { GraphQLField, GraphQLFieldConfig } from 'graphql'

const COORDINATE = 'coordinate'

/** Notes a field's type and name in the plain schema, because the subgraph may rename both. */
export function keepCoordinate<Config extends GraphQLFieldConfig<never, never>>(
  field: Config,
  type: string,
  name: string,
): Config {
  return { ...field, extensions: { ...field.extensions, [COORDINATE]: `${type}.${name}` } }
}

/** The field's type and name in the plain schema, such as "Query.delta". */
export function coordinateOf(field: GraphQLField<never, never>, type: string): string {
  return (field.extensions[COORDINATE] as string | undefined) ?? `${type}.${field.name}`
}
