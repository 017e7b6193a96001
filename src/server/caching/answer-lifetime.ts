import {
  type DocumentNode,
  type FieldNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  getOperationAST,
  isInterfaceType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  type SelectionSetNode,
  valueFromASTUntyped,
} from 'graphql'
import { fragmentsOf } from '../../graphql/compiled/collect-fields.js'
import { coordinateOf } from '../../graphql/federation/schema-coordinate.js'
import { ARGUMENT_LIFETIMES, type ArgumentLifetime, shortest } from './argument-lifetimes.js'
import { FIELD_LIFETIMES, type Lifetime } from './field-lifetimes.js'

type Variables = Readonly<Record<string, unknown>>

/** How long the answer of an operation stays as it is. */
export interface AnswerLifetime {
  /** The longest that the answer can live, whatever the variables are. */
  readonly longest: Lifetime
  /** @param headRevision - One that the head had reached before the operation was executed */
  of(variables: Variables, headRevision: number): Lifetime
}

const NEVER_CACHED: AnswerLifetime = { longest: 'uncacheable', of: () => 'uncacheable' }

/** @param document - A valid one */
export function answerLifetime(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null,
): AnswerLifetime {
  const operation = getOperationAST(document, operationName)
  return operation?.operation === OperationTypeNode.QUERY ? queryLifetime(schema, document, operation) : NEVER_CACHED
}

interface ArgumentRow {
  readonly node: FieldNode
  readonly lifetime: ArgumentLifetime
}

/** Fields that `@skip` or `@include` may remove count too. */
function queryLifetime(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): AnswerLifetime {
  const fragments = fragmentsOf(document)
  const spread = new Set<string>()
  const lifetimes = new Set<Lifetime>()
  const byArguments: ArgumentRow[] = []

  function addAll({ selections }: SelectionSetNode, type: GraphQLNamedType): void {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) addField(selection, type)
      else if (selection.kind === Kind.INLINE_FRAGMENT)
        addAll(selection.selectionSet, named(selection.typeCondition?.name.value, type))
      else addFragment(selection.name.value)
    }
  }

  function addFragment(name: string): void {
    const fragment = fragments.get(name)
    // The type condition of a fragment decides its fields, so one look is enough wherever it is spread.
    if (fragment === undefined || spread.has(name)) return
    spread.add(name)
    addAll(fragment.selectionSet, schema.getType(fragment.typeCondition.name.value)!)
  }

  function addField(node: FieldNode, type: GraphQLNamedType): void {
    const name = node.name.value
    if (name === '__typename') return
    const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[name] : undefined
    // Introspection can be switched off while the head stays.
    if (field === undefined) return void lifetimes.add('uncacheable')
    const coordinate = coordinateOf(field, type.name)
    lifetimes.add(FIELD_LIFETIMES[coordinate] ?? 'uncacheable')
    const lifetime = ARGUMENT_LIFETIMES[coordinate]
    if (lifetime !== undefined) byArguments.push({ node, lifetime })
    if (node.selectionSet !== undefined) addAll(node.selectionSet, getNamedType(field.type))
  }

  function named(name: string | undefined, otherwise: GraphQLNamedType): GraphQLNamedType {
    return name === undefined ? otherwise : schema.getType(name)!
  }

  addAll(operation.selectionSet, schema.getQueryType()!)
  const longest = shortest([...lifetimes])
  if (longest === 'uncacheable') return NEVER_CACHED
  const defaults = defaultsOf(operation)
  return {
    longest,
    of(variables, headRevision) {
      const values = { ...defaults, ...variables }
      return shortest([
        longest,
        ...byArguments.map(({ node, lifetime }) => lifetime(given(node, values), headRevision)),
      ])
    },
  }
}

function defaultsOf({ variableDefinitions = [] }: OperationDefinitionNode): Variables {
  return Object.fromEntries(
    variableDefinitions.flatMap(({ variable, defaultValue }) =>
      defaultValue === undefined ? [] : [[variable.name.value, valueFromASTUntyped(defaultValue)]],
    ),
  )
}

function given({ arguments: all = [] }: FieldNode, variables: Variables): Record<string, unknown> {
  return Object.fromEntries(all.map(({ name, value }) => [name.value, valueFromASTUntyped(value, variables)]))
}
