import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLNamedType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isCompositeType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql'
import { MAX_GRAPH_EDGES, MAX_GRAPH_NODES } from '../../registry/reading/dependency-graph.js'
import { MAX_WARNINGS } from '../../registry/writing/changeset-warnings.js'

const DEFAULT_PAGE = 100
const LARGEST_PAGE = 1_000
/** Assumed length of a list without pages. */
const PLAIN_LIST = 10
/** Maximum lengths of lists without pages that may be long. */
const LONG_LISTS: Readonly<Record<string, number>> = {
  'DependencyGraph.nodes': MAX_GRAPH_NODES,
  'DependencyGraph.edges': MAX_GRAPH_EDGES,
  'Applied.warnings': MAX_WARNINGS,
  'Entry.instances': 100,
  'InstanceBatch.changes': 500,
}

/**
 * Returns the maximum number of objects in an answer, by its nested page sizes. GitHub's API calls them nodes. A
 * fragment counts wherever it is spread, but is computed once.
 */
export function countNodes(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): number {
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition)
  }
  const known = new Map<string, number>()

  /** Counts the objects below one object of a type. `page` is the length of a connection's lists. */
  function within(selections: SelectionSetNode, type: GraphQLNamedType, page: number): number {
    let nodes = 0
    for (const selection of selections.selections) {
      if (selection.kind === Kind.FIELD) nodes += below(selection, type, page)
      else if (selection.kind === Kind.INLINE_FRAGMENT) {
        nodes += within(selection.selectionSet, named(selection.typeCondition?.name.value) ?? type, page)
      } else nodes += inFragment(selection.name.value, page)
    }
    return nodes
  }

  function below(field: FieldNode, parent: GraphQLNamedType, page: number): number {
    const { selectionSet } = field
    if (selectionSet === undefined || field.name.value.startsWith('__')) return 0
    const returned =
      isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[field.name.value]?.type : undefined
    if (returned === undefined) return 0
    const type = getNamedType(returned)
    if (type.name.endsWith('Connection')) return within(selectionSet, type, pageSize(field))
    const size = isList(returned) ? (parent.name.endsWith('Connection') ? page : listSize(field, parent)) : 1
    return size * (1 + within(selectionSet, type, PLAIN_LIST))
  }

  function inFragment(name: string, page: number): number {
    const fragment = fragments.get(name)
    if (fragment === undefined) return 0
    const key = `${page} ${name}`
    let nodes = known.get(key)
    if (nodes === undefined) {
      const type = named(fragment.typeCondition.name.value)
      nodes = type === undefined ? 0 : within(fragment.selectionSet, type, page)
      known.set(key, nodes)
    }
    return nodes
  }

  function named(name: string | undefined): GraphQLNamedType | undefined {
    const type = name === undefined ? undefined : schema.getType(name)
    return isCompositeType(type) ? type : undefined
  }

  function pageSize(field: FieldNode): number {
    const asked = argument(field, 'first') ?? argument(field, 'last')
    // The resolver refuses larger pages, with a better message.
    return typeof asked === 'number' && asked >= 0 ? Math.min(asked, LARGEST_PAGE) : DEFAULT_PAGE
  }

  function listSize(field: FieldNode, parent: GraphQLNamedType): number {
    const ids = argument(field, 'ids')
    return Array.isArray(ids) ? ids.length : (LONG_LISTS[`${parent.name}.${field.name.value}`] ?? PLAIN_LIST)
  }

  function argument(field: FieldNode, name: string): unknown {
    const value = field.arguments?.find((given) => given.name.value === name)?.value
    if (value?.kind === Kind.INT) return Number(value.value)
    if (value?.kind === Kind.LIST) return value.values
    if (value?.kind !== Kind.VARIABLE) return undefined
    const variable = value.name.value
    if (Object.hasOwn(variables, variable)) return variables[variable]
    const fallback = operation.variableDefinitions?.find(
      (definition) => definition.variable.name.value === variable,
    )?.defaultValue
    return fallback?.kind === Kind.INT ? Number(fallback.value) : undefined
  }

  const root = schema.getRootType(operation.operation)
  return root === undefined || root === null ? 0 : within(operation.selectionSet, root, DEFAULT_PAGE)
}

function isList(type: GraphQLOutputType): boolean {
  return isListType(getNullableType(type))
}
