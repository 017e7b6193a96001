import { MapperKind, mapSchema } from '@graphql-tools/utils'
import {
  type GraphQLAbstractType,
  type GraphQLFieldConfig,
  type GraphQLFieldConfigMap,
  GraphQLInterfaceType,
  type GraphQLNamedType,
  GraphQLObjectType,
  type GraphQLSchema,
  type GraphQLTypeResolver,
  GraphQLUnionType,
  getNullableType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
} from 'graphql'
import type { RequestContext } from '../base/request-context.js'
import { ENTITIES } from './entity-table.js'
import { keepCoordinate } from './schema-coordinate.js'

/** How the subgraph differs from the plain schema. */
export interface SubgraphOptions {
  /** Put before the names of types and root fields, for supergraphs that have their own. Null renames nothing. */
  readonly prefix: string | null
  /** Types that keep their names. */
  readonly keep: readonly string[]
  /** Whether `node` and `nodes` are part of it. Two subgraphs that both have them do not compose. */
  readonly node: boolean
}

type FieldConfig = GraphQLFieldConfig<unknown, RequestContext>

/**
 * Derives the schema of the subgraph, without the fields that federation itself adds.
 * @throws Error if `keep` names a type that does not exist
 */
export function subgraphSchema(schema: GraphQLSchema, options: SubgraphOptions): GraphQLSchema {
  const unknown = options.keep.filter((name) => schema.getType(name) === undefined)
  if (unknown.length > 0) throw new Error(`federation.keep: there is no type ${unknown.join(', ')}`)
  const nameOf = typeNames(schema, options)
  const roots = new Set<GraphQLNamedType>(rootTypes(schema))

  return mapSchema(schema, {
    [MapperKind.ROOT_OBJECT]: (root) => {
      const { fields, ...config } = root.toConfig()
      const included = Object.entries(fields).filter(([name]) => options.node || (name !== 'node' && name !== 'nodes'))
      return new GraphQLObjectType({
        ...config,
        fields: Object.fromEntries(
          included.map(([name, field]) => [
            rootFieldName(name, options),
            keepCoordinate(nullableWithArguments(field), root.name, name),
          ]),
        ),
      })
    },
    [MapperKind.TYPE]: (type) => (roots.has(type) ? undefined : renamed(type, nameOf)),
  })
}

/** Maps the names of the subgraph's types to those of the plain schema. */
export function namesHere(schema: GraphQLSchema, options: SubgraphOptions): (name: string) => string {
  const nameOf = typeNames(schema, options)
  const back = new Map(Object.keys(schema.getTypeMap()).map((name) => [nameOf(name), name]))
  // A name of the plain schema that the subgraph does not have is unknown, so it must not be found under itself.
  return (name) => back.get(name) ?? ''
}

/** The name of a plain type in the subgraph. */
export function typeNames(schema: GraphQLSchema, { prefix, keep }: SubgraphOptions): (name: string) => string {
  if (prefix === null) return (name) => name
  const unchanged = new Set([
    ...keep,
    ...unchangedInterfaces(schema, keep),
    ...rootTypes(schema).map(({ name }) => name),
  ])
  return (name) => {
    const type = schema.getType(name)
    const stays = type === undefined || unchanged.has(name) || isIntrospectionType(type) || isSpecifiedScalarType(type)
    return stays ? name : `${prefix}${name}`
  }
}

/**
 * The interfaces of entities that keep their names, because other subgraphs refer to them. An entity interface does so
 * along with its types: two registries whose types have different names cannot share one.
 */
function unchangedInterfaces(schema: GraphQLSchema, keep: readonly string[]): string[] {
  return Object.values(schema.getTypeMap())
    .filter(isInterfaceType)
    .map(({ name }) => name)
    .filter((name) => ENTITIES[name]?.types.some((type) => keep.includes(type)) ?? hasEntity(schema, name))
}

function hasEntity(schema: GraphQLSchema, interfaceName: string): boolean {
  return Object.keys(ENTITIES).some((name) => {
    const type = schema.getType(name)
    return isObjectType(type) && type.getInterfaces().some((each) => each.name === interfaceName)
  })
}

function rootTypes(schema: GraphQLSchema): GraphQLObjectType[] {
  return [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].filter(
    (type): type is GraphQLObjectType => type !== null && type !== undefined,
  )
}

function rootFieldName(name: string, { prefix }: SubgraphOptions): string {
  if (prefix === null) return name
  return `${prefix[0]!.toLowerCase()}${prefix.slice(1)}${name[0]!.toUpperCase()}${name.slice(1)}`
}

/** One bad argument must not take away the answers of other subgraphs' fields, or of other fields here. */
function nullableWithArguments(field: FieldConfig): FieldConfig {
  return Object.keys(field.args ?? {}).length === 0 ? field : { ...field, type: getNullableType(field.type) }
}

function renamed(type: GraphQLNamedType, nameOf: (name: string) => string): GraphQLNamedType | undefined {
  const name = nameOf(type.name)
  if (isObjectType(type)) {
    if (name === type.name) return undefined
    const config = type.toConfig()
    return new GraphQLObjectType({ ...config, name, fields: withCoordinates(config.fields, type.name) })
  }
  if (isInterfaceType(type)) {
    const config = type.toConfig()
    const resolveType = resolvingTo(config.resolveType, nameOf)
    return new GraphQLInterfaceType({ ...config, name, resolveType, fields: withCoordinates(config.fields, type.name) })
  }
  if (type instanceof GraphQLUnionType) {
    const config = type.toConfig()
    return new GraphQLUnionType({ ...config, name, resolveType: resolvingTo(config.resolveType, nameOf) })
  }
  if (name === type.name) return undefined
  const config = { ...type.toConfig(), name }
  return new (type.constructor as new (config: unknown) => GraphQLNamedType)(config)
}

function withCoordinates(
  fields: GraphQLFieldConfigMap<unknown, RequestContext>,
  type: string,
): GraphQLFieldConfigMap<unknown, RequestContext> {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, keepCoordinate(field, type, name)]))
}

type TypeResolver = GraphQLTypeResolver<unknown, RequestContext>

function resolvingTo(
  resolveType: TypeResolver | null | undefined,
  nameOf: (name: string) => string,
): TypeResolver | null {
  if (resolveType === null || resolveType === undefined) return null
  return (value, context, info, type: GraphQLAbstractType) => {
    const name = resolveType(value, context, info, type)
    if (name instanceof Promise) return name.then((settled) => (settled === undefined ? settled : nameOf(settled)))
    return typeof name === 'string' ? nameOf(name) : name
  }
}
