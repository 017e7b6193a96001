import {
  type ConstDirectiveNode,
  type FieldDefinitionNode,
  type GraphQLSchema,
  getNullableType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  lexicographicSortSchema,
  parse,
  parseConstValue,
  print,
  printSchema,
  visit,
} from 'graphql'
import { ONE_OF } from '../base/one-of-directive.js'
import { ENTITIES } from './entity-table.js'
import { coordinateOf } from './schema-coordinate.js'
import { namesHere, type SubgraphOptions } from './subgraph-schema.js'

const LINK =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@tag", "@cost", "@listSize"])'

/** Fields that operate the registry, which a contract leaves out by this tag. */
const ADMIN = new Set([
  'Mutation.compact',
  'Mutation.deleteTag',
  'Mutation.reloadSource',
  'Query.providers',
  'Subscription.proposals',
])
/** Fields whose cost has nothing to do with the length of their lists. */
const COSTLY = new Set([
  'Entry.dependents',
  'Query.buildDelta',
  'Query.delta',
  'Query.dependencyGraph',
  'Snapshot.dependencyGraph',
])
const ASSUMED_PAGE = 100

/**
 * Prints the SDL of a subgraph with the directives of Federation 2.
 * @param schema - what `subgraphSchema` derived from `plain` by the same options
 * @param costOf - the weight of a field of the plain schema, such as "Query.delta"
 */
export function subgraphSdl(
  schema: GraphQLSchema,
  plain: GraphQLSchema,
  options: SubgraphOptions,
  costOf: (coordinate: string) => number,
): string {
  const nameHere = namesHere(plain, options)

  function directivesOf(field: FieldDefinitionNode, typeName: string): ConstDirectiveNode[] {
    const type = schema.getType(typeName)
    if (!isObjectType(type) && !isInterfaceType(type)) return []
    const defined = type.getFields()[field.name.value]!
    const coordinate = coordinateOf(defined, typeName)
    const directives = []
    if (ADMIN.has(coordinate)) directives.push(directiveNode('tag', { name: 'admin' }))
    if (!isObjectType(type)) return directives
    if (COSTLY.has(coordinate)) directives.push(directiveNode('cost', { weight: costOf(coordinate) }))
    const sizes = defined.args.map(({ name }) => name).filter((name) => name === 'first' || name === 'last')
    const connection = getNullableType(defined.type)
    if (sizes.length > 0 && isObjectType(connection)) {
      const sizedFields = Object.values(connection.getFields())
        .filter((each) => isListType(getNullableType(each.type)))
        .map(({ name }) => name)
      directives.push(
        directiveNode('listSize', {
          assumedSize: ASSUMED_PAGE,
          slicingArguments: sizes,
          sizedFields,
          requireOneSlicingArgument: false,
        }),
      )
    }
    return directives
  }

  function ofType(name: string): ConstDirectiveNode[] {
    const here = nameHere(name)
    if (here === 'PageInfo') return [directiveNode('shareable', {})]
    const row = Object.hasOwn(ENTITIES, here) ? ENTITIES[here] : undefined
    return (row?.keys ?? []).map(({ fields }) => directiveNode('key', { fields }))
  }

  let within = ''
  const document = visit(parse(printSchema(lexicographicSortSchema(schema))), {
    ObjectTypeDefinition: {
      enter: (node) => {
        within = node.name.value
        return { ...node, directives: ofType(within) }
      },
    },
    InterfaceTypeDefinition: {
      enter: (node) => {
        within = node.name.value
        return { ...node, directives: ofType(within) }
      },
    },
    FieldDefinition: {
      enter: (node) => ({ ...node, directives: [...(node.directives ?? []), ...directivesOf(node, within)] }),
    },
  })
  return `${LINK}\n\n${ONE_OF}\n\n${print(document)}\n`
}

function directiveNode(name: string, values: Readonly<Record<string, unknown>>): ConstDirectiveNode {
  return {
    kind: Kind.DIRECTIVE,
    name: { kind: Kind.NAME, value: name },
    arguments: Object.entries(values).map(([argument, value]) => ({
      kind: Kind.ARGUMENT,
      name: { kind: Kind.NAME, value: argument },
      // JSON of strings, numbers, booleans and lists of them is GraphQL too.
      value: parseConstValue(JSON.stringify(value)),
    })),
  }
}
