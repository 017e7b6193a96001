import {
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLScalarType,
  GraphQLSchema,
  GraphQLString,
  GraphQLUnionType,
  isObjectType,
} from 'graphql'
import type { RequestContext } from '../base/request-context.js'
import { literalValue } from '../scalars/literal-value.js'
import { ENTITIES } from './entity-table.js'
import { findEntities } from './find-entities.js'
import { keepCoordinate } from './schema-coordinate.js'
import { namesHere, type SubgraphOptions, typeNames } from './subgraph-schema.js'

/**
 * Adds `_service` and `_entities` of the subgraph specification
 * (https://www.apollographql.com/docs/graphos/reference/federation/subgraph-specific-fields).
 * @param schema - the plain schema, or one that `subgraphSchema` derived from `plain` by the same options
 */
export function federatedSchema(
  schema: GraphQLSchema,
  plain: GraphQLSchema,
  options: SubgraphOptions,
  sdl: string,
): GraphQLSchema {
  const nameOf = typeNames(plain, options)
  const nameHere = namesHere(plain, options)
  const entities = Object.keys(ENTITIES).flatMap((name) => {
    const type = schema.getType(nameOf(name))
    return isObjectType(type) ? [type] : []
  })
  const any = new GraphQLScalarType({
    name: '_Any',
    description: 'A representation of an entity: its `__typename` and the fields of one of its keys.',
    parseValue: (value) => value,
    parseLiteral: literalValue,
  })
  const entity = new GraphQLUnionType({
    name: '_Entity',
    description: 'All types that a representation can stand for.',
    types: entities,
    resolveType: (found) => nameOf((found as { __typename: string }).__typename),
  })
  const service = new GraphQLObjectType({
    name: '_Service',
    description: 'This subgraph.',
    fields: { sdl: { type: new GraphQLNonNull(GraphQLString), description: 'Its schema, for composition.' } },
  })
  const query = schema.getQueryType()!.toConfig()
  const config = schema.toConfig()
  return new GraphQLSchema({
    ...config,
    types: config.types.filter(({ name }) => name !== query.name),
    query: new GraphQLObjectType<unknown, RequestContext>({
      ...query,
      fields: {
        ...query.fields,
        _service: {
          type: new GraphQLNonNull(service),
          description: 'Describes this subgraph to a composition.',
          resolve: () => ({ sdl }),
        },
        _entities: keepCoordinate(
          {
            type: new GraphQLNonNull(new GraphQLList(entity)),
            description:
              'The entities of these representations, in the same order; null for one that does not exist or whose key is missing or malformed.',
            args: {
              representations: { type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(any))) },
            },
            resolve: (_root: unknown, { representations }: { representations: unknown[] }, context: RequestContext) =>
              findEntities(representations, context, nameHere),
          },
          'Query',
          '_entities',
        ),
      },
    }),
  })
}
