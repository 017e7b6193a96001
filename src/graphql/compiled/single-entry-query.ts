import {
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  type SelectionSetNode,
} from 'graphql'
import type { EntryRevision } from '../../core/entry/entry.js'
import type { EntryId, SubmittedId } from '../../core/entry/entry-id.js'
import { storedEntryIdFrom } from '../base/entry-id-from.js'
import type { RequestContext } from '../base/request-context.js'
import type { Loaders } from '../loading/loaders.js'
import { AnswerSize } from '../results/answer-size.js'
import { compileArguments } from './compile-arguments.js'
import { compileVariables, type VariableValues } from './compile-variables.js'

/** Fields whose value depends on the entry's id, content and revision, and on arguments, and on nothing else. */
const FIELDS_OF_THE_ENTRY: ReadonlySet<string> = new Set([
  '__typename',
  'id',
  'entryId',
  'ns',
  'name',
  'kind',
  'meta',
  'data',
  'digest',
  'revision',
])

/** Finds the entry that the query reads; null if the variables are invalid. */
export type SingleEntryQuery = (inputs: VariableValues) => EntryId | null

/**
 * Recognizes a query for one entry: `entry` as the only root field, and below it only fields of the entry itself.
 * The answer to such a query stays valid until the entry changes. Null for all other operations.
 */
export function singleEntryQuery(schema: GraphQLSchema, operation: OperationDefinitionNode): SingleEntryQuery | null {
  const [node, ...others] = operation.selectionSet.selections
  if (
    operation.operation !== OperationTypeNode.QUERY ||
    others.length > 0 ||
    node?.kind !== Kind.FIELD ||
    node.name.value !== 'entry'
  )
    return null
  if (node.directives!.length > 0 || !selectsOnlyTheEntry(node.selectionSet!)) return null
  const readVariables = compileVariables(schema, operation)
  const readArguments = compileArguments(schema.getQueryType()!.getFields()['entry']!, node)
  return (inputs) => {
    const { values, errors } = readVariables(inputs)
    if (errors !== undefined) return null
    try {
      return storedEntryIdFrom(readArguments(values)['id'] as SubmittedId)
    } catch {
      // The error is reported when the query is executed.
      return null
    }
  }
}

/**
 * Makes the context for a single-entry query whose entry has already been read.
 * @param answerBytes - Bytes of the longest answer
 * @param read - Returns the entry, or throws the error of reading it
 */
export function singleEntryContext(
  context: RequestContext,
  answerBytes: number,
  read: () => EntryRevision | null,
): RequestContext {
  const loaders = { entry: { load: read } } as unknown as Loaders
  return { ...context, answerSize: new AnswerSize(answerBytes), loaders: () => loaders }
}

function selectsOnlyTheEntry({ selections }: SelectionSetNode): boolean {
  return selections.every((selection) => selection.kind === Kind.FIELD && FIELDS_OF_THE_ENTRY.has(selection.name.value))
}
