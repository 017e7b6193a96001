import { Kind, OperationTypeNode, type GraphQLSchema, type OperationDefinitionNode, type SelectionSetNode } from 'graphql'
import type { EntryId, SubmittedId } from '../../core/entry-id.js'
import { entryIdFrom } from '../submitted-id.js'
import { compileArguments, compileVariables, type Values } from './read-variables.js'

/** What follows from an entry's content, revision and the arguments alone. */
const OF_THE_ENTRY: ReadonlySet<string> = new Set(['__typename', 'id', 'entryId', 'ns', 'name', 'kind', 'meta', 'data', 'digest', 'revision'])

/** Which entry a query reads; null where its variables do not tell. */
export type LoneEntry = (inputs: Values) => EntryId | null

/** Of a query whose answer is the same as long as one entry is: `entry` by itself, and fields of that entry alone. Null for all others. */
export function loneEntry(schema: GraphQLSchema, operation: OperationDefinitionNode): LoneEntry | null {
  const [node, ...others] = operation.selectionSet.selections
  if (operation.operation !== OperationTypeNode.QUERY || others.length > 0 || node?.kind !== Kind.FIELD || node.name.value !== 'entry') return null
  if (node.directives!.length > 0 || !isOfTheEntry(node.selectionSet!)) return null
  const readVariables = compileVariables(schema, operation)
  const readArguments = compileArguments(schema.getQueryType()!.getFields()['entry']!, node)
  return (inputs) => {
    const read = readVariables(inputs)
    return read.errors === undefined ? entryIdFrom(readArguments(read.coerced)['id'] as SubmittedId) : null
  }
}

function isOfTheEntry({ selections }: SelectionSetNode): boolean {
  return selections.every((selection) => selection.kind === Kind.FIELD && OF_THE_ENTRY.has(selection.name.value))
}
