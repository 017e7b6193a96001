import {
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  type SelectionSetNode,
} from 'graphql'
import type { EntryRevision } from '../../core/entry/entry.js'
import type { EntryId, SubmittedId } from '../../core/entry/entry-id.js'
import { entryIdFrom } from '../base/entry-id-from.js'
import type { RequestContext } from '../base/request-context.js'
import type { Loaders } from '../loading/loaders.js'
import { compileArguments, compileVariables, type Values } from './compile-variables.js'

/** What follows from an entry's content, revision and the arguments alone. */
const OF_THE_ENTRY: ReadonlySet<string> = new Set([
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

/** Which entry a query reads; null where its variables do not tell, or tell wrongly. */
export type SingleEntryQuery = (inputs: Values) => EntryId | null

/** Of a query whose answer is the same as long as one entry is: `entry` by itself, and fields of that entry alone. Null for all others. */
export function singleEntryQuery(schema: GraphQLSchema, operation: OperationDefinitionNode): SingleEntryQuery | null {
  const [node, ...others] = operation.selectionSet.selections
  if (
    operation.operation !== OperationTypeNode.QUERY ||
    others.length > 0 ||
    node?.kind !== Kind.FIELD ||
    node.name.value !== 'entry'
  )
    return null
  if (node.directives!.length > 0 || !isOfTheEntry(node.selectionSet!)) return null
  const readVariables = compileVariables(schema, operation)
  const readArguments = compileArguments(schema.getQueryType()!.getFields()['entry']!, node)
  return (inputs) => {
    const read = readVariables(inputs)
    if (read.errors !== undefined) return null
    try {
      return entryIdFrom(readArguments(read.coerced)['id'] as SubmittedId)
    } catch {
      // Said where the query is answered.
      return null
    }
  }
}

/** A context for one such query whose entry has been read, or could not be: then `read` throws why. */
export function singleEntryContext(context: RequestContext, read: () => EntryRevision | null): RequestContext {
  const loaders = { entry: { load: read } } as unknown as Loaders
  return { ...context, loaders: () => loaders }
}

function isOfTheEntry({ selections }: SelectionSetNode): boolean {
  return selections.every((selection) => selection.kind === Kind.FIELD && OF_THE_ENTRY.has(selection.name.value))
}
