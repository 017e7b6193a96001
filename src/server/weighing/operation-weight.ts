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
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql'
import { coordinateOf } from '../../graphql/federation/schema-coordinate.js'
import { FIELD_WEIGHTS, type FieldWeight } from './field-weights.js'

const DEFAULT_PAGE = 100
const LARGEST_PAGE = 1_000
/** Assumed length of a list without pages. */
const PLAIN_LIST = 10
const WEIGHTLESS: FieldWeight = { weight: 0 }

/** The highest cost of an operation, estimated before anything is read. */
export interface OperationWeight {
  /** The objects that the answer can contain, and the work of the fields that do more than return objects. */
  readonly total: number
  /** The root field that weighs most, as it stands in the document. */
  readonly heaviest: { readonly field: string; readonly weight: number } | null
}

/** Facts that the fields of a connection need about the field that returned it. */
interface Parent {
  /** Length of a connection's lists. */
  readonly page: number
  /** Weight of its `totalCount`. */
  readonly count: number
}

const NO_CONNECTION: Parent = { page: PLAIN_LIST, count: 0 }

/**
 * Weighs an operation by its nested page sizes and by `FIELD_WEIGHTS`. A field weighs as often as it can occur in the
 * answer: once for each alias, and once for each object above it. A fragment weighs wherever it is spread, but is
 * computed once.
 */
export function operationWeight(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): OperationWeight {
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition)
  }
  const known = new Map<string, number>()

  /** Weighs the selections of one object of a type. */
  function within(selections: SelectionSetNode, type: GraphQLNamedType, parent: Parent): number {
    let weight = 0
    for (const selection of selections.selections) weight += ofSelection(selection, type, parent)
    return weight
  }

  function ofSelection(selection: SelectionNode, type: GraphQLNamedType, parent: Parent): number {
    if (selection.kind === Kind.FIELD) return ofField(selection, type, parent)
    if (selection.kind === Kind.FRAGMENT_SPREAD) return inFragment(selection.name.value, parent)
    return within(selection.selectionSet, named(selection.typeCondition?.name.value) ?? type, parent)
  }

  function ofField(field: FieldNode, type: GraphQLNamedType, parent: Parent): number {
    const { selectionSet } = field
    const name = field.name.value
    if (name.startsWith('__')) return 0
    const defined = isObjectType(type) || isInterfaceType(type) ? type.getFields()[name] : undefined
    const coordinate = defined === undefined ? `${type.name}.${name}` : coordinateOf(defined, type.name)
    const { weight, length, count = 0 } = FIELD_WEIGHTS[coordinate] ?? WEIGHTLESS
    const isConnection = type.name.endsWith('Connection')
    if (selectionSet === undefined) return isConnection && name === 'totalCount' ? parent.count : weight
    const returned = defined?.type
    if (returned === undefined) return weight
    const returnedType = getNamedType(returned)
    if (returnedType.name.endsWith('Connection'))
      return weight + within(selectionSet, returnedType, { page: pageSize(field) ?? DEFAULT_PAGE, count })
    let size = 1
    if (isList(returned)) size = isConnection ? parent.page : listSize(field, length)
    return weight + size * (1 + within(selectionSet, returnedType, NO_CONNECTION))
  }

  function inFragment(name: string, parent: Parent): number {
    const fragment = fragments.get(name)
    if (fragment === undefined) return 0
    const key = `${parent.page} ${parent.count} ${name}`
    let weight = known.get(key)
    if (weight === undefined) {
      const type = named(fragment.typeCondition.name.value)
      weight = type === undefined ? 0 : within(fragment.selectionSet, type, parent)
      known.set(key, weight)
    }
    return weight
  }

  function named(name: string | undefined): GraphQLNamedType | undefined {
    const type = name === undefined ? undefined : schema.getType(name)
    return isCompositeType(type) ? type : undefined
  }

  function pageSize(field: FieldNode): number | undefined {
    const asked = argument(field, 'first') ?? argument(field, 'last')
    // The resolver refuses larger pages, with a better message.
    return typeof asked === 'number' && asked >= 0 ? Math.min(asked, LARGEST_PAGE) : undefined
  }

  function listSize(field: FieldNode, length = PLAIN_LIST): number {
    const ids = argument(field, 'ids') ?? argument(field, 'representations')
    return Array.isArray(ids) ? ids.length : (pageSize(field) ?? length)
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
  let total = 0
  let heaviest: OperationWeight['heaviest'] = null
  if (root === undefined || root === null) return { total, heaviest }
  for (const selection of operation.selectionSet.selections) {
    const weight = ofSelection(selection, root, NO_CONNECTION)
    total += weight
    if (weight > (heaviest?.weight ?? 0)) heaviest = { field: textOf(selection), weight }
  }
  return { total, heaviest }
}

/** Names a selection as it begins in the document. */
function textOf(selection: SelectionNode): string {
  if (selection.kind === Kind.INLINE_FRAGMENT) return '...'
  if (selection.kind === Kind.FRAGMENT_SPREAD) return `...${selection.name.value}`
  return selection.alias === undefined ? selection.name.value : `${selection.alias.value}: ${selection.name.value}`
}

function isList(type: GraphQLOutputType): boolean {
  return isListType(getNullableType(type))
}
