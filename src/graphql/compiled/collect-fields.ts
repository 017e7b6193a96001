import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLObjectType,
  type GraphQLSchema,
  isAbstractType,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql'

/** Values of the variables that `@skip` and `@include` use. */
export type Conditions = ReadonlyMap<string, boolean>

/** The parts of a document that field collection needs. */
export interface Selections {
  readonly schema: GraphQLSchema
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>
  readonly conditions: Conditions
}

export function fragmentsOf(document: DocumentNode): Map<string, FragmentDefinitionNode> {
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition)
  }
  return fragments
}

/** Collects the fields of one object by response name. Fields of the same name are merged (specification, 6.3.2). */
export function collectFields(
  selections: Selections,
  type: GraphQLObjectType,
  sets: readonly SelectionSetNode[],
): Map<string, FieldNode[]> {
  const fields = new Map<string, FieldNode[]>()
  const spread = new Set<string>()
  const collect = (set: SelectionSetNode) => {
    for (const selection of set.selections) {
      if (!isIncluded(selection, selections.conditions)) continue
      if (selection.kind === Kind.FIELD) {
        const name = (selection.alias ?? selection.name).value
        const same = fields.get(name)
        if (same === undefined) fields.set(name, [selection])
        else same.push(selection)
        continue
      }
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        if (spread.has(selection.name.value)) continue
        spread.add(selection.name.value)
      }
      const fragment =
        selection.kind === Kind.FRAGMENT_SPREAD ? selections.fragments.get(selection.name.value) : selection
      if (fragment !== undefined && appliesTo(fragment.typeCondition?.name.value, type, selections.schema))
        collect(fragment.selectionSet)
    }
  }
  sets.forEach(collect)
  return fields
}

function appliesTo(condition: string | undefined, type: GraphQLObjectType, schema: GraphQLSchema): boolean {
  if (condition === undefined || condition === type.name) return true
  const named = schema.getType(condition)
  return isAbstractType(named) && schema.isSubType(named, type)
}

function isIncluded({ directives = [] }: SelectionNode, conditions: Conditions): boolean {
  return directives.every(({ name, arguments: given = [] }) => {
    if (name.value !== 'skip' && name.value !== 'include') return true
    const value = given.find((argument) => argument.name.value === 'if')!.value
    const condition =
      value.kind === Kind.BOOLEAN
        ? value.value
        : value.kind === Kind.VARIABLE && conditions.get(value.name.value) === true
    return condition === (name.value === 'include')
  })
}

/** Names of the variables that `@skip` and `@include` use. */
export function conditionVariables(
  operation: OperationDefinitionNode,
  fragments: Iterable<FragmentDefinitionNode>,
): Set<string> {
  const names = new Set<string>()
  const visit = ({ selections }: SelectionSetNode) => {
    for (const selection of selections) {
      for (const { name, arguments: given = [] } of selection.directives ?? []) {
        if (name.value !== 'skip' && name.value !== 'include') continue
        for (const { value } of given) if (value.kind === Kind.VARIABLE) names.add(value.name.value)
      }
      if ('selectionSet' in selection && selection.selectionSet !== undefined) visit(selection.selectionSet)
    }
  }
  visit(operation.selectionSet)
  for (const { selectionSet } of fragments) visit(selectionSet)
  return names
}
